import {
  ErrorCode,
  FrameReader,
  FrameSizeError,
  encodeRequest,
  readResponseHeader,
  Reader,
  type Api,
  type ApiFacts,
  type Decoded,
} from '@ottla/protocol'
import { Alarm } from '../base/alarm.ts'
import { Deadline, type Clock } from '../base/clock.ts'
import { Ring } from '../base/ring.ts'
import { hostPort } from '../base/host-port.ts'
import { messageOf } from '../base/unknown-error.ts'
import { KafkaError } from '../errors.ts'
import type { ChannelClient } from '../observe/channel-payloads.ts'
import { channels } from '../observe/channels.ts'
import type { Logger } from '../observe/logger.ts'
import type { BrokerCounters } from '../observe/statistics/counters.ts'
import { WRONG_PROTOCOL_HINT, foreignProtocol, lostUnanswered, withAddressHint } from './hints.ts'
import { PendingRequest, earliestExpiry } from './in-flight.ts'
import { channelBroker, tracedRequest, type Settlers } from './request-traces.ts'
import type { ConnectionRecorder } from './recording/recorder.ts'
import type { RequestReports } from './request-reports.ts'
import { HungUpError, WrongProtocolError, RequestError } from './request-error.ts'
import { type AddressBook, Transport, type TransportSettings } from './transport.ts'

/** The states of a connection. A closed one is never reopened. */
export type ConnectionState = 'idle' | 'connecting' | 'handshake' | 'up' | 'closed'

const moves: Record<ConnectionState, readonly ConnectionState[]> = {
  idle: ['connecting', 'closed'],
  connecting: ['handshake', 'closed'],
  handshake: ['up', 'closed'],
  up: ['closed'],
  closed: [],
}

/** The settings that all connections of a client share. */
export interface ConnectionSettings {
  readonly clientId: string
  /** Who publishes on channels; nobody if left out. */
  readonly client?: ChannelClient
  readonly transport: TransportSettings
  /** `receive.message.max.bytes` */
  readonly maxFrameBytes: number
  /** `socket.max.fails`: requests that may time out in a row before the connection is closed; 0 never closes it. */
  readonly maxFails: number
  /** What it may mean if a broker hangs up at the first request after the handshake. */
  readonly hangUpHint?: string
  /** `connections.max.idle.ms`; 0 keeps idle connections. */
  readonly maxIdleMs: number
  /** Reports requests to the application. */
  readonly requestReports?: RequestReports
}

/** One end of a connection; `name` is for errors and logs: `127.0.0.1:9092/1`. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly name: string
  /** What to do if nothing listens there. */
  readonly hint?: string
}

/**
 * One TCP or TLS connection: pipelines requests, matches responses to them in order, and times out those that take too
 * long. The lane that owns it drives connecting and the handshake.
 */
export class Connection {
  readonly endpoint: Endpoint
  readonly #settings: ConnectionSettings
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #onClosed: (error: RequestError) => void
  readonly #counters: BrokerCounters | null
  readonly #frames: FrameReader
  readonly #inFlight = new Ring<PendingRequest>()
  readonly #onFrame = (frame: Buffer): void => this.#receive(frame)
  #state: ConnectionState = 'idle'
  #transport: Transport | null = null
  /** Null unless the connection is recorded. */
  #recorder: ConnectionRecorder | null = null
  #correlationId = 0
  #fails = 0
  /** One timer for all requests of the connection: it rings when the earliest could have expired. */
  readonly #sweep: Alarm
  #lastUsed = 0
  /** Whether the broker has answered anything. */
  #hasAnswered = false
  /** Whether it has answered any request after the handshake. */
  #hasServed = false
  #slowestMs = 0

  /** @param counters - null while there are no statistics */
  constructor(
    endpoint: Endpoint,
    settings: ConnectionSettings,
    clock: Clock,
    logger: Logger,
    onClosed: (error: RequestError) => void,
    counters: BrokerCounters | null = null,
  ) {
    this.endpoint = endpoint
    this.#settings = settings
    this.#clock = clock
    this.#logger = logger
    this.#onClosed = onClosed
    this.#counters = counters
    this.#frames = new FrameReader(settings.maxFrameBytes)
    this.#sweep = new Alarm(clock, () => this.#sweepExpired())
  }

