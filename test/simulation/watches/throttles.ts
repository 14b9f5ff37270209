/** Clients that a broker has asked to wait send it nothing meanwhile (KIP-219). */
import { ApiKey, type WireMessage } from '@ottla/protocol'
import type { Exchange, WireJudge } from './wire-watch.ts'
import type { Watched } from './watched.ts'

/** Timers know whole ms. */
const ROUNDING_MS = 1

interface Throttle {
  readonly askedAt: number
  readonly until: number
}

export class ThrottleJudge implements WireJudge {
  readonly apis = [ApiKey.Produce, ApiKey.Fetch, ApiKey.OffsetCommit, ApiKey.Heartbeat, ApiKey.ConsumerGroupHeartbeat]
  readonly #world: Watched
  /** By connection. */
  readonly #throttles = new Map<number, Throttle>()

  constructor(world: Watched) {
    this.#world = world
  }

  onRequest({ host, broker, connection, request }: Exchange): void {
    const throttle = this.#throttles.get(connection)
    if (throttle === undefined) return
    const { now } = this.#world
    const earlyMs = throttle.until - now
    // What is sent at the very moment at which it is asked may have been on its way.
    if (now > throttle.askedAt && earlyMs > ROUNDING_MS)
      this.#world.complain(`${host} sends ${request.api.name} to broker-${broker} ${earlyMs} ms before it may`)
  }

  onResponse({ connection }: Exchange, { body }: WireMessage): void {
    const { throttleTimeMs } = body as { readonly throttleTimeMs: number }
    if (throttleTimeMs <= 0) return
    const { now } = this.#world
    const before = this.#throttles.get(connection)?.until ?? 0
    this.#throttles.set(connection, { askedAt: now, until: Math.max(before, now + throttleTimeMs) })
  }
}
