/** What a partition remembers of idempotent producers, to tell duplicates and gaps. */
import { ErrorCode, type RecordBatch } from '@ottla/protocol'

interface Appended {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: number
}

interface ProducerState {
  epoch: number
  lastSequence: number
  /** The last five batches, newest last. */
  readonly recent: Appended[]
}

const REMEMBERED_BATCHES = 5
const SEQUENCES = 2 ** 31

/** Sequence numbers run up to 2^31 - 1 and begin again at 0. */
function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCES
}

export class ProducerStates {
  readonly #states = new Map<number, ProducerState>()

  /** null: append it; a base offset: it is there already; an error code: it cannot be appended. */
  check(
    batch: RecordBatch,
  ): { readonly baseOffset: number } | { readonly errorCode: number; readonly message: string } | null {
    if (batch.producerId < 0) return null
    const state = this.#states.get(batch.producerId)
    if (state === undefined) {
      if (batch.baseSequence === 0) return null
      return {
        errorCode: ErrorCode.ERR_UNKNOWN_PRODUCER_ID,
        message: 'the producer is not known, and does not begin at 0',
      }
    }
    if (batch.producerEpoch < state.epoch) {
      return {
        errorCode: ErrorCode.ERR_INVALID_PRODUCER_EPOCH,
        message: 'a newer instance of the producer has taken over',
      }
    }
    if (batch.producerEpoch > state.epoch) {
      if (batch.baseSequence === 0) return null
      return outOfOrder(batch.baseSequence, 0)
    }
    const lastSequence = sequenceAfter(batch.baseSequence, batch.recordCount - 1)
    const known = state.recent.find(b => b.firstSequence === batch.baseSequence && b.lastSequence === lastSequence)
    if (known !== undefined) return { baseOffset: known.baseOffset }
    const due = sequenceAfter(state.lastSequence, 1)
    return batch.baseSequence === due ? null : outOfOrder(batch.baseSequence, due)
  }

  appended(batch: RecordBatch, baseOffset: number): void {
    if (batch.producerId < 0) return
    const lastSequence = sequenceAfter(batch.baseSequence, batch.recordCount - 1)
    let state = this.#states.get(batch.producerId)
    if (state === undefined || state.epoch !== batch.producerEpoch) {
      state = { epoch: batch.producerEpoch, lastSequence, recent: [] }
      this.#states.set(batch.producerId, state)
    }
    state.lastSequence = lastSequence
    state.recent.push({ firstSequence: batch.baseSequence, lastSequence, baseOffset })
    if (state.recent.length > REMEMBERED_BATCHES) state.recent.shift()
  }
}

function outOfOrder(sequence: number, due: number): { errorCode: number; message: string } {
  return {
    errorCode: ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
    message: `sequence ${sequence} where ${due} was due`,
  }
}
