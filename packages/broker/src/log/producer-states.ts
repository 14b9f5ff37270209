/** What a partition remembers of idempotent and transactional producers, to detect duplicates, gaps and zombies. */
import { ErrorCode, type RecordBatch } from '@ottla/protocol'
import type { Refusal } from './validation.ts'

/** An appended batch. */
export interface Appended {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
  /** ms since the epoch. */
  readonly timestamp: number
}

export interface ProducerState {
  readonly producerId: bigint
  epoch: number
  /** -1 until a batch is appended in this epoch. */
  lastSequence: number
  /** ms since the epoch. */
  lastTimestamp: number
  /** -1 until a transaction of the producer ends. */
  coordinatorEpoch: number
  /** First offset of the producer's open transaction in this partition, else -1. */
  transactionStart: number
  /** The last five batches of the epoch, newest last. */
  recent: Appended[]
}

const REMEMBERED_BATCHES = 5
const SEQUENCES = 2 ** 31

/** Sequence numbers wrap from 2^31 - 1 to 0. */
function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES
}

export class ProducerStates {
  readonly #states = new Map<bigint, ProducerState>()
  // First offset by producer id, in the order of offsets, as appends are.
  readonly #open = new Map<bigint, number>()

  all(): IterableIterator<ProducerState> {
    return this.#states.values()
  }

  /** First offset of the oldest open transaction, or null. */
  get firstUnstableOffset(): number | null {
    return this.#open.values().next().value ?? null
  }

  /** Whether the producer has an open transaction in this partition, and in `epoch` if given. */
  isOpen(producerId: bigint, epoch = -1): boolean {
    return this.#open.has(producerId) && (epoch < 0 || this.#states.get(producerId)?.epoch === epoch)
  }

  /** The earlier append of a duplicate, if it is one of the last five batches. */
  duplicate(batch: RecordBatch): Appended | null {
    const state = this.#states.get(batch.producerId)
    if (state === undefined || state.epoch !== batch.producerEpoch) return null
    const lastSequence = sequenceAfter(batch.baseSequence, batch.recordCount - 1)
    for (const known of state.recent) {
      if (known.firstSequence === batch.baseSequence && known.lastSequence === lastSequence) return known
    }
    return null
  }

  /**
   * Why a batch that is not a duplicate cannot be appended, or null.
   * @param strict transaction version 2 (KIP-890): an unknown producer has to start at 0
   */
  check(batch: RecordBatch, strict: boolean): Refusal | null {
    const state = this.#states.get(batch.producerId)
    if (state === undefined) {
      // The producer's state may have been deleted or have expired, so any sequence number is accepted.
      return strict && batch.isTransactional && batch.baseSequence !== 0 ? outOfOrder(batch.baseSequence, 0) : null
    }
    const fenced = checkEpoch(state, batch.producerEpoch)
    if (fenced !== null) return fenced
    const isNewEpoch = batch.producerEpoch !== state.epoch
    const expected = isNewEpoch || state.lastSequence < 0 ? 0 : sequenceAfter(state.lastSequence, 1)
    if (batch.baseSequence !== expected) return outOfOrder(batch.baseSequence, expected)
    if (state.transactionStart >= 0 && !batch.isTransactional) {
      return { errorCode: ErrorCode.ERR_INVALID_TXN_STATE, message: 'the producer has an open transaction' }
    }
    return null
  }

  appended(batch: RecordBatch, baseOffset: number, timestamp: number): void {
    if (batch.producerId < 0n) return
    const state = this.#state(batch.producerId, batch.producerEpoch)
    const lastSequence = sequenceAfter(batch.baseSequence, batch.recordCount - 1)
    state.lastSequence = lastSequence
    state.lastTimestamp = timestamp
    state.recent.push({ firstSequence: batch.baseSequence, lastSequence, baseOffset, timestamp })
    if (state.recent.length > REMEMBERED_BATCHES) state.recent.shift()
    if (batch.isTransactional && state.transactionStart < 0) {
      state.transactionStart = baseOffset
      this.#open.set(batch.producerId, baseOffset)
    }
  }

  /** Why a marker cannot be written, or null. */
  checkMarker(producerId: bigint, epoch: number, coordinatorEpoch: number): Refusal | null {
    const state = this.#states.get(producerId)
    if (state === undefined) return null
    if (state.coordinatorEpoch > coordinatorEpoch) {
      const errorCode = ErrorCode.ERR_TRANSACTION_COORDINATOR_FENCED
      return { errorCode, message: 'a newer transaction coordinator has taken over' }
    }
    return checkEpoch(state, epoch)
  }

  /** A transaction has ended. @returns its first offset, or -1 if it has no records in this partition */
  transactionEnded(producerId: bigint, epoch: number, coordinatorEpoch: number, timestamp: number): number {
    const state = this.#state(producerId, epoch)
    const start = state.transactionStart
    state.coordinatorEpoch = coordinatorEpoch
    state.lastTimestamp = timestamp
    state.transactionStart = -1
    this.#open.delete(producerId)
    return start
  }

  /** Forgets producers idle since before a time, ms since the epoch. */
  expire(before: number): void {
    for (const [producerId, state] of this.#states) {
      if (state.lastTimestamp < before && state.transactionStart < 0) this.#states.delete(producerId)
    }
  }

  /** Keeps what a restarted broker has in its snapshot: the last batch of each producer. */
  restarted(): void {
    for (const state of this.#states.values()) state.recent = state.recent.slice(-1)
  }

  clear(): void {
    this.#states.clear()
    this.#open.clear()
  }

  #state(producerId: bigint, epoch: number): ProducerState {
    let state = this.#states.get(producerId)
    if (state === undefined) {
      state = {
        producerId,
        epoch,
        lastSequence: -1,
        lastTimestamp: -1,
        coordinatorEpoch: -1,
        transactionStart: -1,
        recent: [],
      }
      this.#states.set(producerId, state)
    } else if (state.epoch !== epoch) {
      state.epoch = epoch
      state.lastSequence = -1
      state.recent = []
    }
    return state
  }
}

function outOfOrder(sequence: number, expected: number): Refusal {
  const message = `the batch has sequence number ${sequence}, expected ${expected}`
  return { errorCode: ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, message }
}

function checkEpoch(state: ProducerState, epoch: number): Refusal | null {
  if (epoch >= state.epoch) return null
  return {
    errorCode: ErrorCode.ERR_INVALID_PRODUCER_EPOCH,
    message: `producer ${state.producerId} has epoch ${epoch}, but ${state.epoch} is already known`,
  }
}
