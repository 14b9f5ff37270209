/** Events of a share consumer. */
import type { ValueBeside } from '../../topics.ts'
import type { ErrorEvent, LogEvent, OAuthBearerTokenRefreshEvent, StatsEvent, ThrottleEvent } from '../../types.ts'
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
