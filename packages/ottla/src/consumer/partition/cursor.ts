/** One assigned partition: where it is, what has been fetched of it, what will be committed. */
import type { RecordCursor } from '@ottla/protocol'
import type { KafkaError } from '../../errors.ts'
import { OFFSET_INVALID, OFFSET_STORED, type TopicPartition } from '../../types.ts'
import { Fetching } from './fetching.ts'
import { OffsetStore } from './offset-store.ts'
import { Queued } from './queued.ts'

/**
 * How far a partition is on the way to being fetched (librdkafka's fetch states).
 * stopped: no longer assigned, or waiting for the program (auto.offset.reset=error);
 * stored-query: the group is being asked for its committed offset;
 * offset-query: the leader is being asked what a logical offset is;
 * validating: a new leader is being asked whether it has what was read (KIP-320);
 * active: fetched from fetchOffset on.
 */
export type CursorState = 'stopped' | 'stored-query' | 'offset-query' | 'validating' | 'active'

const moves: Readonly<Record<CursorState, readonly CursorState[]>> = {
  stopped: ['stored-query', 'offset-query', 'active', 'stopped'],
  'stored-query': ['stored-query', 'offset-query', 'active', 'stopped'],
  'offset-query': ['stored-query', 'offset-query', 'active', 'stopped'],
  // A committed offset is only asked for where the program says so, which is a move of its own.
  active: ['stored-query', 'offset-query', 'validating', 'active', 'stopped'],
  validating: ['stored-query', 'offset-query', 'active', 'stopped'],
}

