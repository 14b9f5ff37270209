/** The `Authorization` header. */
import { invalidArgument, SchemaRegistryError, textOf } from '../errors.ts'
import type { Transport } from './transport.ts'

/**
 * OAuth 2 client credentials: a token of an identity provider, renewed before it expires.
 * @since 0.1.0
 */
export interface ClientCredentials {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope?: string
  /** Further parameters of the token request, as `audience`. */
  readonly parameters?: Readonly<Record<string, string>>
}

/**
 * How the registry knows the client.
 * @since 0.1.0
 */
export type RegistryAuth =
  | { readonly username: string; readonly password: string }
  | { readonly token: string | (() => string | Promise<string>) }
  | { readonly oauth: ClientCredentials }

export interface Authorization {
  /** The header's value; null for none. */
  header(signal: AbortSignal): Promise<string | null>
  /** The registry did not accept the last one. Returns whether another may help. */
  refused(): boolean
}

const none: Authorization = { header: () => Promise.resolve(null), refused: () => false }

export function authorizationOf(auth: RegistryAuth | undefined, transport: Transport): Authorization {
  if (auth === undefined) return none
  if ('username' in auth) return fixed(basic(auth.username, auth.password))
  if ('oauth' in auth) return new OAuthTokens(auth.oauth, transport)
  const { token } = auth
  if (typeof token === 'string') return fixed(`Bearer ${token}`)
  if (typeof token !== 'function') throw invalidArgument('auth takes { username, password }, { token } or { oauth }')
  return { header: async () => `Bearer ${await token()}`, refused: () => false }
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function fixed(value: string): Authorization {
  return { header: () => Promise.resolve(value), refused: () => false }
}

/** A token is renewed when so much of its time is over. */
const RENEW_AFTER = 0.8
const DEFAULT_LIFE_S = 300

class OAuthTokens implements Authorization {
  readonly #credentials: ClientCredentials
  readonly #transport: Transport
  #token: { readonly value: string; readonly renewAt: number } | null = null
  #pending: Promise<string> | null = null

  constructor(credentials: ClientCredentials, transport: Transport) {
    this.#credentials = credentials
    this.#transport = transport
  }

  async header(signal: AbortSignal): Promise<string> {
    const token = this.#token
    if (token !== null && Date.now() < token.renewAt) return `Bearer ${token.value}`
    this.#pending ??= this.#fetch(signal).finally(() => (this.#pending = null))
    return `Bearer ${await this.#pending}`
  }

  refused(): boolean {
    const had = this.#token !== null
    this.#token = null
    return had
  }

  async #fetch(signal: AbortSignal): Promise<string> {
    const { tokenUrl, clientId, clientSecret, scope, parameters } = this.#credentials
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      ...(scope === undefined ? {} : { scope }),
      ...parameters,
    })
    const { status, text } = await this.#transport(tokenUrl, {
      method: 'POST',
      headers: {
        authorization: basic(encodeURIComponent(clientId), encodeURIComponent(clientSecret)),
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: form.toString(),
      signal,
    })
    // What the provider says may repeat what it was sent.
    if (status !== 200) {
      const code = status >= 500 || status === 429 ? 'UNAVAILABLE' : 'UNAUTHORIZED'
      throw new SchemaRegistryError(code, `the identity provider answered the token request with status ${status}`, {
        status,
      })
    }
    const { access_token: value, expires_in: life } = tokenAnswer(text)
    if (typeof value !== 'string') {
      throw new SchemaRegistryError('UNAUTHORIZED', "the identity provider's answer has no access_token")
    }
    const seconds = typeof life === 'number' ? life : DEFAULT_LIFE_S
    this.#token = { value, renewAt: Date.now() + seconds * 1000 * RENEW_AFTER }
    return value
  }
}

function tokenAnswer(text: string): { access_token?: unknown; expires_in?: unknown } {
  try {
    return JSON.parse(text) as { access_token?: unknown; expires_in?: unknown }
  } catch (error) {
    throw new SchemaRegistryError('UNAVAILABLE', `the identity provider's answer is no JSON: ${textOf(error)}`)
  }
}
