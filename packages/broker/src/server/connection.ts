/** One client's connection to one broker: splits it into frames and answers requests in the order they arrive. */
import { setMaxListeners } from 'node:events'
import {
  ApiVersionsServer,
  ErrorCode,
  FrameSplitter,
  ProtocolError,
  Reader,
  apis,
  encodeResponse,
  readRequestHeader,
  type RequestHeader,
  type ServerApi,
} from '@ottla/protocol'
import type { BrokerInfo } from '../base/brokers.ts'
import type { Timer } from '../base/clock.ts'
import type { NetworkSocket } from '../base/network.ts'
import type { Fault } from '../control/faults.ts'
import type { TrackedRequest } from '../control/observers.ts'
import { isLogIn, takeToken } from '../handlers/auth.ts'
import { CloseConnection, quotaClient, type RequestContext, type Route, type Session } from '../handlers/request.ts'
import { throttled } from '../quotas/client-quotas.ts'
import { SaslRefused } from '../security/sasl/exchange.ts'
import { leaderProblem } from '../topics/reassignments.ts'
import type { ListenerLogIn } from '../security/log-in.ts'
import type { ServerContext } from './server-context.ts'

// Kafka's default for socket.request.max.bytes.
const MAX_FRAME_BYTES = 104_857_600
// Nothing more is read from a client that does not read its responses,
const MAX_UNSENT_BYTES = 1024 * 1024
// nor from one that sends requests much faster than they are answered.
const MAX_UNSERVED_BYTES = 4 * 1024 * 1024
// For incomplete frames of all connections together.
const MAX_RESERVED_BYTES = 512 * 1024 * 1024

// How often to check again a connection that is silent because the broker is still busy with its request.
const IDLE_CHECK_MS = 1000

const flexibleFrom = new Map(apis.map(({ key, flexibleFrom: from }) => [key, from]))
const SASL_HANDSHAKE = 17
const API_VERSIONS = 18
const SASL_AUTHENTICATE = 36

export class ClientConnection {
  readonly #socket: NetworkSocket
  readonly #info: BrokerInfo
  readonly #server: ServerContext
  readonly #splitter = new FrameSplitter(MAX_FRAME_BYTES)
  readonly #abort = new AbortController()
  readonly #session: Session
  readonly #frames: Buffer[] = []
  #frameBytes = 0
  /** Memory reserved for an incomplete frame. */
  #reservedBytes = 0
  #busy = false
  /** Waiting for the client to read its responses. */
  #waitsForDrain = false
  #isSilent = false
  /** The connection is about to close: later data is ignored. */
  #isClosing = false
  #lastReadAt: number
  #idleTimer: Timer

  /** @param name the client's name by its certificate, null if it has none */
  constructor(
    socket: NetworkSocket,
    name: string | null,
    info: BrokerInfo,
    listener: ListenerLogIn,
    server: ServerContext,
  ) {
    this.#socket = socket
    this.#info = info
    this.#server = server
    this.#session = {
      listener,
      principal: `User:${name ?? 'ANONYMOUS'}`,
      host: (socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
      port: socket.remotePort ?? 0,
      saslMechanism: null,
      exchange: null,
      expectsBareToken: false,
      authenticated: listener.mechanisms.length === 0,
      isToken: false,
      expiresAt: null,
      reauthenticatedAt: null,
      closesAfterResponse: false,
    }
    // Whatever waits on behalf of this connection listens to the signal, which can be a lot.
    setMaxListeners(0, this.#abort.signal)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#data(chunk))
    socket.on('error', () => socket.destroy())
    const { clock, maxMs } = server.idle
    this.#lastReadAt = clock.now()
    this.#idleTimer = clock.setTimer(maxMs, () => this.#checkIdle())
    socket.once('close', () => {
      this.#idleTimer.cancel()
      this.#reserve(0)
      this.#abort.abort()
    })
  }

  destroy(): void {
    this.#socket.destroy()
  }

  // A client is just as idle when it stops in the middle of a frame, or does not read its responses.
  #checkIdle(): void {
    const { clock, maxMs } = this.#server.idle
    const left = this.#lastReadAt + maxMs - clock.now()
    const isWaiting = this.#busy && !this.#waitsForDrain
    if (left <= 0 && !isWaiting) this.#socket.destroy()
    else this.#idleTimer = clock.setTimer(Math.max(left, IDLE_CHECK_MS), () => this.#checkIdle())
  }

