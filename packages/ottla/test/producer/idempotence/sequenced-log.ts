import { BatchReader, ErrorCode } from '@ottla/protocol'
import { recordsOf } from '../fake-cluster.ts'

interface Appended {
  readonly first: number
  readonly last: number
  readonly baseOffset: number
}

interface ProducerState {
  epoch: number
  last: number
  recent: Appended[]
}

/**
 * One partition as brokers keep it for idempotent producers: it accepts batches in sequence and recognises the last five,
 * after a restart the last one. All others are out of order, whether or not they are in the log.
 */
export class SequencedLog {
  readonly values: string[] = []
  readonly #producers = new Map<bigint, ProducerState>()

  /** A restarted broker has its knowledge from a snapshot. */
  restart(): void {
    for (const state of this.#producers.values()) state.recent = state.recent.slice(-1)
  }

  /** @returns the partition's part of the response */
  append(records: Buffer | null): { errorCode: number; baseOffset: number } {
    const batch = new BatchReader(records ?? Buffer.alloc(0)).next()
    if (batch === null) throw new Error('a produce request without records')
    const { producerId, producerEpoch, baseSequence, recordCount } = batch
    const state = this.#producers.get(producerId) ?? { epoch: -1, last: -1, recent: [] }
    this.#producers.set(producerId, state)
    const last = baseSequence + recordCount - 1
    if (producerEpoch < state.epoch) return { errorCode: ErrorCode.ERR_INVALID_PRODUCER_EPOCH, baseOffset: -1 }
    if (producerEpoch === state.epoch) {
      const known = state.recent.find(b => b.first === baseSequence && b.last === last)
      if (known !== undefined) return { errorCode: 0, baseOffset: known.baseOffset }
    }
    const due = producerEpoch === state.epoch ? state.last + 1 : 0
    if (baseSequence !== due) return { errorCode: ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 }
    if (producerEpoch > state.epoch) state.recent = []
    state.epoch = producerEpoch
    state.last = last
    const baseOffset = this.values.length
    state.recent.push({ first: baseSequence, last, baseOffset })
    if (state.recent.length > 5) state.recent.shift()
    for (const record of recordsOf(records)) this.values.push(String(record.value))
    return { errorCode: 0, baseOffset }
  }
}
