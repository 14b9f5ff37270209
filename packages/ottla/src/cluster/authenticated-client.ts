import type { Health, HealthListener } from '../observe/health.ts'
import type { Statistics } from '../statistics.ts'
import { Deadline } from '../base/clock.ts'
import { resolveWait } from '../base/wait.ts'
import type { OAuthBearerToken, WaitOptions } from '../types.ts'
import { clientHandle, type ClientHandle } from './handle.ts'
import { clientInsight, type ClientInsight } from './insight.ts'
import type { ClientMetric } from './telemetry/metrics.ts'

const INSTANCE_ID_MS = 30_000

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
   * The id that a broker has given this client for its metrics (KIP-714): by it, operators find what this client has
   * pushed. The same for as long as the client is open.
   * @param wait - limit in ms, or with a signal; 30 s by default
   * Rejects with KafkaError: ERR__NOT_CONFIGURED without `enable.metrics.push`, ERR__TIMED_OUT if no broker has a receiver of
   * metrics or can be reached, ERR__DESTROY if the client is closed
   */
  async clientInstanceId(wait?: WaitOptions): Promise<string> {
    const { cluster, context } = this[clientHandle]
    const { timeoutMs, signal } = resolveWait(wait, INSTANCE_ID_MS)
    return cluster.telemetry.clientInstanceId(Deadline.after(context.clock, timeoutMs), signal)
  }

  /**
   * Offers a metric of the application's own to brokers that ask for it (KIP-1076, `enable.metrics.push`).
   * @returns a function that ends this
   */
  addMetric(metric: ClientMetric): () => void {
    return this[clientHandle].cluster.telemetry.add(metric)
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
