/** Re-authenticates a connection in use (KIP-368) before the broker ends its session. */
import { ErrorCode } from '@ottla/protocol'
import { Deadline, sleep, whenPassed, type Clock, type Timer } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Logger } from '../observe/logger.ts'
import { asRequestError, type Connection } from './connection.ts'
import {
  Authentication,
  tracedAuthentication,
  type BrokerFeatures,
  type HandshakeSettings,
  type SessionTerms,
} from './handshake.ts'
import { RequestError } from './request-error.ts'
import type { SaslMechanism } from './sasl/mechanism.ts'

/** The states of a connection's session. */
export type SessionState =
  /** Requests are sent. */
  | 'valid'
  /** About to be renewed: a token is made, or it is too soon for the broker. Requests are sent while there is time. */
  | 'preparing'
  /** Tokens are exchanged. The broker would hang up at any other request, so requests wait. */
  | 'exchanging'
  /** The connection is lost, or given up. */
  | 'over'

const moves: Record<SessionState, readonly SessionState[]> = {
  valid: ['preparing', 'over'],
  preparing: ['exchanging', 'over'],
  exchanging: ['valid', 'over'],
  over: [],
}

/** When to renew a session, on the clock's monotonic scale. */
export interface RenewalPlan {
  /** Never renewed before this, however slow the broker is. */
  readonly earliestAt: number
  readonly dueAt: number
  /** No requests are sent from then on. */
  readonly holdAt: number
  readonly endsAt: number
}

// Like Kafka's own client: late enough to be rare, early enough for requests in flight, and spread over time.
const EARLIEST = 0.85
const LATEST = 0.95
const HALF = 0.5
// A broker reads a request once it has answered those before, and hangs up if the session is over by then. Short
// sessions are therefore renewed sooner.
const MARGIN_MS = 1000

/** The plan for a session; Infinity for one that does not end. */
export function planRenewal({ startedAt, lifetimeMs }: SessionTerms, random: Random): RenewalPlan {
  if (lifetimeMs <= 0) return { earliestAt: Infinity, dueAt: Infinity, holdAt: Infinity, endsAt: Infinity }
  const endsAt = startedAt + lifetimeMs
  const earliestAt = startedAt + lifetimeMs * HALF
  const share = EARLIEST + random() * (LATEST - EARLIEST)
  const dueAt = Math.max(earliestAt, Math.min(startedAt + Math.round(lifetimeMs * share), endsAt - MARGIN_MS))
  return { earliestAt, dueAt, holdAt: startedAt + lifetimeMs * LATEST, endsAt }
}

// Brokers refuse to renew a session within a second of the last renewal; the rest is for their clock.
const MIN_INTERVAL_MS = 1050

export interface SessionObserver {
  /** Waiting requests may be sent. */
  onRenewed(): void
  /** The connection can no longer be used. */
  onFailed(error: RequestError): void
}

/** The session of one connection; the lane calls `admits` before each request. */
export class Session {
  readonly #connection: Connection
  readonly #features: BrokerFeatures
  readonly #settings: HandshakeSettings
  readonly #mechanism: SaslMechanism
  readonly #clock: Clock
  readonly #random: Random
  readonly #logger: Logger
  readonly #observer: SessionObserver
  readonly #abort = new AbortController()
  #state: SessionState = 'valid'
  #plan: RenewalPlan
  #notBefore = 0
  #limit: Timer | null = null
  #due: Timer | null = null

  constructor(
    connection: Connection,
    features: BrokerFeatures,
    settings: HandshakeSettings,
    mechanism: SaslMechanism,
    clock: Clock,
    random: Random,
    logger: Logger,
    observer: SessionObserver,
  ) {
    this.#connection = connection
    this.#features = features
    this.#settings = settings
    this.#mechanism = mechanism
    this.#clock = clock
    this.#random = random
    this.#logger = logger
    this.#observer = observer
    this.#plan = this.#startPlan(features.session)
  }

