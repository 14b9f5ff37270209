/** Token functions of OAUTHBEARER, and checks of their tokens. */
import { invalidArgument, type KafkaError } from '../../../errors.ts'
import type { OAuthBearerToken } from '../../../types.ts'

/**
 * Makes a token whenever one is needed: at first, and when 80 % of the previous one's lifetime have passed.
 * @param config - `sasl.oauthbearer.config`
 * @param signal - aborted when the client is closed
 * @since 0.1.0
 */
export type OAuthBearerTokenFunction = (
  config: string,
  signal: AbortSignal,
) => OAuthBearerToken | Promise<OAuthBearerToken>

/**
 * Throws KafkaError ERR__INVALID_ARG for a token that no broker would accept; the error never contains the token.
 * @param now - ms since the epoch
 */
export function checkToken(token: OAuthBearerToken, now: number): OAuthBearerToken {
  const { tokenValue, expiration, principal, extensions = {} } = token
  if (typeof tokenValue !== 'string' || !/^[-._~+/A-Za-z0-9]+=*$/.test(tokenValue)) {
    throw invalid('tokenValue must be a token in the characters of RFC 6750')
  }
  if (!Number.isFinite(expiration)) throw invalid('expiration must be a time in ms since the epoch')
  if (expiration <= now) throw invalid(`it expired at ${new Date(expiration).toISOString()}`)
  if (typeof principal !== 'string' || principal === '') throw invalid('principal must be a name')
  for (const [name, value] of Object.entries(extensions)) {
    if (name === 'auth' || !/^[A-Za-z]+$/.test(name)) throw invalid(`'${name}' is not a name of an extension`)
    if (typeof value !== 'string' || !/^[\x20-\x7e\t\r\n]*$/.test(value)) {
      throw invalid(`the extension '${name}' has characters that cannot be sent`)
    }
  }
  return token
}

/** Parses `key=value` pairs, separated by `separator`. @throws KafkaError ERR__INVALID_ARG */
export function pairsOf(text: string, separator: string | RegExp, property: string): [string, string][] {
  return text
    .split(separator)
    .map(pair => pair.trim())
    .filter(pair => pair !== '')
    .map(pair => {
      const at = pair.indexOf('=')
      // Not shown: it may be secret.
      if (at <= 0) throw invalidArgument(`${property} has a part that is not key=value`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    })
}

function invalid(why: string): KafkaError {
  return invalidArgument(`the OAUTHBEARER token cannot be used: ${why}`)
}
