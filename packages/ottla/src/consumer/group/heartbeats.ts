/**
 * The heartbeats of a member whose coordinator assigns the partitions (KIP-848, KIP-932): one at a time, at intervals,
 * retried after a backoff; and the leave request, which no heartbeat overtakes.
 */
import { ErrorCode, errorName } from '@ottla/protocol'
import { Deadline, type Timer } from '../../base/clock.ts'
import { messageOf, stackOf } from '../../base/unknown-error.ts'
import { WorkLoop } from '../../base/work-loop.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { retryBackoffMs } from '../../cluster/rounds.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { KafkaError } from '../../errors.ts'
import { ErrorThrottle } from '../../observe/error-throttle.ts'
import { memberAnswer, type GroupApi } from './membership-errors.ts'

/** The response to a heartbeat. */
export interface HeartbeatAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** What heartbeats need of their member. */
export interface HeartbeatHost<A extends HeartbeatAnswer> {
  readonly api: 'ConsumerGroupHeartbeat' | 'ShareGroupHeartbeat'
  /** As logs and errors name the group. */
  readonly groupName: string
  /** The first heartbeat of a membership has not succeeded yet. */
  isJoining(): boolean
  /** Whether heartbeats are to be sent at all. */
  isActive(): boolean
  /** A heartbeat is due: whether it may be sent now. */
  maySend(): boolean
  /** Sends one; null when there is none to send. @param signal aborted when the membership ends */
  send(signal: AbortSignal): Promise<A | null>
  onAccepted(answer: A): void
  /** The next heartbeat has to say everything. */
  forgetSent(): void
  /** The coordinator does not know the member, or knows another epoch of it. */
  onLost(error: KafkaError): void
  /** The coordinator will never accept the member. */
  onRefused(): void
  /** Has the client match the patterns. @returns false when it does so already */
  matchInClient(error: KafkaError): boolean
  raise(error: KafkaError): void
}

/**
 * What each attempt of a heartbeat says: at first the news, then everything. An answer that was lost may have brought an
 * assignment, which the coordinator sends again only to a member that says everything.
 */
export function wholeAgain<T>(news: T, whole: T): () => T {
  let next = news
  return () => {
    const now = next
    next = whole
    return now
  }
}

const LEAVE_TIMEOUT_MS = 5_000
// A coordinator that has never answered will hardly do so now.
const UNKNOWN_LEAVE_TIMEOUT_MS = 1_000

export class Heartbeats<A extends HeartbeatAnswer> {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #host: HeartbeatHost<A>
  readonly #errorThrottle: ErrorThrottle
  readonly #loop = new WorkLoop(() => this.#beat())
  readonly #stop = new AbortController()
  /** One per membership: its heartbeats must not be retried after the leave request, nor count for the next one. */
  #membership = new AbortController()
  #timer: Timer | null = null
  #failures = 0
  /** Memberships in a row that ended before their second heartbeat succeeded. */
  #shortMemberships = 0
  #leaving: Promise<void> = Promise.resolve()
  /** The coordinator knows this member. */
  isKnown = false

  constructor(context: ClientContext, cluster: Cluster, host: HeartbeatHost<A>) {
    this.#context = context
    this.#cluster = cluster
    this.#host = host
    this.#errorThrottle = new ErrorThrottle(context.clock)
  }

  /** Resolves when the last leave request has been answered or given up. */
  get leaving(): Promise<void> {
    return this.#leaving
  }

  /** Aborted by `stop`. */
  get stopped(): AbortSignal {
    return this.#stop.signal
  }

  /** Sends a heartbeat now, or right after the one in flight. */
  kick(): void {
    this.#loop.kick()
  }

