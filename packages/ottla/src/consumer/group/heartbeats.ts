/**
 * The heartbeats of a member whose coordinator says what it is to have (KIP-848, KIP-932): one at a time, at intervals, again
 * after a pause when they come to nothing; and the goodbye, which nothing overtakes.
 */
import { ErrorCode, errorName } from '@ottla/protocol'
import { backoffMs } from '../../base/backoff.ts'
import { Deadline, type Timer } from '../../base/clock.ts'
import { WorkLoop } from '../../base/work-loop.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import { ErrorThrottle } from '../../observe/error-throttle.ts'
import { memberAnswer, type GroupApi } from './membership-errors.ts'

/** What a heartbeat has come to. */
export interface HeartbeatAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** What heartbeats need of their member. */
export interface HeartbeatHost<A extends HeartbeatAnswer> {
  readonly api: 'ConsumerGroupHeartbeat' | 'ShareGroupHeartbeat'
  /** As logs and errors name the group. */
  readonly groupName: string
  /** The first heartbeat of a membership has not been taken. */
  isJoining(): boolean
  /** Whether there are to be heartbeats at all. */
  isIn(): boolean
  /** One is due: whether it may be sent now. */
  mayBegin(): boolean
  /** Sends one; null when there is none to be sent. @param signal aborted when the membership is over */
  send(signal: AbortSignal): Promise<A | null>
  onTaken(answer: A): void
  /** The next heartbeat has to say everything. */
  forgetTold(): void
  /** The coordinator does not know the member, or another epoch of it. */
  onLost(error: KafkaError): void
  /** The coordinator will never have it. */
  onRefused(): void
  /** @returns whether the coordinator does not get to match the patterns any more */
  matchHere(error: KafkaError): boolean
  raise(error: KafkaError): void
}

const LEAVE_TIMEOUT_MS = 5_000
// A coordinator that has never answered is hardly going to.
const UNKNOWN_LEAVE_TIMEOUT_MS = 1_000

export class Heartbeats<A extends HeartbeatAnswer> {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #host: HeartbeatHost<A>
  readonly #errorThrottle: ErrorThrottle
  readonly #loop = new WorkLoop(() => this.#beat())
  readonly #stop = new AbortController()
  /** Of one membership: its heartbeats must not be tried again behind the goodbye, nor count for the next one. */
  #membership = new AbortController()
  #timer: Timer | null = null
  #failures = 0
  /** Memberships that ended before a second heartbeat was taken. */
  #shortLives = 0
  #leaving: Promise<void> = Promise.resolve()
  /** The coordinator has heard of this member. */
  isKnown = false

  constructor(context: ClientContext, cluster: Cluster, host: HeartbeatHost<A>) {
    this.#context = context
    this.#cluster = cluster
    this.#host = host
    this.#errorThrottle = new ErrorThrottle(context.clock)
  }

  /** Resolves when the coordinator has been told of the last leaving, as far as it can be. */
  get leaving(): Promise<void> {
    return this.#leaving
  }

  /** Aborted by `stop`. */
  get stopped(): AbortSignal {
    return this.#stop.signal
  }

  /** A heartbeat now, or right after the one that is under way. */
  kick(): void {
    this.#loop.kick()
  }

