/** The sockets of one broker: cuts frames out of them, answers requests in the order they came. */
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
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
import { withError } from './faults.ts'
import { takeToken } from './handlers/auth.ts'
import { throttled } from './quotas.ts'
import { CloseConnection, quotaClient, type RequestContext, type Route, type Session } from './request.ts'
import type { BrokerInfo, ClusterState } from './state.ts'
import { SaslRefused } from './sasl/exchange.ts'
import type { ListenerTls } from './tls.ts'

// As socket.request.max.bytes of a broker.
const MAX_FRAME_BYTES = 104_857_600
// A client that does not read its answers is not read from either.
const MAX_UNSENT_BYTES = 64 * 1024 * 1024
// Nor is one that asks for much more than it can be told.
const MAX_UNSERVED_BYTES = 64 * 1024 * 1024

const flexibleFrom = new Map(apis.map(({ key, flexibleFrom: from }) => [key, from]))
const SASL_HANDSHAKE = 17
const API_VERSIONS = 18
const SASL_AUTHENTICATE = 36

export class Listener {
  readonly #info: BrokerInfo
  readonly #state: ClusterState
  readonly #routes: ReadonlyMap<number, Route>
  readonly #tls: ListenerTls | null
  readonly #connections = new Set<ClientConnection>()
  // Below TLS as well: a client that never shakes hands is no connection of the protocol's.
  readonly #sockets = new Set<Socket>()
  #server: Server | null = null

  constructor(info: BrokerInfo, state: ClusterState, routes: ReadonlyMap<number, Route>, tls: ListenerTls | null) {
    this.#info = info
    this.#state = state
    this.#routes = routes
    this.#tls = tls
  }

  /** Begins to listen; port 0 takes a free one, and a broker that comes back gets its old one. */
  async open(): Promise<void> {
    const tls = this.#tls
    const onSocket = (socket: Socket, name: string | null = null): void => {
      const connection = new ClientConnection(socket, name, this.#info, this.#state, this.#routes)
      this.#connections.add(connection)
      socket.once('close', () => this.#connections.delete(connection))
    }
    const onTlsSocket = (socket: TLSSocket, { nameOf }: ListenerTls): void => {
      try {
        onSocket(socket, nameOf(socket))
      } catch {
        socket.destroy()
      }
    }
    const server =
      tls === null
        ? createServer(socket => onSocket(socket))
        : createTlsServer(tls.options, socket => onTlsSocket(socket, tls))
    this.#server = server
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#info.port, this.#info.host, () => {
        server.off('error', reject)
        resolve()
      })
    })
    const address = server.address()
    if (address !== null && typeof address === 'object') this.#info.port = address.port
  }

  dropConnections(): void {
    for (const connection of this.#connections) connection.destroy()
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Nobody can connect any more, and whoever was is cut off. */
  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    this.dropConnections()
    if (server !== null) await new Promise<void>(resolve => server.close(() => resolve()))
  }
}

class ClientConnection {
  readonly #socket: Socket
  readonly #info: BrokerInfo
  readonly #state: ClusterState
  readonly #routes: ReadonlyMap<number, Route>
  readonly #splitter = new FrameSplitter(MAX_FRAME_BYTES)
  readonly #abort = new AbortController()
  readonly #session: Session
  readonly #frames: Buffer[] = []
  #frameBytes = 0
  #busy = false

