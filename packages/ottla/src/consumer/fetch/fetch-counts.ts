/** What a fetch has brought of one partition, for the statistics and the channel `ottla:fetch`. */
import type { FetchPayload } from '../../observe/channel-payloads.ts'
import type { BrokerCounters, ClientCounters } from '../../observe/statistics/counters.ts'
import type { Cursor } from '../partition/cursor.ts'
import type { FetchedPartition } from './fetched-partition.ts'

/** Who wants to know; null for nobody. */
export interface FetchCounters {
  readonly client: ClientCounters
  readonly broker: BrokerCounters | null
  readonly trace: FetchPayload | null
}

export function countFetched(
  { topic, partition }: Cursor,
  { batches, neededBytes }: FetchedPartition,
  { client, broker, trace }: FetchCounters,
): void {
  let messages = 0
  let bytes = 0
  for (const batch of batches) {
    messages += batch.recordCount
    bytes += batch.sizeBytes
  }
  if (messages > 0) {
    client.fetched(topic, partition, messages, bytes)
    trace?.fetched.push({ topic, partition, messageCount: messages, sizeBytes: bytes })
  }
  if (broker !== null && neededBytes > 0) broker.rxPartial++
}
