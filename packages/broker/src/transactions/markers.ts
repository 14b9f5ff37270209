/** Writes the end of a transaction to the logs, and applies it to the offsets of groups. */
import type { Brokers } from '../base/brokers.ts'
import type { Clock } from '../base/clock.ts'
import type { Groups } from '../groups/groups.ts'
import type { Coordinators } from '../topics/coordinators.ts'
import { OFFSETS_TOPIC } from '../topics/internal-topics.ts'
import type { TopicPartition, TopicStore } from '../topics/topics.ts'
import type { EndMarker } from './coordinator.ts'
import type { TransactionalOffsets } from './transactional-offsets.ts'

/** The stores of committed and pending offsets. */
export interface OffsetStores {
  readonly coordinators: Coordinators
  readonly groups: Groups
  readonly transactionalOffsets: TransactionalOffsets
}

export interface MarkerStores extends OffsetStores {
  readonly topics: TopicStore
  readonly brokers: Brokers
  readonly clock: Clock
}

/** @returns false if the marker cannot be written now; a deleted partition needs none */
export function writeMarker(stores: MarkerStores, target: TopicPartition, marker: EndMarker): boolean {
  const { topics, brokers, clock, coordinators } = stores
  const partition = topics.partition(target.topic, target.partition)
  if (partition === undefined) return true
  if (!brokers.isUp(partition.leader)) return false
  if (target.topic === OFFSETS_TOPIC) {
    completeOffsets(stores, target, marker.producerId, marker.commit)
    return true
  }
  // A refusal means a newer epoch, whose producer has already ended this transaction.
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

/** Commits or drops the pending offsets of a producer, for the groups of one partition of the offsets topic. */
export function completeOffsets(
  { coordinators, groups, transactionalOffsets }: OffsetStores,
  target: TopicPartition,
  producerId: bigint,
  commit: boolean,
): void {
  const isHere = (groupId: string): boolean => coordinators.offsetsPartition(groupId).partition === target.partition
  for (const [groupId, offsets] of transactionalOffsets.take(producerId, isHere)) {
    if (commit) {
      const group = groups.getOrCreate(groupId)
      for (const [key, offset] of offsets) group.offsets.set(key, offset)
    }
    transactionalOffsets.ended(producerId, groupId)
  }
}
