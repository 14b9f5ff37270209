/** Options of `consumer.run`. */
import type { ConsumedMessage, HeaderInput } from '../../types.ts'
import { invalid } from '../arguments.ts'

/** What a handler gets beside the message. */
export interface RunContext {
  /** 1 for the first attempt. */
  readonly attempt: number
  /**
   * Aborted when there is no point in carrying on: the partition was lost, or `drainMs` or `handlerTimeoutMs` is over.
   */
  readonly signal: AbortSignal
}

/** Takes dead letters: a `Producer`, or anything with its `send`. */
export interface DeadLetterSink {
  send(message: { topic: string; key: Buffer | null; value: Buffer | null; headers: HeaderInput[] }): Promise<unknown>
}

/**
 * How `consumer.run` processes messages.
 * @since 0.1.0
 */
export interface RunOptions<K = Buffer, V = Buffer> {
  /** Processes one message; retried as `retry` says when it throws or rejects. */
  readonly handler: (message: ConsumedMessage<K, V>, context: RunContext) => void | Promise<void>
  /** How many handlers may run at once; 1 by default. */
  readonly concurrency?: number
  /**
   * Which messages are processed one after the other: those of a partition (the default), those of a partition with the
   * same key (those without a key in no order), or none.
   */
  readonly order?: 'partition' | 'key' | 'none'
  /** How often a message is retried, 0 by default, and the backoff in ms: by default 100, doubling up to 10,000. */
  readonly retry?: { readonly retries?: number; readonly backoffMs?: number; readonly backoffMaxMs?: number }
  /**
   * Where dead letters go: messages whose last attempt failed, or that cannot be deserialized, with headers that say
   * where they came from and why. Left out, such a message ends the run. If sending a dead letter fails, that ends the
   * run, too, with an error that names both failures and has them as the `errors` of its `cause`.
   */
  readonly deadLetter?: { readonly topic: string; readonly producer: DeadLetterSink }
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
}

export interface RunSettings {
  readonly concurrency: number
  readonly order: 'partition' | 'key' | 'none'
  readonly retries: number
  readonly backoffMs: number
  readonly backoffMaxMs: number
  readonly drainMs: number
  readonly handlerTimeoutMs: number | undefined
}

/** @throws KafkaError ERR__INVALID_ARG */
export function runSettings(options: RunOptions<never, never>): RunSettings {
  const given: unknown = options
  if (typeof given !== 'object' || given === null) throw invalid('run takes { handler } and other options')
  for (const name of ['eachMessage', 'eachBatch']) {
    if (name in given) throw invalid(`run has no ${name}: handler(message, context) is called for every message`)
  }
  const {
    handler,
    concurrency = 1,
    order = 'partition',
    retry = {},
    deadLetter,
    drainMs = 30_000,
    handlerTimeoutMs,
  } = options
  const { retries = 0, backoffMs = 100, backoffMaxMs = 10_000 } = retry
  if (typeof handler !== 'function') throw invalid('run: handler must be a function')
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw invalid(`run: concurrency=${concurrency} must be a whole number, 1 or more`)
  }
  if (!['partition', 'key', 'none'].includes(order)) {
    throw invalid(`run: order=${order as string} must be partition, key or none`)
  }
  for (const [name, value] of Object.entries({ retries, backoffMs, backoffMaxMs, drainMs })) {
    if (!(value >= 0)) throw invalid(`run: ${name}=${value} must be 0 or more`)
  }
  if (handlerTimeoutMs !== undefined && !(handlerTimeoutMs > 0)) {
    throw invalid(`run: handlerTimeoutMs=${handlerTimeoutMs} must be more than 0`)
  }
  if (deadLetter !== undefined && (deadLetter.topic === '' || typeof deadLetter.producer.send !== 'function')) {
    throw invalid('run: deadLetter needs a topic and a producer')
  }
  return { concurrency, order, retries, backoffMs, backoffMaxMs, drainMs, handlerTimeoutMs }
}