  #reserve(bytes: number): void {
    this.#server.reserved.bytes += bytes - this.#reservedBytes
    this.#reservedBytes = bytes
  }

  #data(chunk: Buffer): void {
    if (this.#isClosing) return
    this.#lastReadAt = this.#server.idle.clock.now()
    try {
      this.#splitter.push(chunk, frame => {
        this.#frames.push(frame)
        this.#frameBytes += frame.length
      })
    } catch {
      // Not the Kafka protocol: all one can do is hang up.
      this.#socket.destroy()
      return
    }
    this.#reserve(this.#splitter.claimedBytes)
    if (this.#server.reserved.bytes > MAX_RESERVED_BYTES) {
      this.#socket.destroy()
      return
    }
    if (this.#frameBytes > MAX_UNSERVED_BYTES) this.#socket.pause()
    if (!this.#busy) void this.#serveFrames()
  }

  // One request at a time: Kafka answers a connection in order, so a waiting fetch delays the requests behind it.
  async #serveFrames(): Promise<void> {
    this.#busy = true
    try {
      for (let frame = this.#frames.shift(); frame !== undefined; frame = this.#frames.shift()) {
        if (this.#isSilent) continue
        this.#frameBytes -= frame.length
        if (this.#frameBytes < MAX_UNSERVED_BYTES) this.#socket.resume()
        await this.#serve(frame)
        if (this.#abort.signal.aborted) return
        if (this.#socket.writableLength > MAX_UNSENT_BYTES) await this.#drained()
      }
    } catch (error) {
      if (!(error instanceof CloseConnection || error instanceof ProtocolError)) this.#server.onInternalError(error)
      this.#isClosing = true
      this.#frames.length = 0
      this.#reserve(0)
      this.#socket.destroySoon()
      return
    } finally {
      this.#busy = false
    }
  }

  #drained(): Promise<void> {
    this.#waitsForDrain = true
    return new Promise(resolve => {
      const done = (): void => {
        this.#waitsForDrain = false
        this.#lastReadAt = this.#server.idle.clock.now()
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
    })
  }

  async #serve(frame: Buffer): Promise<void> {
    if (this.#session.expectsBareToken) return this.#serveToken(frame)
    const reader = new Reader(frame)
    const header = readRequestHeader(reader, key => flexibleFrom.get(key) ?? 0x7fff)
    const { apiKey, apiVersion } = header
    const found = this.#server.routes.get(apiKey)
    const range = this.#server.stores.versions.get(apiKey)
    if (apiKey === API_VERSIONS && (range === undefined || apiVersion > range.max || apiVersion < range.min)) {
      this.#write(ApiVersionsServer, 0, header.correlationId, {
        errorCode: ErrorCode.ERR_UNSUPPORTED_VERSION,
        apiKeys: [{ apiKey, minVersion: range?.min ?? 0, maxVersion: range?.max ?? 0 }],
      })
      return
    }
    if (found === undefined || range === undefined || apiVersion < range.min || apiVersion > range.max) {
      throw new CloseConnection(`api ${apiKey} version ${apiVersion} is not served`)
    }
    this.#checkAuthenticated(apiKey)
    const { api } = found
    const body = api.readRequest(reader, apiVersion)
    const response = await this.#answerTo(found, body, header)
    if (response === undefined || this.#isGone()) return
    this.#write(api, apiVersion, header.correlationId, response.body, response.fault?.cutAfterBytes)
    if (this.#session.closesAfterResponse) throw new CloseConnection('authentication failed')
  }

  /** undefined: no response is sent. */
  async #answerTo(
    found: Route,
    body: unknown,
    header: RequestHeader,
  ): Promise<{ body: unknown; fault: Fault | undefined } | undefined> {
    const { observers, faults, pausedBrokers, stores } = this.#server
    const { apiKey } = header
    const fault = faults.take(this.#info.id, apiKey)
    const code = fault?.code ?? ErrorCode.ERR_NO_ERROR
    const fails = code !== ErrorCode.ERR_NO_ERROR
    const isCut = code === ErrorCode.ERR__TRANSPORT
    const controlled = observers.isActive
      ? await observers.observe(this.#tracked(found.api.name, header, body))
      : undefined
    if (isCut && fault?.carriedOut !== true) {
      this.#socket.destroy()
      return undefined
    }
    await this.#delay(fault?.rttMs ?? faults.delayOf(this.#info.id))
    await pausedBrokers.untilResumed(this.#info.id, this.#abort.signal)
    if (this.#isGone()) return undefined
    const isCarriedOut = fault?.carriedOut ?? !fails
    const context = this.#context(header)
    let response: unknown = controlled
    if (response === undefined && isCarriedOut) response = await found.handle(body, context, stores)
    if (this.#isGone() || response === null) return undefined
    if (isCut) {
      this.#socket.destroy()
      return undefined
    }
    if (fault?.silent === true) {
      this.#isSilent = true
      return undefined
    }
    if (response === undefined && isLogIn(apiKey, this.#session)) this.#session.closesAfterResponse = true
    if (response === undefined || fails) {
      response = found.refusal(body, fails ? code : ErrorCode.ERR_UNKNOWN, context)
    }
    const throttleMs = Math.max(fault?.throttleMs ?? 0, faults.throttleOf(this.#info.id))
    if (!isSasl(apiKey))
      response = throttled(response, Math.max(throttleMs, stores.quotas.chargeRequest(quotaClient(context))))
    return { body: response, fault }
  }

  #tracked(apiName: string, { apiKey, apiVersion, clientId }: RequestHeader, body: unknown): TrackedRequest {
    const { principal } = this.#session
    const timestamp = this.#server.stores.clock.now()
    return {
      apiKey,
      apiName,
      apiVersion,
      brokerId: this.#info.id,
      clientId: clientId ?? '',
      principal,
      timestamp,
      body,
    }
  }

  // The token has no header, and a refusal gets no response.
  async #serveToken(frame: Buffer): Promise<void> {
    try {
      const { answer } = await takeToken(frame, this.#session, this.#server.stores)
      if (this.#isGone()) return
      const length = Buffer.alloc(4)
      length.writeInt32BE(answer.length)
      this.#socket.write(Buffer.concat([length, answer]))
    } catch (error) {
      throw error instanceof SaslRefused ? new CloseConnection('authentication failed') : error
    }
  }

  #checkAuthenticated(apiKey: number): void {
    const { authenticated, exchange, expiresAt } = this.#session
    if (exchange !== null) {
      if (apiKey === SASL_AUTHENTICATE) return
      throw new CloseConnection(`api ${apiKey} during authentication`)
    }
    if (apiKey === SASL_HANDSHAKE) return
    if (authenticated) {
      if (expiresAt === null || this.#server.stores.clock.now() <= expiresAt) return
      throw new CloseConnection('the session has expired')
    }
    if (apiKey === API_VERSIONS) return
    throw new CloseConnection(`api ${apiKey} before authentication`)
  }

  #delay(ms: number): Promise<void> | void {
    if (ms <= 0) return
    return new Promise(resolve => {
      const { signal } = this.#abort
      const done = (): void => {
        timer.cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = this.#server.stores.clock.setTimer(ms, done)
      signal.addEventListener('abort', done)
    })
  }

  // A method, because the compiler does not expect the property to change during an await.
  #isGone(): boolean {
    return this.#abort.signal.aborted
  }

  #context(header: RequestHeader): RequestContext {
    const session = this.#session
    const { faults, stores } = this.#server
    const { authorizer } = stores
    return {
      brokerId: this.#info.id,
      apiKey: header.apiKey,
      version: header.apiVersion,
      clientId: header.clientId ?? '',
      session,
      signal: this.#abort.signal,
      allows: (operation, type, name) => authorizer.allows(session.principal, session.host, operation, type, name),
      checkLeader: (partition, currentLeaderEpoch, asBroker = this.#info.id) => {
        if (partition === undefined) return ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
        const fault = faults.takePartition(partition.topic, partition.index, header.apiKey)
        return fault === ErrorCode.ERR_NO_ERROR ? leaderProblem(partition, asBroker, currentLeaderEpoch) : fault
      },
    }
  }

  #write(
    api: ServerApi<unknown, unknown> | typeof ApiVersionsServer,
    version: number,
    correlationId: number,
    body: unknown,
    cutAfterBytes?: number,
  ): void {
    // `route` has matched handler and API.
    const chunks = encodeResponse(api as ServerApi<unknown, unknown>, version, correlationId, body)
    if (cutAfterBytes !== undefined) {
      this.#socket.write(Buffer.concat(chunks).subarray(0, cutAfterBytes), () => this.#socket.destroy())
      return
    }
    this.#socket.cork()
    for (const chunk of chunks) this.#socket.write(chunk)
    this.#socket.uncork()
  }
}

// Log-ins are exempt from quotas.
function isSasl(apiKey: number): boolean {
  return apiKey === SASL_HANDSHAKE || apiKey === SASL_AUTHENTICATE
}
