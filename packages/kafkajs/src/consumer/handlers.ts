/** Calls `eachMessage` and `eachBatch` for the batches of a run of `ottla`. */
import type { EventOf, MessageBatch, RunContext, TopicPartition, TopicPartitionOffset } from 'ottla'
import type { InstrumentationEmitter } from '../observe/emitter.ts'
import { flatOffsets, offsetOf } from '../translate/offsets.ts'
import type { ConsumerEvents, EachBatchPayload, IBatchProcessEvent } from '../types/consumer.ts'
import type { Logger } from '../types/logging.ts'
import { finalError, isKafkaJSError, isRebalancing, isRetriable, rebalanceInProgress } from './failures.ts'
import { behind, KafkaBatch, toKafkaMessage } from './messages.ts'
import type { Progress } from './progress.ts'
import type { RunSettings } from './run-settings.ts'

/** What the handlers need of their session. */
export interface HandlersHost {
  readonly groupId: string
  readonly settings: RunSettings
  readonly emitter: InstrumentationEmitter<ConsumerEvents>
  readonly logger: Logger
  readonly progress: Progress
  isRunning(): boolean
  isPaused(partition: TopicPartition): boolean
  /** @returns resumes it */
  pause(partition: TopicPartition): () => void
  /** Commits these offsets, or what is processed. Rejects with kafkajs's errors. */
  commit(offsets?: readonly TopicPartitionOffset[]): Promise<void>
  /** A handler goes on, or has ended. */
  alive(): void
  /** Ends the session with this error. */
  crash(error: Error): void
}

/** A batch that a handler has. */
interface Processing {
  readonly batch: MessageBatch
  readonly context: RunContext
  /** A seek has moved the partition away. */
  isStale: boolean
  /** The partition is given up. */
  isRevoked: boolean
  /** What reading has passed meanwhile. */
  readonly gaps: Gap[]
}

type Gap = EventOf<'gap'>

export class Handlers {
  readonly #host: HandlersHost
  readonly #running = new Set<Processing>()
  /** ms since the epoch. */
  #committedAt = Date.now()

  constructor(host: HandlersHost) {
    this.#host = host
  }

  /** For `consumer.run`: rejects with what the program's handler threw if it is to be called again. */
  readonly handle = async (batch: MessageBatch, context: RunContext): Promise<void> => {
    const processing: Processing = { batch, context, isStale: false, isRevoked: false, gaps: [] }
    // Only what is resolved is processed.
    batch.markProcessed(null)
    this.#host.progress.reads(batch, batch.firstOffset)
    this.#running.add(processing)
    try {
      await this.#process(processing)
      for (const gap of processing.gaps) this.#emptyBatch(gap)
    } catch (error) {
      if (isRebalancing(error)) return
      if (isRetriable(error)) throw error
      this.#host.crash(finalError(error))
    } finally {
      this.#running.delete(processing)
    }
  }

  /** Reading has passed offsets without a message: a batch of kafkajs's that no handler gets. */
  passed(gap: Gap): void {
    const [processing] = this.#of([gap])
    if (processing === undefined) this.#emptyBatch(gap)
    else processing.gaps.push(gap)
  }

  /** As many handlers are running as may run at once. */
  get isBusy(): boolean {
    return this.#running.size >= this.#host.settings.concurrency
  }

  /** The position of a partition has moved. */
  sought(partition: TopicPartition): void {
    for (const processing of this.#of([partition])) processing.isStale = true
  }

  /** These partitions are given up. */
  revoked(partitions: readonly TopicPartition[]): void {
    for (const processing of this.#of(partitions)) processing.isRevoked = true
  }

  /** Something has been committed. */
  hasCommitted(): void {
    this.#committedAt = Date.now()
  }

  #of(partitions: readonly TopicPartition[]): Processing[] {
    return [...this.#running].filter(({ batch: { topic, partition } }) =>
      partitions.some(each => each.topic === topic && each.partition === partition),
    )
  }

  #emptyBatch(gap: Gap): void {
    const { emitter } = this.#host
    const facts = (): IBatchProcessEvent => factsOf({ ...gap, length: 0 })
    emitter.emit('START_BATCH_PROCESS', facts)
    emitter.emit('END_BATCH_PROCESS', () => ({ ...facts(), duration: 0 }))
  }