  /** As kick; later where memberships do not last. */
  begin(): void {
    if (this.#host.isJoining() && this.#shortLives > 1) this.#later()
    else this.kick()
  }

  /** None before `kick` or `plan`. */
  pause(): void {
    this.#timer?.cancel()
  }

  /** The next one, unless it is kicked before. */
  plan(ms: number): void {
    this.#timer?.cancel()
    if (this.#host.isIn()) this.#timer = this.#context.clock.setTimer(ms, () => this.kick())
  }

  /** What is said of this membership counts no more. */
  endMembership(): void {
    this.#membership.abort()
    this.#membership = new AbortController()
  }

  /** Unless nobody could be asked ever; that it could not be said is only logged. */
  sayGoodbye(send: (deadline: Deadline) => Promise<unknown>): void {
    this.#leaving = this.#leave(send)
  }

  /** No more timers and requests; resolves when none is under way. */
  stop(): Promise<void> {
    this.#stop.abort()
    this.#membership.abort()
    this.#timer?.cancel()
    return this.#loop.stop()
  }

  async #beat(): Promise<void> {
    this.#timer?.cancel()
    if (this.stopped.aborted || !this.#host.isIn() || !this.#host.mayBegin()) return
    const { signal } = this.#membership
    try {
      // Behind a goodbye: else that would end the new membership.
      await this.#leaving
      if (isOver(signal)) return
      const answer = await this.#host.send(signal)
      if (answer === null || isOver(signal)) return
      if (answer.errorCode === ErrorCode.ERR_NO_ERROR) this.#taken(answer)
      else this.#onError(answer)
    } catch (error) {
      if (!isOver(signal)) this.#onFailure(error)
    }
  }

  #taken(answer: A): void {
    if (!this.#host.isJoining()) this.#shortLives = 0
    if (this.#shortLives === 0) this.#failures = 0
    this.#errorThrottle.resolved('group')
    this.#host.onTaken(answer)
  }

  #onError({ errorCode, errorMessage }: A): void {
    const { api, groupName } = this.#host
    this.#context.logger.debug('cgrp', 'HEARTBEAT', `${groupName}: ${errorName(errorCode)}: ${errorMessage ?? ''}`)
    this.#act(api, KafkaError.of(errorCode, groupName, errorMessage))
  }

  #onFailure(error: unknown): void {
    if (!(error instanceof KafkaError)) {
      this.#context.logger.error('GROUP', error instanceof Error ? (error.stack ?? error.message) : String(error))
      this.#later()
      return
    }
    this.#context.logger.debug('cgrp', 'HEARTBEAT', error.message)
    // Whether the last one has arrived is not known: the next one says everything.
    this.#host.forgetTold()
    // The search for the coordinator throws what a broker answers to it.
    this.#act(error.code < ErrorCode.ERR_UNKNOWN ? this.#host.api : 'FindCoordinator', error)
  }

  #act(api: GroupApi, error: KafkaError): void {
    const answer = memberAnswer(api, error.code, this.#host.isJoining())
    switch (answer) {
      case 'retry':
      case 'find-coordinator':
      case 'refresh-epoch':
        this.#later()
        return
      case 'rejoin':
      case 'lost-generation':
      case 'lost-membership':
        this.#shortLives++
        this.#host.onLost(error)
        return
      case 'match-here':
        if (!this.#host.matchHere(error)) this.#refuse(error)
        return
      case 'fatal':
        this.#refuse(new KafkaError(error.code, error.message, { cause: error, fatal: true }))
        return
      case 'take-member-id':
      case 'new-session':
      case 'caller':
      case 'done':
      case 'tell':
        this.#refuse(error)
        return
      default:
        answer satisfies never
    }
  }

  #refuse(error: KafkaError): void {
    if (error.isFatal || this.#errorThrottle.shouldReport('group', error.code)) this.#host.raise(error)
    if (error.isFatal) this.#host.onRefused()
    // Somebody may put it right (an ACL, the broker's limits).
    else this.#later()
  }

  #later(): void {
    const { settings, random } = this.#context
    this.#host.forgetTold()
    this.plan(backoffMs(++this.#failures, settings['retry.backoff.ms'], settings['retry.backoff.max.ms'], random))
  }

  async #leave(send: (deadline: Deadline) => Promise<unknown>): Promise<void> {
    if (!this.isKnown && this.#cluster.isCutOff) return
    const { clock, logger } = this.#context
    try {
      await send(Deadline.after(clock, this.isKnown ? LEAVE_TIMEOUT_MS : UNKNOWN_LEAVE_TIMEOUT_MS))
    } catch (error) {
      logger.debug('cgrp', 'LEAVE', error instanceof Error ? error.message : String(error))
    }
  }
}

/** A function: the compiler takes a field for what it was before an `await`. */
export function isOver(membership: AbortSignal): boolean {
  return membership.aborted
}
