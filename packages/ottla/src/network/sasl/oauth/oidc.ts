/**
 * Tokens of identity providers: client credentials (RFC 6749), signed assertions (RFC 7523), Azure's metadata service.
 */
import { ErrorCode } from '@ottla/protocol'
import type { Clock } from '../../../base/clock.ts'
import type { CommonSettings } from '../../../config/resolve.ts'
import { KafkaError, invalidArgument } from '../../../errors.ts'
import type { OAuthBearerToken } from '../../../types.ts'
import { standardAuthorities } from '../../tls/authorities.ts'
import { PROBE, readAuthorities } from '../../tls/material.ts'
import { assertionOf } from './assertion.ts'
import { askForJson, type HttpRequest } from './http.ts'
import { pairsOf, type OAuthBearerTokenFunction } from './token.ts'

const ASSERTION_GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const AZURE_ENDPOINT = 'http://169.254.169.254/metadata/identity/oauth2/token'

/**
 * The token function that the `sasl.oauthbearer.*` properties describe.
 * @throws KafkaError ERR__INVALID_ARG for settings that cannot work
 */
export function oidcTokens(settings: CommonSettings, clock: Clock): OAuthBearerTokenFunction {
  const isAzure = settings['sasl.oauthbearer.metadata.authentication.type'] === 'azure_imds'
  const endpoint = endpointOf(settings, isAzure)
  const extensions = extensionsOf(settings)
  return async (_, signal) => {
    const request = isAzure ? azureRequest(endpoint) : tokenRequest(settings, endpoint, clock.wallTime())
    const answer = await askForJson({ ...request, ca: await authorities(settings), signal }, clock)
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

/** The token, described by its claims if it is a readable JWT, else by the provider's response. */
function tokenOf(answer: Record<string, unknown>, settings: CommonSettings, now: number): OAuthBearerToken {
  const { access_token: value, expires_in: seconds } = answer
  if (typeof value !== 'string' || value === '') throw unusable('it has no access_token')
  const claims = claimsOf(value)
  const subject = claims?.[settings['sasl.oauthbearer.sub.claim.name']]
  const principal = typeof subject === 'string' && subject !== '' ? subject : settings['sasl.oauthbearer.client.id']
  if (principal === undefined) {
    throw unusable(`the token has no claim '${settings['sasl.oauthbearer.sub.claim.name']}'`)
  }
  const exp = claims?.['exp']
  // Azure writes numbers as strings.
  const life = Number(seconds)
  if (typeof exp === 'number') return { tokenValue: value, expiration: exp * 1000, principal }
  if (life > 0) return { tokenValue: value, expiration: now + life * 1000, principal }
  throw unusable('neither the token nor the response says when it expires')
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
  // The settings were checked to have a valid URL.
  const url = new URL(settings['sasl.oauthbearer.token.endpoint.url'] || AZURE_ENDPOINT)
  if (isAzure) addQuery(url, settings['sasl.oauthbearer.config'])
  return url
}

/** `query=api-version=…&resource=…&client_id=…` */
function addQuery(url: URL, config: string | undefined): void {
  if (config === undefined) return
  for (const [key, value] of pairsOf(config, ',', 'sasl.oauthbearer.config')) {
    if (key !== 'query')
      throw invalidArgument(`sasl.oauthbearer.config: ${key} is not valid for azure_imds: it takes query`)
    for (const [name, each] of new URLSearchParams(value)) url.searchParams.set(name, each)
  }
}

function extensionsOf(settings: CommonSettings): Record<string, string> {
  const text = settings['sasl.oauthbearer.extensions']
  return text === undefined ? {} : Object.fromEntries(pairsOf(text, ',', 'sasl.oauthbearer.extensions'))
}

/** The authorities that the application named, else the standard ones; undefined for Node.js's defaults. */
async function authorities(settings: CommonSettings): Promise<readonly string[] | undefined> {
  const pem = settings['https.ca.pem']
  if (pem) return [pem]
  const path = settings['https.ca.location']
  if (!path || path === PROBE) return (await standardAuthorities()) ?? undefined
  const pieces = await readAuthorities('https.ca.location', path)
  return pieces.map(({ bytes }) => bytes.toString('latin1'))
}

function unusable(why: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__AUTHENTICATION, `the identity provider's response cannot be used: ${why}`)
}
