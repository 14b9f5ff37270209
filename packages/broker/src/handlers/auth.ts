/** ApiVersions and SASL. */
import {
  ApiVersionsServer,
  ErrorCode,
  SaslAuthenticateServer,
  SaslHandshakeServer,
  type ApiVersionsResponse,
  type SaslAuthenticateResponse,
} from '@ottla/protocol'
import { featuresOf } from '../features.ts'
import { route, type RequestContext, type Route } from '../request.ts'
import type { VersionRange } from '../versions.ts'

// ApiVersions tells of features from here on.
const FEATURES_VERSION = 3
// Clients say what they are from here on (KIP-511).
const SOFTWARE_VERSION = 3

export const authRoutes: readonly Route[] = [
  route(ApiVersionsServer, ({ clientSoftwareName, clientSoftwareVersion }, { state, version }) => {
    const isNamed = version < SOFTWARE_VERSION || [clientSoftwareName, clientSoftwareVersion].every(isSoftware)
    if (!isNamed) return { errorCode: ErrorCode.ERR_INVALID_REQUEST, apiKeys: [], throttleTimeMs: 0 }
    return {
      errorCode: ErrorCode.ERR_NO_ERROR,
      apiKeys: [...state.versions].map(([apiKey, { min, max }]) => ({ apiKey, minVersion: min, maxVersion: max })),
      throttleTimeMs: 0,
      ...(version >= FEATURES_VERSION ? features(state.versions, version) : {}),
    }
  }),
  route(SaslHandshakeServer, ({ mechanism }, { state, session }) => {
    const mechanisms = [...state.saslMechanisms]
    // A listener without SASL has no use for it.
    if (mechanisms.length === 0) return { errorCode: ErrorCode.ERR_ILLEGAL_SASL_STATE, mechanisms }
    const known = mechanisms.includes(mechanism)
    session.saslMechanism = known ? mechanism : null
    return { errorCode: known ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_UNSUPPORTED_SASL_MECHANISM, mechanisms }
  }),
  route(SaslAuthenticateServer, ({ authBytes }, context) => authenticate(authBytes, context)),
]

function isSoftware(word: string): boolean {
  return /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/.test(word)
}

function features(
  versions: ReadonlyMap<number, VersionRange>,
  version: number,
): Pick<ApiVersionsResponse, 'supportedFeatures' | 'finalizedFeatures' | 'finalizedFeaturesEpoch'> {
  const all = featuresOf(versions)
  return {
    // Clients of old cannot read that a version is 0.
    supportedFeatures: all
      .filter(({ minVersion }) => minVersion > 0 || version > FEATURES_VERSION)
      .map(({ name, minVersion, maxVersion }) => ({ name, minVersion, maxVersion })),
    finalizedFeatures: all.map(({ name, level }) => ({ name, minVersionLevel: level, maxVersionLevel: level })),
    finalizedFeaturesEpoch: 1,
  }
}

function authenticate(authBytes: Buffer, { state, session }: RequestContext): SaslAuthenticateResponse {
  if (session.saslMechanism === null) {
    return refused(ErrorCode.ERR_ILLEGAL_SASL_STATE, 'SaslAuthenticate request received before SaslHandshake')
  }
  const parts = authBytes.toString('utf8').split('\0')
  const [authorizationId = '', username = '', password = ''] = parts
  const isValid =
    parts.length === 3 &&
    username !== '' &&
    (authorizationId === '' || authorizationId === username) &&
    state.users.get(username) === password
  // Authenticating anew is for the same user only (KIP-368).
  const isOther = session.authenticated && session.principal !== `User:${username}`
  if (!isValid || isOther) {
    session.saslMechanism = null
    session.authenticated = false
    return refused(ErrorCode.ERR_SASL_AUTHENTICATION_FAILED, 'Authentication failed: Invalid username or password')
  }
  session.authenticated = true
  session.principal = `User:${username}`
  return { errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: null, authBytes: Buffer.alloc(0), sessionLifetimeMs: 0 }
}

function refused(errorCode: number, errorMessage: string): SaslAuthenticateResponse {
  return { errorCode, errorMessage, authBytes: Buffer.alloc(0) }
}
