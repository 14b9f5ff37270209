import type { OAuthBearerToken } from '../types.ts'
import { clientHandle, type ClientHandle } from './handle.ts'

/**
 * A client's credentials, which may change while it runs.
 * @since 0.1.0
 */
export abstract class AuthenticatedClient {
  /** @internal */
  abstract readonly [clientHandle]: ClientHandle

  /** Unique in the process: `client.id`, the kind of client and a number (`ottla#producer-1`); as in logs and statistics. */
  get name(): string {
    return this[clientHandle].context.name
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
