import {
  ApiVersions,
  ErrorCode,
  SaslAuthenticate,
  SaslHandshake,
  errorName,
  type ApiFacts,
  type ApiVersionsResponse,
  type Decoded,
} from '@ottla/protocol'
import type { Connection } from './connection.ts'
import { KafkaError } from '../errors.ts'
import { RequestError } from './request-error.ts'
import type { SaslMechanism } from './sasl/mechanism.ts'

/** Version range of one API as the broker told it. */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

/** What the broker said about itself when the connection came up. */
export interface BrokerFeatures {
  readonly apis: ReadonlyMap<number, VersionRange>
  /** Levels that the cluster has agreed on, by the name of the feature (KIP-584). */
  readonly levels: ReadonlyMap<string, number>
  /** Milliseconds after which the broker wants to be authenticated anew (KIP-368); 0 means never. */
  readonly sessionLifetimeMs: number
}

export interface HandshakeSettings {
  /** `api.version.request.timeout.ms` */
  readonly apiVersionTimeoutMs: number
  /** Limit for each step of the authentication, in ms (`socket.timeout.ms`). */
  readonly authTimeoutMs: number
  readonly softwareName: string
  readonly softwareVersion: string
  /** null without SASL. */
  readonly mechanism: SaslMechanism | null
}

// A broker that does not know the version asked for answers in version 0, whatever the request's was (KIP-511). The
// code stands first in every version.
const tolerantApiVersions: typeof ApiVersions = {
  ...ApiVersions,
  readResponse(reader, version) {
    const start = reader.position
    const errorCode = reader.int16()
    reader.position = start
    return ApiVersions.readResponse(reader, errorCode === ErrorCode.ERR_UNSUPPORTED_VERSION ? 0 : version)
  },
}

/**
 * Asks for the broker's API versions (KIP-35, KIP-511), then authenticates if configured.
 * Rejects with RequestError: ERR__AUTHENTICATION, ERR__TRANSPORT, ERR__TIMED_OUT, ERR__UNSUPPORTED_FEATURE.
 */
export async function handshake(connection: Connection, settings: HandshakeSettings): Promise<BrokerFeatures> {
  const { apis, levels } = await fetchVersions(connection, settings)
  const { mechanism } = settings
  const sessionLifetimeMs = mechanism === null ? 0 : await authenticate(connection, settings, mechanism, apis)
  return { apis, levels, sessionLifetimeMs }
}

async function fetchVersions(
  connection: Connection,
  settings: HandshakeSettings,
): Promise<Pick<BrokerFeatures, 'apis' | 'levels'>> {
  const ask = (version: number): Promise<Decoded<ApiVersionsResponse>> =>
    connection.request(
      tolerantApiVersions,
      version,
      { clientSoftwareName: settings.softwareName, clientSoftwareVersion: settings.softwareVersion },
      settings.apiVersionTimeoutMs,
    )
  let response = await ask(ApiVersions.maxVersion)
  if (response.errorCode === ErrorCode.ERR_UNSUPPORTED_VERSION) {
    // An older broker answers in version 0 and names the range that it would have understood.
    const own = response.apiKeys.find(range => range.apiKey === ApiVersions.key)
    response = await ask(Math.min(own?.maxVersion ?? 0, ApiVersions.maxVersion))
  }
  if (response.errorCode !== ErrorCode.ERR_NO_ERROR) {
    const name = errorName(response.errorCode)
    throw failure(connection, response.errorCode, `refused to tell its API versions (${name})`)
  }
  const apis = new Map<number, VersionRange>()
  for (const range of response.apiKeys) apis.set(range.apiKey, { min: range.minVersion, max: range.maxVersion })
  return {
    apis,
    levels: new Map(response.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel])),
  }
}

async function authenticate(
  connection: Connection,
  settings: HandshakeSettings,
  mechanism: SaslMechanism,
  apis: ReadonlyMap<number, VersionRange>,
): Promise<number> {
  const name = mechanism.name
  const offered = await connection.request(
    SaslHandshake,
    requireVersion(connection, SaslHandshake, apis),
    { mechanism: name },
    settings.authTimeoutMs,
  )
  if (offered.errorCode !== ErrorCode.ERR_NO_ERROR) {
    const choices = offered.mechanisms.length > 0 ? offered.mechanisms.join(', ') : 'none'
    const why = `does not accept sasl.mechanisms=${name}; it offers ${choices}`
    throw failure(connection, ErrorCode.ERR__AUTHENTICATION, why)
  }
  const version = requireVersion(connection, SaslAuthenticate, apis)
  const exchange = mechanism.exchange(connection.endpoint.host)
  let token = await step(connection, name, () => exchange.start())
  let sessionLifetimeMs = 0
  while (token !== null) {
    const answer = await connection.request(SaslAuthenticate, version, { authBytes: token }, settings.authTimeoutMs)
    if (answer.errorCode !== ErrorCode.ERR_NO_ERROR) {
      const detail = answer.errorMessage ?? errorName(answer.errorCode)
      throw failure(connection, ErrorCode.ERR__AUTHENTICATION, `SASL ${name} authentication failed: ${detail}`)
    }
    sessionLifetimeMs = answer.sessionLifetimeMs
    token = await step(connection, name, () => exchange.next(Buffer.from(answer.authBytes)))
  }
  return sessionLifetimeMs
}

// What the mechanism finds wrong is told with the broker's name.
async function step(
  connection: Connection,
  mechanism: string,
  take: () => Promise<Buffer | null> | Buffer | null,
): Promise<Buffer | null> {
  try {
    return await take()
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    throw failure(connection, error.code, `SASL ${mechanism} authentication failed: ${error.message}`, error)
  }
}

function requireVersion(connection: Connection, api: ApiFacts, apis: ReadonlyMap<number, VersionRange>): number {
  const version = commonVersion(api, apis)
  if (version >= 0) return version
  throw failure(connection, ErrorCode.ERR__UNSUPPORTED_FEATURE, `has no ${api.name} request that this client knows`)
}

/** The newest version of `api` that both ends understand, within `from`..`to`, or -1. */
export function commonVersion(api: ApiFacts, apis: ReadonlyMap<number, VersionRange>, from = 0, to = 0x7fff): number {
  const range = apis.get(api.key)
  if (range === undefined) return -1
  const version = Math.min(api.maxVersion, range.max, to)
  return version >= Math.max(api.minVersion, range.min, from) ? version : -1
}

function failure(connection: Connection, code: number, why: string, cause?: unknown): RequestError {
  return new RequestError(code, `${connection.endpoint.name} ${why}`, false, cause)
}
