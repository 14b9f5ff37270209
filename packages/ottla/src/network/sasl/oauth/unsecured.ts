/** Tokens without a signature, for development: brokers accept them only if configured to. */
import { invalidArgument, type KafkaError } from '../../../errors.ts'
import type { OAuthBearerToken } from '../../../types.ts'
import { pairsOf } from './token.ts'

const PROPERTY = 'sasl.oauthbearer.config'
const DEFAULT_LIFE_S = 3600

interface UnsecuredClaims {
  readonly principal: string
  readonly principalClaimName: string
  readonly scope: readonly string[]
  readonly scopeClaimName: string
  readonly lifeSeconds: number
  readonly extensions: Readonly<Record<string, string>>
}

/**
 * Parses `principal=alice scope=read,write lifeSeconds=600 extension_tenant=x`, librdkafka's format.
 * @throws KafkaError ERR__INVALID_ARG
 */
export function unsecuredClaims(config: string): UnsecuredClaims {
  const values = new Map<string, string>()
  const extensions: Record<string, string> = {}
  for (const [key, value] of pairsOf(config, ' ', PROPERTY)) {
    if (key.startsWith('extension_')) extensions[key.slice('extension_'.length)] = value
    else if (!known.has(key)) throw invalid(`${key} is not valid: it takes ${[...known].join(', ')}, extension_NAME`)
    else if (value === '') throw invalid(`${key} is empty`)
    else values.set(key, value)
  }
  const principal = values.get('principal')
  if (principal === undefined) throw invalid('principal is missing')
  const lifeSeconds = Number(values.get('lifeSeconds') ?? DEFAULT_LIFE_S)
  if (!Number.isInteger(lifeSeconds) || lifeSeconds < 1) throw invalid('lifeSeconds must be 1 or more')
  const claims = {
    principal,
    principalClaimName: values.get('principalClaimName') ?? 'sub',
    scope: (values.get('scope') ?? '').split(',').filter(each => each !== ''),
    scopeClaimName: values.get('scopeClaimName') ?? 'scope',
    lifeSeconds,
    extensions,
  }
  if (claims.principalClaimName === claims.scopeClaimName)
    throw invalid('principalClaimName and scopeClaimName are the same')
  return claims
}

/** @param now - ms since the epoch */
export function unsecuredToken(claims: UnsecuredClaims, now: number): OAuthBearerToken {
  const { principal, principalClaimName, scope, scopeClaimName, lifeSeconds, extensions } = claims
  const payload = {
    [principalClaimName]: principal,
    iat: now / 1000,
    exp: now / 1000 + lifeSeconds,
    ...(scope.length === 0 ? {} : { [scopeClaimName]: scope }),
  }
  const tokenValue = `${encoded({ alg: 'none' })}.${encoded(payload)}.`
  return { tokenValue, expiration: now + lifeSeconds * 1000, principal, extensions }
}

const known = new Set(['principal', 'principalClaimName', 'scope', 'scopeClaimName', 'lifeSeconds'])

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function invalid(why: string): KafkaError {
  return invalidArgument(`${PROPERTY}: ${why}`)
}