  /** @param name the client's by its certificate, if it has shown one */
  constructor(
    socket: Socket,
    name: string | null,
    info: BrokerInfo,
    state: ClusterState,
    routes: ReadonlyMap<number, Route>,
  ) {
    this.#socket = socket
    this.#info = info
    this.#state = state
    this.#routes = routes
    this.#session = {
      principal: `User:${name ?? 'ANONYMOUS'}`,
      host: (socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
      port: socket.remotePort ?? 0,
      saslMechanism: null,
      exchange: null,
      isBare: false,
      authenticated: state.saslMechanisms.length === 0,
      isToken: false,
      expiresAt: null,
      isOver: false,
    }
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#data(chunk))
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#abort.abort())
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #data(chunk: Buffer): void {
    try {
      this.#splitter.push(chunk, frame => {
        this.#frames.push(frame)
        this.#frameBytes += frame.length
      })
    } catch {
      // Not Kafka's protocol: the only answer is to hang up.
      this.#socket.destroy()
      return
    }
    if (this.#frameBytes > MAX_UNSERVED_BYTES) this.#socket.pause()
    if (!this.#busy) void this.#work()
  }

  // One request at a time: Kafka answers a connection in order, a waiting fetch holds up what is behind it.
  async #work(): Promise<void> {
    this.#busy = true
    try {
      for (let frame = this.#frames.shift(); frame !== undefined; frame = this.#frames.shift()) {
        this.#frameBytes -= frame.length
        if (this.#frameBytes < MAX_UNSERVED_BYTES) this.#socket.resume()
        await this.#serve(frame)
        if (this.#abort.signal.aborted) return
        if (this.#socket.writableLength > MAX_UNSENT_BYTES) await this.#drained()
      }
    } catch (error) {
      if (!(error instanceof CloseConnection || error instanceof ProtocolError)) this.#state.onInternalError(error)
      this.#socket.end()
      this.#socket.destroySoon()
      return
    } finally {
      this.#busy = false
    }
  }

  #drained(): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
    })
  }

  async #serve(frame: Buffer): Promise<void> {
    if (this.#session.isBare) return this.#serveToken(frame)
    const reader = new Reader(frame)
    const header = readRequestHeader(reader, key => flexibleFrom.get(key) ?? 0x7fff)
    const { apiKey, apiVersion } = header
    const found = this.#routes.get(apiKey)
    const range = this.#state.versions.get(apiKey)
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
    this.#state.faults.track({
      apiKey,
      apiName: api.name,
      apiVersion,
      brokerId: this.#info.id,
      clientId: header.clientId ?? '',
      timestamp: this.#state.clock.now(),
    })
    const body = api.readRequest(reader, apiVersion)
    const fault = this.#state.faults.take(this.#info.id, apiKey)
    if (fault?.code === ErrorCode.ERR__TRANSPORT) {
      this.#socket.destroy()
      return
    }
    await this.#delay(fault?.rttMs ?? this.#state.faults.delayOf(this.#info.id))
    if (this.#isGone()) return
    const fails = fault !== undefined && fault.code !== ErrorCode.ERR_NO_ERROR
    const context = this.#context(header, fails)
    // A request that is to fail must not be carried out: someone who may do nothing gets an answer of the right form.
    let response = await found.handle(body, fails ? { ...context, allows: () => false } : context)
    if (this.#isGone() || response === null) return
    if (fails) response = withError(response, fault.code)
    if (!isSasl(apiKey)) response = throttled(response, this.#state.quotas.chargeRequest(quotaClient(context)))
    this.#write(api, apiVersion, header.correlationId, response)
    if (this.#session.isOver) throw new CloseConnection('authentication failed')
  }

  // Without a header; who is refused is not told.
  async #serveToken(frame: Buffer): Promise<void> {
    try {
      const { answer } = await takeToken(frame, this.#session, this.#state)
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
      throw new CloseConnection(`api ${apiKey} during the authentication`)
    }
    if (apiKey === SASL_HANDSHAKE) return
    if (authenticated) {
      if (expiresAt === null || this.#state.clock.now() <= expiresAt) return
      throw new CloseConnection('the session is over')
    }
    if (apiKey === API_VERSIONS) return
    throw new CloseConnection(`api ${apiKey} before the authentication`)
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
      const timer = this.#state.clock.setTimer(ms, done)
      signal.addEventListener('abort', done)
    })
  }

  // A function, because it changes during an await, which the compiler cannot see.
  #isGone(): boolean {
    return this.#abort.signal.aborted
  }

  #context(header: RequestHeader, isToFail: boolean): RequestContext {
    const session = this.#session
    const state = this.#state
    return {
      state,
      brokerId: this.#info.id,
      version: header.apiVersion,
      clientId: header.clientId ?? '',
      session,
      signal: this.#abort.signal,
      isToFail,
      allows: (operation, type, name) =>
        state.authorizer.allows(session.principal, session.host, operation, type, name),
    }
  }

  #write(
    api: ServerApi<unknown, unknown> | typeof ApiVersionsServer,
    version: number,
    correlationId: number,
    body: unknown,
  ): void {
    // Handler and API were paired in the table of routes.
    const chunks = encodeResponse(api as ServerApi<unknown, unknown>, version, correlationId, body)
    this.#socket.cork()
    for (const chunk of chunks) this.#socket.write(chunk)
    this.#socket.uncork()
  }
}

// Logging in counts for no quota.
function isSasl(apiKey: number): boolean {
  return apiKey === SASL_HANDSHAKE || apiKey === SASL_AUTHENTICATE
}
