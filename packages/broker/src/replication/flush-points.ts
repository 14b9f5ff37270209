/** How much of a log has reached the disk, for brokers that crash and forget the rest. */
import type { PartitionLog } from '../log/log.ts'
import type { Random } from '../base/random.ts'

/** When a log is flushed. */
export interface FlushRules {
  /** `flush.messages` */
  readonly messages: number
  /** `flush.ms` */
  readonly ms: number
}

// The operating system writes pages that are older, even if the broker does not flush them.
const WRITE_BACK_MS = 30_000

export class FlushPoints {
  #flushed = 0
  #flushedAt: number
  #appendedAt: number
  /** After so long, what was appended is on the disk. */
  #maxAgeMs = WRITE_BACK_MS

  constructor(now: number) {
    this.#flushedAt = now
    this.#appendedAt = now
  }

  /** The log has grown. @param before where it ended before */
  appended(before: number, endOffset: number, { messages, ms }: FlushRules, now: number): void {
    this.#maxAgeMs = Math.min(ms, WRITE_BACK_MS)
    if (now - this.#appendedAt >= this.#maxAgeMs) this.#flush(before, now)
    else if (now - this.#flushedAt >= this.#maxAgeMs) this.#flush(before, this.#appendedAt)
    if (endOffset - this.#flushed >= messages) this.#flush(endOffset, now)
    this.#appendedAt = now
  }

  /** The log ends earlier now. */
  truncated(endOffset: number): void {
    this.#flushed = Math.min(this.#flushed, endOffset)
  }

  /** Where the log ends after a crash: somewhere between what is surely on the disk and all. */
  survivingEnd(log: PartitionLog, random: Random, now: number): number {
    if (now - this.#appendedAt >= this.#maxAgeMs) return log.endOffset
    const ends = log.batchesFrom(Math.max(this.#flushed, log.startOffset), Infinity).map(batch => batch.lastOffset + 1)
    const possible = [Math.max(this.#flushed, log.startOffset), ...ends]
    const at = random.bytes(4).readUInt32BE() % possible.length
    return possible[at] ?? log.endOffset
  }

  #flush(endOffset: number, now: number): void {
    this.#flushed = endOffset
    this.#flushedAt = now
  }
}
