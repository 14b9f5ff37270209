/** What the fetch queue holds of one partition. */
import type { RecordBatch } from '@ottla/protocol'
import { Ring } from '../../base/ring.ts'

/** Stands between the batches of a partition for offsets with nothing to deliver. */
export class Gap {
  /** Where reading continues. */
  readonly nextOffset: number
  /** Whether that is the end of the partition, which is to be reported. */
  readonly isEnd: boolean
  /** The leader epoch of what is before nextOffset; -1 if unknown. */
  readonly leaderEpoch: number

  constructor(nextOffset: number, isEnd: boolean, leaderEpoch = -1) {
    this.nextOffset = nextOffset
    this.isEnd = isEnd
    this.leaderEpoch = leaderEpoch
  }
}

/** Written only by the fetch queue. The cursor's `records` iterate over the open batch. */
export class Queued {
  readonly entries = new Ring<RecordBatch | Gap>()
  /** The batch that is being read. */
  open: RecordBatch | null = null
  messages = 0
  bytes = 0
  /** What decompression added to the open batch. */
  extraBytes = 0
  /** In line for its turn. */
  isReady = false
  /** Had enough messages waiting (`queued.min.messages`) when it could have been fetched. */
  isFull = false
}
