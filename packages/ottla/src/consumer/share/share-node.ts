/** What a share consumer keeps for one broker: the session, its partitions, and pending acknowledgements. */
import { ErrorCode } from '@ottla/protocol'
import { WorkLoop } from '../../base/work-loop.ts'
import type { Broker } from '../../cluster/broker.ts'
import { KafkaError } from '../../errors.ts'
import { PendingAcknowledgements, batchesOf, isRenewal } from './acknowledgements.ts'
import type { LockedMessage, ShareSource } from './message.ts'
import { keyOf, ShareSession, type Acknowledged, type IdPartition } from './share-session.ts'

/** How long an acknowledgement waits for a fetch to go along with, and at most behind one that waits for messages. */
const ACKNOWLEDGE_LINGER_MS = 100
/** How long a fetch may wait while nothing is locked: whatever comes next has to queue behind it. */
const IDLE_WAIT_MS = 1000
/** The shortest wait of a fetch right after a call has waited for an answer, as another may follow at once. */
const LEAST_WAIT_MS = 10

/** Acknowledgements of one partition in one request. */
export interface Sent {
  readonly source: ShareSource
  readonly types: ReadonlyMap<number, number>
}

/** A call that waits until all earlier acknowledgements have been answered. */
interface Waiter {
  readonly upTo: number
  readonly resolve: () => void
}

export class ShareNode {
  readonly id: number
  readonly session = new ShareSession()
  readonly loop: WorkLoop
  readonly #sources = new Map<string, ShareSource>()
  /** Locks that are being renewed. */
  readonly renewing = new Map<LockedMessage, ShareSource>()
  /** No request before this moment (monotonic ms). */
  retryAt = 0
  failures = 0
  /** Whether a request is in flight, whose failure ends the session. */
  isAsking = false
  /** When pending acknowledgements go out unless a fetch takes them along before; Infinity without any, 0: at once. */
  flushAt = Infinity
  /** When a request last went out whose answer a call waited for. */
  #flushedAt = -Infinity
  #added = 0
  #sent = 0
  #answered = 0
  #waiters: Waiter[] = []
  #broker: Broker | null = null
  #stopWatching: () => void = () => undefined

  constructor(id: number, work: (node: ShareNode) => Promise<void>) {
    this.id = id
    this.loop = new WorkLoop(() => work(this))
  }

