/** What the fetch queue keeps of one partition. */
import type { RecordBatch } from '@ottla/protocol'
import { Ring } from '../../base/ring.ts'

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

/** Written by the fetch queue alone. The way through the open batch is the cursor's `records`. */
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
  /** Had queued.min.messages waiting when a fetch could have taken it along. */
  isFull = false
}
