/** One assigned partition: where it is, what has been fetched of it, what will be committed. */
import type { RecordBatch, RecordCursor } from '@ottla/protocol'
import { Ring } from '../../base/ring.ts'
import type { KafkaError } from '../../errors.ts'
import { OFFSET_INVALID, OFFSET_STORED, type TopicPartition } from '../../types.ts'
import { OffsetStore } from './offset-store.ts'

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

/** Stands between the batches of a partition where there is nothing to hand out. */
export class Gap {
  /** Reading goes on here. */
  readonly nextOffset: number
  /** Whether that was the end of the partition, and the program wants to know. */
  readonly isEnd: boolean
  /** Of what is before nextOffset; -1 where it is not known. */
  readonly leaderEpoch: number

  constructor(nextOffset: number, isEnd: boolean, leaderEpoch = -1) {
    this.nextOffset = nextOffset
    this.isEnd = isEnd
    this.leaderEpoch = leaderEpoch
  }
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
  readonly offsets: OffsetStore
  #state: CursorState = 'stopped'

  /** Grows with every move by program or assignment; an answer to an older question is dropped. */
  version = 0
  /** The logical offset that is being looked up. */
  target = OFFSET_INVALID
  /** The first message that is not older is looked for (ms since the epoch), before the logical offset; -1 for none. */
  targetTime = -1
  /** Next to hand out; OFFSET_INVALID until it is known. */
  position = OFFSET_INVALID
  /** Leader epoch of what is before the position, -1 where it is not known; of an open batch, the queue has it. */
  readEpoch = -1
  /** Taken, and not handed out before deserializers have ended with it; what an earlier era has left here counts for nothing. */
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

  // What the fetch queue keeps of it.
  readonly entries = new Ring<RecordBatch | Gap>()
  /** The batch that is being read, and the way through it. */
  open: RecordBatch | null = null
  records: RecordCursor | null = null
  queuedMessages = 0
  queuedBytes = 0
  /** What decompression added to the open batch. */
  extraBytes = 0
  isReady = false
  /** Had queued.min.messages waiting when a fetch could have taken it along. */
  isFull = false

  // What the fetcher knows of the partition.
  low = OFFSET_INVALID
  high = OFFSET_INVALID
  /** Behind the last message whose transaction has ended; all before it is either committed or aborted. */
  lastStable = OFFSET_INVALID
  /** Behind the last message that may be seen (`isolation.level`). */
  end = OFFSET_INVALID
  /** The last question: at which version and offset, and by which broker it is to be answered. */
  askedVersion = -1
  askedOffset = OFFSET_INVALID
  askedNode = -1
  askedEpoch = -1
  /** End that was last told to the program. */
  endTold = OFFSET_INVALID
  /** The last fetch from its broker went without it. */
  isLeftOut = false
  /** No fetch before this moment (monotonic ms). */
  retryAt = 0
  failures = 0
  /** Why the last try to fetch it, or to find out where it begins, has come to nothing; null when it has not. */
  trouble: KafkaError | null = null
  /** When a broker last answered for it (monotonic ms); -1 for never. */
  fetchedAt = -1
  /** Grown beyond fetch.message.max.bytes when not even one batch fitted; 0 while not. */
  grownMaxBytes = 0
  /** Broker to read from instead of the leader (KIP-392), -1 for none, until the moment beside it. */
  preferredReplica = -1
  preferredUntil = 0
  /** The replica was of no use: only the leader is read from, and not asked for another one, before this moment. */
  leaderUntil = 0

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

  /** Nothing of it is fetched or handed out. */
  get isStill(): boolean {
    return this.paused || this.held
  }

  /**
   * Goes to an offset, a logical one included. The queue has forgotten what it had of it.
   * @param leaderEpoch of what is before the offset, where it is known
   */
  moveTo(offset: number, leaderEpoch = -1): void {
    if (this.version > 0) this.offsets.moved()
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
    this.version++
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

  /** From the position on, which was further on: the queue has that. */
  comeAgain(): void {
    this.endTold = OFFSET_INVALID
    this.offsets.moved()
    this.offsets.begins(this.position, -1)
  }

  /** Fetches once more what the queue had to give up; that has to be validated anew. */
  rewind(): void {
    this.version++
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
    this.version++
    this.#enter('validating')
  }

  /** The leader of this epoch has it. */
  validated(leaderEpoch: number): void {
    this.validEpoch = leaderEpoch
    this.#enter('active')
  }

  /** Nothing more until the program moves it. */
  stop(): void {
    this.version++
    this.#enter('stopped')
  }

  #goTo(offset: number, leaderEpoch: number): void {
    this.version++
    this.endTold = OFFSET_INVALID
    this.retryAt = 0
    this.failures = 0
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
    this.trouble = null
  }
}
