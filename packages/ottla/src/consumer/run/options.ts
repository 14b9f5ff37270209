/** What `consumer.run` is told. */
import type { HeaderInput, Message } from '../../types.ts'
import { invalid } from '../arguments.ts'

/** What a handler is given beside the message. */
export interface RunContext {
  /** 1 for the first try. */
  readonly attempt: number
  /** Aborted when it is of no more use to go on: the partition was lost, or the time for draining or for the try is over. */
  readonly signal: AbortSignal
}

/** What takes messages that could not be worked on: a `Producer`, or anything with its `send`. */
export interface DeadLetterSink {
  send(message: { topic: string; key: Buffer | null; value: Buffer | null; headers: HeaderInput[] }): Promise<unknown>
}

/**
 * How `consumer.run` works on messages.
 * @since 0.1.0
 */
export interface RunOptions<K = Buffer, V = Buffer> {
  /** Works on one message; what it throws, or rejects with, is tried again as `retry` says. */
  readonly handler: (message: Message<K, V>, context: RunContext) => void | Promise<void>
  /** How many handlers may be at work at once; 1 by default. */
  readonly concurrency?: number
  /**
   * What is worked on one after the other: the messages of a partition (the default), those of a partition that have the
   * same key (those without one in no order), or nothing.
   */
  readonly order?: 'partition' | 'key' | 'none'
  /** How often a message is tried again, 0 by default, and the pauses between, ms: 100 doubling up to 10,000 by default. */
  readonly retry?: { readonly retries?: number; readonly backoffMs?: number; readonly backoffMaxMs?: number }
  /**
   * Where messages go whose last try has failed, or that cannot be deserialized, with headers that say where from and why.
   * Left out, such a message ends the run; one that cannot be put aside does, too, with an error that names both failures and
   * has them as `errors` of its `cause`.
   */
  readonly deadLetter?: { readonly topic: string; readonly producer: DeadLetterSink }
  /** Ends the run: no further messages, and those at work are waited for. */
  readonly signal?: AbortSignal
  /**
   * How long one try may take, ms: longer, and it counts as failed (`retry`, `deadLetter`) with ERR__TIMED_OUT, `signal` is
   * aborted, and what becomes of the handler is of no interest. Left out, a handler that takes longer than
   * `max.poll.interval.ms` costs this consumer its partitions, as a program that does not poll.
   */
  readonly handlerTimeoutMs?: number
  /** How long handlers at work are waited for when their partition is revoked or the run ends, ms; 30,000 by default. */
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
    if (name in given) throw invalid(`run has no ${name}: handler(message, context) is called with every message`)
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
  if (typeof handler !== 'function') throw invalid('run: handler has to be a function')
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw invalid(`run: concurrency=${concurrency} has to be 1 or more`)
  if (!['partition', 'key', 'none'].includes(order)) {
    throw invalid(`run: order=${order as string} has to be partition, key or none`)
  }
  for (const [name, value] of Object.entries({ retries, backoffMs, backoffMaxMs, drainMs })) {
    if (!(value >= 0)) throw invalid(`run: ${name}=${value} has to be 0 or more`)
  }
  if (handlerTimeoutMs !== undefined && !(handlerTimeoutMs > 0)) {
    throw invalid(`run: handlerTimeoutMs=${handlerTimeoutMs} has to be more than 0`)
  }
  if (deadLetter !== undefined && (deadLetter.topic === '' || typeof deadLetter.producer.send !== 'function')) {
    throw invalid('run: deadLetter needs a topic and a producer')
  }
  return { concurrency, order, retries, backoffMs, backoffMaxMs, drainMs, handlerTimeoutMs }
}
