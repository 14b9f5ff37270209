/**
 * FETCH and HEARTBEAT events, as kafkajs's loop emits them. It turns when a broker has answered a fetch, and at an interval
 * when there is nothing to fetch; heartbeats are told when it turns, and when a handler shows that it is alive. So whoever
 * watches them notices a handler that hangs, although the group gets heartbeats all the time.
 */
import type { EventOf } from 'ottla'
import type { InstrumentationEmitter } from '../observe/emitter.ts'
import type { ConsumerEvents, ConsumerHeartbeatEvent } from '../types/consumer.ts'

export interface FetchTurnsHost {
  readonly emitter: InstrumentationEmitter<ConsumerEvents>
  /** ms */
  readonly heartbeatInterval: number
  /** How often the loop turns when there is nothing to fetch, ms. */
  readonly maxWaitTime: number
  /** No partition is assigned, or all are paused. */
  hasNothingToFetch(): boolean
  /** As many handlers are running as may run at once. */
  isBusy(): boolean
  member(): ConsumerHeartbeatEvent['payload']
}

const FETCH = 1
const HEARTBEAT = 12
/** kafkajs turns as often as `maxWaitTimeInMs` says. */
const SHORTEST_TURN_MS = 100

export class FetchTurns {
  readonly #host: FetchTurnsHost
  /** Brokers, and whether they have been fetched from. */
  readonly #nodes = new Map<string, boolean>()
  #timer: NodeJS.Timeout | null = null
  /** The group has had a heartbeat since the last event. */
  #hasBeaten = false
  /** ms since the epoch. */
  #toldAt = 0

  constructor(host: FetchTurnsHost) {
    this.#host = host
  }

  /** The group has been joined. */
  begin(): void {
    this.end()
    this.#hasBeaten = false
    this.#toldAt = Date.now()
    this.#timer = setInterval(() => this.#idle(), Math.max(SHORTEST_TURN_MS, this.#host.maxWaitTime))
  }

  /** The group is being left, or joined again. */
  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  answered({ apiKey, brokerName, durationMs }: EventOf<'request'>): void {
    if (apiKey === HEARTBEAT) this.#hasBeaten = true
    const nodeId = brokerName.slice(brokerName.lastIndexOf('/') + 1)
    if (!/^\d+$/.test(nodeId)) return
    if (!this.#nodes.has(nodeId)) this.#nodes.set(nodeId, false)
    if (apiKey !== FETCH) return
    this.#fetched(nodeId, Math.round(durationMs))
    // A handler gets what it has brought before that: the reader may let the event loop turn once.
    setImmediate(() => setImmediate(() => this.#turned()))
  }

  /** The program goes on. */
  alive(): void {
    const now = Date.now()
    if (this.#timer === null || !this.#hasBeaten || now < this.#toldAt + this.#host.heartbeatInterval) return
    this.#hasBeaten = false
    this.#toldAt = now
    this.#host.emitter.emit('HEARTBEAT', () => this.#host.member())
  }

  #idle(): void {
    if (!this.#host.hasNothingToFetch()) return
    for (const nodeId of this.#nodes.keys()) this.#fetched(nodeId, 0)
    this.#turned()
  }

  #turned(): void {
    if (!this.#host.isBusy()) this.alive()
  }

  #fetched(nodeId: string, duration: number): void {
    const { emitter } = this.#host
    const start = (): void => emitter.emit('FETCH_START', () => ({ nodeId }))
    if (this.#nodes.get(nodeId) !== true) start()
    this.#nodes.set(nodeId, true)
    emitter.emit('FETCH', () => ({ numberOfBatches: 0, duration, nodeId }))
    // The next one follows at once.
    start()
  }
}
