import {
  ApiVersions,
  ErrorCode,
  Metadata,
  SaslAuthenticate,
  SaslHandshake,
  errorName,
  type ApiFacts,
  type ApiVersionsResponse,
  type Decoded,
} from '@ottla/protocol'
import type { Clock } from '../base/clock.ts'
import type { Connection } from './connection.ts'
import { KafkaError } from '../errors.ts'
import { channels } from '../observe/channels.ts'
import { WrongProtocolError, RequestError } from './request-error.ts'
import { channelBroker } from './request-traces.ts'
import type { SaslExchange, SaslMechanism } from './sasl/mechanism.ts'

/** The versions of one API that the broker supports. */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

/** What the broker reported about itself in the handshake. */
export interface BrokerFeatures {
  readonly apis: ReadonlyMap<number, VersionRange>
  /** Finalized feature levels of the cluster, by the feature's name (KIP-584). */
  readonly levels: ReadonlyMap<string, number>
  readonly session: SessionTerms
}

/** How long an authentication is valid (KIP-368). */
export interface SessionTerms {
  /** When the last token was sent, on the clock's monotonic scale: the session did not begin before. */
  readonly startedAt: number
  /** 0 if it does not end. */
  readonly lifetimeMs: number
}

export interface HandshakeSettings {
  /** `api.version.request.timeout.ms` */
  readonly apiVersionTimeoutMs: number
  /** Limit for each step of the authentication, in ms (`socket.timeout.ms`). */
  readonly authTimeoutMs: number
  readonly softwareName: string
  readonly softwareVersion: string
  /** Null without SASL. */
  readonly mechanism: SaslMechanism | null
}

// A broker that does not support the requested version answers in version 0 (KIP-511). The error code comes first in
// every version.
const tolerantApiVersions: typeof ApiVersions = {
  ...ApiVersions,
  readResponse(reader, version) {
    const start = reader.position
    const errorCode = reader.int16()
    reader.position = start
    return ApiVersions.readResponse(reader, errorCode === ErrorCode.ERR_UNSUPPORTED_VERSION ? 0 : version)
  },
}

// Only KRaft controllers have the Vote API.
const VOTE = 52

/**
 * Asks for the broker's API versions (KIP-35, KIP-511), then authenticates if configured.
 * Rejects with RequestError: ERR__AUTHENTICATION, ERR__TRANSPORT, ERR__TIMED_OUT, ERR__UNSUPPORTED_FEATURE;
 * with WrongProtocolError if it is not a broker's listener.
 */
export async function handshake(
  connection: Connection,
  settings: HandshakeSettings,
  clock: Clock,
): Promise<BrokerFeatures> {
  const { apis, levels } = await fetchVersions(connection, settings)
  if (!apis.has(Metadata.key) && apis.has(VOTE)) {
    const why = "is a controller's listener, not a broker's: bootstrap.servers has to name brokers"
    throw new WrongProtocolError(ErrorCode.ERR__TRANSPORT, `${connection.endpoint.name} ${why}`, false)
  }
  const { mechanism, authTimeoutMs } = settings
  if (mechanism === null) return { apis, levels, session: { startedAt: clock.now(), lifetimeMs: 0 } }
  const authentication = new Authentication(connection, mechanism, apis, authTimeoutMs, clock)
  const session = await tracedAuthentication(connection, mechanism, false, async () => {
    await authentication.negotiate('; is the listener without SASL? Then security.protocol has to be plaintext or ssl')
    await authentication.prepare()
    return authentication.complete()
  })
  return { apis, levels, session }
}

/** Publishes an authentication, if anybody subscribes. */
export function tracedAuthentication<T>(
  { client, endpoint }: Connection,
  mechanism: SaslMechanism,
  isRenewal: boolean,
  authenticate: () => Promise<T>,
): Promise<T> {
  const { authenticate: channel } = channels
  if (client === undefined || !channel.hasSubscribers) return authenticate()
  const what = { client, broker: channelBroker(endpoint), mechanism: mechanism.name, isRenewal }
  return channel.trace(what, authenticate)
}

async function fetchVersions(
  connection: Connection,
  settings: HandshakeSettings,
): Promise<Pick<BrokerFeatures, 'apis' | 'levels'>> {
  const request = (version: number): Promise<Decoded<ApiVersionsResponse>> =>
    connection.request(
      tolerantApiVersions,
      version,
      { clientSoftwareName: settings.softwareName, clientSoftwareVersion: settings.softwareVersion },
      settings.apiVersionTimeoutMs,
    )
  let response = await request(ApiVersions.maxVersion)
  if (response.errorCode === ErrorCode.ERR_UNSUPPORTED_VERSION) {
    // An older broker answers in version 0 and names the range that it supports.
    const own = response.apiKeys.find(range => range.apiKey === ApiVersions.key)
    response = await request(Math.min(own?.maxVersion ?? 0, ApiVersions.maxVersion))
  }
  if (response.errorCode !== ErrorCode.ERR_NO_ERROR) {
    const name = errorName(response.errorCode)
    throw failure(connection, response.errorCode, `refused to report its API versions (${name})`)
  }
  const apis = new Map<number, VersionRange>()
  for (const range of response.apiKeys) apis.set(range.apiKey, { min: range.minVersion, max: range.maxVersion })
  return {
    apis,
    levels: new Map(response.finalizedFeatures.map(({ name, maxVersionLevel }) => [name, maxVersionLevel])),
  }
}

