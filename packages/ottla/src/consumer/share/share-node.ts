/** One broker, as a share consumer knows it: the session, what it gave out, and what it is to be told. */
import { WorkLoop } from '../../base/work-loop.ts'
import { KafkaError } from '../../errors.ts'
import { PendingAcknowledgements, batchesOf } from './acknowledgements.ts'
import type { LockedMessage, ShareSource } from './message.ts'
import { keyOf, ShareSession, type Acknowledged, type IdPartition } from './share-session.ts'

/** How long an acknowledgement waits for a fetch to go along with, and at most behind one that waits for messages. */
const ACKNOWLEDGE_LINGER_MS = 100
/** How long a broker waits that has nothing to hear: whatever the program does next stands behind that. */
const IDLE_WAIT_MS = 1000
/** How long a broker waits at least right after somebody waited for its answer, as may soon be the case again. */
const LEAST_WAIT_MS = 10

/** Acknowledgements of one partition on their way. */
export interface Sent {
  readonly source: ShareSource
  readonly types: ReadonlyMap<number, number>
}

/** Waits until everything that was said before has been answered. */
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
  /** Nothing is asked before. */
  retryAt = 0
  failures = 0
  /** When what is to be told goes out, if no fetch takes it along before; Infinity without any. */
  flushAt = Infinity
  /** When something went out whose answer somebody waited for. */
  #flushedAt = -Infinity
  #added = 0
  #sent = 0
  #answered = 0
  #waiters: Waiter[] = []

  constructor(id: number, work: (node: ShareNode) => Promise<void>) {
    this.id = id
    this.loop = new WorkLoop(() => work(this))
  }

  get hasPending(): boolean {
    return this.#added > this.#sent
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

  /** Says something of a message, soon. */
  add(source: ShareSource, offset: number, type: number, now: number): void {
    source.pending.add(offset, type)
    this.#added++
    this.flushAt = Math.min(this.flushAt, now + ACKNOWLEDGE_LINGER_MS)
  }

  /**
   * How long the broker may wait for messages now. It hears one thing after the other: what is said of the messages that it
   * has given out, and what makes their locks longer, stands behind that. No longer than it is since somebody waited for
   * an answer: so a program that waits often never waits long.
   * @param mostMs `fetch.wait.max.ms`
   * @param checkMs how often there may be something to renew
   */
  waitMs(mostMs: number, checkMs: number, now: number): number {
    if (this.hasPending && this.flushAt === 0) return 0
    if (!this.#isListening) return Math.min(mostMs, IDLE_WAIT_MS)
    const sinceMs = Math.max(LEAST_WAIT_MS, now - this.#flushedAt)
    return Math.ceil(Math.min(mostMs, checkMs, ACKNOWLEDGE_LINGER_MS, sinceMs))
  }

  get #isListening(): boolean {
    if (this.hasPending) return true
    for (const { held } of this.#sources.values()) if (held > 0) return true
    return false
  }

  /** Somebody waits for the answer to what is to be told. */
  flush(): void {
    if (this.hasPending) this.flushAt = 0
  }

  /** Everything that is to be told. `answered` says that the broker was. */
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

  /** What was taken last has been answered, or never will be. */
  answered(): void {
    this.#answered = this.#sent
    const done = this.#waiters.filter(({ upTo }) => upTo <= this.#answered)
    this.#waiters = this.#waiters.filter(({ upTo }) => upTo > this.#answered)
    for (const { resolve } of done) resolve()
  }

  /** Resolves when the broker has answered to everything that was said so far. */
  flushed(): Promise<void> {
    const upTo = this.#added
    if (upTo <= this.#answered) return Promise.resolve()
    return new Promise(resolve => this.#waiters.push({ upTo, resolve }))
  }

  /** The session is over. @returns what it gave out */
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

/** That a broker could not be told, or would not have it. */
export function lockLost(code: number, source: ShareSource, why: string): KafkaError {
  return new KafkaError(code, `${source.name}: what became of messages was not taken: ${why}`)
}
