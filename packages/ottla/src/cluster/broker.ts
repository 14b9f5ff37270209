import { onAbort } from '../base/abort.ts'
import { ErrorCode, type Api, type ApiFacts, type Decoded } from '@ottla/protocol'
import { abortReason } from '../base/clock.ts'
import { hostPort } from '../base/host-port.ts'
import { KafkaError } from '../errors.ts'
import { Lane } from '../network/lane.ts'
import type { LaneObserver, LaneSettings } from '../network/lane.ts'
import { commonVersion } from '../network/handshake.ts'
import { unsent, type RequestError } from '../network/request-error.ts'
import { BrokerCounters } from '../observe/statistics/counters.ts'
import type { ClientContext } from './context.ts'

/**
 * The lanes to one broker. Each has a connection of its own, opened when first needed, because a broker answers the
 * requests of a connection strictly in order: a fetch that waits half a second for data must not delay a heartbeat.
 */
export type LaneName = 'control' | 'produce' | 'fetch' | 'coordinator'

export interface BrokerRequestOptions {
  readonly lane?: LaneName
  /** Limit for the connection and the response together, in ms. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** There is no response (acks=0): resolves with undefined once the bytes are written. */
  readonly noResponse?: boolean
  readonly minVersion?: number
  readonly maxVersion?: number
  /** See LaneRequestOptions. */
  readonly isBound?: boolean
}

export interface BrokerObserver {
  onUp(broker: Broker): void
  onDown(broker: Broker, error: RequestError, wasUp: boolean): void
}

/** One broker of the cluster, or a bootstrap address (negative id) until the metadata names its broker. */
export class Broker {
  #id: number
  readonly host: string
  readonly port: number
  readonly counters: BrokerCounters
  #rack: string | null
  readonly #context: ClientContext
  readonly #settings: LaneSettings
  readonly #observer: BrokerObserver
  readonly #lanes = new Map<LaneName, Lane>()
  readonly #onLost = new Map<LaneName, Set<(error: KafkaError) => void>>()
  #apis: ReadonlyMap<number, { readonly min: number; readonly max: number }> | null = null
  #levels: ReadonlyMap<string, number> | null = null
  #failingSince: number | null = null
  #closed: RequestError | null = null

  constructor(
    id: number,
    host: string,
    port: number,
    rack: string | null,
    context: ClientContext,
    settings: LaneSettings,
    observer: BrokerObserver,
  ) {
    this.#id = id
    this.host = host
    this.port = port
    this.#rack = rack
    this.#context = context
    this.counters = new BrokerCounters(context.counters)
    this.#settings = settings
    this.#observer = observer
  }

  get id(): number {
    return this.#id
  }

  get rack(): string | null {
    return this.#rack
  }

