/** Keeps one valid token at hand for all connections of a client. */
import { ErrorCode } from '@ottla/protocol'
import type { Clock, Timer } from '../../../base/clock.ts'
import { nextTurn } from '../../../base/turn.ts'
import { messageOf } from '../../../base/unknown-error.ts'
import { KafkaError } from '../../../errors.ts'
import type { OAuthBearerToken } from '../../../types.ts'
import { checkToken, type OAuthBearerTokenFunction } from './token.ts'

/**
 * idle: nobody has needed a token yet; asking: one is being made, or the program was asked for one; fresh: there is one;
 * failed: none could be had, and it will be tried again; closed: no more.
 */
export type TokenState = 'idle' | 'asking' | 'fresh' | 'failed' | 'closed'

const moves: Readonly<Record<TokenState, readonly TokenState[]>> = {
  idle: ['asking', 'fresh', 'failed', 'closed'],
  asking: ['fresh', 'failed', 'closed'],
  fresh: ['asking', 'fresh', 'failed', 'closed'],
  failed: ['asking', 'fresh', 'failed', 'closed'],
  closed: [],
}

export interface TokenSourceHost {
  /** Tells the program that a token is needed; false when nobody hears it. */
  request(): boolean
  /** There is a new token, which those may want who were refused so far. */
  onToken(): void
  /** None could be had. */
  raise(error: KafkaError): void
}

/** The part of a token's life after which the next one is fetched. */
const REFRESH_PART = 0.8
/** After a failure, as in librdkafka. */
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
  /** An answer to an earlier question counts no more. */
  #question = 0

  /**
   * @param make - null: the program is asked by an event, and answers with `set` or `fail`
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
   * A token that has not expired. Rejects with KafkaError ERR__AUTHENTICATION when none could be had, or not in time;
   * ERR__DESTROY when closed.
   */
  get(): Promise<OAuthBearerToken> {
    if (this.#state === 'closed') return Promise.reject(closed())
    const token = this.#token
    if (token !== null && token.expiration > this.#clock.wallTime()) return Promise.resolve(token)
    if (this.#state === 'idle' || this.#state === 'fresh') this.#ask()
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
    this.#question++
    this.#token = token
    this.#failure = null
    this.#askIn((token.expiration - now) * REFRESH_PART)
    for (const { resolve, timer } of this.#drop()) {
      timer.cancel()
      resolve(token)
    }
    this.#host.onToken()
  }

  /** No token could be had; a question follows later. What there is stays good until it expires. */
  fail(why: string, cause?: unknown): void {
    if (this.#state === 'closed') return
    this.#enter('failed')
    this.#question++
    const error = new KafkaError(ErrorCode.ERR__AUTHENTICATION, `no OAUTHBEARER token could be had: ${why}`, { cause })
    this.#failure = error
    this.#askIn(RETRY_MS)
    for (const { reject, timer } of this.#drop()) {
      timer.cancel()
      reject(error)
    }
    this.#host.raise(error)
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#enter('closed')
    this.#question++
    this.#timer?.cancel()
    this.#abort.abort()
    this.#token = null
    for (const { reject, timer } of this.#drop()) {
      timer.cancel()
      reject(closed())
    }
  }

  #ask(): void {
    this.#timer?.cancel()
    this.#enter('asking')
    void this.#answer(++this.#question)
  }

  async #answer(question: number): Promise<void> {
    // The program that has just made the client listens a moment later.
    await nextTurn()
    if (question !== this.#question) return
    const make = this.#make
    if (make === null) {
      if (!this.#host.request())
        this.fail('nobody listens to oauthbearer-token-refresh, and there is no token function')
      return
    }
    try {
      const token = await make(this.#config, this.#abort.signal)
      if (question === this.#question) this.set(token)
    } catch (error) {
      if (question === this.#question) this.fail(messageOf(error), error)
    }
  }

  #askIn(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.setTimer(ms, () => this.#ask())
  }

  #drop(): Waiter[] {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    return waiters
  }

  #enter(next: TokenState): void {
    if (!moves[this.#state].includes(next)) throw new Error(`token source ${this.#state} -> ${next} is no legal move`)
    this.#state = next
  }
}

function unanswered(isAskedByEvent: boolean): KafkaError {
  const whom = isAskedByEvent
    ? 'oauthbearer-token-refresh was not answered by setOAuthBearerToken or setOAuthBearerTokenFailure'
    : 'the token function takes its time'
  return new KafkaError(ErrorCode.ERR__AUTHENTICATION, `no OAUTHBEARER token within ${WAIT_MS} ms: ${whom}`)
}

function closed(): KafkaError {
  return new KafkaError(ErrorCode.ERR__DESTROY, 'the client is closed')
}