  /** As kick; after a backoff when memberships do not last. */
  begin(): void {
    if (this.#host.isJoining() && this.#shortMemberships > 1) this.#retryLater()
    else this.kick()
  }

  /** Sends none before `kick` or `plan`. */
  pause(): void {
    this.#timer?.cancel()
  }

  /** Sends the next one in `ms`, unless `kick` comes before. */
  plan(ms: number): void {
    this.#timer?.cancel()
    if (this.#host.isActive()) this.#timer = this.#context.clock.setTimer(ms, () => this.kick())
  }

  /** Ignores responses to this membership from now on. */
  endMembership(): void {
    this.#membership.abort()
    this.#membership = new AbortController()
  }

  /** Sends the leave request, unless no coordinator was ever reached; a failure is only logged. */
  leave(send: (deadline: Deadline) => Promise<unknown>): void {
    this.#leaving = this.#leave(send)
  }

  /** No more timers and requests; resolves when none is in flight. */
  stop(): Promise<void> {
    this.#stop.abort()
    this.#membership.abort()
    this.#timer?.cancel()
    return this.#loop.stop()
  }

  async #beat(): Promise<void> {
    this.#timer?.cancel()
    if (this.stopped.aborted || !this.#host.isActive() || !this.#host.maySend()) return
    const { signal } = this.#membership
    try {
      // After a leave request, which would end the new membership otherwise.
      await this.#leaving
      if (isOver(signal)) return
      const answer = await this.#host.send(signal)
      if (answer === null || isOver(signal)) return
      if (answer.errorCode === ErrorCode.ERR_NO_ERROR) this.#accepted(answer)
      else this.#onError(answer)
    } catch (error) {
      if (!isOver(signal)) this.#onFailure(error)
    }
  }

  #accepted(answer: A): void {
    if (!this.#host.isJoining()) this.#shortMemberships = 0
    if (this.#shortMemberships === 0) this.#failures = 0
    this.#errorThrottle.resolved('group')
    this.#host.onAccepted(answer)
  }

  #onError({ errorCode, errorMessage }: A): void {
    const { api, groupName } = this.#host
    this.#context.logger.debug('cgrp', 'HEARTBEAT', `${groupName}: ${errorName(errorCode)}: ${errorMessage ?? ''}`)
    this.#act(api, KafkaError.of(errorCode, groupName, errorMessage))
  }

  #onFailure(error: unknown): void {
    if (!(error instanceof KafkaError)) {
      this.#context.logger.error('GROUP', stackOf(error))
      this.#retryLater()
      return
    }
    this.#context.logger.debug('cgrp', 'HEARTBEAT', error.message)
    // The last one may or may not have arrived: the next one says everything.
    this.#host.forgetSent()
    // The search for the coordinator throws a broker's error code, too.
    this.#act(error.code < ErrorCode.ERR_UNKNOWN ? this.#host.api : 'FindCoordinator', error)
  }

  #act(api: GroupApi, error: KafkaError): void {
    const answer = memberAnswer(api, error.code, this.#host.isJoining())
    switch (answer) {
      case 'retry':
      case 'find-coordinator':
      case 'refresh-epoch':
        this.#retryLater()
        return
      case 'rejoin':
      case 'lost-generation':
      case 'lost-membership':
        this.#shortMemberships++
        this.#host.onLost(error)
        return
      case 'match-in-client':
        if (!this.#host.matchInClient(error)) this.#refuse(error)
        return
      case 'fatal':
        this.#refuse(new KafkaError(error.code, error.message, { cause: error, fatal: true }))
        return
      case 'take-member-id':
      case 'new-session':
      case 'caller':
      case 'done':
      case 'report':
        this.#refuse(error)
        return
      default:
        answer satisfies never
    }
  }

  #refuse(error: KafkaError): void {
    if (error.isFatal || this.#errorThrottle.shouldReport('group', error)) this.#host.raise(error)
    if (error.isFatal) this.#host.onRefused()
    // An administrator may fix it (an ACL, the broker's limits).
    else this.#retryLater()
  }

  #retryLater(): void {
    this.#host.forgetSent()
    this.plan(retryBackoffMs(this.#context, ++this.#failures))
  }

  async #leave(send: (deadline: Deadline) => Promise<unknown>): Promise<void> {
    if (!this.isKnown && this.#cluster.isCutOff) return
    const { clock, logger } = this.#context
    try {
      await send(Deadline.after(clock, this.isKnown ? LEAVE_TIMEOUT_MS : UNKNOWN_LEAVE_TIMEOUT_MS))
    } catch (error) {
      logger.debug('cgrp', 'LEAVE', messageOf(error))
    }
  }
}

/** A function: the compiler assumes that a field keeps its value over an `await`. */
export function isOver(membership: AbortSignal): boolean {
  return membership.aborted
}