  /** The name for logs and errors: `127.0.0.1:9092/1`, or `127.0.0.1:9092/bootstrap`. */
  get name(): string {
    return brokerName(this.host, this.port, this.#id)
  }

  /** Whether any of its connections is up. */
  get isUp(): boolean {
    for (const lane of this.#lanes.values()) if (lane.isUp) return true
    return false
  }

  /** Whether no connection is up and the last attempt failed. */
  get isFailing(): boolean {
    if (this.isUp) return false
    for (const lane of this.#lanes.values()) if (lane.isFailing) return true
    return false
  }

  /** As `isFailing`, and somebody needs it: nobody tries it otherwise, so that it may be back. */
  get isMissed(): boolean {
    if (this.isUp) return false
    for (const lane of this.#lanes.values()) if (lane.isMissed) return true
    return false
  }

  /** Since when attempts to connect have failed, monotonic ms; null if the last one has not. */
  get failingSince(): number | null {
    return this.isFailing ? this.#failingSince : null
  }

  /** The state, as in the statistics. */
  get state(): 'INIT' | 'CONNECT' | 'UP' | 'DOWN' {
    const lanes = [...this.#lanes.values()]
    if (lanes.some(lane => lane.isUp)) return 'UP'
    if (lanes.some(lane => lane.isConnecting)) return 'CONNECT'
    return lanes.length === 0 ? 'INIT' : 'DOWN'
  }

  /** Requests waiting for a connection. */
  get queuedRequests(): number {
    let all = 0
    for (const lane of this.#lanes.values()) all += lane.queued
    return all
  }

  /** Requests in flight. */
  get requestsInFlight(): number {
    let all = 0
    for (const lane of this.#lanes.values()) all += lane.inFlight
    return all
  }

  /** The newest version of `api` that both ends support; undefined before the first connection or if there is none. */
  version(api: ApiFacts): number | undefined {
    if (this.#apis === null) return undefined
    const version = commonVersion(api, this.#apis)
    return version < 0 ? undefined : version
  }

  /** The finalized level of a feature (KIP-584), 0 for none; undefined before the first connection. */
  featureLevel(name: string): number | undefined {
    return this.#levels === null ? undefined : (this.#levels.get(name) ?? 0)
  }

  /**
   * One attempt, no retry. Requests wait in order for the connection.
   * Rejects with RequestError: ERR__TRANSPORT, ERR__RESOLVE, ERR__SSL, ERR__AUTHENTICATION, ERR__TIMED_OUT,
   * ERR__UNSUPPORTED_FEATURE, ERR__BAD_MSG, ERR__DESTROY; or with the signal's reason.
   */
  request<Req, Res>(
    api: Api<Req, Res>,
    body: Req | ((version: number) => Req),
    options: BrokerRequestOptions,
  ): Promise<Decoded<Res>> {
    if (this.#closed !== null) return Promise.reject(unsent(this.#closed))
    const { signal } = options
    if (signal?.aborted === true) return Promise.reject(abortReason(signal))
    const answer = this.#lane(options.lane ?? 'control').request(api, body, options)
    return signal === undefined ? answer : abandonOnAbort(answer, signal)
  }

  /** Connects the lane ahead of its first request. */
  preconnect(lane: LaneName): void {
    if (this.#closed === null) this.#lane(lane).preconnect()
  }

  /** See Lane.waitUntilUp. */
  waitUntilUp(lane: LaneName, signal: AbortSignal): Promise<void> {
    return this.#closed === null ? this.#lane(lane).waitUntilUp(signal) : Promise.reject(this.#closed)
  }

  /** The lane's requests in flight: a broker that does not answer has more of them. */
  inFlightOn(lane: LaneName): number {
    return this.#lanes.get(lane)?.inFlight ?? 0
  }

  /** Why the last connection attempt failed, or null. */
  get lastFailure(): RequestError | null {
    if (this.isUp) return null
    for (const lane of this.#lanes.values()) if (lane.lastFailure !== null) return lane.lastFailure
    return null
  }

  /** Gives a bootstrap address the id that the cluster has named. */
  adopt(id: number, rack: string | null): void {
    this.#id = id
    this.#rack = rack
  }

  /** Calls back whenever the connection of a lane is lost. @returns a function that ends this */
  onLost(lane: LaneName, listener: (error: KafkaError) => void): () => void {
    const listeners = this.#onLost.get(lane) ?? new Set()
    this.#onLost.set(lane, listeners)
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  /** There are new credentials: ends the lanes' backoffs; connections that are up stay up. */
  retryNow(): void {
    for (const lane of this.#lanes.values()) lane.retryNow()
  }

  close(error: RequestError): void {
    this.#closed = error
    for (const lane of this.#lanes.values()) lane.close(error)
  }

  #lane(name: LaneName): Lane {
    let lane = this.#lanes.get(name)
    if (lane !== undefined) return lane
    const { clock, random, logger, events } = this.#context
    // The name is read for each message: a bootstrap address gets its id later.
    const nameOf = (): string => this.name
    const hintOf = (): string => addressHint(this.#id)
    const endpoint = {
      host: this.host,
      port: this.port,
      get name(): string {
        return nameOf()
      },
      get hint(): string {
        return hintOf()
      },
    }
    const observer: LaneObserver = {
      onUp: features => {
        this.#apis = features.apis
        this.#levels = features.levels
        this.counters.changedState()
        this.#failingSince = null
        this.#observer.onUp(this)
      },
      onDown: (error, wasUp) => {
        this.counters.changedState()
        this.#failingSince ??= this.#context.clock.now()
        this.#observer.onDown(this, error, wasUp)
        if (wasUp) for (const listener of this.#onLost.get(name) ?? []) listener(error)
      },
      onThrottle: throttleTimeMs => {
        events.emit({ type: 'throttle', brokerId: this.#id, brokerName: this.name, throttleTimeMs })
      },
    }
    lane = new Lane(endpoint, this.#settings, clock, random, logger, observer, this.counters)
    this.#lanes.set(name, lane)
    return lane
  }
}

function addressHint(id: number): string {
  if (id < 0) return 'is bootstrap.servers right, and is the broker running?'
  return `broker ${id} advertises this address (advertised.listeners): can it be reached from here, and is it running?`
}

/** @internal */
export function brokerName(host: string, port: number, id: number): string {
  return `${hostPort(host, port)}/${id < 0 ? 'bootstrap' : id}`
}

function abandonOnAbort<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, () => reject(abortReason(signal)))
    answer.then(
      value => {
        stopListening()
        resolve(value)
      },
      (error: unknown) => {
        stopListening()
        reject(error instanceof Error ? error : new KafkaError(ErrorCode.ERR__FAIL, String(error)))
      },
    )
  })
}
