/** Whether a client can work, for probes: what is wrong, since when, in fields and in words. */
import { bound } from '../base/bound.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { stackOf } from '../base/unknown-error.ts'
import type { Logger } from './logger.ts'

/**
 * What may be wrong with a client. Down: `closed`, `fatal` (an error that it does not recover from), `authentication`,
 * `no-broker` (none can be reached), `connecting` (none has been reached so far), `poll-exceeded` (it has left the group
 * because the application takes longer than `max.poll.interval.ms`). Degraded: `broker-down` (some that are needed), `topic` (missing, or
 * not authorized), `joining` (the group is rebalancing), `partition` (cannot be read), `slow-handler`, `queue-full`,
 * `late-messages` (not delivered for long), `transaction` (has to be aborted).
 * @since 0.1.0
 */
export type HealthCode =
  | 'closed'
  | 'fatal'
  | 'authentication'
  | 'no-broker'
  | 'connecting'
  | 'poll-exceeded'
  | 'broker-down'
  | 'topic'
  | 'joining'
  | 'partition'
  | 'slow-handler'
  | 'queue-full'
  | 'late-messages'
  | 'transaction'

/** How bad each condition is: `down` keeps the client from working at all. */
const severities: Readonly<Record<HealthCode, 'degraded' | 'down'>> = {
  closed: 'down',
  fatal: 'down',
  authentication: 'down',
  'no-broker': 'down',
  connecting: 'down',
  'poll-exceeded': 'down',
  'broker-down': 'degraded',
  topic: 'degraded',
  joining: 'degraded',
  partition: 'degraded',
  'slow-handler': 'degraded',
  'queue-full': 'degraded',
  'late-messages': 'degraded',
  transaction: 'degraded',
}

/**
 * Whether a client can work.
 * @since 0.1.0
 */
export interface Health {
  /** `degraded`: it works, but not as it should; `down`: it cannot work at present. */
  readonly status: 'ok' | 'degraded' | 'down'
  /** Empty if all is well; the worst first. */
  readonly reasons: readonly HealthReason[]
}

/**
 * One thing that is wrong.
 * @since 0.1.0
 */
export interface HealthReason {
  readonly code: HealthCode
  /** Since when, in ms since the epoch; when it was first seen if the client does not know better. */
  readonly since: number
  /** A sentence. */
  readonly message: string
}

/** What a client knows of itself. */
export interface Condition {
  readonly code: HealthCode
  readonly message: string
  /** Monotonic ms; left out if unknown. */
  readonly since?: number
}

/**
 * A listener for changes of a client's health.
 * @since 0.1.0
 */
export type HealthListener = (health: Health, before: Health) => void

/** How often a client with listeners looks at itself. */
const LOOK_MS = 250

export class HealthMonitor {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #conditions: () => Iterable<Condition>
  /** When a condition was first seen, monotonic ms. */
  readonly #seen = new Map<HealthCode, number>()
  readonly #listeners = new Set<HealthListener>()
  #timer: Timer | null = null
  #last: Health = { status: 'ok', reasons: [] }

  constructor(clock: Clock, logger: Logger, conditions: () => Iterable<Condition>) {
    this.#clock = clock
    this.#logger = logger
    this.#conditions = conditions
  }

  /** Makes no request. */
  health(): Health {
    const now = this.#clock.now()
    const wallOffset = this.#clock.wallTime() - now
    const found = [...this.#conditions()]
    for (const code of this.#seen.keys()) if (!found.some(each => each.code === code)) this.#seen.delete(code)
    const reasons = found.map(({ code, message, since }): HealthReason => {
      if (!this.#seen.has(code)) this.#seen.set(code, now)
      return { code, since: Math.round((since ?? this.#seen.get(code) ?? now) + wallOffset), message }
    })
    const down = reasons.filter(({ code }) => severities[code] === 'down')
    const degraded = reasons.filter(({ code }) => severities[code] === 'degraded')
    const status = down.length > 0 ? 'down' : degraded.length > 0 ? 'degraded' : 'ok'
    return { status, reasons: [...down, ...degraded] }
  }

  /**
   * Calls the listener, in the asynchronous context of this call, when the status or the set of reasons has changed.
   * @returns a function that ends this
   */
  onChange(listener: HealthListener): () => void {
    const called = bound(listener)
    if (this.#listeners.size === 0) {
      this.#last = this.health()
      this.#lookLater()
    }
    this.#listeners.add(called)
    return () => {
      this.#listeners.delete(called)
      if (this.#listeners.size === 0) this.#stopLooking()
    }
  }

  /** The client is closed: listeners hear of that, and of nothing more. */
  stop(): void {
    this.#stopLooking()
    this.#look()
    this.#listeners.clear()
  }

  #lookLater(): void {
    this.#timer = this.#clock.setTimer(LOOK_MS, () => {
      this.#lookLater()
      this.#look()
    })
  }

  #stopLooking(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #look(): void {
    if (this.#listeners.size === 0) return
    const before = this.#last
    const health = this.health()
    if (keyOf(health) === keyOf(before)) return
    this.#last = health
    for (const listener of this.#listeners) {
      try {
        listener(health, before)
      } catch (error) {
        this.#logger.error('LISTENER', `a listener for changes of health threw: ${stackOf(error)}`)
      }
    }
  }
}

function keyOf({ status, reasons }: Health): string {
  return [status, ...reasons.map(({ code }) => code)].join(' ')
}
