import { BatchReader, ErrorCode } from '@ottla/protocol'
import { recordsOf } from './fake-cluster.ts'

interface Appended {
  readonly first: number
  readonly last: number
  readonly baseOffset: number
}

/** One partition as brokers keep it for idempotent producers: it takes batches in sequence and knows the last five again. */
export class SequencedLog {
  readonly values: string[] = []
  #epoch = -1
  #last = -1
  #recent: Appended[] = []

  /** @returns the answer about the partition */
  append(records: Buffer | null): { errorCode: number; baseOffset: number } {
    const batch = new BatchReader(records ?? Buffer.alloc(0)).next()
    if (batch === null) throw new Error('a produce request without records')
    const { producerEpoch, baseSequence, recordCount } = batch
    const last = baseSequence + recordCount - 1
    if (producerEpoch < this.#epoch) return { errorCode: ErrorCode.ERR_INVALID_PRODUCER_EPOCH, baseOffset: -1 }
    if (producerEpoch === this.#epoch) {
      const known = this.#recent.find(b => b.first === baseSequence && b.last === last)
      if (known !== undefined) return { errorCode: 0, baseOffset: known.baseOffset }
      if (last <= this.#last) return { errorCode: ErrorCode.ERR_DUPLICATE_SEQUENCE_NUMBER, baseOffset: -1 }
    }
    const due = producerEpoch === this.#epoch ? this.#last + 1 : 0
    if (baseSequence !== due) return { errorCode: ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 }
    if (producerEpoch > this.#epoch) this.#recent = []
    this.#epoch = producerEpoch
    this.#last = last
    const baseOffset = this.values.length
    this.#recent.push({ first: baseSequence, last, baseOffset })
    if (this.#recent.length > 5) this.#recent.shift()
    for (const record of recordsOf(records)) this.values.push(String(record.value))
    return { errorCode: 0, baseOffset }
  }
}
