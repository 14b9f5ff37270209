/** Calls `eachMessage` and `eachBatch` for the batches of a run of `ottla`. */
import type { MessageBatch, RunContext, TopicPartition } from 'ottla'
import type { ConsumerRunConfig, EachBatchPayload } from '../../types/kafkajs/consumer.ts'
import { invalid, notImplemented } from '../failures.ts'
import { toBatch, toKafkaMessage } from './messages.ts'

/** What the handlers need of their consumer. */
export interface HandlersHost {
  readonly isRunning: boolean
  readonly isAutoCommit: boolean
  /** @returns resumes it */
  pause(partition: TopicPartition): () => void
  /** Commits what is processed. Rejects with KafkaJSError. */
  commit(): Promise<void>
  logError(message: string): void
}

/** A batch that a handler has. */
interface Processing {
  readonly batch: MessageBatch
  readonly context: RunContext
  /** The rest of it has been taken away: by a seek, a pause or a rebalance. */
  isStale: boolean
}

export class Handlers {
  readonly #host: HandlersHost
  readonly #config: ConsumerRunConfig
  readonly #running = new Set<Processing>()

  constructor(host: HandlersHost, config: ConsumerRunConfig) {
    this.#host = host
    this.#config = config
  }

  /** For `consumer.run`: rejects with what the program's handler threw, which is called again then. */
  readonly handle = async (batch: MessageBatch, context: RunContext): Promise<void> => {
    const processing: Processing = { batch, context, isStale: false }
    // Only what is resolved is processed.
    batch.markProcessed(null)
    this.#running.add(processing)
    try {
      if (this.#config.eachMessage !== undefined) await this.#eachMessage(processing)
      else await this.#eachBatch(processing)
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#host.logError(`The handler has failed; what it has not resolved is processed again: ${text}`)
      throw error
    } finally {
      this.#running.delete(processing)
    }
  }

  /** What of these partitions is with a handler is not to be gone on with. */
  takeAway(partitions: readonly TopicPartition[]): void {
    for (const processing of this.#running) {
      const { topic, partition } = processing.batch
      if (partitions.some(each => each.topic === topic && each.partition === partition)) processing.isStale = true
    }
  }

  async #eachMessage(processing: Processing): Promise<void> {
    const { batch, context } = processing
    const { topic, partition } = batch
    const heartbeat = heartbeatOf(context)
    const pause = (): (() => void) => this.#host.pause(batch)
    for (const message of batch) {
      if (!this.#host.isRunning || processing.isStale) break
      await this.#config.eachMessage?.({ topic, partition, message: toKafkaMessage(message), heartbeat, pause })
      resolve(processing, message.offset)
      context.heartbeat()
    }
  }

  async #eachBatch(processing: Processing): Promise<void> {
    const { eachBatch, eachBatchAutoResolve = true } = this.#config
    await eachBatch?.(this.#payload(processing))
    // A handler of a stale batch may have left some of it out.
    if (eachBatchAutoResolve && !processing.isStale) resolve(processing, processing.batch.lastOffset)
  }

  #payload(processing: Processing): EachBatchPayload {
    const host = this.#host
    const payload = {
      batch: toBatch(processing.batch),
      resolveOffset: (offset: string) => {
        const number = Number(offset)
        if (Number.isNaN(number)) throw invalid(`resolveOffset takes an offset, not ${offset}`)
        resolve(processing, number)
      },
      heartbeat: heartbeatOf(processing.context),
      pause: () => host.pause(processing.batch),
      // What is stored is committed at intervals otherwise.
      commitOffsetsIfNecessary: async () => {
        if (!host.isAutoCommit) await host.commit()
      },
      isRunning: () => host.isRunning,
      isStale: () => processing.isStale,
      uncommittedOffsets: () => {
        throw notImplemented('uncommittedOffsets is not supported')
      },
    }
    return payload
  }
}

function heartbeatOf(context: RunContext): () => Promise<void> {
  return () => {
    context.heartbeat()
    return Promise.resolve()
  }
}

/** Everything up to this offset is processed: never less than before. */
function resolve({ batch }: Processing, offset: number): void {
  const { topic, partition, firstOffset, lastOffset } = batch
  if (offset < firstOffset) return
  batch.markProcessed({ topic, partition, offset: Math.min(offset, lastOffset) })
}
