/** Events of a share consumer. */
import type { ValueBeside } from '../../topics.ts'
import type {
  AcknowledgedEvent,
  ErrorEvent,
  LogEvent,
  OAuthBearerTokenRefreshEvent,
  RequestEvent,
  StatsEvent,
  ThrottleEvent,
} from '../../types.ts'
import type { ConsumedShareMessage } from './message.ts'

/** @since 0.1.0 */
export type ShareMessageEvent<K = Buffer, V = ValueBeside<K, Buffer>> = {
  readonly type: 'message'
  readonly message: ConsumedShareMessage<K, V>
}

/**
 * What `poll` resolves with.
 * @since 0.1.0
 */
export type ShareConsumerEvent<K = Buffer, V = ValueBeside<K, Buffer>> =
  ShareMessageEvent<K, V> | ErrorEvent | StatsEvent | ThrottleEvent | LogEvent | OAuthBearerTokenRefreshEvent

/** Events that `on` can listen to. */
export type ShareListenedEvent<K = Buffer, V = ValueBeside<K, Buffer>> =
  Exclude<ShareConsumerEvent<K, V>, { type: 'message' }> | AcknowledgedEvent | RequestEvent

/**
 * A listener for one type of a share consumer's events.
 * @since 0.1.0
 */
export type ShareListener<T extends ShareListenedEvent['type']> = (
  event: Extract<ShareListenedEvent, { type: T }>,
) => void
