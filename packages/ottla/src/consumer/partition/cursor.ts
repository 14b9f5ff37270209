/** One assigned partition: its position, what has been fetched of it, what will be committed. */
import type { RecordCursor } from '@ottla/protocol'
import type { KafkaError } from '../../errors.ts'
import { OFFSET_INVALID, OFFSET_STORED, type TopicPartition } from '../../types.ts'
import { Fetching } from './fetching.ts'
import { OffsetStore } from './offset-store.ts'
import { Queued } from './queued.ts'

/**
 * What a partition needs before it can be fetched (librdkafka's fetch states).
 * stopped: no longer assigned, or waiting for a seek (auto.offset.reset=error);
 * stored-query: waiting for the group's committed offset;
 * offset-query: waiting for the leader to resolve a logical offset;
 * validating: waiting for a new leader to confirm that it has what was read (KIP-320);
 * active: fetched from fetchOffset on.
 */
export type CursorState = 'stopped' | 'stored-query' | 'offset-query' | 'validating' | 'active'

const moves: Readonly<Record<CursorState, readonly CursorState[]>> = {
  stopped: ['stored-query', 'offset-query', 'active', 'stopped'],
  'stored-query': ['stored-query', 'offset-query', 'active', 'stopped'],
  'offset-query': ['stored-query', 'offset-query', 'active', 'stopped'],
  // To 'stored-query' only by a move of the application.
  active: ['stored-query', 'offset-query', 'validating', 'active', 'stopped'],
  validating: ['stored-query', 'offset-query', 'active', 'stopped'],
}

/**
 * The position in one partition. A cursor lives as long as the assignment that it came with; a partition that is
 * assigned again gets a new one. Fields of the hot path are plain.
 */
export class Cursor implements TopicPartition {
  readonly topic: string
  readonly partition: number
  /** As logs and errors name it. */
  readonly name: string
  /** What may be committed. */
  readonly offsets: OffsetStore
  /** The fetch queue's. */
  readonly queued = new Queued()
  /** The fetcher's. */
  readonly fetching = new Fetching()
  #state: CursorState = 'stopped'
  /** It has had a position; from then on another one is a move. */
  #isPlaced = false
  #trouble: KafkaError | null = null

  /** Grows whenever a new request is needed; a response to an older question is dropped. */
  question = 0
  /** The logical offset to resolve. */
  target = OFFSET_INVALID
  /** The time (ms since the epoch) of the first message to find, with `target` as the fallback; -1 for none. */
  targetTime = -1
  /** The next offset to deliver; OFFSET_INVALID until it is known. The fetch queue advances it, message by message. */
  position = OFFSET_INVALID
  /** The fetch queue's iteration over the open batch. */
  records: RecordCursor | null = null
  /** The leader epoch of what is before the position, -1 if unknown; for an open batch the queue has it. */
  readEpoch = -1
  /** The decoder's: taken, but not delivered before deserializers have ended; ignored if it is of an earlier era. */
  undelivered: { readonly offset: number; readonly isOver: boolean } | null = null
  /** The next offset to fetch. */
  fetchOffset = OFFSET_INVALID
  /** The leader epoch of what is before the offset to fetch, -1 if unknown. */
  fetchEpoch = -1
  /** The last leader epoch in which the offset to fetch is known to be valid. */
  validEpoch = -1
  /** By the application, until it resumes the partition. */
  paused = false
  pausedAt = 0
  /** By a run or a stream that has enough of it, since `heldAt` (monotonic ms); independent of `paused`. */
  held = false
  heldAt = 0
  /** Its next message cannot be deserialized yet: nothing of it is delivered for a while. */
  backsOff = false
  /** No longer part of the assignment. */
  dropped = false

  /** @param storesOffsets `enable.auto.offset.store` */
  constructor(topic: string, partition: number, storesOffsets = true) {
    this.topic = topic
    this.partition = partition
    this.offsets = new OffsetStore(storesOffsets)
    this.name = `${topic} [${partition}]`
  }

  get state(): CursorState {
    return this.#state
  }

  /** Why the last attempt to fetch it, or to resolve its offset, failed; null when it did not. */
  get trouble(): KafkaError | null {
    return this.#trouble
  }

  failed(trouble: KafkaError): void {
    this.#trouble = trouble
  }

  recovered(): void {
    this.#trouble = null
  }

  /** Why its next message cannot be deserialized yet; null if it can, or nobody has tried. */
  waitsFor: KafkaError | null = null

  /** Nothing of it is delivered. */
  get isSuspended(): boolean {
    return this.paused || this.held || this.backsOff
  }