  async #process(processing: Processing): Promise<void> {
    const { emitter, settings } = this.#host
    const began = Date.now()
    const facts = (): IBatchProcessEvent => factsOf(processing.batch)
    emitter.emit('START_BATCH_PROCESS', facts)
    if (settings.eachMessage !== null) await this.#eachMessage(processing)
    else if (settings.eachBatch !== null) await this.#eachBatch(processing)
    emitter.emit('END_BATCH_PROCESS', () => ({ ...facts(), duration: Date.now() - began }))
    this.#host.alive()
    if (settings.autoCommit) await this.#host.commit()
  }

  async #eachMessage(processing: Processing): Promise<void> {
    const { settings } = this.#host
    const { eachMessage } = settings
    const { batch, context } = processing
    const { topic, partition } = batch
    const heartbeat = this.#heartbeatOf(processing)
    const pause = (): (() => void) => this.#host.pause(batch)
    for (const message of batch) {
      if (!this.#host.isRunning() || processing.isStale || processing.isRevoked) break
      try {
        await eachMessage?.({ topic, partition, message: toKafkaMessage(message), heartbeat, pause })
      } catch (error) {
        await this.#failed('eachMessage', processing, String(message.offset), error)
        throw error
      }
      this.#resolve(processing, message.offset)
      context.heartbeat()
      this.#host.alive()
      if (settings.autoCommit && this.#isCommitDue()) await this.#host.commit()
      if (this.#host.isPaused(batch)) break
    }
  }

  async #eachBatch(processing: Processing): Promise<void> {
    const { settings } = this.#host
    const { batch } = processing
    try {
      await settings.eachBatch?.(this.#payload(processing))
    } catch (error) {
      await this.#failed('eachBatch', processing, String(batch.firstOffset), error)
      throw error
    }
    if (settings.eachBatchAutoResolve) this.#resolve(processing, batch.lastOffset)
  }

  #payload(processing: Processing): EachBatchPayload {
    const host = this.#host
    return {
      batch: new KafkaBatch(processing.batch),
      resolveOffset: offset => this.#resolve(processing, offsetOf(offset)),
      heartbeat: this.#heartbeatOf(processing),
      pause: () => host.pause(processing.batch),
      commitOffsetsIfNecessary: async offsets => {
        if (offsets !== undefined) await host.commit(flatOffsets(offsets))
        else if (this.#isCommitDue()) await host.commit()
      },
      uncommittedOffsets: () => host.progress.uncommitted(),
      isRunning: () => host.isRunning(),
      isStale: () => processing.isStale || processing.isRevoked,
    }
  }

  #heartbeatOf(processing: Processing): () => Promise<void> {
    const { groupId } = this.#host
    return () => {
      processing.context.heartbeat()
      this.#host.alive()
      return processing.isRevoked ? Promise.reject(rebalanceInProgress(groupId)) : Promise.resolve()
    }
  }

  /** Everything up to this offset is processed. */
  #resolve({ batch, isStale }: Processing, offset: number): void {
    if (isStale || offset < batch.firstOffset) return
    const { topic, partition, lastOffset } = batch
    batch.markProcessed({ topic, partition, offset: Math.min(offset, lastOffset) })
    this.#host.progress.resolve(batch, Math.min(offset, lastOffset) + 1)
  }

  #isCommitDue(): boolean {
    const { autoCommitInterval, autoCommitThreshold } = this.#host.settings
    if (autoCommitInterval !== null && Date.now() >= this.#committedAt + autoCommitInterval) return true
    return autoCommitThreshold !== null && this.#host.progress.pending >= autoCommitThreshold
  }

  /** What was processed before the failure is committed. */
  async #failed(handler: string, { batch }: Processing, offset: string, error: unknown): Promise<void> {
    const { logger, settings } = this.#host
    const { topic, partition } = batch
    if (!isKafkaJSError(error)) {
      const stack = error instanceof Error ? error.stack : undefined
      logger.error(`Error when calling ${handler}`, { topic, partition, offset, stack, error })
    }
    if (settings.autoCommit) await this.#host.commit().catch(() => undefined)
  }
}

function factsOf({
  topic,
  partition,
  highWatermark,
  length,
  firstOffset,
  lastOffset,
}: Omit<Gap, 'type'> & { readonly length: number }): IBatchProcessEvent {
  return {
    topic,
    partition,
    highWatermark: String(highWatermark),
    offsetLag: behind(highWatermark, lastOffset),
    offsetLagLow: behind(highWatermark, firstOffset),
    batchSize: length,
    firstOffset: String(firstOffset),
    lastOffset: String(lastOffset),
  }
}
