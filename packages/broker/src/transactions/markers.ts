/** Writes the end of a transaction where it has to be known: into logs, and to the offsets of groups. */
import type { Brokers } from '../base/brokers.ts'
import type { Clock } from '../base/clock.ts'
import type { Groups } from '../groups/groups.ts'
import type { Coordinators } from '../topics/coordinators.ts'
import { OFFSETS_TOPIC } from '../topics/internal-topics.ts'
import type { TopicPartition, TopicStore } from '../topics/topics.ts'
import type { EndMarker } from './coordinator.ts'
import type { TransactionalOffsets } from './transactional-offsets.ts'

/** Where committed offsets are, and where they wait. */
export interface OffsetPlaces {
  readonly coordinators: Coordinators
  readonly groups: Groups
  readonly transactionalOffsets: TransactionalOffsets
}

export interface MarkerPlaces extends OffsetPlaces {
  readonly topics: TopicStore
  readonly brokers: Brokers
  readonly clock: Clock
}

/** @returns false when it cannot be written now; a partition that is gone needs none */
export function writeMarker(places: MarkerPlaces, place: TopicPartition, marker: EndMarker): boolean {
  const { topics, brokers, clock, coordinators } = places
  const partition = topics.partition(place.topic, place.partition)
  if (partition === undefined) return true
  if (!brokers.isUp(partition.leader)) return false
  if (place.topic === OFFSETS_TOPIC) {
    completeOffsets(places, place, marker.producerId, marker.commit)
    return true
  }
  // A refusal says that a newer epoch is there, and with it the end of this transaction.
  partition.log.mark({
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    commit: marker.commit,
    coordinatorEpoch: coordinators.epoch(marker.transactionalId),
    leaderEpoch: partition.leaderEpoch,
    timestamp: clock.now(),
  })
  return true
}

/** What a producer has committed to the groups of one partition of the offsets topic counts now, or never. */
export function completeOffsets(
  { coordinators, groups, transactionalOffsets }: OffsetPlaces,
  place: TopicPartition,
  producerId: bigint,
  commit: boolean,
): void {
  const isHere = (groupId: string): boolean => coordinators.offsetsPartition(groupId).partition === place.partition
  for (const [groupId, offsets] of transactionalOffsets.take(producerId, isHere)) {
    if (commit) {
      const group = groups.getOrCreate(groupId)
      for (const [key, offset] of offsets) group.offsets.set(key, offset)
    }
    transactionalOffsets.ended(producerId, groupId)
  }
}