/**
 * The reading position of one partition. A cursor lives as long as the assignment that it came with; a
 * partition that is assigned again gets a new one. Fields of the hot path are plain.
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
  /** It has gone somewhere; from there on, to go elsewhere is a move. */
  #isPlaced = false
  #trouble: KafkaError | null = null

  /** Grows whenever it has to be asked again; an answer to an older question is dropped. */
  question = 0
  /** The logical offset that is being looked up. */
  target = OFFSET_INVALID
  /** The first message that is not older is looked for (ms since the epoch), before the logical offset; -1 for none. */
  targetTime = -1
  /** Next to hand out; OFFSET_INVALID until it is known. The fetch queue goes on with it, message by message. */
  position = OFFSET_INVALID
  /** The fetch queue's way through the batch that is open. */
  records: RecordCursor | null = null
  /** Leader epoch of what is before the position, -1 where it is not known; of an open batch, the queue has it. */
  readEpoch = -1
  /** The decoders': taken, and not handed out before deserializers have ended; what an earlier era has left here counts for nothing. */
  undelivered: { readonly offset: number; readonly isOver: boolean } | null = null
  /** Next to fetch. */
  fetchOffset = OFFSET_INVALID
  /** Leader epoch of what is before the offset to fetch, -1 where it is not known. */
  fetchEpoch = -1
  /** The last leader epoch under which the offset to fetch is known to follow what was read. */
  validEpoch = -1
  /** By the program: until it says otherwise. */
  paused = false
  pausedAt = 0
  /** By a run or a stream that has enough of it, since the moment beside it (monotonic ms). A reason of its own. */
  held = false
  heldAt = 0
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

  /** Why the last try to fetch it, or to find out where it begins, has come to nothing; null when it has not. */
  get trouble(): KafkaError | null {
    return this.#trouble
  }

  failed(trouble: KafkaError): void {
    this.#trouble = trouble
  }

  recovered(): void {
    this.#trouble = null
  }

  /** Nothing of it is fetched or handed out. */
  get isStill(): boolean {
    return this.paused || this.held
  }

  /**
   * Goes to an offset, a logical one included. The queue has forgotten what it had of it.
   * @param leaderEpoch of what is before the offset, where it is known
   */
  moveTo(offset: number, leaderEpoch = -1): void {
    if (this.#isPlaced) this.offsets.moved()
    this.#goTo(offset, leaderEpoch)
  }

  /** The log has been cut before what was fetched: goes on at this offset. The queue has forgotten what it had. */
  truncate(offset: number, leaderEpoch: number): void {
    if (offset !== this.position) this.offsets.moved(this.position)
    this.#goTo(offset, leaderEpoch)
  }

  /** The group has nothing committed, or the offset does not exist: look up this logical one. */
  lookUp(target: number, targetTime = -1): void {
    if (this.position >= 0) this.offsets.moved(this.position)
    this.question++
    this.target = target
    this.targetTime = targetTime
    this.#enter('offset-query')
  }

  /** The offset is known; it may be fetched. */
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

  /** A broker is asked for what comes next. @param leaderEpoch of the leader that is known */
  ask(node: number, leaderEpoch: number): void {
    const { fetching } = this
    fetching.question = this.question
    fetching.askedOffset = this.fetchOffset
    fetching.askedNode = node
    fetching.askedEpoch = leaderEpoch
  }

  /** Whether an answer of `node` is to the last question, and reading has not gone elsewhere since. */
  isAnsweredBy(node: number): boolean {
    const { question, askedOffset, askedNode } = this.fetching
    return (
      askedNode === node && question === this.question && askedOffset === this.fetchOffset && this.#state === 'active'
    )
  }

  /** The answer has brought all before this offset. @param leaderEpoch of the last batch; -1 without any */
  fetched(nextOffset: number, leaderEpoch: number): void {
    if (leaderEpoch >= 0) this.fetchEpoch = leaderEpoch
    this.validEpoch = this.fetching.askedEpoch
    // More may come meanwhile, and the next answer is to this.
    this.fetchOffset = this.fetching.askedOffset = nextOffset
  }

  /** What is before the position is of this epoch, if that is known. */
  hasRead(leaderEpoch: number): void {
    if (leaderEpoch >= 0) this.readEpoch = leaderEpoch
  }

  /** The position goes on to there, with nothing to hand out in between. */
  passTo(offset: number, leaderEpoch: number): void {
    const { position } = this
    if (offset <= position) return
    this.position = offset
    this.hasRead(leaderEpoch)
    this.offsets.passed(position, offset, leaderEpoch)
  }

  /** What was handed out from there on comes again: the queue has it. @param readEpoch of what is before */
  backTo(offset: number, readEpoch: number): void {
    this.position = offset
    this.readEpoch = readEpoch
  }

  /** By the program. @param now monotonic ms */
  pause(now: number): void {
    if (!this.paused) this.pausedAt = now
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  /** As pause, for the reader's own reasons. */
  hold(now: number): void {
    this.held = true
    this.heldAt = now
  }

  goOn(): void {
    this.held = false
  }

  /** It is no longer assigned. */
  drop(): void {
    this.dropped = true
  }

  /** From the position on, which was further on: the queue has that. */
  replay(): void {
    this.fetching.forgetEnd()
    this.offsets.moved()
    this.offsets.begins(this.position, -1)
  }

  /** Fetches once more what the queue had to give up; that has to be validated anew. */
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

  /** There is a new leader: nothing more is fetched before it has said that it has what was read. */
  validate(): void {
    this.question++
    this.#enter('validating')
  }

  /** The leader of this epoch has it. */
  validated(leaderEpoch: number): void {
    this.validEpoch = leaderEpoch
    this.#enter('active')
  }

  /** Nothing more until the program moves it. */
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
    // No offset at all means the group's, as in librdkafka.
    this.#enter(offset === OFFSET_STORED || offset === OFFSET_INVALID ? 'stored-query' : 'offset-query')
  }

  #enter(next: CursorState): void {
    if (!moves[this.#state].includes(next)) throw new Error(`${this.name} cannot go from ${this.#state} to ${next}`)
    this.#state = next
    this.#trouble = null
  }
}
