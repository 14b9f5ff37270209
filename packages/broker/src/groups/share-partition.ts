/** Records of one partition on their way to the members of a share group (KIP-932). */
import { ErrorCode } from '@ottla/protocol'
import type { Clock, Timer } from '../base/clock.ts'
import { GroupRefusal } from './refusal.ts'

export interface ShareLimits {
  readonly lockMs: number
  /** How often a record is given out, at most. */
  readonly deliveries: number
  /** Most records that are locked at a time. */
  readonly locks: number
  readonly mayRenew: boolean
}

/** Records that a member has the lock of. */
export interface AcquiredRecords {
  readonly firstOffset: number
  lastOffset: number
  readonly deliveryCount: number
}

export interface Acknowledgement {
  readonly firstOffset: number
  readonly lastOffset: number
  /** One for all of the records, or one for each. */
  readonly types: readonly number[]
}

/** Offsets of a batch in the log. */
export interface BatchRange {
  readonly baseOffset: number
  readonly lastOffset: number
}

export interface AcquireInput {
  readonly memberId: string
  /** What was read from the log. */
  readonly batches: readonly BatchRange[]
  readonly maxRecords: number
  /** Into ranges of about how many records it is cut. */
  readonly batchSize: number
  /** Exactly `maxRecords` at most, instead of whole batches (KIP-1206). */
  readonly isStrict: boolean
  readonly limits: ShareLimits
}

// Types of acknowledgements; 1 says that all went well.
const GAP = 0
const RELEASE = 2
const REJECT = 3
const RENEW = 4

type RecordState = 'available' | 'acquired' | 'done'

interface Lock {
  readonly memberId: string
  readonly timer: Timer
  /** Records that it is for; without any, nobody waits for its end. */
  count: number
}

interface Flight {
  state: RecordState
  deliveries: number
  lock: Lock | null
  /** First offset of the records that it was first given out with. */
  readonly origin: number
}

/** From the first record that is not done with to the last one that was given out. */
export class SharePartition {
  readonly #clock: Clock
  readonly #wake: () => void
  // That of `startOffset` first.
  #flights: Flight[] = []
  #startOffset: number
  #storedOffset: number

  /**
   * @param storedOffset where the group is known to begin; -1: nobody knows yet
   * @param wake records can be acquired again
   */
  constructor(startOffset: number, storedOffset: number, clock: Clock, wake: () => void) {
    this.#startOffset = startOffset
    this.#storedOffset = storedOffset
    this.#clock = clock
    this.#wake = wake
  }

  /** The first record that is not done with. */
  get startOffset(): number {
    return this.#startOffset
  }

  /** What brokers write down and tell: the start before the last change, -1 without any. */
  get storedOffset(): number {
    return this.#storedOffset
  }

  /** Behind the last record that was given out. */
  get endOffset(): number {
    return this.#startOffset + this.#flights.length
  }

  /** The first record that a member could be given. */
  get nextOffset(): number {
    const index = this.#flights.findIndex(({ state }) => state === 'available')
    return index < 0 ? this.endOffset : this.#startOffset + index
  }

  /** Records up to `endOffset` that are done with. */
  get doneCount(): number {
    return this.#flights.filter(({ state }) => state === 'done').length
  }

