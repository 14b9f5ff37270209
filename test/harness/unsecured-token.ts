import type { OAuthBearerToken } from 'ottla'

/** An unsigned token, which brokers accept if they are configured for development. */
export function unsecured(principal: string, lifeSeconds: number): OAuthBearerToken {
  const now = Date.now() / 1000
  const parts = [{ alg: 'none' }, { sub: principal, iat: now, exp: now + lifeSeconds }]
  const encoded = parts.map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return { tokenValue: `${encoded.join('.')}.`, expiration: (now + lifeSeconds) * 1000, principal }
}
