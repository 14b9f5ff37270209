import { onAbort } from '../base/abort.ts'
import { ErrorCode, type Api, type ApiFacts, type Decoded } from '@ottla/protocol'
import { abortReason } from '../base/clock.ts'
import { hostPort } from '../base/host-port.ts'
import { KafkaError } from '../errors.ts'
import { Lane } from '../network/lane.ts'
import type { LaneObserver, LaneSettings } from '../network/lane.ts'
import { commonVersion } from '../network/handshake.ts'
import type { RequestError } from '../network/request-error.ts'
import { BrokerCounters } from '../observe/statistics/counters.ts'
import type { ClientContext } from './context.ts'

/**
 * The streams of requests to one broker. Each has a connection of its own, opened when it is first
 * needed, because a broker answers a connection strictly in order: a fetch that waits half a second
 * for data must not hold up a heartbeat.
 */
export type LaneName = 'control' | 'produce' | 'fetch' | 'coordinator'

export interface BrokerRequestOptions {
  readonly lane?: LaneName
  /** For the connection and the answer together, in ms. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** There will be no answer (acks=0): resolves with undefined once the bytes are written. */
  readonly noResponse?: boolean
  readonly minVersion?: number
  readonly maxVersion?: number
}

export interface BrokerObserver {
  onUp(broker: Broker): void
  onDown(broker: Broker, error: RequestError, wasUp: boolean): void
}

/** One broker of the cluster, or a bootstrap address (negative id) until the cluster says who lives there. */
export class Broker {
  #id: number
  readonly host: string
  readonly port: number
  /** Null while there are no statistics. */
  readonly counters: BrokerCounters | null
  #rack: string | null
  readonly #context: ClientContext
  readonly #settings: LaneSettings
  readonly #observer: BrokerObserver
  readonly #lanes = new Map<LaneName, Lane>()
  #apis: ReadonlyMap<number, { readonly min: number; readonly max: number }> | null = null
  #levels: ReadonlyMap<string, number> | null = null
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
    this.counters = context.counters === null ? null : new BrokerCounters(context.counters)
    this.#settings = settings
    this.#observer = observer
  }

  get id(): number {
    return this.#id
  }

  get rack(): string | null {
    return this.#rack
  }

  /** As logs and errors name it: `127.0.0.1:9092/1`, or `127.0.0.1:9092/bootstrap`. */
  get name(): string {
    return brokerName(this.host, this.port, this.#id)
  }

  /** Whether any of its connections is up. */
  get isUp(): boolean {
    for (const lane of this.#lanes.values()) if (lane.isUp) return true
    return false
  }

  /** Whether it was tried, and no connection could be made since. */
  get isFailing(): boolean {
    if (this.isUp) return false
    for (const lane of this.#lanes.values()) if (lane.isFailing) return true
    return false
  }

  /** In one word, as statistics tell it. */
  get state(): 'INIT' | 'CONNECT' | 'UP' | 'DOWN' {
    const lanes = [...this.#lanes.values()]
    if (lanes.some(lane => lane.isUp)) return 'UP'
    if (lanes.some(lane => lane.isConnecting)) return 'CONNECT'
    return lanes.length === 0 ? 'INIT' : 'DOWN'
  }

  /** Requests that wait for a connection. */
  get queuedRequests(): number {
    let all = 0
    for (const lane of this.#lanes.values()) all += lane.queued
    return all
  }

  /** Requests that wait for their answers. */
  get requestsInFlight(): number {
    let all = 0
    for (const lane of this.#lanes.values()) all += lane.inFlight
    return all
  }

  /** The newest version of `api` that both ends know, or undefined before the first connection or if there is none. */
  version(api: ApiFacts): number | undefined {
    if (this.#apis === null) return undefined
    const version = commonVersion(api, this.#apis)
    return version < 0 ? undefined : version
  }

  /** The level of a feature that the cluster has agreed on (KIP-584), 0 for none; undefined before the first connection. */
  featureLevel(name: string): number | undefined {
    return this.#levels === null ? undefined : (this.#levels.get(name) ?? 0)
  }

  /**
   * One try, no retry. While the connection is being made, requests wait in order.
   * Rejects with RequestError: ERR__TRANSPORT, ERR__RESOLVE, ERR__SSL, ERR__AUTHENTICATION, ERR__TIMED_OUT,
   * ERR__UNSUPPORTED_FEATURE, ERR__BAD_MSG, ERR__DESTROY; or with the signal's reason.
   */
  request<Req, Res>(
    api: Api<Req, Res>,
    body: Req | ((version: number) => Req),
    options: BrokerRequestOptions,
  ): Promise<Decoded<Res>> {
    if (this.#closed !== null) return Promise.reject(this.#closed)
    const { signal } = options
    if (signal?.aborted === true) return Promise.reject(abortReason(signal))
    const answer = this.#lane(options.lane ?? 'control').request(api, body, options)
    return signal === undefined ? answer : abandonOnAbort(answer, signal)
  }

  /** Connects the lane although there is nothing to send yet. */
  warm(lane: LaneName): void {
    if (this.#closed === null) this.#lane(lane).warm()
  }

  /** See Lane.whenUp. */
  whenUp(lane: LaneName, signal: AbortSignal): Promise<void> {
    return this.#closed === null ? this.#lane(lane).whenUp(signal) : Promise.reject(this.#closed)
  }

  /** Requests on the lane that wait for their answers: one that is silent has more than others. */
  inFlightOn(lane: LaneName): number {
    return this.#lanes.get(lane)?.inFlight ?? 0
  }

  /** Why the last attempt to connect failed, or null. */
  get lastFailure(): RequestError | null {
    if (this.isUp) return null
    for (const lane of this.#lanes.values()) if (lane.lastFailure !== null) return lane.lastFailure
    return null
  }

  /** The cluster told who this bootstrap address is. */
  adopt(id: number, rack: string | null): void {
    this.#id = id
    this.#rack = rack
  }

  /** There are new credentials: whoever waits to try again does so at once; connections that are up stay up. */
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
    // The name is read when a line is made: a bootstrap address learns its id later.
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
        this.counters?.changedState()
        this.#observer.onUp(this)
      },
      onDown: (error, wasUp) => {
        this.counters?.changedState()
        this.#observer.onDown(this, error, wasUp)
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
  if (id < 0) return 'is bootstrap.servers right, and does the broker run?'
  return `broker ${id} gives this as its address (advertised.listeners): can it be reached from here, and does it run?`
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
