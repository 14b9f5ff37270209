import type { Health, HealthListener } from '../observe/health.ts'
import type { Statistics } from '../statistics.ts'
import type { OAuthBearerToken } from '../types.ts'
import { clientHandle, type ClientHandle } from './handle.ts'
import { clientInsight, type ClientInsight } from './insight.ts'

/**
 * What all clients have: credentials, which may change while it runs, and what it can say about itself.
 * @since 0.1.0
 */
export abstract class AuthenticatedClient {
  /** @internal */
  abstract readonly [clientHandle]: ClientHandle

  /** @internal */
  abstract readonly [clientInsight]: ClientInsight

  /**
   * Unique in the process, as in logs and statistics: `client.id` (the program's name while that is not set), the kind of
   * client and a number: `orders#producer-1`.
   */
  get name(): string {
    return this[clientHandle].context.name
  }

  /**
   * Whether the client can work, what is wrong if it cannot, and since when; for readiness and liveness probes. Makes no
   * request.
   */
  health(): Health {
    return this[clientInsight].health()
  }

  /** Says in sentences what the client waits for: brokers, topics, the group, partitions, the last error. */
  explain(): string[] {
    return this[clientInsight].explain()
  }

  /**
   * The statistics at this moment, as a `stats` event has them, without `statistics.interval.ms`. Distributions
   * (`WindowStatistics`) are those of the current interval; without an interval they are empty. Makes no request.
   */
  statistics(): Statistics {
    return this[clientInsight].statistics()
  }

  /**
   * Calls the listener when the status or the reasons of `health()` have changed, within a quarter of a second; for the
   * last time when the client is closed.
   * @returns a function that ends this
   */
  onStateChange(listener: HealthListener): () => void {
    return this[clientInsight].onStateChange(listener)
  }

  /**
   * Takes effect from the next authentication on (`sasl.username`, `sasl.password`); brokers that could not be reached
   * are tried at once.
   */
  setSaslCredentials(username: string, password: string): void {
    this[clientHandle].cluster.setSaslCredentials(username, password)
  }

  /**
   * Answers an `oauthbearer-token-refresh` event: the token is used from the next authentication on.
   * @throws KafkaError ERR__INVALID_ARG for a token that cannot be used, ERR__STATE without
   *   `sasl.mechanisms=OAUTHBEARER`
   */
  setOAuthBearerToken(token: OAuthBearerToken): void {
    this[clientHandle].cluster.setOAuthBearerToken(token)
  }

  /**
   * Answers an `oauthbearer-token-refresh` event: no token could be obtained; the next event follows in 10 s.
   * @throws KafkaError ERR__STATE without `sasl.mechanisms=OAUTHBEARER`
   */
  setOAuthBearerTokenFailure(message: string): void {
    this[clientHandle].cluster.setOAuthBearerTokenFailure(message)
  }
}
