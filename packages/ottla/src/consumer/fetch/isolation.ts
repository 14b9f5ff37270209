/** Which of the fetched batches a consumer may see (`isolation.level`). */
import type { RecordBatch } from '@ottla/protocol'

/** An aborted transaction, as a fetch response names it. */
export interface AbortedTransaction {
  readonly producerId: bigint
  /** The offset of its first record in the partition. */
  readonly firstOffset: number
}

/**
 * Leaves out control batches, batches that compaction has emptied, and batches of aborted transactions. A response
 * names every aborted transaction that reaches into it, so that nothing has to be remembered from one to the next.
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
      // The marker ends the transaction; later batches of the producer are of another one.
      if (abortedNow.size > 0 && batch.controlType() === 'abort') abortedNow.delete(batch.producerId)
    } else if (batch.recordCount > 0 && (!batch.isTransactional || !abortedNow.has(batch.producerId))) {
      visible.push(batch)
    }
  }
  return visible
}
