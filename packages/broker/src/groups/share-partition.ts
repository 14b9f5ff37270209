/** The in-flight records of one partition of a share group (KIP-932). */
import { ErrorCode } from '@ottla/protocol'
import type { Clock, Timer } from '../base/clock.ts'
import { GroupRefusal } from './refusal.ts'

export interface ShareLimits {
  readonly lockMs: number
  /** How often a record is delivered at most. */
  readonly deliveries: number
  /** Most records locked at a time. */
  readonly locks: number
  readonly mayRenew: boolean
}

/** Records that a member has locked. */
export interface AcquiredRecords {
  readonly firstOffset: number
  lastOffset: number
  readonly deliveryCount: number
}

export interface Acknowledgement {
  readonly firstOffset: number
  readonly lastOffset: number
  /** One for all records, or one for each. */
  readonly types: readonly number[]
}

/** Offsets of a batch in the log. */
export interface BatchRange {
  readonly baseOffset: number
  readonly lastOffset: number
}

export interface AcquireInput {
  readonly memberId: string
  /** The batches read from the log. */
  readonly batches: readonly BatchRange[]
  readonly maxRecords: number
  /** About how many records a range of the result has. */
  readonly batchSize: number
  /** Whether `maxRecords` is a strict limit, instead of one that is rounded up to whole batches (KIP-1206). */
  readonly isStrict: boolean
  readonly limits: ShareLimits
}

// Types of acknowledgements; 1 is accept.
const GAP = 0
const RELEASE = 2
const REJECT = 3
const RENEW = 4

type RecordState = 'available' | 'acquired' | 'done'

interface Lock {
  readonly memberId: string
  readonly timer: Timer
  /** How many records it is for. */
  count: number
}

interface InFlightRecord {
  state: RecordState
  deliveries: number
  lock: Lock | null
  /** First offset of the range that it was first delivered in. */
  readonly origin: number
}

/** Holds the records from the first one that is not done to the last one delivered. */
export class SharePartition {
  readonly #clock: Clock
  readonly #wake: () => void
  // The first one is at `startOffset`.
  #inFlight: InFlightRecord[] = []
  #startOffset: number
  /** -1 before the first leader is known. */
  #leaderEpoch = -1
  #storedOffset: number

  /**
   * @param storedOffset see the property
   * @param wake called when records can be acquired again
   */
  constructor(startOffset: number, storedOffset: number, clock: Clock, wake: () => void) {
    this.#startOffset = startOffset
    this.#storedOffset = storedOffset
    this.#clock = clock
    this.#wake = wake
  }

  /** The first record that is not done. */
  get startOffset(): number {
    return this.#startOffset
  }

  /** The start offset that a broker would have persisted and reports; -1 if it has none yet. */
  get storedOffset(): number {
    return this.#storedOffset
  }

  /** One past the last record that was delivered. */
  get endOffset(): number {
    return this.#startOffset + this.#inFlight.length
  }

  /** The first record that can be acquired. */
  get nextOffset(): number {
    const index = this.#inFlight.findIndex(({ state }) => state === 'available')
    return index < 0 ? this.endOffset : this.#startOffset + index
  }

  /** How many records before `endOffset` are done. */
  get doneCount(): number {
    return this.#inFlight.filter(({ state }) => state === 'done').length
  }

