/** Options of `consumer.run`. */
import type { ValueBeside } from '../../topics.ts'
import type { ConsumedMessage, HeaderInput } from '../../types.ts'
import type { ConsumedBatch } from '../read/message-batch.ts'
import { invalid } from '../arguments.ts'

/** What a handler gets beside the message. */
export interface RunContext {
  /** 1 for the first attempt. */
  readonly attempt: number
  /**
   * Aborted when there is no point in carrying on: the partition was lost, or `drainMs` or `handlerTimeoutMs` is over.
   */
  readonly signal: AbortSignal
  /**
   * Says that the handler is alive: `max.poll.interval.ms` begins again for it. Needed only by a handler that may take
   * longer than that; heartbeats to the group do not depend on it.
   */
  readonly heartbeat: () => void
}

/** Takes dead letters: a `Producer`, or anything with its `send`. */
export interface DeadLetterSink {
  send(message: { topic: string; key: Buffer | null; value: Buffer | null; headers: HeaderInput[] }): Promise<unknown>
}

/** What runs of messages and of batches have in common. */
export interface CommonRunOptions {
  /** How many handlers may run at once; 1 by default. */
  readonly concurrency?: number
  /** How often a message is retried, 0 by default, and the backoff in ms: by default 100, doubling up to 10,000. */
  readonly retry?: { readonly retries?: number; readonly backoffMs?: number; readonly backoffMaxMs?: number }
  /** Ends the run: it takes no further messages and waits for running handlers. */
  readonly signal?: AbortSignal
  /**
   * How long one attempt may take, ms. One that takes longer has failed (`retry`, `deadLetter`) with ERR__TIMED_OUT:
   * `signal` is aborted and the handler's result is ignored. Left out, a handler that takes longer than
   * `max.poll.interval.ms` costs this consumer its partitions, as if the application did not poll.
   */
  readonly handlerTimeoutMs?: number
  /** How long a revoke, or the end of the run, waits for running handlers, ms; 30,000 by default. */
  readonly drainMs?: number
  /**
   * Whether the run commits what is processed: true by default. With false (and `enable.auto.commit=false`) it only
   * stores these offsets, and the application commits: `consumer.commit()`, or `consumer.commit(offsets)`.
   */
  readonly commit?: boolean
}

/**
 * How `consumer.run` processes messages.
 * @since 0.1.0
 */
export interface RunOptions<K = Buffer, V = ValueBeside<K, Buffer>> extends CommonRunOptions {
  /** Processes one message; retried as `retry` says when it throws or rejects. */
  readonly handler: (message: ConsumedMessage<K, V>, context: RunContext) => void | Promise<void>
  /**
   * Which messages are processed one after the other: those of a partition (the default), those of a partition with the
   * same key (those without a key in no order), or none.
   */
  readonly order?: 'partition' | 'key' | 'none'
  /**
   * Where dead letters go: messages whose last attempt failed, or that cannot be deserialized, with headers that say
   * where they came from and why. Left out, such a message ends the run. If sending a dead letter fails, that ends the
   * run, too, with an error that names both failures and has them as the `errors` of its `cause`.
   */
  readonly deadLetter?: { readonly topic: string; readonly producer: DeadLetterSink }
}

/**
 * How `consumer.run` processes batches: those of one partition one after the other, those of `concurrency` partitions
 * at once.
 * @since 0.1.0
 */
export interface BatchRunOptions<K = Buffer, V = ValueBeside<K, Buffer>> extends CommonRunOptions {
  /**
   * Processes a batch. Without `batch.markProcessed` the whole batch is processed when the handler has ended without an
   * error; with it, as far as it says, at once: what is behind that comes again, after `retry.backoffMs` if nothing has
   * been marked. A handler that throws or rejects gets what it has not marked again, as `retry` says. A message that
   * cannot be deserialized ends the run.
   */
  readonly batchHandler: (batch: ConsumedBatch<K, V>, context: RunContext) => void | Promise<void>
  /** The most messages in one batch; 10,000 by default. */
  readonly maxMessages?: number
}

export interface CommonRunSettings {
  readonly concurrency: number
  readonly retries: number
  readonly backoffMs: number
  readonly backoffMaxMs: number
  readonly drainMs: number
  readonly handlerTimeoutMs: number | undefined
  readonly commit: boolean
}

export interface RunSettings extends CommonRunSettings {
  readonly order: 'partition' | 'key' | 'none'
}

export interface BatchRunSettings extends CommonRunSettings {
  readonly maxMessages: number
}

const DEFAULT_MAX_MESSAGES = 10_000

/** What other clients call the handlers. */
const foreign: Readonly<Record<string, string>> = {
  eachMessage: 'handler(message, context) is called for every message',
  eachBatch: 'batchHandler(batch, context) is called for every batch',
}

/** @throws KafkaError ERR__INVALID_ARG */
export function runSettings(options: RunOptions<never, never>): RunSettings {
  const common = commonSettings(options)
  const { handler, order = 'partition', deadLetter } = options
  if (typeof handler !== 'function') throw invalid('run: handler must be a function')
  if (!['partition', 'key', 'none'].includes(order)) {
    throw invalid(`run: order=${order as string} must be partition, key or none`)
  }
  if (deadLetter !== undefined && (deadLetter.topic === '' || typeof deadLetter.producer.send !== 'function')) {
    throw invalid('run: deadLetter needs a topic and a producer')
  }
  return { ...common, order }
}

/** @throws KafkaError ERR__INVALID_ARG */
export function batchRunSettings(options: BatchRunOptions<never, never>): BatchRunSettings {
  const common = commonSettings(options)
  const { batchHandler, maxMessages = DEFAULT_MAX_MESSAGES } = options
  if (typeof batchHandler !== 'function') throw invalid('run: batchHandler must be a function')
  if (!Number.isInteger(maxMessages) || maxMessages < 1) {
    throw invalid(`run: maxMessages=${maxMessages} must be a whole number, 1 or more`)
  }
  for (const name of ['handler', 'order', 'deadLetter']) {
    if (name in options) throw invalid(`run: ${name} and batchHandler cannot be combined`)
  }
  return { ...common, maxMessages }
}

function commonSettings(options: CommonRunOptions): CommonRunSettings {
  const given: unknown = options
  if (typeof given !== 'object' || given === null) throw invalid('run takes { handler } and other options')
  for (const [name, instead] of Object.entries(foreign)) {
    if (name in given) throw invalid(`run has no ${name}: ${instead}`)
  }
  const { concurrency = 1, retry = {}, drainMs = 30_000, handlerTimeoutMs, commit = true } = options
  const { retries = 0, backoffMs = 100, backoffMaxMs = 10_000 } = retry
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw invalid(`run: concurrency=${concurrency} must be a whole number, 1 or more`)
  }
  for (const [name, value] of Object.entries({ retries, backoffMs, backoffMaxMs, drainMs })) {
    if (!(value >= 0)) throw invalid(`run: ${name}=${value} must be 0 or more`)
  }
  if (handlerTimeoutMs !== undefined && !(handlerTimeoutMs > 0)) {
    throw invalid(`run: handlerTimeoutMs=${handlerTimeoutMs} must be more than 0`)
  }
  if (typeof commit !== 'boolean') throw invalid('run: commit must be true or false')
  return { concurrency, retries, backoffMs, backoffMaxMs, drainMs, handlerTimeoutMs, commit }
}
