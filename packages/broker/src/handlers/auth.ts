/** SASL: SaslHandshake and SaslAuthenticate. */
import {
  ErrorCode,
  SaslAuthenticateServer,
  SaslHandshakeServer,
  type SaslAuthenticateResponse,
  type SaslHandshakeResponse,
} from '@ottla/protocol'
import { route, type RequestContext, type Route, type Session } from './request.ts'
import { namedError } from './refusals.ts'
import { SaslRefused, type SaslStep } from '../security/sasl/exchange.ts'
import { startExchange } from '../security/sasl/mechanisms.ts'
import type { Stores } from './stores.ts'

// As in Kafka, nobody may reauthenticate more often than that.
const MIN_INTERVAL_MS = 1000

export const authRoutes: readonly Route[] = [
  route(
    SaslHandshakeServer,
    ({ mechanism }, context, stores) => handshake(mechanism, context, stores),
    (_body, errorCode) => ({ errorCode, mechanisms: [] }),
  ),
  route(
    SaslAuthenticateServer,
    ({ authBytes }, context, stores) => authenticate(authBytes, context, stores),
    (_body, errorCode) => ({ ...namedError(errorCode), authBytes: Buffer.alloc(0) }),
  ),
]

function handshake(
  mechanism: string,
  { session, version }: RequestContext,
  { clock, logIn }: Pick<Stores, 'clock' | 'logIn'>,
): SaslHandshakeResponse {
  const mechanisms = [...session.listener.mechanisms]
  const isReauthentication = session.authenticated
  // There is nothing to reauthenticate without SASL, or when sessions do not expire.
  const now = clock.now()
  const isTooEarly = session.reauthenticatedAt !== null && now - session.reauthenticatedAt < MIN_INTERVAL_MS
  if (isReauthentication && (session.expiresAt === null || isTooEarly)) {
    return { errorCode: ErrorCode.ERR_ILLEGAL_SASL_STATE, mechanisms }
  }
  if (isReauthentication) session.reauthenticatedAt = now
  if (!mechanisms.includes(mechanism)) {
    session.closesAfterResponse = true
    return { errorCode: ErrorCode.ERR_UNSUPPORTED_SASL_MECHANISM, mechanisms }
  }
  session.exchange =
    isReauthentication && mechanism !== session.saslMechanism
      ? refusingExchange(mechanism, session)
      : startExchange(mechanism, logIn, session.listener)
  session.expectsBareToken = version === 0
  session.saslMechanism ??= mechanism
  return { errorCode: ErrorCode.ERR_NO_ERROR, mechanisms }
}

async function authenticate(
  token: Buffer,
  { session }: RequestContext,
  stores: Pick<Stores, 'clock'>,
): Promise<SaslAuthenticateResponse> {
  if (session.exchange === null) {
    const errorMessage = 'SaslAuthenticate request received after successful authentication'
    return { errorCode: ErrorCode.ERR_ILLEGAL_SASL_STATE, errorMessage, authBytes: Buffer.alloc(0) }
  }
  try {
    const { answer, lifetimeMs } = await takeToken(token, session, stores)
    return { errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: '', authBytes: answer, sessionLifetimeMs: lifetimeMs }
  } catch (error) {
    if (!(error instanceof SaslRefused)) throw error
    session.closesAfterResponse = true
    const errorCode = ErrorCode.ERR_SASL_AUTHENTICATION_FAILED
    return { errorCode, errorMessage: error.message, authBytes: Buffer.alloc(0) }
  }
}

/** Whether the request is part of a log-in or reauthentication: then the connection ends when it is refused. */
export function isLogIn(apiKey: number, { authenticated, exchange, expiresAt }: Session): boolean {
  if (apiKey === SaslAuthenticateServer.key) return exchange !== null
  return apiKey === SaslHandshakeServer.key && (!authenticated || expiresAt !== null)
}

/** Takes the client's next token of the exchange in progress. Rejects with SaslRefused. */
export async function takeToken(
  token: Buffer,
  session: Session,
  { clock }: Pick<Stores, 'clock'>,
): Promise<{ answer: Buffer; lifetimeMs: number }> {
  if (session.exchange === null) throw new SaslRefused('SASL token received before the handshake')
  const { answer, identity }: SaslStep = await session.exchange.step(token)
  if (identity === null) return { answer, lifetimeMs: 0 }
  const principal = `User:${identity.name}`
  if (session.authenticated && session.principal !== principal) {
    throw new SaslRefused(
      `Cannot change principals during re-authentication from ${session.principal.replace(':', '.')}: ${principal.replace(':', '.')}`,
    )
  }
  const now = clock.now()
  const { maxReauthMs } = session.listener
  const limits = [
    ...(maxReauthMs > 0 ? [maxReauthMs] : []),
    ...(identity.expiresAt === null ? [] : [Math.max(0, identity.expiresAt - now)]),
  ]
  session.exchange = null
  session.expectsBareToken = false
  session.authenticated = true
  session.principal = principal
  session.isToken = identity.isToken
  session.expiresAt = limits.length === 0 ? null : now + Math.min(...limits)
  return { answer, lifetimeMs: limits.length === 0 ? 0 : Math.min(...limits) }
}

// As in Kafka, the handshake succeeds all the same; the exchange then fails.
function refusingExchange(mechanism: string, session: Session): NonNullable<Session['exchange']> {
  const before = String(session.saslMechanism)
  return {
    step: () => {
      throw new SaslRefused(
        `SASL mechanism '${mechanism}' requested by client is not supported for re-authentication of mechanism '${before}'`,
      )
    },
  }
}