  /** Drops records before the start of the log. */
  startAt(logStartOffset: number): void {
    const gone = Math.min(logStartOffset - this.#startOffset, this.#inFlight.length)
    if (gone > 0) for (const record of this.#inFlight.splice(0, gone)) finish(record)
    this.#startOffset = Math.max(this.#startOffset, logStartOffset)
    this.#advance()
  }

  /** Locks available records for a member. */
  acquire(input: AcquireInput): AcquiredRecords[] {
    const { batches, maxRecords, isStrict, limits } = input
    const first = batches[0]
    const last = batches.at(-1)
    if (first === undefined || last === undefined || maxRecords <= 0) return []
    const taken: AcquiredRecords[] = []
    const freeLocks = Math.min(maxRecords, limits.locks - this.#lockedCount())
    const from = Math.max(first.baseOffset, this.#startOffset)
    const known = Math.min(last.lastOffset, this.endOffset - 1)
    // The lock limit does not hold back released records, which count already.
    let left = freeLocks > 0 ? freeLocks : Math.min(maxRecords, this.endOffset - from)
    const hasSuspect = this.#acquireKnown(from, known, left, input, taken)
    for (const { firstOffset, lastOffset } of taken) left -= lastOffset - firstOffset + 1
    if (hasSuspect || freeLocks <= 0 || left <= 0 || last.lastOffset < this.endOffset) return taken
    this.#acquireNew(Math.max(from, this.endOffset), left, isStrict, input, taken)
    return taken
  }

  /** Applies all acknowledgements or none. @throws GroupRefusal INVALID_RECORD_STATE, INVALID_REQUEST */
  acknowledge(memberId: string, acknowledgements: readonly Acknowledgement[], limits: ShareLimits): void {
    const changes = new Map<InFlightRecord, number>()
    for (const { firstOffset, lastOffset, types } of acknowledgements) {
      if (lastOffset < this.#startOffset) continue
      if (firstOffset >= this.endOffset || lastOffset >= this.endOffset) {
        const which = firstOffset >= this.endOffset ? 'first' : 'last'
        const message = `Batch record not found. The ${which} offset in request is past acquired records.`
        throw new GroupRefusal(ErrorCode.ERR_INVALID_REQUEST, message)
      }
      for (let offset = Math.max(firstOffset, this.#startOffset); offset <= lastOffset; offset++) {
        const type = types[offset - firstOffset] ?? types[0] ?? GAP
        const record = this.#record(offset)
        if (record.state !== 'acquired' || record.lock === null || changes.has(record)) {
          throw invalidState('The offset cannot be acknowledged. The offset is not acquired.')
        }
        if (record.lock.memberId !== memberId) throw invalidState('Member is not the owner of offset')
        if (type === RENEW && !limits.mayRenew) {
          throw invalidState('Renewing acquisition locks is not enabled for the group.')
        }
        changes.set(record, type)
      }
    }
    const renewed = this.#newLock(memberId, limits)
    for (const [record, type] of changes) {
      if (type === RENEW) setLock(record, renewed)
      else if (type === RELEASE) this.#release(record, limits)
      else finish(record)
    }
    if (renewed.count === 0) renewed.timer.cancel()
    if ([...changes.values()].some(type => type !== RENEW)) this.#storedOffset = this.#startOffset
    this.#advance()
    if ([...changes.values()].includes(RELEASE)) this.#wake()
  }

  /** Releases all records of a member. */
  releaseAll(memberId: string, limits: ShareLimits): void {
    let released = false
    for (const record of this.#inFlight) {
      if (record.lock?.memberId !== memberId) continue
      this.#release(record, limits)
      released = true
    }
    if (!released) return
    this.#storedOffset = this.#startOffset
    this.#advance()
    this.#wake()
  }

  /**
   * Another leader knows nothing of what the former one has locked: only what is done was stored.
   * @returns false for a leader that has been replaced and has not heard of it, whose requests are refused
   */
  isLedIn(leaderEpoch: number): boolean {
    if (leaderEpoch < this.#leaderEpoch) return false
    const isNew = this.#leaderEpoch >= 0 && leaderEpoch > this.#leaderEpoch
    this.#leaderEpoch = leaderEpoch
    if (isNew) this.forget()
    return true
  }

  /**
   * The broker that has locked records is gone, and with it what it has not stored: the locks, and these deliveries.
   * @param memberId null: the records of all members
   */
  forget(memberId: string | null = null): void {
    let isFree = false
    for (const record of this.#inFlight) {
      if (record.lock === null || (memberId !== null && record.lock.memberId !== memberId)) continue
      clearLock(record)
      record.state = 'available'
      record.deliveries--
      isFree = true
    }
    if (isFree) this.#wake()
  }

  /** Marks records of aborted transactions as done. */
  skip(firstOffset: number, lastOffset: number): void {
    const last = Math.min(lastOffset, this.endOffset - 1)
    for (let offset = Math.max(firstOffset, this.#startOffset); offset <= last; offset++) finish(this.#record(offset))
    this.#advance()
  }

  close(): void {
    for (const record of this.#inFlight) finish(record)
    this.#inFlight = []
  }

  #record(offset: number): InFlightRecord {
    const record = this.#inFlight[offset - this.#startOffset]
    if (record === undefined) throw new Error(`the record at offset ${offset} is not in flight`)
    return record
  }

  #lockedCount(): number {
    return this.#inFlight.length - this.doneCount
  }

  // Records that failed often are delivered in smaller ranges, the last time alone. Returns whether it met such
  // records: then no new ones may follow.
  #acquireKnown(from: number, to: number, max: number, input: AcquireInput, taken: AcquiredRecords[]): boolean {
    const { memberId, limits } = input
    const suspectFrom = Math.max(2, Math.ceil(limits.deliveries / 2))
    const lock = this.#newLock(memberId, limits)
    let left = max
    let hasSuspect = false
    for (let offset = from; offset <= to && left > 0; offset++) {
      const record = this.#record(offset)
      if (record.state !== 'available') continue
      if (record.deliveries >= suspectFrom) {
        const isLast = limits.deliveries > 2 && record.deliveries === limits.deliveries - 1
        const goesAlone = isLast || !hasSuspect
        hasSuspect = true
        if (goesAlone && taken.length > 0) break
        const size = this.#inFlight.filter(({ origin }) => origin === record.origin).length
        const share = isLast ? 1 : Math.max(1, size >> (record.deliveries - suspectFrom + 1))
        if (goesAlone) left = Math.min(left, share)
      }
      record.state = 'acquired'
      record.deliveries++
      setLock(record, lock)
      left--
      const before = taken.at(-1)
      const continuesRange =
        before !== undefined &&
        before.lastOffset === offset - 1 &&
        before.deliveryCount === record.deliveries &&
        this.#record(offset - 1).origin === record.origin
      if (continuesRange) before.lastOffset = offset
      else taken.push({ firstOffset: offset, lastOffset: offset, deliveryCount: record.deliveries })
    }
    if (lock.count === 0) lock.timer.cancel()
    return hasSuspect
  }

  #acquireNew(from: number, max: number, isStrict: boolean, input: AcquireInput, taken: AcquiredRecords[]): void {
    const { memberId, batches, batchSize, limits } = input
    const last = batches.at(-1)?.lastOffset ?? from - 1
    let to = Math.min(last, from + max - 1)
    if (!isStrict) to = batches.find(({ lastOffset }) => lastOffset >= to)?.lastOffset ?? to
    // Offsets that compaction has removed are in flight, too; members acknowledge them as gaps.
    const starts = [from]
    if (!isStrict) {
      for (const { baseOffset } of batches) {
        if (baseOffset <= to && baseOffset - (starts.at(-1) ?? from) >= batchSize) starts.push(baseOffset)
      }
    }
    // Offsets before the first record that the log has none for.
    while (this.endOffset < from) this.#inFlight.push({ state: 'done', deliveries: 1, lock: null, origin: from })
    for (const [index, firstOffset] of starts.entries()) {
      const lastOffset = (starts[index + 1] ?? to + 1) - 1
      const lock = this.#newLock(memberId, limits)
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        const record: InFlightRecord = { state: 'acquired', deliveries: 1, lock: null, origin: firstOffset }
        setLock(record, lock)
        this.#inFlight.push(record)
      }
      taken.push({ firstOffset, lastOffset, deliveryCount: 1 })
    }
    this.#advance()
  }

  #newLock(memberId: string, limits: ShareLimits): Lock {
    const lock: Lock = {
      memberId,
      timer: this.#clock.setTimer(limits.lockMs, () => this.#expire(lock, limits)),
      count: 0,
    }
    return lock
  }

  #expire(lock: Lock, limits: ShareLimits): void {
    let released = false
    for (const record of this.#inFlight) {
      if (record.lock !== lock) continue
      this.#release(record, limits)
      released = true
    }
    if (!released) return
    this.#storedOffset = this.#startOffset
    this.#advance()
    this.#wake()
  }

  // A record that has reached the delivery limit is done.
  #release(record: InFlightRecord, limits: ShareLimits): void {
    clearLock(record)
    record.state = record.deliveries >= limits.deliveries ? 'done' : 'available'
  }

  #advance(): void {
    const index = this.#inFlight.findIndex(({ state }) => state !== 'done')
    const done = index < 0 ? this.#inFlight.length : index
    if (done === 0) return
    this.#inFlight.splice(0, done)
    this.#startOffset += done
  }
}

/** 0, or why a partition's acknowledgements are not valid whatever is in flight. @param canRenew version 2 and later */
export function checkAcknowledgements(
  acknowledgements: readonly Acknowledgement[],
  canRenew: boolean,
  isRenewal: boolean,
): number {
  let previous = -1
  for (const { firstOffset, lastOffset, types } of acknowledgements) {
    const typesFit = types.length === 1 || types.length === lastOffset - firstOffset + 1
    if (firstOffset > lastOffset || firstOffset < previous || !typesFit) return ErrorCode.ERR_INVALID_REQUEST
    const highest = canRenew ? RENEW : REJECT
    if (types.some(type => type < GAP || type > highest)) return ErrorCode.ERR_INVALID_REQUEST
    if (types.includes(RENEW) && !isRenewal) return ErrorCode.ERR_INVALID_REQUEST
    previous = lastOffset
  }
  return ErrorCode.ERR_NO_ERROR
}

function finish(record: InFlightRecord): void {
  record.state = 'done'
  clearLock(record)
}

function setLock(record: InFlightRecord, lock: Lock): void {
  clearLock(record)
  record.lock = lock
  lock.count++
}

function clearLock(record: InFlightRecord): void {
  const lock = record.lock
  record.lock = null
  if (lock !== null && --lock.count === 0) lock.timer.cancel()
}

function invalidState(message: string): GroupRefusal {
  return new GroupRefusal(ErrorCode.ERR_INVALID_RECORD_STATE, message)
}
