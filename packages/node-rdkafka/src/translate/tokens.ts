/** `oauthbearer_token_refresh_cb`, which gives its token to a callback or as a promise. */
import type { ClientOptions, OAuthBearerToken } from 'ottla'

/** A token as programs give it. */
interface GivenToken {
  readonly tokenValue: string
  /** When it expires, ms since the epoch. */
  readonly lifetime: number
  readonly principal?: string
  readonly extensions?: Map<string, string> | Readonly<Record<string, string>>
}

type TokenCallback = (config: string, done: (error: unknown, token: GivenToken) => void) => unknown

/** How the client gets its tokens; nothing if the program has no such callback. */
export function tokenOptions(callbacks: ReadonlyMap<string, unknown>): Pick<ClientOptions, 'oauthBearerToken'> {
  const callback = callbacks.get('oauthbearer_token_refresh_cb')
  if (typeof callback !== 'function') return {}
  return { oauthBearerToken: config => asked(callback as TokenCallback, config) }
}

function asked(callback: TokenCallback, config: string): Promise<OAuthBearerToken> {
  return new Promise((resolve, reject) => {
    const failed = (error: unknown): void => reject(error instanceof Error ? error : new Error(String(error)))
    const take = (token: GivenToken): void => resolve(tokenOf(token))
    const answered = callback(config, (error, token) => {
      if (error !== undefined && error !== null) failed(error)
      else take(token)
    })
    if (isThenable(answered)) answered.then(token => take(token as GivenToken), failed)
  })
}

function tokenOf({ tokenValue, lifetime, principal = '', extensions }: GivenToken): OAuthBearerToken {
  const token = { tokenValue, expiration: lifetime, principal }
  if (extensions === undefined) return token
  return {
    ...token,
    extensions: extensions instanceof Map ? Object.fromEntries<string>(extensions) : { ...extensions },
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}
