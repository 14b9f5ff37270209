/** What a share consumer is told, by its configuration and by the program. */
import { ErrorCode } from '@ottla/protocol'
import type { ClientOptions } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import type { DeserializerInput } from '../../serdes.ts'
import { invalid } from '../arguments.ts'
import type { AcknowledgeType } from './acknowledgements.ts'
import type { ShareMessage } from './message.ts'

/** @since 0.1.0 */
export interface ShareConsumerOptions<K, V> extends ClientOptions {
  /** Turns the bytes of keys into something else. */
  readonly key?: DeserializerInput<K>
  /** Turns the bytes of values into something else. */
  readonly value?: DeserializerInput<V>
}

// Properties of other consumers, and what takes their place: a share group's settings are the broker's.
const unfit: Readonly<Record<string, string>> = {
  'auto.offset.reset': "the group's share.auto.offset.reset, set at the brokers",
  'isolation.level': "the group's share.isolation.level, set at the brokers",
  'session.timeout.ms': "the group's share.session.timeout.ms, set at the brokers",
  'heartbeat.interval.ms': "the group's share.heartbeat.interval.ms, set at the brokers",
  'enable.auto.commit': 'share.acknowledgement.mode',
  'auto.commit.interval.ms': 'share.acknowledgement.mode',
  'enable.auto.offset.store': 'share.acknowledgement.mode',
  'group.instance.id': 'nothing: members of share groups are not static',
  'group.protocol': 'nothing: share groups have a protocol of their own',
  'group.remote.assignor': 'nothing: brokers assign the partitions of share groups',
  'partition.assignment.strategy': 'nothing: brokers assign the partitions of share groups',
  'enable.partition.eof': 'nothing: a share group has no position of its own',
}

/** @throws KafkaError ERR__INVALID_ARG */
export function isImplicit(mode: string): boolean {
  const word = mode.toLowerCase()
  if (word === 'implicit' || word === 'explicit') return word === 'implicit'
  throw invalid(`share.acknowledgement.mode=${mode} is not valid: it takes implicit or explicit`)
}

/** @throws KafkaError ERR__INVALID_ARG for a property that means nothing to a share group; ERR__UNKNOWN_GROUP */
export function checkShareConfig(config: Readonly<Record<string, unknown>>): string {
  for (const [name, instead] of Object.entries(unfit)) {
    if (config[name] !== undefined) throw invalid(`${name} cannot be set for a share consumer; there is ${instead}`)
  }
  const groupId = config['group.id']
  if (typeof groupId !== 'string' || groupId === '') {
    throw new KafkaError(ErrorCode.ERR__UNKNOWN_GROUP, 'a share consumer needs a group: group.id is not set')
  }
  return groupId
}

/** What a handler is given beside the message. */
export interface ShareRunContext {
  /** Aborted when the lock was lost (somebody else may have the message) or the time for draining, or for it, is over. */
  readonly signal: AbortSignal
}

/** What became of a message; nothing, for one that a handler returned from, is `accept`. */
export type ShareOutcome = Exclude<AcknowledgeType, 'renew'>

/**
 * How `shareConsumer.run` works on messages.
 * @since 0.1.0
 */
export interface ShareRunOptions<K = Buffer, V = Buffer> {
  /** Works on one message, whose lock is renewed for as long as it takes. Returns what became of it; `accept` by default. */
  readonly handler: (
    message: ShareMessage<K, V>,
    context: ShareRunContext,
  ) => ShareOutcome | undefined | void | Promise<ShareOutcome | undefined | void>
  /** How many handlers may be at work at once; 1 by default. */
  readonly concurrency?: number
  /**
   * What becomes of a message whose handler has thrown, or that cannot be deserialized: `release` by default, so that it is
   * tried again until the broker's limit of deliveries (`group.share.delivery.count.limit`). What it throws ends the run.
   */
  readonly onError?: (error: unknown, message: ShareMessage<unknown, unknown>) => ShareOutcome | Promise<ShareOutcome>
  /** Ends the run: no further messages, and those at work are waited for. */
  readonly signal?: AbortSignal
  /**
   * How long a handler may take, ms: longer, and it counts as failed (`onError`) with ERR__TIMED_OUT, `signal` is aborted, and
   * what becomes of the handler is of no interest. Left out, one that takes longer than `max.poll.interval.ms` costs this
   * consumer its membership until it ends, and its message is released.
   */
  readonly handlerTimeoutMs?: number
  /** How long handlers at work are waited for when the run ends, ms; 30,000 by default. */
  readonly drainMs?: number
}

export interface ShareRunSettings {
  readonly concurrency: number
  readonly drainMs: number
  readonly handlerTimeoutMs: number | undefined
}

/** @throws KafkaError ERR__INVALID_ARG */
export function shareRunSettings(options: ShareRunOptions<never, never>): ShareRunSettings {
  const { handler, concurrency = 1, drainMs = 30_000, onError, handlerTimeoutMs } = options
  if (typeof handler !== 'function') throw invalid('run: handler has to be a function')
  if (onError !== undefined && typeof onError !== 'function') throw invalid('run: onError has to be a function')
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw invalid(`run: concurrency=${concurrency} has to be 1 or more`)
  if (!(drainMs >= 0)) throw invalid(`run: drainMs=${drainMs} has to be 0 or more`)
  if (handlerTimeoutMs !== undefined && !(handlerTimeoutMs > 0)) {
    throw invalid(`run: handlerTimeoutMs=${handlerTimeoutMs} has to be more than 0`)
  }
  return { concurrency, drainMs, handlerTimeoutMs }
}
