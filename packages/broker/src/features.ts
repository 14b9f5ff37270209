/** Features that a cluster has agreed on (KIP-584): what brokers tell clients beside the versions of requests. */
import { ApiKey } from '@ottla/protocol'
import type { VersionRange } from './versions.ts'

export interface Feature {
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  /** The level that the cluster is on. */
  readonly level: number
}

// The version of EndTxn that Kafka 3.9 ends at.
const END_TXN_39 = 4

/** What follows from the requests that are served. */
export function featuresOf(versions: ReadonlyMap<number, VersionRange>): readonly Feature[] {
  const endTxn = versions.get(ApiKey.EndTxn)?.max ?? 0
  if (endTxn < END_TXN_39) return []
  if (endTxn === END_TXN_39) return [{ name: 'metadata.version', minVersion: 1, maxVersion: 21, level: 21 }]
  const features: Feature[] = [
    { name: 'metadata.version', minVersion: 7, maxVersion: 30, level: 30 },
    // Transactions end with an epoch each (KIP-890).
    { name: 'transaction.version', minVersion: 0, maxVersion: 2, level: 2 },
  ]
  if (versions.has(ApiKey.ConsumerGroupHeartbeat)) {
    features.push({ name: 'group.version', minVersion: 0, maxVersion: 1, level: 1 })
  }
  if (versions.has(ApiKey.ShareGroupHeartbeat)) {
    features.push({ name: 'share.version', minVersion: 0, maxVersion: 1, level: 1 })
  }
  return features
}