  /** Calls back when the connection is lost between two requests. */
  watch(broker: Broker, onLost: (error: KafkaError) => void): void {
    if (broker === this.#broker) return
    this.unwatch()
    this.#broker = broker
    this.#stopWatching = broker.onLost('fetch', error => {
      if (!this.isAsking) onLost(error)
    })
  }

  unwatch(): void {
    this.#stopWatching()
    this.#broker = null
  }

  get hasPending(): boolean {
    return this.#added > this.#sent
  }

  /** Whether there are acknowledgements of other partitions than these. */
  hasPendingBeside(partitions: readonly IdPartition[]): boolean {
    const keys = new Set(partitions.map(keyOf))
    for (const [key, { pending }] of this.#sources) if (pending.size > 0 && !keys.has(key)) return true
    return false
  }

  get hasRenewals(): boolean {
    for (const { pending } of this.#sources.values()) if (pending.hasRenewals) return true
    return false
  }

  source(topic: string, { topicId, partition }: IdPartition): ShareSource {
    const key = keyOf({ topicId, partition })
    let source = this.#sources.get(key)
    if (source === undefined) {
      const name = `${topic} [${partition}]`
      const pending = new PendingAcknowledgements()
      source = { topic, topicId, partition, name, node: this.id, pending, held: 0, isLost: false }
      this.#sources.set(key, source)
    }
    return source
  }

  /** Adds an acknowledgement for the next request. */
  add(source: ShareSource, offset: number, type: number, now: number): void {
    source.pending.add(offset, type)
    this.#added++
    this.flushAt = Math.min(this.flushAt, now + ACKNOWLEDGE_LINGER_MS)
  }

  /**
   * The broker has answered what was said of a partition. A lock that has run out meanwhile is lost even if the broker
   * did not refuse: it ignores what is said of messages that others have finished by then.
   * @param until - how long renewed locks last, monotonic ms; null when the broker has refused
   * @returns messages whose locks are lost
   */
  renewed(source: ShareSource, types: ReadonlyMap<number, number>, until: number | null, now: number): LockedMessage[] {
    const lost: LockedMessage[] = []
    for (const [message, of] of this.renewing) {
      if (of !== source || !types.has(message.offset)) continue
      this.renewing.delete(message)
      if (!isRenewal(types.get(message.offset))) continue
      if (until !== null && message.lockedUntil > now) message.lockedUntil = until
      else lost.push(message)
    }
    return lost
  }

  /**
   * How long the next fetch may wait for messages. The broker answers one request after the other, so acknowledgements
   * and renewals of its messages queue behind the fetch. The wait is no longer than the time since a call last waited
   * for an answer: an application that waits often never waits long.
   * @param mostMs `fetch.wait.max.ms`
   * @param checkMs how often locks are checked for renewal
   */
  waitMs(mostMs: number, checkMs: number, now: number): number {
    if (this.hasPending && this.flushAt === 0) return 0
    // Locks may begin long before the answer, which must not take up more than half of them: checkMs is an eighth.
    if (!this.#isInUse) return Math.ceil(Math.min(mostMs, IDLE_WAIT_MS, checkMs * 4))
    const sinceMs = Math.max(LEAST_WAIT_MS, now - this.#flushedAt)
    return Math.ceil(Math.min(mostMs, checkMs, ACKNOWLEDGE_LINGER_MS, sinceMs))
  }

  /** There are, or will be, acknowledgements or renewals for this broker. */
  get #isInUse(): boolean {
    if (this.hasPending) return true
    for (const { held } of this.#sources.values()) if (held > 0) return true
    return false
  }

  /** A call waits for the answer: pending acknowledgements go out at once. */
  flush(): void {
    if (this.hasPending) this.flushAt = 0
  }

  /** Takes all pending acknowledgements; `answered` follows. */
  take(now: number): Sent[] {
    if (this.flushAt === 0) this.#flushedAt = now
    const sent: Sent[] = []
    for (const source of this.#sources.values()) {
      if (source.pending.size > 0) sent.push({ source, types: source.pending.take() })
    }
    this.#sent = this.#added
    this.flushAt = Infinity
    return sent
  }

  /** Partitions that another broker leads by now. @param leaderOf - -1 while none is known */
  moved(leaderOf: (each: IdPartition) => number): ShareSource[] {
    return [...this.#sources.values()].filter(source => {
      const leader = leaderOf(source)
      return source.held > 0 && leader >= 0 && leader !== this.id
    })
  }

  /** What was taken last has been answered, or will never be. */
  answered(): void {
    this.#answered = this.#sent
    const done = this.#waiters.filter(({ upTo }) => upTo <= this.#answered)
    this.#waiters = this.#waiters.filter(({ upTo }) => upTo > this.#answered)
    for (const { resolve } of done) resolve()
  }

  /** Resolves when the broker has answered all acknowledgements so far. */
  flushed(): Promise<void> {
    const upTo = this.#added
    if (upTo <= this.#answered) return Promise.resolve()
    return new Promise(resolve => this.#waiters.push({ upTo, resolve }))
  }

  /** The session has ended. @returns its partitions */
  reset(): ShareSource[] {
    this.session.reset()
    const sources = [...this.#sources.values()]
    for (const source of sources) source.isLost = true
    this.#sources.clear()
    this.renewing.clear()
    return sources
  }
}

/** As requests carry them. */
export function acknowledgedOf(sent: readonly Sent[]): Acknowledged[] {
  return sent.map(({ source: { topicId, partition }, types }) => ({ topicId, partition, batches: batchesOf(types) }))
}

/** For acknowledgements that did not reach the broker, or that it refused. */
export function lockLost(code: number, source: ShareSource, why: string): KafkaError {
  return new KafkaError(code, `${source.name}: the acknowledgements were not accepted: ${why}`)
}

/** What ends a session when the consumer is closed. */
export function closing(): KafkaError {
  return new KafkaError(ErrorCode.ERR__DESTROY, 'the share consumer is being closed')
}
