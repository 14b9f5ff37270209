/** Options of a share consumer and of its `run`, and the properties that it refuses. */
import { ErrorCode } from '@ottla/protocol'
import type { ClientOptions } from '../../cluster/context.ts'
import { shareRefusals } from '../../config/share-groups.ts'
import { KafkaError } from '../../errors.ts'
import type { DeserializerInput } from '../../serdes.ts'
import type { DeserializersByTopic, OptionsArgument, TopicsOption } from '../../topic-serdes.ts'
import type { TopicForm, ValueBeside } from '../../topics.ts'
import { invalid } from '../arguments.ts'
import type { AcknowledgeType } from './acknowledgements.ts'
import type { ConsumedShareMessage, ShareMessage } from './message.ts'

/** @since 0.1.0 */
export interface ShareConsumerOptions<K, V> extends ClientOptions {
  /** Deserializes keys; Buffers without it. */
  readonly key?: DeserializerInput<K>
  /** Deserializes values; Buffers without it. */
  readonly value?: DeserializerInput<V>
}

/**
 * Constructor options of a share consumer for typed topics.
 * @since 0.1.0
 */
export type TopicShareConsumerOptions<T> = ClientOptions & TopicsOption<DeserializersByTopic<T>>

/**
 * The second signature of the constructor, which is for typed topics only.
 * @since 0.1.0
 */
export type TopicShareConsumerArguments<K, V> = {
  readonly plain: [options: never]
  readonly topics: OptionsArgument<TopicShareConsumerOptions<K>>
}[TopicForm<K, V>]

/** @throws KafkaError ERR__INVALID_ARG */
export function isImplicit(mode: string): boolean {
  const word = mode.toLowerCase()
  if (word === 'implicit' || word === 'explicit') return word === 'implicit'
  throw invalid(`share.acknowledgement.mode=${mode} is not valid: it takes implicit or explicit`)
}

/**
 * @returns the group id
 * @throws KafkaError ERR__INVALID_ARG for a property that does not apply to share groups; ERR__UNKNOWN_GROUP
 */
export function checkShareConfig(config: object): string {
  const given = new Map<string, unknown>(Object.entries(config))
  for (const [name, why] of Object.entries(shareRefusals)) {
    if (given.get(name) !== undefined) throw invalid(`${name} cannot be set for a share consumer: ${why}`)
  }
  const groupId = given.get('group.id')
  if (typeof groupId !== 'string' || groupId === '') {
    throw new KafkaError(ErrorCode.ERR__UNKNOWN_GROUP, 'a share consumer needs a group: group.id is not set')
  }
  return groupId
}

/** What a handler gets beside the message. */
export interface ShareRunContext {
  /**
   * Aborted when the lock was lost (another member may have the message), or when `drainMs` or `handlerTimeoutMs` is
   * over.
   */
  readonly signal: AbortSignal
}

/** The outcome of a message; a handler that returns nothing means `accept`. */
export type ShareOutcome = Exclude<AcknowledgeType, 'renew'>

/**
 * How `shareConsumer.run` processes messages.
 * @since 0.1.0
 */
export interface ShareRunOptions<K = Buffer, V = ValueBeside<K, Buffer>> {
  /** Processes one message, whose lock is renewed meanwhile. Returns the outcome; `accept` by default. */
  readonly handler: (
    message: ConsumedShareMessage<K, V>,
    context: ShareRunContext,
  ) => ShareOutcome | undefined | void | Promise<ShareOutcome | undefined | void>
  /** How many handlers may run at once; 1 by default. */
  readonly concurrency?: number
  /**
   * The outcome of a message whose handler threw, or that cannot be deserialized. `release` by default: the message is
   * delivered again, up to the broker's limit (`group.share.delivery.count.limit`). What `onError` throws ends the run.
   */
  readonly onError?: (error: unknown, message: ShareMessage<unknown, unknown>) => ShareOutcome | Promise<ShareOutcome>
  /** Ends the run: it takes no further messages and waits for running handlers. */
  readonly signal?: AbortSignal
  /**
   * How long a handler may take, ms. One that takes longer has failed (`onError`) with ERR__TIMED_OUT: `signal` is
   * aborted and its result is ignored. Left out, a handler that takes longer than `max.poll.interval.ms` costs this
   * consumer its membership until it ends, and its message is released.
   */
  readonly handlerTimeoutMs?: number
  /** How long the end of the run waits for running handlers, ms; 30,000 by default. */
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
  if (typeof handler !== 'function') throw invalid('run: handler must be a function')
  if (onError !== undefined && typeof onError !== 'function') throw invalid('run: onError must be a function')
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw invalid(`run: concurrency=${concurrency} must be a whole number, 1 or more`)
  }
  if (!(drainMs >= 0)) throw invalid(`run: drainMs=${drainMs} must be 0 or more`)
  if (handlerTimeoutMs !== undefined && !(handlerTimeoutMs > 0)) {
    throw invalid(`run: handlerTimeoutMs=${handlerTimeoutMs} must be more than 0`)
  }
  return { concurrency, drainMs, handlerTimeoutMs }
}
