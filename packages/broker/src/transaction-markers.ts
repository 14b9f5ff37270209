/** Writes the end of a transaction where it has to be known: into logs, and to the offsets of groups. */
import { OFFSETS_TOPIC } from './internal-topics.ts'
import type { ClusterState } from './state.ts'
import type { TopicPartition } from './transaction.ts'
import type { EndMarker } from './transactions.ts'

/** @returns false when it cannot be written now; a partition that is gone needs none */
export function writeMarker(state: ClusterState, place: TopicPartition, marker: EndMarker): boolean {
  const partition = state.topics.partition(place.topic, place.partition)
  if (partition === undefined) return true
  if (state.broker(partition.leader)?.up !== true) return false
  if (place.topic === OFFSETS_TOPIC) {
    completeOffsets(state, place, marker.producerId, marker.commit)
    return true
  }
  // A refusal says that a newer epoch is there, and with it the end of this transaction.
  partition.log.mark({
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    commit: marker.commit,
    coordinatorEpoch: state.coordinatorEpoch(marker.transactionalId),
    leaderEpoch: partition.leaderEpoch,
    timestamp: state.clock.now(),
  })
  return true
}

/** What a producer has committed to the groups of one partition of the offsets topic counts now, or never. */
export function completeOffsets(state: ClusterState, place: TopicPartition, producerId: number, commit: boolean): void {
  const isHere = (groupId: string): boolean => state.offsetsPartition(groupId).partition === place.partition
  for (const [groupId, offsets] of state.transactionalOffsets.take(producerId, isHere)) {
    if (commit) {
      const group = state.group(groupId)
      for (const [key, offset] of offsets) group.offsets.set(key, offset)
    }
    state.keeper?.pendingEnded(producerId, groupId)
  }
}
