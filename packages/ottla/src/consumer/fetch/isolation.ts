/** Which of the fetched batches a consumer may see (`isolation.level`). */
import type { RecordBatch } from '@ottla/protocol'

/** A transaction that was aborted, as a fetch response tells of it. */
export interface AbortedTransaction {
  readonly producerId: bigint
  /** Where its first record in the partition is. */
  readonly firstOffset: number
}

/**
 * Leaves out control batches, those that compaction has emptied, and the batches of transactions that were aborted. A response tells of every
 * aborted transaction that reaches into it, so nothing has to be remembered from one to the next.
 * @param aborted as received under read_committed; null or empty under read_uncommitted
 */
export function visibleBatches(
  batches: readonly RecordBatch[],
  aborted: readonly AbortedTransaction[] | null,
): RecordBatch[] {
  const pending = aborted === null ? [] : aborted.toSorted((a, b) => a.firstOffset - b.firstOffset)
  const abortedNow = new Set<bigint>()
  let next = 0
  const visible: RecordBatch[] = []
  for (const batch of batches) {
    for (
      let entry = pending[next];
      entry !== undefined && entry.firstOffset <= batch.lastOffset;
      entry = pending[next]
    ) {
      abortedNow.add(entry.producerId)
      next++
    }
    if (batch.isControl) {
      // The marker ends the transaction; what the producer writes after it is another one.
      if (abortedNow.size > 0 && batch.controlType() === 'abort') abortedNow.delete(batch.producerId)
    } else if (batch.recordCount > 0 && (!batch.isTransactional || !abortedNow.has(batch.producerId))) {
      visible.push(batch)
    }
  }
  return visible
}
