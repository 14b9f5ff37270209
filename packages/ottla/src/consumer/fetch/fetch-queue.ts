/**
 * What has been fetched and not delivered yet, of all partitions. HOT PATH: plain loops, nothing allocated per message
 * but the message.
 */
import { RecordBatch, type RecordCursor } from '@ottla/protocol'
import { Ring } from '../../base/ring.ts'
import type { ConsumerSettings } from '../../config/resolve.ts'
import type { Cursor } from '../partition/cursor.ts'
import { FetchedMessage } from '../partition/message.ts'
import { Gap } from '../partition/queued.ts'

/** What the queue reports to its owner. */
export interface QueueObserver {
  /** There may be something to deliver where there was nothing. */
  onReady(): void
  /** There is room again for a fetch that had to wait, or `makeRoom` can make some. */
  onRoom(): void
  /** Everything before the end of the partition has been delivered. */
  onEnd(cursor: Cursor, offset: number): void
  /** Reading has passed what a fetch has brought without a message: from one offset on, before the other. */
  onGap(cursor: Cursor, from: number, to: number): void
  /** A batch cannot be read; the cursor has been rewound to it. */
  onCorrupt(cursor: Cursor, error: unknown): void
}

export interface QueueLimits {
  /** `queued.max.messages.kbytes`, as bytes. */
  readonly maxBytes: number
  /** `queued.min.messages` */
  readonly minMessages: number
  /** `check.crcs` */
  readonly checkCrcs: boolean
  /** The most bytes of one decompressed batch. */
  readonly maxBatchBytes: number
}

/** The limits that a consumer is configured with. */
export function queueLimits(settings: ConsumerSettings): QueueLimits {
  return {
    maxBytes: settings['queued.max.messages.kbytes'] * 1024,
    minMessages: settings['queued.min.messages'],
    checkCrcs: settings['check.crcs'],
    maxBatchBytes: settings['receive.message.max.bytes'],
  }
}

/** All remaining records of one fetched batch. */
export interface UnreadPart {
  readonly batch: RecordBatch
  /** Stands at the first of them. */
  readonly records: RecordCursor
  readonly first: FetchedMessage
  readonly count: number
}

/** Messages of one partition that are delivered together. */
export interface TakenBatch {
  readonly cursor: Cursor
  /** Unread batches, or messages where a batch had to be cut. */
  readonly parts: readonly (UnreadPart | readonly FetchedMessage[])[]
  readonly count: number
  readonly firstOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  /** The cursor's era when they were taken. */
  readonly era: number
}

/** From this fill level on, a partition that has its share of the queue waits for the others. */
const SHARED_FROM = 1 / 2
/**
 * How long (ms) a paused or held partition is fetched as before, and a held one keeps what is queued. After that, what
 * it has queued can make room for others.
 */
const SHORT_HOLD_MS = 100

/**
 * Batches by partition, delivered in turn: one batch of one partition, then one of the next. Limited in bytes,
 * including those that decompression adds; a batch is decompressed only when its turn comes. One partition alone cannot
 * fill the queue, and batches that cannot be delivered make room for others.
 */
export class FetchQueue {
  readonly #limits: QueueLimits
  readonly #observer: QueueObserver
  readonly #ready = new Ring<Cursor>()
  #current: Cursor | null = null
  #bytes = 0
  #messages = 0
  /** The share of one partition in bytes, once partitions have to share. */
  #share: number
  #isWaitedFor = false

  constructor(limits: QueueLimits, observer: QueueObserver) {
    this.#limits = limits
    this.#share = limits.maxBytes
    this.#observer = observer
  }

  /** The bytes of all batches in the queue, plus the decompressed form of open ones. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many messages, counted by whole batches. */
  get messages(): number {
    return this.#messages
  }

