/** Tokens of an identity provider: client credentials (RFC 6749), signed assertions (RFC 7523), Azure's metadata service. */
import { readFileSync } from 'node:fs'
import { ErrorCode } from '@ottla/protocol'
import type { Clock } from '../../../base/clock.ts'
import type { CommonSettings } from '../../../config/resolve.ts'
import { KafkaError } from '../../../errors.ts'
import type { OAuthBearerToken } from '../../../types.ts'
import { assertionOf } from './assertion.ts'
import { askForJson, type HttpRequest } from './http.ts'
import { pairsOf, type OAuthBearerTokenFunction } from './token.ts'

const ASSERTION_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const AZURE_ENDPOINT = 'http://169.254.169.254/metadata/identity/oauth2/token'

/**
 * A token function by the `sasl.oauthbearer.*` properties.
 * @throws KafkaError ERR__INVALID_ARG for settings that cannot work
 */
export function oidcTokens(settings: CommonSettings, clock: Clock): OAuthBearerTokenFunction {
  const isAzure = settings['sasl.oauthbearer.metadata.authentication.type'] === 'azure_imds'
  const endpoint = endpointOf(settings, isAzure)
  const extensions = extensionsOf(settings)
  return async (_, signal) => {
    const request = isAzure ? azureRequest(endpoint) : tokenRequest(settings, endpoint, clock.wallTime())
    const answer = await askForJson({ ...request, ca: authorities(settings), signal }, clock)
    const token = tokenOf(answer, settings, clock.wallTime())
    return { ...token, extensions }
  }
}

type Asked = Omit<HttpRequest, 'ca' | 'signal'>

function tokenRequest(settings: CommonSettings, url: URL, now: number): Asked {
  const grant = settings['sasl.oauthbearer.grant.type']
  const scope = settings['sasl.oauthbearer.scope']
  const id = settings['sasl.oauthbearer.client.id']
  const secret = settings['sasl.oauthbearer.client.secret']
  const form = new URLSearchParams({ grant_type: grant })
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  }
  if (grant === ASSERTION_GRANT) {
    form.set('assertion', assertionOf(settings, now))
    if (id !== undefined) form.set('client_id', id)
  } else {
    headers['authorization'] = `Basic ${Buffer.from(`${id ?? ''}:${secret ?? ''}`).toString('base64')}`
  }
  if (scope !== undefined) form.set('scope', scope)
  return { url, method: 'POST', headers, body: form.toString() }
}

function azureRequest(url: URL): Asked {
  return { url, method: 'GET', headers: { metadata: 'true', accept: 'application/json' } }
}

/** By its claims, if it is a JWT that can be read; else by what the provider says about it. */
function tokenOf(answer: Record<string, unknown>, settings: CommonSettings, now: number): OAuthBearerToken {
  const { access_token: value, expires_in: seconds } = answer
  if (typeof value !== 'string' || value === '') throw unusable('there is no access_token in it')
  const claims = claimsOf(value)
  const subject = claims?.[settings['sasl.oauthbearer.sub.claim.name']]
  const principal = typeof subject === 'string' && subject !== '' ? subject : settings['sasl.oauthbearer.client.id']
  if (principal === undefined) {
    throw unusable(`the token has no claim '${settings['sasl.oauthbearer.sub.claim.name']}'`)
  }
  const exp = claims?.['exp']
  // Azure writes numbers as texts.
  const life = Number(seconds)
  if (typeof exp === 'number') return { tokenValue: value, expiration: exp * 1000, principal }
  if (life > 0) return { tokenValue: value, expiration: now + life * 1000, principal }
  throw unusable('neither the token nor the answer says when it expires')
}

function claimsOf(token: string): Record<string, unknown> | null {
  const [, payload] = token.split('.')
  if (payload === undefined) return null
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null // any object is one
  } catch {
    return null
  }
}

function endpointOf(settings: CommonSettings, isAzure: boolean): URL {
  const given = settings['sasl.oauthbearer.token.endpoint.url'] ?? (isAzure ? AZURE_ENDPOINT : undefined)
  if (given === undefined) throw invalid('sasl.oauthbearer.method=oidc needs sasl.oauthbearer.token.endpoint.url')
  let url: URL
  try {
    url = new URL(given)
  } catch (cause) {
    throw invalid(`sasl.oauthbearer.token.endpoint.url=${given} is no URL`, cause)
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw invalid(`sasl.oauthbearer.token.endpoint.url=${given} is neither https nor http`)
  }
  if (isAzure) addQuery(url, settings['sasl.oauthbearer.config'])
  else checkCredentials(settings)
  return url
}

/** `query=api-version=…&resource=…&client_id=…` */
function addQuery(url: URL, config: string | undefined): void {
  if (config === undefined) return
  for (const [key, value] of pairsOf(config, ',', 'sasl.oauthbearer.config')) {
    if (key !== 'query') throw invalid(`sasl.oauthbearer.config: ${key} is not known for azure_imds; there is query`)
    for (const [name, each] of new URLSearchParams(value)) url.searchParams.set(name, each)
  }
}

function checkCredentials(settings: CommonSettings): void {
  if (settings['sasl.oauthbearer.grant.type'] === ASSERTION_GRANT) {
    const hasKey =
      settings['sasl.oauthbearer.assertion.private.key.file'] !== undefined ||
      settings['sasl.oauthbearer.assertion.private.key.pem'] !== undefined
    if (settings['sasl.oauthbearer.assertion.file'] === undefined && !hasKey) {
      const prefix = 'sasl.oauthbearer.assertion'
      throw invalid(`jwt-bearer needs ${prefix}.file, ${prefix}.private.key.file or ${prefix}.private.key.pem`)
    }
    return
  }
  for (const name of ['sasl.oauthbearer.client.id', 'sasl.oauthbearer.client.secret'] as const) {
    if (settings[name] === undefined) throw invalid(`sasl.oauthbearer.method=oidc needs ${name}`)
  }
}

function extensionsOf(settings: CommonSettings): Record<string, string> {
  const text = settings['sasl.oauthbearer.extensions']
  return text === undefined ? {} : Object.fromEntries(pairsOf(text, ',', 'sasl.oauthbearer.extensions'))
}

function authorities(settings: CommonSettings): string | undefined {
  const file = settings['https.ca.location']
  if (file === undefined || file === 'probe') return settings['https.ca.pem']
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw invalid(`https.ca.location cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

function unusable(why: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__AUTHENTICATION, `the identity provider's answer is of no use: ${why}`)
}

function invalid(message: string, cause?: unknown): KafkaError {
  return new KafkaError(ErrorCode.ERR__INVALID_ARG, message, { cause })
}
