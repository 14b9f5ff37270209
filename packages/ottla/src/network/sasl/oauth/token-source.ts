/** Keeps a valid token for all connections of a client. */
import { ErrorCode } from '@ottla/protocol'
import type { Clock, Timer } from '../../../base/clock.ts'
import { nextTurn } from '../../../base/turn.ts'
import { messageOf } from '../../../base/unknown-error.ts'
import { KafkaError } from '../../../errors.ts'
import type { OAuthBearerToken } from '../../../types.ts'
import { checkToken, type OAuthBearerTokenFunction } from './token.ts'

/**
 * idle: nobody has needed a token yet; requesting: one is being made, or the application was asked for one; fresh:
 * there is one; failed: none could be obtained, and it will be retried; closed.
 */
export type TokenState = 'idle' | 'requesting' | 'fresh' | 'failed' | 'closed'

const moves: Readonly<Record<TokenState, readonly TokenState[]>> = {
  idle: ['requesting', 'fresh', 'failed', 'closed'],
  requesting: ['fresh', 'failed', 'closed'],
  fresh: ['requesting', 'fresh', 'failed', 'closed'],
  failed: ['requesting', 'fresh', 'failed', 'closed'],
  closed: [],
}

export interface TokenSourceHost {
  /** Emits the event that a token is needed; false if nobody listens. */
  request(): boolean
  /** There is a new token: connections that failed to authenticate may try again. */
  onToken(): void
  /** No token could be obtained. */
  raise(error: KafkaError): void
}

/** The part of a token's lifetime after which the next one is requested. */
const REFRESH_PART = 0.8
/** The wait after a failure; the same as librdkafka's. */
const RETRY_MS = 10_000
/** How long a connection waits for the first token. */
const WAIT_MS = 10_000

interface Waiter {
  readonly resolve: (token: OAuthBearerToken) => void
  readonly reject: (error: KafkaError) => void
  readonly timer: Timer
}

export class TokenSource {
  readonly #clock: Clock
  readonly #make: OAuthBearerTokenFunction | null
  readonly #config: string
  readonly #host: TokenSourceHost
  readonly #abort = new AbortController()
  readonly #waiters = new Set<Waiter>()
  #state: TokenState = 'idle'
  #token: OAuthBearerToken | null = null
  #failure: KafkaError | null = null
  #timer: Timer | null = null
  /** The number of the current request; answers to earlier ones are dropped. */
  #requestId = 0

  /**
   * @param make - null: an event asks the application, which answers with `set` or `fail`
   * @param config - `sasl.oauthbearer.config`
   */
  constructor(clock: Clock, make: OAuthBearerTokenFunction | null, config: string, host: TokenSourceHost) {
    this.#clock = clock
    this.#make = make
    this.#config = config
    this.#host = host
  }

  get state(): TokenState {
    return this.#state
  }

  /**
   * A token that has not expired. Rejects with KafkaError ERR__AUTHENTICATION if none could be obtained in time;
   * ERR__DESTROY if closed.
   */
  get(): Promise<OAuthBearerToken> {
    if (this.#state === 'closed') return Promise.reject(closed())
    const token = this.#token
    if (token !== null && token.expiration > this.#clock.wallTime()) return Promise.resolve(token)
    if (this.#state === 'idle' || this.#state === 'fresh') this.#request()
    if (this.#state === 'failed' && this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(WAIT_MS, () => {
        this.#waiters.delete(waiter)
        reject(this.#failure ?? unanswered(this.#make === null))
      })
      const waiter: Waiter = { resolve, reject, timer }
      this.#waiters.add(waiter)
    })
  }

  /** @throws KafkaError ERR__INVALID_ARG for a token that cannot be used */
  set(given: OAuthBearerToken): void {
    const now = this.#clock.wallTime()
    const token = checkToken(given, now)
    if (this.#state === 'closed') return
    this.#enter('fresh')
    this.#requestId++
    this.#token = token
    this.#failure = null
    this.#requestIn((token.expiration - now) * REFRESH_PART)
    for (const { resolve, timer } of this.#drop()) {
      timer.cancel()
      resolve(token)
    }
    this.#host.onToken()
  }

  /** No token could be obtained; the next request follows later. The present token is used until it expires. */
  fail(why: string, cause?: unknown): void {
    if (this.#state === 'closed') return
    this.#enter('failed')
    this.#requestId++
    const error = new KafkaError(ErrorCode.ERR__AUTHENTICATION, `no OAUTHBEARER token could be obtained: ${why}`, {
      cause,
    })
    this.#failure = error
    this.#requestIn(RETRY_MS)
    for (const { reject, timer } of this.#drop()) {
      timer.cancel()
      reject(error)
    }
    this.#host.raise(error)
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#enter('closed')
    this.#requestId++
    this.#timer?.cancel()
    this.#abort.abort()
    this.#token = null
    for (const { reject, timer } of this.#drop()) {
      timer.cancel()
      reject(closed())
    }
  }

  #request(): void {
    this.#timer?.cancel()
    this.#enter('requesting')
    void this.#answer(++this.#requestId)
  }

  async #answer(requestId: number): Promise<void> {
    // An application that has just created the client adds its listener a moment later.
    await nextTurn()
    if (requestId !== this.#requestId) return
    const make = this.#make
    if (make === null) {
      if (!this.#host.request())
        this.fail('nobody listens to oauthbearer-token-refresh, and there is no token function')
      return
    }
    try {
      const token = await make(this.#config, this.#abort.signal)
      if (requestId === this.#requestId) this.set(token)
    } catch (error) {
      if (requestId === this.#requestId) this.fail(messageOf(error), error)
    }
  }

  #requestIn(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.setTimer(ms, () => this.#request())
  }

  #drop(): Waiter[] {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    return waiters
  }

  #enter(next: TokenState): void {
    if (!moves[this.#state].includes(next))
      throw new Error(`token source ${this.#state} -> ${next} is not a legal move`)
    this.#state = next
  }
}

function unanswered(isAskedByEvent: boolean): KafkaError {
  const whom = isAskedByEvent
    ? 'oauthbearer-token-refresh was not answered by setOAuthBearerToken or setOAuthBearerTokenFailure'
    : 'the token function has not returned one'
  return new KafkaError(ErrorCode.ERR__AUTHENTICATION, `no OAUTHBEARER token within ${WAIT_MS} ms: ${whom}`)
}

function closed(): KafkaError {
  return new KafkaError(ErrorCode.ERR__DESTROY, 'the client is closed')
}