  /**
   * Moves to an offset, perhaps a logical one. The queue has already forgotten the partition.
   * @param leaderEpoch the epoch of what is before the offset, if known
   */
  moveTo(offset: number, leaderEpoch = -1): void {
    if (this.#isPlaced) this.offsets.moved()
    this.waitsFor = null
    this.backsOff = false
    this.#goTo(offset, leaderEpoch)
  }

  /** The log was truncated before what was fetched: continues at this offset. The queue has already forgotten it. */
  truncate(offset: number, leaderEpoch: number): void {
    if (offset !== this.position) this.offsets.moved(this.position)
    this.#goTo(offset, leaderEpoch)
  }

  /** Nothing is committed, or the offset does not exist: resolves this logical one. */
  lookUp(target: number, targetTime = -1): void {
    if (this.position >= 0) this.offsets.moved(this.position)
    this.question++
    this.target = target
    this.targetTime = targetTime
    this.#enter('offset-query')
  }

  /** The offset is known: fetching may begin. */
  activate(offset: number, leaderEpoch = -1): void {
    this.target = OFFSET_INVALID
    this.position = offset
    this.offsets.begins(offset, leaderEpoch)
    this.readEpoch = leaderEpoch
    this.fetchOffset = offset
    this.fetchEpoch = leaderEpoch
    this.validEpoch = -1
    this.#enter('active')
  }

  /** A fetch request is about to be sent. @param leaderEpoch the epoch of the known leader */
  ask(node: number, leaderEpoch: number): void {
    const { fetching } = this
    fetching.question = this.question
    fetching.askedOffset = this.fetchOffset
    fetching.askedNode = node
    fetching.askedEpoch = leaderEpoch
  }

  /** Whether a response of `node` is for the last request, and the position has not moved since. */
  isAnsweredBy(node: number): boolean {
    const { question, askedOffset, askedNode } = this.fetching
    return (
      askedNode === node && question === this.question && askedOffset === this.fetchOffset && this.#state === 'active'
    )
  }

  /** The response has brought everything before this offset. @param leaderEpoch of the last batch; -1 without any */
  fetched(nextOffset: number, leaderEpoch: number): void {
    if (leaderEpoch >= 0) this.fetchEpoch = leaderEpoch
    this.validEpoch = this.fetching.askedEpoch
    // The next response is for this offset, even if it comes before the next request.
    this.fetchOffset = this.fetching.askedOffset = nextOffset
  }

  /** Notes the leader epoch of what is before the position, if known. */
  hasRead(leaderEpoch: number): void {
    if (leaderEpoch >= 0) this.readEpoch = leaderEpoch
  }

  /** The next batch is about to be read: what is before it has no messages. */
  reaches(offset: number): void {
    if (offset > this.position) this.offsets.gaps.add(this.position, offset)
  }

  /** Advances the position over a gap. */
  passTo(offset: number, leaderEpoch: number): void {
    const { position } = this
    if (offset <= position) return
    this.position = offset
    this.hasRead(leaderEpoch)
    this.offsets.passed(position, offset, leaderEpoch)
  }

  /** Delivers again from this offset: the queue has it. @param readEpoch the epoch of what is before */
  backTo(offset: number, readEpoch: number): void {
    this.position = offset
    this.readEpoch = readEpoch
  }

  /** By the application. @param now monotonic ms */
  pause(now: number): void {
    if (!this.paused) this.pausedAt = now
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  /** As pause, by a run or a stream. */
  hold(now: number): void {
    this.held = true
    this.heldAt = now
  }

  unhold(): void {
    this.held = false
  }

  /** It is no longer assigned. */
  drop(): void {
    this.dropped = true
  }

  /** The position has moved back, as by a seek, to what the queue still has. */
  replay(): void {
    this.fetching.forgetEnd()
    this.offsets.moved()
    this.offsets.begins(this.position, -1)
  }

  /** Fetches again what the queue had to drop; that has to be validated again. */
  rewind(): void {
    this.question++
    this.fetchOffset = this.position
    this.fetchEpoch = this.readEpoch
    if (this.#state === 'validating') this.#enter('active')
  }

  /** Whether the leader of an epoch has to be asked before anything is fetched from it. */
  needsValidation(leaderEpoch: number): boolean {
    return this.fetchEpoch >= 0 && leaderEpoch > this.validEpoch && leaderEpoch > this.fetchEpoch
  }

  /** There is a new leader: fetches nothing before it has confirmed that it has what was read. */
  validate(): void {
    this.question++
    this.#enter('validating')
  }

  /** The leader of this epoch has what was read. */
  validated(leaderEpoch: number): void {
    this.validEpoch = leaderEpoch
    this.#enter('active')
  }

  /** Fetches nothing more until the application moves it. */
  stop(): void {
    this.question++
    this.#enter('stopped')
  }

  #goTo(offset: number, leaderEpoch: number): void {
    this.question++
    this.#isPlaced = true
    this.fetching.restart()
    if (offset >= 0) {
      this.activate(offset, leaderEpoch)
      return
    }
    this.position = OFFSET_INVALID
    this.fetchOffset = OFFSET_INVALID
    this.target = offset
    this.targetTime = -1
    // OFFSET_INVALID means the committed offset, as in librdkafka.
    this.#enter(offset === OFFSET_STORED || offset === OFFSET_INVALID ? 'stored-query' : 'offset-query')
  }

  #enter(next: CursorState): void {
    if (!moves[this.#state].includes(next)) throw new Error(`${this.name} cannot go from ${this.#state} to ${next}`)
    this.#state = next
    this.#trouble = null
  }
}