  /** What lies before the start of the log is nobody's any more. */
  startAt(logStartOffset: number): void {
    const gone = Math.min(logStartOffset - this.#startOffset, this.#flights.length)
    if (gone > 0) for (const flight of this.#flights.splice(0, gone)) end(flight)
    this.#startOffset = Math.max(this.#startOffset, logStartOffset)
    this.#advance()
  }

  /** Gives records to a member; none of those that others have, and none twice that are done with. */
  acquire(input: AcquireInput): AcquiredRecords[] {
    const { batches, maxRecords, isStrict, limits } = input
    const first = batches[0]
    const last = batches.at(-1)
    if (first === undefined || last === undefined || maxRecords <= 0) return []
    const taken: AcquiredRecords[] = []
    const room = Math.min(maxRecords, limits.locks - this.#lockedCount())
    const from = Math.max(first.baseOffset, this.#startOffset)
    const known = Math.min(last.lastOffset, this.endOffset - 1)
    // Within what is in flight, others' locks do not keep a released record back.
    let left = room > 0 ? room : Math.min(maxRecords, this.endOffset - from)
    const isLate = this.#acquireKnown(from, known, left, input, taken)
    for (const { firstOffset, lastOffset } of taken) left -= lastOffset - firstOffset + 1
    if (isLate || room <= 0 || left <= 0 || last.lastOffset < this.endOffset) return taken
    this.#acquireNew(Math.max(from, this.endOffset), left, isStrict, input, taken)
    return taken
  }

  /** All of it or nothing. @throws GroupRefusal INVALID_RECORD_STATE, INVALID_REQUEST */
  acknowledge(memberId: string, acknowledgements: readonly Acknowledgement[], limits: ShareLimits): void {
    const changes = new Map<Flight, number>()
    for (const { firstOffset, lastOffset, types } of acknowledgements) {
      if (lastOffset < this.#startOffset) continue
      if (firstOffset >= this.endOffset || lastOffset >= this.endOffset) {
        const which = firstOffset >= this.endOffset ? 'first' : 'last'
        const message = `Batch record not found. The ${which} offset in request is past acquired records.`
        throw new GroupRefusal(ErrorCode.ERR_INVALID_REQUEST, message)
      }
      for (let offset = Math.max(firstOffset, this.#startOffset); offset <= lastOffset; offset++) {
        const type = types[offset - firstOffset] ?? types[0] ?? GAP
        const flight = this.#flight(offset)
        if (flight.state !== 'acquired' || flight.lock === null || changes.has(flight)) {
          throw invalidState('The offset cannot be acknowledged. The offset is not acquired.')
        }
        if (flight.lock.memberId !== memberId) throw invalidState('Member is not the owner of offset')
        if (type === RENEW && !limits.mayRenew) {
          throw invalidState('Renewing acquisition locks is not enabled for the group.')
        }
        changes.set(flight, type)
      }
    }
    const renewed = this.#newLock(memberId, limits)
    for (const [flight, type] of changes) {
      if (type === RENEW) lock(flight, renewed)
      else if (type === RELEASE) this.#release(flight, limits)
      else end(flight)
    }
    if (renewed.count === 0) renewed.timer.cancel()
    if ([...changes.values()].some(type => type !== RENEW)) this.#storedOffset = this.#startOffset
    this.#advance()
    if ([...changes.values()].includes(RELEASE)) this.#wake()
  }

  /** The member is gone: what it has can be had by others. */
  releaseAll(memberId: string, limits: ShareLimits): void {
    let released = false
    for (const flight of this.#flights) {
      if (flight.lock?.memberId !== memberId) continue
      this.#release(flight, limits)
      released = true
    }
    if (!released) return
    this.#storedOffset = this.#startOffset
    this.#advance()
    this.#wake()
  }

  /** Transactions that were aborted: their records are given to nobody. */
  skip(firstOffset: number, lastOffset: number): void {
    const last = Math.min(lastOffset, this.endOffset - 1)
    for (let offset = Math.max(firstOffset, this.#startOffset); offset <= last; offset++) end(this.#flight(offset))
    this.#advance()
  }

  close(): void {
    for (const flight of this.#flights) end(flight)
    this.#flights = []
  }

  #flight(offset: number): Flight {
    const flight = this.#flights[offset - this.#startOffset]
    if (flight === undefined) throw new Error(`the record at ${offset} is not in flight`)
    return flight
  }

  #lockedCount(): number {
    return this.#flights.length - this.doneCount
  }

  // Whether nothing more may follow: records that failed often are given out a few at a time, at last alone.
  #acquireKnown(from: number, to: number, max: number, input: AcquireInput, taken: AcquiredRecords[]): boolean {
    const { memberId, limits } = input
    const careful = Math.max(2, Math.ceil(limits.deliveries / 2))
    const held = this.#newLock(memberId, limits)
    let left = max
    let isLate = false
    for (let offset = from; offset <= to && left > 0; offset++) {
      const flight = this.#flight(offset)
      if (flight.state !== 'available') continue
      if (flight.deliveries >= careful) {
        const isLast = limits.deliveries > 2 && flight.deliveries === limits.deliveries - 1
        const goesAlone = isLast || !isLate
        isLate = true
        if (goesAlone && taken.length > 0) break
        const size = this.#flights.filter(({ origin }) => origin === flight.origin).length
        const share = isLast ? 1 : Math.max(1, size >> (flight.deliveries - careful + 1))
        if (goesAlone) left = Math.min(left, share)
      }
      flight.state = 'acquired'
      flight.deliveries++
      lock(flight, held)
      left--
      const before = taken.at(-1)
      const goesOn =
        before !== undefined &&
        before.lastOffset === offset - 1 &&
        before.deliveryCount === flight.deliveries &&
        this.#flight(offset - 1).origin === flight.origin
      if (goesOn) before.lastOffset = offset
      else taken.push({ firstOffset: offset, lastOffset: offset, deliveryCount: flight.deliveries })
    }
    if (held.count === 0) held.timer.cancel()
    return isLate
  }

  #acquireNew(from: number, max: number, isStrict: boolean, input: AcquireInput, taken: AcquiredRecords[]): void {
    const { memberId, batches, batchSize, limits } = input
    const last = batches.at(-1)?.lastOffset ?? from - 1
    let to = Math.min(last, from + max - 1)
    if (!isStrict) to = batches.find(({ lastOffset }) => lastOffset >= to)?.lastOffset ?? to
    // What was compacted away in between is in flight too: members acknowledge it as a gap.
    const starts = [from]
    if (!isStrict) {
      for (const { baseOffset } of batches) {
        if (baseOffset <= to && baseOffset - (starts.at(-1) ?? from) >= batchSize) starts.push(baseOffset)
      }
    }
    // Offsets that the log has no records for, before the first one.
    while (this.endOffset < from) this.#flights.push({ state: 'done', deliveries: 1, lock: null, origin: from })
    for (const [index, firstOffset] of starts.entries()) {
      const lastOffset = (starts[index + 1] ?? to + 1) - 1
      const held = this.#newLock(memberId, limits)
      for (let offset = firstOffset; offset <= lastOffset; offset++) {
        const flight: Flight = { state: 'acquired', deliveries: 1, lock: null, origin: firstOffset }
        lock(flight, held)
        this.#flights.push(flight)
      }
      taken.push({ firstOffset, lastOffset, deliveryCount: 1 })
    }
    this.#advance()
  }

  #newLock(memberId: string, limits: ShareLimits): Lock {
    const held: Lock = {
      memberId,
      timer: this.#clock.setTimer(limits.lockMs, () => this.#expire(held, limits)),
      count: 0,
    }
    return held
  }

  #expire(held: Lock, limits: ShareLimits): void {
    let released = false
    for (const flight of this.#flights) {
      if (flight.lock !== held) continue
      this.#release(flight, limits)
      released = true
    }
    if (!released) return
    this.#storedOffset = this.#startOffset
    this.#advance()
    this.#wake()
  }

  // What was given out as often as it may be is given to nobody any more.
  #release(flight: Flight, limits: ShareLimits): void {
    unlock(flight)
    flight.state = flight.deliveries >= limits.deliveries ? 'done' : 'available'
  }

  #advance(): void {
    const index = this.#flights.findIndex(({ state }) => state !== 'done')
    const done = index < 0 ? this.#flights.length : index
    if (done === 0) return
    this.#flights.splice(0, done)
    this.#startOffset += done
  }
}

/** Why acknowledgements of a partition make no sense, whatever is in flight. @param canRenew version 2 and later */
export function checkAcknowledgements(
  acknowledgements: readonly Acknowledgement[],
  canRenew: boolean,
  isRenewal: boolean,
): number {
  let previous = -1
  for (const { firstOffset, lastOffset, types } of acknowledgements) {
    const isForOne = types.length === 1 || types.length === lastOffset - firstOffset + 1
    if (firstOffset > lastOffset || firstOffset < previous || !isForOne) return ErrorCode.ERR_INVALID_REQUEST
    const highest = canRenew ? RENEW : REJECT
    if (types.some(type => type < GAP || type > highest)) return ErrorCode.ERR_INVALID_REQUEST
    if (types.includes(RENEW) && !isRenewal) return ErrorCode.ERR_INVALID_REQUEST
    previous = lastOffset
  }
  return ErrorCode.ERR_NO_ERROR
}

function end(flight: Flight): void {
  flight.state = 'done'
  unlock(flight)
}

function lock(flight: Flight, held: Lock): void {
  unlock(flight)
  flight.lock = held
  held.count++
}

function unlock(flight: Flight): void {
  const held = flight.lock
  flight.lock = null
  if (held !== null && --held.count === 0) held.timer.cancel()
}

function invalidState(message: string): GroupRefusal {
  return new GroupRefusal(ErrorCode.ERR_INVALID_RECORD_STATE, message)
}