/**
 * One SASL authentication in three steps; `prepare` does not need the broker and may come first.
 * Each step rejects with RequestError: ERR__AUTHENTICATION, ERR__TRANSPORT, ERR__TIMED_OUT, ERR__UNSUPPORTED_FEATURE.
 */
export class Authentication {
  readonly #connection: Connection
  readonly #mechanism: SaslMechanism
  readonly #apis: ReadonlyMap<number, VersionRange>
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #exchange: SaslExchange
  #token: Buffer | null = null

  /** @param timeoutMs - limit of each request */
  constructor(
    connection: Connection,
    mechanism: SaslMechanism,
    apis: ReadonlyMap<number, VersionRange>,
    timeoutMs: number,
    clock: Clock,
  ) {
    this.#connection = connection
    this.#mechanism = mechanism
    this.#apis = apis
    this.#timeoutMs = timeoutMs
    this.#clock = clock
    this.#exchange = mechanism.exchange(connection.endpoint.host, connection.endpoint.port)
  }

  /** Makes the first token from the present credentials. */
  async prepare(): Promise<void> {
    this.#token = await this.#step(() => this.#exchange.start())
  }

  /**
   * Agrees on the mechanism with the broker, which accepts only tokens from then on.
   * @param noSaslHint - what it may mean if the broker does not expect SASL
   */
  async negotiate(noSaslHint = ''): Promise<void> {
    const mechanism = this.#mechanism.name
    const version = requireVersion(this.#connection, SaslHandshake, this.#apis)
    const offered = await this.#connection.request(SaslHandshake, version, { mechanism }, this.#timeoutMs)
    const { errorCode, mechanisms } = offered
    if (errorCode === ErrorCode.ERR_NO_ERROR) return
    throw failure(
      this.#connection,
      ErrorCode.ERR__AUTHENTICATION,
      refusal(mechanism, errorCode, mechanisms, noSaslHint),
    )
  }

  /** Exchanges tokens until both ends are done. */
  async complete(): Promise<SessionTerms> {
    const connection = this.#connection
    const { name } = this.#mechanism
    const version = requireVersion(connection, SaslAuthenticate, this.#apis)
    let startedAt = this.#clock.now()
    let lifetimeMs = 0
    for (let token = this.#token; token !== null;) {
      startedAt = this.#clock.now()
      const answer = await connection.request(SaslAuthenticate, version, { authBytes: token }, this.#timeoutMs)
      if (answer.errorCode !== ErrorCode.ERR_NO_ERROR) {
        const detail = answer.errorMessage ?? errorName(answer.errorCode)
        const why = `SASL ${name} authentication failed: ${detail}${credentialsHint(name)}`
        throw failure(connection, ErrorCode.ERR__AUTHENTICATION, why)
      }
      lifetimeMs = answer.sessionLifetimeMs
      token = await this.#step(() => this.#exchange.next(Buffer.from(answer.authBytes)))
    }
    return { startedAt, lifetimeMs }
  }

  // Adds the broker's name to the mechanism's errors.
  async #step(take: () => Promise<Buffer | null> | Buffer | null): Promise<Buffer | null> {
    try {
      return await take()
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const why = `SASL ${this.#mechanism.name} authentication failed: ${error.message}`
      throw failure(this.#connection, error.code, why, error)
    }
  }
}

function refusal(mechanism: string, errorCode: number, offered: readonly string[], noSaslHint: string): string {
  if (errorCode === ErrorCode.ERR_UNSUPPORTED_SASL_MECHANISM) {
    const choices = offered.length > 0 ? offered.join(', ') : 'none'
    return `does not accept sasl.mechanisms=${mechanism}; it offers ${choices}`
  }
  const hint = errorCode === ErrorCode.ERR_ILLEGAL_SASL_STATE ? noSaslHint : ''
  return `refused the SASL handshake: ${errorName(errorCode)}${hint}`
}

function credentialsHint(mechanism: string): string {
  if (mechanism === 'PLAIN' || mechanism.startsWith('SCRAM-')) return '; are sasl.username and sasl.password right?'
  return mechanism === 'OAUTHBEARER' ? '; is the token for this cluster, and still valid?' : ''
}

function requireVersion(connection: Connection, api: ApiFacts, apis: ReadonlyMap<number, VersionRange>): number {
  const version = commonVersion(api, apis)
  if (version >= 0) return version
  throw failure(
    connection,
    ErrorCode.ERR__UNSUPPORTED_FEATURE,
    `supports no version of ${api.name} that this client knows`,
  )
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
