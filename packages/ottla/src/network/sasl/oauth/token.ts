/** What makes a token for OAUTHBEARER. */
import { invalidArgument, type KafkaError } from '../../../errors.ts'
import type { OAuthBearerToken } from '../../../types.ts'

/**
 * Makes a token, whenever one is needed: at first, and when 80 % of the life of the one before are over.
 * @param config - `sasl.oauthbearer.config`
 * @param signal - aborted when the client is closed
 * @since 0.1.0
 */
export type OAuthBearerTokenFunction = (
  config: string,
  signal: AbortSignal,
) => OAuthBearerToken | Promise<OAuthBearerToken>

/**
 * Throws KafkaError ERR__INVALID_ARG for what no broker would take; the token itself stands in no message.
 * @param now - ms since the epoch
 */
export function checkToken(token: OAuthBearerToken, now: number): OAuthBearerToken {
  const { tokenValue, expiration, principal, extensions = {} } = token
  if (typeof tokenValue !== 'string' || !/^[-._~+/A-Za-z0-9]+=*$/.test(tokenValue)) {
    throw invalid('tokenValue has to be a token in the letters of RFC 6750')
  }
  if (!Number.isFinite(expiration)) throw invalid('expiration has to be a time in ms since the epoch')
  if (expiration <= now) throw invalid(`it has expired at ${new Date(expiration).toISOString()}`)
  if (typeof principal !== 'string' || principal === '') throw invalid('principal has to be a name')
  for (const [name, value] of Object.entries(extensions)) {
    if (name === 'auth' || !/^[A-Za-z]+$/.test(name)) throw invalid(`'${name}' is no name of an extension`)
    if (typeof value !== 'string' || !/^[\x20-\x7e\t\r\n]*$/.test(value)) {
      throw invalid(`the extension '${name}' has letters that cannot be sent`)
    }
  }
  return token
}

/** Pairs like `key=value`, separated as `separator` says. @throws KafkaError ERR__INVALID_ARG */
export function pairsOf(text: string, separator: string | RegExp, property: string): [string, string][] {
  return text
    .split(separator)
    .map(pair => pair.trim())
    .filter(pair => pair !== '')
    .map(pair => {
      const at = pair.indexOf('=')
      // What stands there may be secret.
      if (at <= 0) throw invalidArgument(`${property}: there is something that is no key=value`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    })
}

function invalid(why: string): KafkaError {
  return invalidArgument(`the OAUTHBEARER token cannot be used: ${why}`)
}