  get state(): SessionState {
    return this.#state
  }

  /**
   * Whether a request may be sent; if not, it has to wait for `onRenewed`. Starts a renewal that is due: an idle
   * connection is not renewed.
   */
  admits(now: number): boolean {
    const { earliestAt, dueAt, holdAt, endsAt } = this.#plan
    const { slowestMs } = this.#connection
    if (this.#state === 'valid') {
      if (now < earliestAt || now < Math.min(dueAt, endsAt - 2 * slowestMs)) return true
      void this.#renew()
    }
    return this.#state === 'preparing' && now < Math.min(holdAt, endsAt - slowestMs)
  }

  /** Ends the session, with its connection. */
  end(): void {
    if (this.#state === 'over') return
    this.#enter('over')
    this.#limit?.cancel()
    this.#due?.cancel()
    this.#abort.abort()
  }

  #startPlan(terms: SessionTerms): RenewalPlan {
    const plan = planRenewal(terms, this.#random)
    this.#connection.forgetSlowest()
    this.#due?.cancel()
    // `admits` starts a renewal only when a request is sent; requests in flight to a slow broker may keep that from
    // happening.
    const begin = (): void => {
      if (this.#state === 'valid' && this.#connection.inFlight > 0 && this.#clock.now() >= plan.dueAt)
        void this.#renew()
    }
    this.#due = plan.dueAt === Infinity ? null : this.#clock.setTimer(plan.dueAt - this.#clock.now() + 1, begin)
    return plan
  }

  async #renew(): Promise<void> {
    this.#enter('preparing')
    const { name } = this.#connection.endpoint
    const { authTimeoutMs } = this.#settings
    this.#limit = whenPassed(this.#clock, Deadline.after(this.#clock, authTimeoutMs), () => {
      this.#fail(`${name}: re-authentication took longer than ${Math.round(authTimeoutMs)} ms`)
    })
    try {
      const terms = await tracedAuthentication(this.#connection, this.#mechanism, true, () => this.#exchange())
      if (this.#isOver()) return
      this.#limit.cancel()
      this.#plan = this.#startPlan(terms)
      this.#enter('valid')
      this.#logger.debug('security', 'REAUTH', `${name}: re-authenticated for ${terms.lifetimeMs} ms`)
      this.#observer.onRenewed()
    } catch (error) {
      const { message } = asRequestError(error, name)
      this.#fail(`re-authentication failed: ${message}`, error)
    }
  }

  async #exchange(): Promise<SessionTerms> {
    const authentication = new Authentication(
      this.#connection,
      this.#mechanism,
      this.#features.apis,
      this.#settings.authTimeoutMs,
      this.#clock,
    )
    await authentication.prepare()
    const early = this.#notBefore - this.#clock.now()
    if (early > 0) await sleep(this.#clock, early, this.#abort.signal)
    if (this.#isOver()) return this.#features.session
    this.#enter('exchanging')
    await authentication.negotiate()
    this.#notBefore = this.#clock.now() + MIN_INTERVAL_MS
    return authentication.complete()
  }

  // Requests in flight were sent, and the broker may have carried them out.
  #fail(why: string, cause?: unknown): void {
    if (this.#state === 'over') return
    this.end()
    this.#observer.onFailed(new RequestError(ErrorCode.ERR__AUTHENTICATION, why, true, cause))
  }

  #enter(next: SessionState): void {
    const before = this.#state
    if (!moves[before].includes(next)) throw new Error(`session ${before} -> ${next} is not a legal move`)
    const { endpoint, inFlight } = this.#connection
    this.#logger.debug('security', 'SESSION', `${endpoint.name}: ${before} -> ${next}, ${inFlight} requests in flight`)
    this.#state = next
  }

  // Reads the state again: the compiler does not see a change during an await.
  #isOver(): boolean {
    return this.#state === 'over'
  }
}
