/** What each int64 of the messages stands for: that decides in which type of JavaScript it is read and written. */

/**
 * - `identity`: names something; any value may come and every bit counts. A bigint.
 * - `time`: a point in time or a span, perhaps from another program's clock in another unit. A number, which is rounded
 *   beyond 2^53 and never refused.
 * - `count`: an offset, a size, a version that counts up. A number; what it cannot hold exactly is refused.
 */
export type Int64 = 'identity' | 'time' | 'count'

const kinds: ReadonlyMap<string, Int64> = new Map<string, Int64>([
  ...of(
    'identity',
    'producerId v3AndBelowProducerId ongoingTxnProducerId producerIdFilters producerIdStart brokerEpoch replicaEpoch',
  ),
  ...of(
    'time',
    'timestamp lastTimestamp logAppendTimeMs transactionStartTimeMs issueTimestamp issueTimestampMs expiryTimestamp ' +
      'expiryTimestampMs maxTimestamp maxTimestampMs lastFetchTimestamp lastCaughtUpTimestamp lastContainedLogTimestamp ' +
      'durationFilter maxLifetimeMs renewPeriodMs expiryTimePeriodMs retentionTimeMs sessionLifetimeMs',
  ),
  ...of(
    'count',
    'baseOffset committedOffset currentTxnStartOffset endOffset fetchOffset firstOffset highWatermark lastOffset ' +
      'lastStableOffset logEndOffset logStartOffset lowWatermark offset startOffset lag offsetLag partitionSize ' +
      'position size totalBytes usableBytes finalizedFeaturesEpoch',
  ),
])

/** Undefined for a field that nobody has thought about yet. */
export function int64Kind(fieldName: string): Int64 | undefined {
  return kinds.get(fieldName)
}

function of(kind: Int64, names: string): [string, Int64][] {
  return names.split(' ').map(name => [name, kind])
}
