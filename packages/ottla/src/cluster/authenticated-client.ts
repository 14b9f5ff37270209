import type { OAuthBearerToken } from '../types.ts'
import { clientHandle, type ClientHandle } from './handle.ts'

/**
 * A client's credentials, which may change while it runs.
 * @since 0.1.0
 */
export abstract class AuthenticatedClient {
  /** @internal */
  abstract readonly [clientHandle]: ClientHandle

  /** Used from the next authentication on (`sasl.username`, `sasl.password`). */
  setSaslCredentials(username: string, password: string): void {
    this[clientHandle].cluster.setSaslCredentials(username, password)
  }

  /** Answers `oauthbearer-token-refresh`. @throws KafkaError ERR__INVALID_ARG, ERR__STATE without OAUTHBEARER */
  setOAuthBearerToken(token: OAuthBearerToken): void {
    this[clientHandle].cluster.setOAuthBearerToken(token)
  }

  /** Reports that there is no token; the next `oauthbearer-token-refresh` event comes in 10 s. */
  setOAuthBearerTokenFailure(message: string): void {
    this[clientHandle].cluster.setOAuthBearerTokenFailure(message)
  }
}