  /** Who publishes on channels. */
  get client(): ChannelClient | undefined {
    return this.#settings.client
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** Requests in flight. */
  get inFlight(): number {
    return this.#inFlight.length
  }

  /** The longest time that a response took since `forgetSlowest`. */
  get slowestMs(): number {
    return this.#slowestMs
  }

  forgetSlowest(): void {
    this.#slowestMs = 0
  }

  /** Opens the socket; the handshake comes next. Rejects with ERR__TRANSPORT, ERR__RESOLVE or ERR__SSL. */
  async open(addresses: AddressBook, signal: AbortSignal): Promise<void> {
    this.#enter('connecting')
    try {
      const address = await addresses.next()
      const { host, port } = this.endpoint
      this.#recorder = this.#settings.transport.recorder?.connecting(hostPort(host, port), address.address) ?? null
      const handlers = {
        target: () => this.#frames.target(),
        onRead: (count: number) => this.#read(count),
        onData: (chunk: Buffer) => this.#data(chunk),
        onClose: (e: RequestError, hint: string) => this.close(this.#lost(e, hint), 'broker'),
      }
      const transport = await Transport.open(address, port, host, this.#settings.transport, handlers, signal)
      if (this.#stateNow() === 'closed') {
        transport.destroy()
        throw new RequestError(ErrorCode.ERR__DESTROY, `connecting to ${this.endpoint.name} was given up`, false)
      }
      this.#transport = transport
      this.#recorder?.opened()
    } catch (error) {
      if (!(error instanceof RequestError)) throw error
      const failure = withAddressHint(error, this.endpoint.hint)
      this.close(failure)
      throw failure
    }
    this.#enter('handshake')
  }

  /** The handshake is over: the client's requests may be sent. */
  markUp(): void {
    this.#enter('up')
    this.#lastUsed = this.#clock.now()
    if (this.#settings.maxIdleMs > 0) this.#sweep.set(this.#lastUsed + this.#settings.maxIdleMs)
  }

  /**
   * Writes one request. Rejects with RequestError: ERR__TIMED_OUT after `timeoutMs`, ERR__TRANSPORT if the connection
   * is lost, ERR__BAD_MSG if the response cannot be read. With `noResponse` (acks=0) it resolves as soon as the
   * operating system has the bytes.
   */
  request<Req, Res>(
    api: Api<Req, Res>,
    version: number,
    body: Req,
    timeoutMs: number,
    noResponse = false,
  ): Promise<Decoded<Res>> {
    const transport = this.#transport
    if (transport === null || this.#state === 'closed') {
      return Promise.reject(this.#notConnected())
    }
    const correlationId = this.#correlationId
    let chunks: readonly Uint8Array[]
    try {
      chunks = encodeRequest(api, version, correlationId, this.#settings.clientId, body)
    } catch (error) {
      const why = messageOf(error)
      return Promise.reject(new RequestError(ErrorCode.ERR__INVALID_ARG, `${api.name} request: ${why}`, false, error))
    }
    this.#correlationId = (correlationId + 1) & 0x7fffffff
    const now = this.#clock.now()
    this.#lastUsed = now
    if (this.#counters !== null) this.#counters.sent(api.name, chunks, now)
    if (this.#recorder !== null) this.#recorder.sent(chunks)
    if (this.#logger.enabled('protocol')) {
      this.#logger.debug(
        'protocol',
        'SEND',
        `${this.endpoint.name}: ${api.name}Request v${version} CorrId ${correlationId}`,
      )
    }
    if (noResponse) {
      return new Promise((onResponse, onError) => {
        const traced = this.#traced(api, version, correlationId, chunks, onResponse, onError)
        const resolve = traced?.resolve ?? onResponse
        const reject = traced?.reject ?? onError
        transport.write(chunks, error => {
          // There is no body to return; callers of this form do not use it.
          if (error === null || error === undefined) resolve(undefined as Decoded<Res>)
          else
            reject(new RequestError(ErrorCode.ERR__TRANSPORT, `${this.endpoint.name}: ${error.message}`, true, error))
        })
      })
    }
    return new Promise<Decoded<Res>>((onResponse, onError) => {
      const traced = this.#traced(api, version, correlationId, chunks, onResponse, onError)
      const deadline = Deadline.after(this.#clock, timeoutMs)
      // The ring holds requests of every API; the reader of `api` makes what its own promise expects.
      this.#inFlight.push(
        new PendingRequest(
          api as Api<unknown, unknown>,
          version,
          correlationId,
          now,
          deadline,
          (traced?.resolve ?? onResponse) as PendingRequest['resolve'],
          traced?.reject ?? onError,
        ),
      )
      this.#sweep.set(deadline.at)
      transport.write(chunks)
    })
  }

  /** What settles a request's promise and publishes its end; null if nobody subscribes. */
  #traced<R>(
    api: ApiFacts,
    apiVersion: number,
    correlationId: number,
    chunks: readonly Uint8Array[],
    resolve: (response: R) => void,
    reject: (error: unknown) => void,
  ): Settlers<R> | null {
    const { client } = this.#settings
    if (client === undefined || !channels.request.hasSubscribers) return null
    const broker = channelBroker(this.endpoint)
    const request = { client, broker, apiKey: api.key, apiName: api.name, apiVersion, correlationId }
    return tracedRequest(request, chunks, { resolve, reject })
  }

  /**
   * Closes the connection and rejects what is in flight with `error`. Later calls do nothing.
   * @param by - for the recording
   */
  close(error: RequestError, by: 'client' | 'broker' = 'client'): void {
    if (this.#state === 'closed') return
    this.#enter('closed')
    this.#sweep.cancel()
    this.#transport?.destroy()
    this.#recorder?.closed(by, error.message)
    for (let pending = this.#inFlight.shift(); pending !== undefined; pending = this.#inFlight.shift()) {
      if (pending.abandoned) continue
      if (this.#counters !== null) this.#counters.txErrors++
      pending.reject(error)
    }
    this.#onClosed(error)
  }

  #enter(next: ConnectionState): void {
    if (!moves[this.#state].includes(next)) throw new Error(`connection ${this.#state} -> ${next} is not a legal move`)
    this.#logger.debug('broker', 'STATE', `${this.endpoint.name}: ${this.#state} -> ${next}`)
    this.#state = next
  }

  // Reads the state again: the compiler's flow analysis does not see a close during an await.
  #stateNow(): ConnectionState {
    return this.#state
  }

  #lost(error: RequestError, unansweredHint: string): RequestError {
    if (!this.#hasAnswered) return lostUnanswered(error, unansweredHint)
    const isRefused = this.#state === 'up' && !this.#hasServed && this.#inFlight.length > 0
    if (!isRefused || error.code !== ErrorCode.ERR__TRANSPORT) return error
    const hint = this.#settings.hangUpHint ?? ''
    return new HungUpError(error.code, `${error.message} at the first request${hint}`, error.sent, error.cause)
  }

  #notConnected(): RequestError {
    return new RequestError(ErrorCode.ERR__TRANSPORT, `${this.endpoint.name} is not connected`, false)
  }

  #read(count: number): void {
    try {
      this.#frames.advance(count, this.#onFrame)
    } catch (error) {
      this.#garbage(error)
    }
  }

  #data(chunk: Buffer): void {
    try {
      this.#frames.push(chunk, this.#onFrame)
    } catch (error) {
      this.#garbage(error)
    }
  }

  #receive(frame: Buffer): void {
    if (this.#state === 'closed') return
    if (this.#recorder !== null) this.#recorder.received(frame)
    const pending = this.#inFlight.shift()
    if (pending === undefined) {
      throw new Error('a response to no request')
    }
    let response: Decoded<unknown>
    try {
      const reader = new Reader(frame)
      const correlationId = readResponseHeader(reader, pending.api, pending.version)
      if (correlationId !== pending.correlationId) {
        throw new Error(`correlation id ${correlationId} instead of ${pending.correlationId}`)
      }
      response = pending.api.readResponse(reader, pending.version)
    } catch (error) {
      const failure = this.#garbageError(error, `${pending.api.name} response v${pending.version}`)
      if (!pending.abandoned) pending.reject(failure)
      this.close(failure)
      return
    }
    this.#fails = 0
    this.#hasAnswered = true
    if (this.#state === 'up') this.#hasServed = true
    this.#lastUsed = this.#clock.now()
    if (this.#lastUsed - pending.sentAt > this.#slowestMs) this.#slowestMs = this.#lastUsed - pending.sentAt
    const isProduce = pending.api.name === 'Produce'
    if (this.#counters !== null) this.#counters.received(frame.length, pending.sentAt, this.#lastUsed, isProduce)
    this.#settings.requestReports?.answered(this.endpoint.name, pending, frame.length, this.#lastUsed)
    if (this.#logger.enabled('protocol')) {
      const rtt = (this.#lastUsed - pending.sentAt).toFixed(2)
      this.#logger.debug(
        'protocol',
        'RECV',
        `${this.endpoint.name}: ${pending.api.name}Response v${pending.version} CorrId ${pending.correlationId}, ${frame.length} bytes, rtt ${rtt} ms`,
      )
    }
    if (!pending.abandoned) pending.resolve(response, frame.length)
  }

  #garbage(error: unknown): void {
    this.close(this.#garbageError(error, 'data'))
  }

  #garbageError(error: unknown, what: string): RequestError {
    if (this.#counters !== null) this.#counters.rxErrors++
    const { name } = this.endpoint
    const isSize = error instanceof FrameSizeError
    if (this.#hasAnswered) {
      const limit = 'receive.message.max.bytes sets the limit'
      const hint = !isSize ? WRONG_PROTOCOL_HINT : error.bytes < 0 ? 'is it a Kafka broker?' : limit
      return new RequestError(ErrorCode.ERR__BAD_MSG, garbage(name, what, error, hint), true, error)
    }
    const foreign = isSize ? foreignProtocol(error.bytes) : null
    const message =
      foreign === null ? garbage(name, what, error, WRONG_PROTOCOL_HINT) : `${name} does not speak Kafka: ${foreign}`
    return new WrongProtocolError(ErrorCode.ERR__BAD_MSG, message, true, error)
  }

  #sweepExpired(): void {
    const now = this.#clock.now()
    for (let i = 0; i < this.#inFlight.length; i++) {
      const pending = this.#inFlight.peek(i)
      if (pending === undefined || pending.abandoned || pending.deadline.at > now) continue
      const waited = Math.round(now - pending.sentAt)
      const error = new RequestError(
        ErrorCode.ERR__TIMED_OUT,
        `${this.endpoint.name}: no answer to ${pending.api.name} within ${waited} ms`,
        true,
      )
      pending.abandoned = true
      if (this.#counters !== null) this.#counters.timeouts++
      this.#settings.requestReports?.timedOut(this.endpoint.name, pending, error.message, now)
      pending.reject(error)
      this.#fails++
      if (this.#settings.maxFails > 0 && this.#fails >= this.#settings.maxFails) {
        // Responses come in order: everything behind the late one is stuck, too.
        this.close(new RequestError(ErrorCode.ERR__TRANSPORT, `${error.message}; connection closed`, true, error))
        return
      }
    }
    const { maxIdleMs } = this.#settings
    if (this.#state === 'up' && maxIdleMs > 0 && this.#inFlight.length === 0) {
      const idleUntil = this.#lastUsed + maxIdleMs
      if (now >= idleUntil) {
        this.close(
          new RequestError(ErrorCode.ERR__TRANSPORT, `${this.endpoint.name}: idle for ${maxIdleMs} ms, closed`, false),
        )
        return
      }
      this.#sweep.set(idleUntil)
      return
    }
    const idleSweep = this.#state === 'up' && maxIdleMs > 0 ? this.#lastUsed + maxIdleMs : Infinity
    this.#sweep.set(Math.max(now + 1, Math.min(earliestExpiry(this.#inFlight), idleSweep)))
  }
}

function garbage(name: string, what: string, error: unknown, hint: string): string {
  const why = messageOf(error)
  return `${name} sent ${what} that cannot be read: ${why}; ${hint}`
}

/** Turns anything thrown during a handshake into a RequestError; a KafkaError keeps its code. */
export function asRequestError(error: unknown, name: string): RequestError {
  if (error instanceof RequestError) return error
  if (error instanceof KafkaError) return new RequestError(error.code, error.message, false, error)
  const why = messageOf(error)
  return new RequestError(ErrorCode.ERR__TRANSPORT, `${name}: ${why}`, false, error)
}