  /** Whether the next fetch has to wait; `onRoom` follows. */
  isFull(): boolean {
    if (this.#bytes < this.#limits.maxBytes) return false
    this.#isWaitedFor = true
    return true
  }

  /** Sets how many partitions share the queue. */
  shareAmong(count: number): void {
    this.#share = this.#limits.maxBytes / Math.max(1, count)
  }

  /** Whether this partition has enough waiting; `onRoom` follows when it has not any more. */
  hasEnough(cursor: Cursor): boolean {
    cursor.queued.isFull = this.#isEnough(cursor)
    return cursor.queued.isFull
  }

  /**
   * Whether to fetch more of this partition although it is paused or held: it may continue at any moment, and a fetch
   * that leaves it out may wait as long as the broker lets it.
   * @param now monotonic ms
   */
  mayTakeMore({ paused, pausedAt, held, heldAt }: Cursor, now: number): boolean {
    if (paused) return now - pausedAt < SHORT_HOLD_MS
    return !held || now - heldAt < SHORT_HOLD_MS || this.#bytes < this.#limits.maxBytes * SHARED_FROM
  }

  #isEnough({ queued: { messages, bytes } }: Cursor): boolean {
    if (messages >= this.#limits.minMessages) return true
    return bytes >= this.#share && this.#bytes >= this.#limits.maxBytes * SHARED_FROM
  }

  /** Adds what one fetch brought for a partition. */
  push(cursor: Cursor, batches: readonly RecordBatch[], gap: Gap | null): void {
    for (const batch of batches) {
      cursor.queued.entries.push(batch)
      this.#count(cursor, batch)
    }
    if (gap !== null) cursor.queued.entries.push(gap)
    this.#enlist(cursor)
  }

  #count(cursor: Cursor, batch: RecordBatch): void {
    cursor.queued.messages += batch.recordCount
    cursor.queued.bytes += batch.sizeBytes
    this.#messages += batch.recordCount
    this.#bytes += batch.sizeBytes
  }

