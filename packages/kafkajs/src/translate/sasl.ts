/** kafkajs's `sasl` option, in the configuration of `ottla`. */
import type { ClientConfig, ClientOptions, OAuthBearerToken } from 'ottla'
import { KafkaJSNonRetriableError, KafkaJSSASLAuthenticationError } from '../errors.ts'
import type { KafkaConfig, Mechanism } from '../types/client.ts'
import type { Logger } from '../types/logging.ts'
import { awsProvider, authzidPlainProvider, providerMechanism } from './sasl-providers.ts'

export interface SaslSettings {
  readonly config: Partial<ClientConfig>
  readonly options: ClientOptions
}

/** What a program may have passed, whatever the types say. */
type Given = Partial<Mechanism> & {
  readonly mechanism: string
  readonly username?: string
  readonly password?: string
  readonly authorizationIdentity?: string
  readonly oauthBearerProvider?: () => Promise<{ value: string; extensions?: Readonly<Record<string, string>> }>
}

// How long a token that says nothing about it is taken to be valid: kafkajs asks for one at every authentication.
const OPAQUE_TOKEN_MS = 300_000

/**
 * How to authenticate; `security.protocol` is the caller's.
 * @throws KafkaJSNonRetriableError, KafkaJSSASLAuthenticationError for what cannot work
 */
export function saslSettings(sasl: NonNullable<KafkaConfig['sasl']>, logger: Logger): SaslSettings {
  const given = sasl as Given
  if (typeof given.mechanism !== 'string') throw new KafkaJSNonRetriableError('sasl.mechanism must be a string')
  const name = given.mechanism.toUpperCase()
  const own = (provider: Mechanism['authenticationProvider']): SaslSettings => ({
    config: {},
    options: { saslMechanism: providerMechanism(name, provider, logger.namespace(`SaslAuthenticator-${name}`)) },
  })
  if (given.authenticationProvider !== undefined) return own(given.authenticationProvider)
  switch (name) {
    case 'PLAIN':
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512': {
      const { username, password, authorizationIdentity } = given
      if (username === undefined || password === undefined) {
        throw new KafkaJSSASLAuthenticationError(`SASL ${name}: Invalid username or password`)
      }
      if (name === 'PLAIN' && authorizationIdentity !== undefined) {
        return own(authzidPlainProvider(authorizationIdentity, username, password))
      }
      const config = { 'sasl.mechanisms': name, 'sasl.username': username, 'sasl.password': password }
      return { config, options: {} }
    }
    case 'OAUTHBEARER':
      return {
        config: { 'sasl.mechanisms': name },
        options: { oauthBearerToken: () => tokenOf(given.oauthBearerProvider) },
      }
    case 'AWS':
      return own(awsProvider(sasl as Parameters<typeof awsProvider>[0])) // its fields are checked there
    default: {
      const why = `SASL ${name}: there is no such mechanism built in; pass an authenticationProvider`
      throw new KafkaJSSASLAuthenticationError(why)
    }
  }
}

async function tokenOf(provider: Given['oauthBearerProvider']): Promise<OAuthBearerToken> {
  if (typeof provider !== 'function') {
    throw new KafkaJSSASLAuthenticationError('SASL OAUTHBEARER: Missing OAuth bearer token provider')
  }
  const { value, extensions } = await provider()
  if (typeof value !== 'string')
    throw new KafkaJSSASLAuthenticationError('SASL OAUTHBEARER: Invalid OAuth bearer token')
  const { exp, sub } = claimsOf(value)
  return {
    tokenValue: value,
    expiration: typeof exp === 'number' ? exp * 1000 : Date.now() + OPAQUE_TOKEN_MS,
    principal: typeof sub === 'string' && sub !== '' ? sub : 'kafkajs',
    ...(extensions === undefined ? {} : { extensions }),
  }
}

/** The claims of a JWT; none for any other token. */
function claimsOf(token: string): { readonly exp?: unknown; readonly sub?: unknown } {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? claims : {}
  } catch {
    return {}
  }
}
