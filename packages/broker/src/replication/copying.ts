/** One fetch of a follower: it drops what the leader does not have, then copies what it lacks. */
import type { PartitionLog } from '../log/log.ts'

// Kafka's default for replica.fetch.max.bytes.
const MAX_BYTES = 1_048_576

/** What a follower learns from the leader's answer. */
export type Fetched = 'truncated' | 'copied'

/**
 * Brings a follower's log closer to the leader's. Where they diverge is found by epoch (KIP-101, KIP-279), which may
 * take several fetches.
 * @param onFetch called once the logs agree up to the follower's end, before anything is copied
 */
export function copyFromLeader(
  own: PartitionLog,
  leader: PartitionLog,
  leaderEpoch: number,
  onFetch: (endOffset: number) => void,
): Fetched {
  // The answer has the high watermark from before this fetch.
  const { highWatermark, startOffset } = leader
  if (truncate(own, leader, leaderEpoch)) return 'truncated'
  onFetch(own.endOffset)
  for (const batch of leader.batchesFrom(own.endOffset, MAX_BYTES)) own.copy(batch)
  if (own.highWatermark !== Math.min(highWatermark, own.endOffset)) own.replicatedTo(highWatermark)
  if (own.startOffset < startOffset) own.deleteBefore(startOffset)
  return 'copied'
}

// Whether the logs diverged. If so, the follower's is shorter now.
function truncate(own: PartitionLog, leader: PartitionLog, leaderEpoch: number): boolean {
  const { endOffset, lastEpoch } = own
  if (lastEpoch >= 0) {
    const known = leader.endOfEpoch(lastEpoch, leaderEpoch)
    if (known.endOffset >= 0 && (known.leaderEpoch < lastEpoch || known.endOffset < endOffset)) {
      const here = own.endOfEpoch(known.leaderEpoch, Infinity)
      // The leader may not know an epoch of this log, nor this log one of the leader's.
      const isSame = here.leaderEpoch === known.leaderEpoch
      own.truncateTo(isSame ? Math.min(here.endOffset, known.endOffset) : here.endOffset)
      return true
    }
  }
  if (endOffset > leader.endOffset) {
    own.truncateTo(leader.endOffset)
    return true
  }
  if (endOffset >= leader.startOffset) return false
  own.startOver(leader.startOffset)
  return true
}