  /** Drops what is queued of a partition. Call before the cursor moves. */
  forget(cursor: Cursor): void {
    if (this.#current === cursor) this.#current = null
    this.#bytes -= cursor.queued.bytes
    this.#messages -= cursor.queued.messages
    cursor.queued.bytes = 0
    cursor.queued.messages = 0
    cursor.queued.extraBytes = 0
    cursor.queued.entries.clear()
    if (cursor.queued.open !== null && cursor.position > cursor.queued.open.baseOffset)
      cursor.hasRead(cursor.queued.open.partitionLeaderEpoch)
    cursor.queued.open = null
    cursor.records = null
    cursor.queued.isFull = false
    if (cursor.undelivered !== null) this.#observer.onReady()
    if (this.#isWaitedFor && this.#bytes < this.#limits.maxBytes) this.#reportRoom()
  }

  /** The partition's messages stay queued unless others need the room, and are delivered after `resume`. */
  pause(cursor: Cursor, now: number): void {
    cursor.pause(now)
    if (cursor.undelivered !== null) this.#observer.onReady()
    this.#onSuspended(cursor)
  }

  resume(cursor: Cursor): void {
    cursor.resume()
    this.#enlist(cursor)
  }

  /** Moves the position past a gap that comes next, so that it can be committed without another call. */
  passGaps(cursor: Cursor): void {
    if (cursor.records?.remaining === 0) this.#finish(cursor, true)
    if (cursor.records !== null) return
    for (
      let next = cursor.queued.entries.peek();
      next instanceof Gap && !next.isEnd;
      next = cursor.queued.entries.peek()
    ) {
      cursor.queued.entries.shift()
      this.#pass(cursor, next)
    }
  }

  /** As `pause`, by a run or a stream. @param now monotonic ms */
  hold(cursor: Cursor, now: number): void {
    cursor.hold(now)
    this.#onSuspended(cursor)
  }

  unhold(cursor: Cursor): void {
    cursor.unhold()
    this.#enlist(cursor)
  }

  /** Delivers nothing of the partition until `bringBack`: its next message cannot be deserialized yet. */
  postpone(cursor: Cursor): void {
    cursor.backsOff = true
    this.#onSuspended(cursor)
  }

  bringBack(cursor: Cursor): void {
    cursor.backsOff = false
    this.#enlist(cursor)
  }

  #onSuspended(cursor: Cursor): void {
    if (this.#current === cursor) this.#current = null
    // What it has queued can make room now.
    if (this.#isWaitedFor && cursor.queued.bytes > 0) this.#reportRoom()
  }

  /**
   * Makes room by dropping batches of paused partitions, and of partitions that have been held for long, the largest
   * first. They will be fetched again.
   * @param cursors all assigned ones
   * @param isUrgent the room is for a partition of which nothing is queued
   * @param now monotonic ms
   * @returns when to try again (monotonic ms); Infinity: after `onRoom`
   */
  makeRoom(cursors: readonly Cursor[], isUrgent: boolean, now: number): number {
    const held: Cursor[] = []
    for (const cursor of cursors) {
      if (!cursor.isSuspended || cursor.queued.bytes === 0) continue
      if (cursor.paused) this.#dropQueued(cursor)
      else held.push(cursor)
    }
    let again = Infinity
    if (!isUrgent) return again
    for (const cursor of held.sort((a, b) => b.queued.bytes - a.queued.bytes)) {
      if (this.#bytes < this.#limits.maxBytes) break
      if (now - cursor.heldAt >= SHORT_HOLD_MS) this.#dropQueued(cursor)
      else again = Math.min(again, cursor.heldAt + SHORT_HOLD_MS)
    }
    return again
  }

  /** Drops what is queued; it will be fetched again. */
  #dropQueued(cursor: Cursor): void {
    this.forget(cursor)
    cursor.rewind()
  }

  /**
   * Delivers again what was taken from this offset on.
   * @param batches the batches that it was taken from, in order; others do no harm
   */
  putBack(cursor: Cursor, offset: number, batches: readonly RecordBatch[]): void {
    if (offset >= cursor.position) return
    const { open, entries } = cursor.queued
    let next = cursor.position
    let readEpoch = open !== null && open.baseOffset < offset ? open.partitionLeaderEpoch : -1
    if (open !== null) {
      cursor.queued.bytes -= cursor.queued.extraBytes
      this.#bytes -= cursor.queued.extraBytes
      cursor.queued.extraBytes = 0
      cursor.queued.open = null
      cursor.records = null
      entries.unshift(open)
      next = open.baseOffset
    }
    for (const batch of batches.toReversed()) {
      if (batch.baseOffset < offset) readEpoch = Math.max(readEpoch, batch.partitionLeaderEpoch)
      if (batch.lastOffset < offset || batch.baseOffset >= next) continue
      if (batch.lastOffset + 1 < next) entries.unshift(new Gap(next, false))
      entries.unshift(batch)
      this.#count(cursor, batch)
      next = batch.baseOffset
    }
    if (offset < next) entries.unshift(new Gap(next, false))
    cursor.backTo(offset, readEpoch)
    if (this.#current === cursor) this.#current = null
    this.#enlist(cursor)
  }

  /** The next message; null when there is none, or when the end of a partition has just been reported. */
  take(): FetchedMessage | null {
    for (;;) {
      const cursor = this.#current ?? this.#advance()
      if (cursor === null) return null
      const records = cursor.records as RecordCursor // the current cursor has an open batch
      try {
        while (records.next()) {
          const offset = records.offset
          // A fetch returns whole batches: skips messages before the position.
          if (offset < cursor.position) continue
          cursor.position = offset + 1
          return new FetchedMessage(records, cursor, cursor.offsets.era)
        }
      } catch (error) {
        this.#corrupt(cursor, error)
        continue
      }
      this.#finish(cursor, true)
    }
  }

  /**
   * Up to `maxMessages` of one partition, and no further batch once `maxBytes` is reached; null as {@link take}.
   */
  takeBatch(maxMessages: number, maxBytes: number): TakenBatch | null {
    for (;;) {
      const cursor = this.#current ?? this.#advance()
      if (cursor === null) return null
      const taken = this.#collect(cursor, maxMessages, maxBytes)
      if (taken !== null) return taken
    }
  }

  #collect(cursor: Cursor, maxMessages: number, maxBytes: number): TakenBatch | null {
    const parts: (UnreadPart | FetchedMessage[])[] = []
    let count = 0
    let bytes = 0
    let firstOffset = -1
    let lastOffset = -1
    let leaderEpoch = -1
    const { era } = cursor.offsets
    try {
      while (this.#current === cursor && count < maxMessages && bytes < maxBytes) {
        const batch = cursor.queued.open as RecordBatch // the current cursor has an open batch
        const records = cursor.records as RecordCursor // likewise
        bytes += batch.sizeBytes + cursor.queued.extraBytes
        const first = firstFrom(records, cursor)
        if (first !== null) {
          if (count === 0) firstOffset = first.offset
          leaderEpoch = batch.partitionLeaderEpoch
          const wanted = maxMessages - count
          if (1 + records.remaining > wanted) {
            const some = [first]
            while (some.length < wanted && records.next()) some.push(new FetchedMessage(records, cursor, era))
            lastOffset = (some.at(-1) ?? first).offset
            cursor.position = lastOffset + 1
            parts.push(some)
            count += some.length
            break
          }
          parts.push({ batch, records, first, count: 1 + records.remaining })
          count += 1 + records.remaining
          lastOffset = batch.lastOffset
        }
        this.#finish(cursor, first === null)
        // Continues with the next batch of the same partition, unless a gap comes first.
        if (cursor.queued.entries.peek() instanceof RecordBatch && this.#open(cursor)) this.#current = cursor
      }
    } catch (error) {
      this.#corrupt(cursor, error)
    }
    return count === 0 ? null : { cursor, parts, count, firstOffset, lastOffset, leaderEpoch, era }
  }

  #enlist(cursor: Cursor): void {
    if (cursor.queued.isReady || cursor.isSuspended || cursor.dropped || this.#current === cursor) return
    if (cursor.records === null && cursor.queued.entries.length === 0) return
    cursor.queued.isReady = true
    this.#ready.push(cursor)
    this.#observer.onReady()
  }

  /** Opens the next batch whose turn it is. */
  #advance(): Cursor | null {
    for (;;) {
      const cursor = this.#ready.shift()
      if (cursor === undefined) return null
      cursor.queued.isReady = false
      if (cursor.isSuspended || cursor.dropped) continue
      try {
        if (cursor.records !== null || this.#open(cursor)) {
          this.#current = cursor
          return cursor
        }
      } catch (error) {
        this.#corrupt(cursor, error)
        continue
      }
      const gap = cursor.queued.entries.shift()
      if (!(gap instanceof Gap)) continue // forgotten since it was enlisted
      this.#pass(cursor, gap)
      this.#enlist(cursor)
      if (!gap.isEnd) continue
      this.#observer.onEnd(cursor, gap.nextOffset)
      return null
    }
  }

  /** The gap is no longer queued: what hears of it may move the cursor. */
  #pass(cursor: Cursor, { nextOffset, leaderEpoch }: Gap): void {
    const { position } = cursor
    cursor.passTo(nextOffset, leaderEpoch)
    if (position < nextOffset) this.#observer.onGap(cursor, position, nextOffset)
  }

  /** Throws ProtocolError for a batch that cannot be read. */
  #open(cursor: Cursor): boolean {
    const batch = cursor.queued.entries.peek()
    if (!(batch instanceof RecordBatch)) return false
    if (this.#limits.checkCrcs) batch.checkCrc()
    const counted = batch.recordCount
    const records = batch.records(this.#limits.maxBatchBytes)
    // The message count of a compressed message set is known only now.
    cursor.queued.messages += batch.recordCount - counted
    this.#messages += batch.recordCount - counted
    cursor.queued.entries.shift()
    cursor.reaches(batch.baseOffset)
    cursor.queued.open = batch
    cursor.records = records
    if (records.data !== batch.buffer) {
      cursor.queued.extraBytes = records.data.length
      cursor.queued.bytes += cursor.queued.extraBytes
      this.#bytes += cursor.queued.extraBytes
    }
    return true
  }

  /**
   * The open batch has been delivered; another partition's turn comes.
   * @param isWalked it was read to its end: what is left up to its last offset is a gap
   */
  #finish(cursor: Cursor, isWalked: boolean): void {
    const batch = cursor.queued.open as RecordBatch // only called with an open batch
    const bytes = batch.sizeBytes + cursor.queued.extraBytes
    cursor.queued.bytes -= bytes
    cursor.queued.messages -= batch.recordCount
    this.#bytes -= bytes
    this.#messages -= batch.recordCount
    cursor.queued.extraBytes = 0
    cursor.queued.open = null
    cursor.records = null
    cursor.hasRead(batch.partitionLeaderEpoch)
    if (isWalked) cursor.passTo(batch.lastOffset + 1, batch.partitionLeaderEpoch)
    else if (batch.lastOffset >= cursor.position) cursor.position = batch.lastOffset + 1
    if (this.#current === cursor) this.#current = null
    this.#enlist(cursor)
    // It has nothing left, and suspended partitions may fill the queue: they have to make room.
    if (this.#isWaitedFor && cursor.queued.bytes === 0 && !cursor.isSuspended) this.#reportRoom()
    if (cursor.queued.isFull && !this.#isEnough(cursor)) {
      cursor.queued.isFull = false
      this.#observer.onRoom()
    } else {
      this.#checkRoom()
    }
  }

  #checkRoom(): void {
    // Not at once: with the queue nearly full, every delivered batch would start a fetch.
    if (!this.#isWaitedFor || this.#bytes > this.#limits.maxBytes * 0.75) return
    this.#reportRoom()
  }

  #reportRoom(): void {
    this.#isWaitedFor = false
    this.#observer.onRoom()
  }

  #corrupt(cursor: Cursor, error: unknown): void {
    this.#dropQueued(cursor)
    this.#observer.onCorrupt(cursor, error)
  }
}

/** The first message that is not before the cursor's position. */
function firstFrom(records: RecordCursor, cursor: Cursor): FetchedMessage | null {
  while (records.next()) {
    if (records.offset >= cursor.position) return new FetchedMessage(records, cursor, cursor.offsets.era)
  }
  return null
}
