/** Writes the end of a transaction where it has to be known: into logs, and to the offsets of groups. */
import { OFFSETS_TOPIC } from '../topics/internal-topics.ts'
import type { Clock } from '../base/clock.ts'
import type { CommittedOffset } from '../groups/committed-offsets.ts'
import type { Keeper } from '../storage/keeper.ts'
import type { TopicStore } from '../topics/topics.ts'
import type { TransactionalOffsets } from './transactional-offsets.ts'
import type { TopicPartition } from './transaction.ts'
import type { EndMarker } from './coordinator.ts'

/** What is needed of the cluster. */
export interface MarkerPlaces {
  readonly topics: TopicStore
  readonly transactionalOffsets: TransactionalOffsets
  readonly clock: Clock
  readonly keeper: Pick<Keeper, 'pendingEnded'> | null
  broker(id: number): { readonly up: boolean } | undefined
  coordinatorEpoch(transactionalId: string): number
  offsetsPartition(groupId: string): TopicPartition
  group(id: string): { readonly offsets: Map<string, CommittedOffset> }
}

/** @returns false when it cannot be written now; a partition that is gone needs none */
export function writeMarker(state: MarkerPlaces, place: TopicPartition, marker: EndMarker): boolean {
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
export function completeOffsets(state: MarkerPlaces, place: TopicPartition, producerId: bigint, commit: boolean): void {
  const isHere = (groupId: string): boolean => state.offsetsPartition(groupId).partition === place.partition
  for (const [groupId, offsets] of state.transactionalOffsets.take(producerId, isHere)) {
    if (commit) {
      const group = state.group(groupId)
      for (const [key, offset] of offsets) group.offsets.set(key, offset)
    }
    state.keeper?.pendingEnded(producerId, groupId)
  }
}
