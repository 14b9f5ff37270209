/** What one fetch brought for one partition, before any record is read. */
import { BatchReader, codecById, type RecordBatch } from '@ottla/protocol'
import { Gap } from '../partition/queued.ts'
import { visibleBatches, type AbortedTransaction } from './isolation.ts'

export interface FetchedPartition {
  /** The batches that the application may see. */
  readonly batches: readonly RecordBatch[]
  /** Where the next fetch begins. */
  readonly nextOffset: number
  /** Leader epoch of the last batch, -1 without one. */
  readonly leaderEpoch: number
  /** The size of the first batch when not even that one was complete; else 0. */
  readonly neededBytes: number
  /** The gap between the batches and nextOffset; null if there is none. */
  gap(): Gap | null
}

/**
 * Finds the batches.
 * @param fetchOffset the offset of the request; batches that end before it are left out
 * @param aborted aborted transactions under read_committed
 * @throws ProtocolError for bytes that are not batches
 */
export function readPartition(
  records: Buffer | null,
  fetchOffset: number,
  aborted: readonly AbortedTransaction[] | null,
): FetchedPartition {
  const all: RecordBatch[] = []
  let nextOffset = fetchOffset
  let neededBytes = 0
  if (records !== null && records.length > 0) {
    const reader = new BatchReader(records)
    for (let batch = reader.next(); batch !== null; batch = reader.next()) {
      if (batch.lastOffset < fetchOffset) continue
      all.push(batch)
      nextOffset = batch.lastOffset + 1
    }
    if (all.length === 0) neededBytes = reader.partialBytes
  }
  const batches = visibleBatches(all, aborted)
  const leaderEpoch = all.at(-1)?.partitionLeaderEpoch ?? -1
  const last = batches.at(-1)
  const leadsTo = last === undefined ? fetchOffset : last.lastOffset + 1
  return {
    batches,
    nextOffset,
    leaderEpoch,
    neededBytes,
    gap: () => (leadsTo < nextOffset ? new Gap(nextOffset, false, leaderEpoch) : null),
  }
}

/** Null when all codecs are loaded; else resolves when they are. Throws ProtocolError for an unknown codec. */
export function whenReadable(batches: readonly RecordBatch[]): Promise<unknown> | null {
  let last = 0
  let waits: Promise<void>[] | null = null
  for (const batch of batches) {
    if (batch.codecId === last) continue
    last = batch.codecId
    const wait = codecById(last).ready()
    if (wait !== null) (waits ??= []).push(wait)
  }
  return waits === null ? null : Promise.all(waits)
}
