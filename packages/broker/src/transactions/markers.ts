/** Writes the end of a transaction to the logs, and applies it to the offsets of groups. */
import { ErrorCode } from '@ottla/protocol'
import type { Brokers } from '../base/brokers.ts'
import type { Clock } from '../base/clock.ts'
import type { Groups } from '../groups/groups.ts'
import type { Coordinators } from '../topics/coordinators.ts'
import { OFFSETS_TOPIC } from '../topics/internal-topics.ts'
import type { TopicPartition, TopicStore } from '../topics/topics.ts'
import type { EndMarker } from './coordinator.ts'
import type { TransactionalOffsets } from './transactional-offsets.ts'
import type { UnreplicatedMarkers } from './unreplicated-markers.ts'

// After that, a marker is written again.
const REPLICATION_TIMEOUT_MS = 30_000

/** The stores of committed and pending offsets. */
export interface OffsetStores {
  readonly coordinators: Coordinators
  readonly groups: Groups
  readonly transactionalOffsets: TransactionalOffsets
}

export interface MarkerStores extends OffsetStores {
  /** Markers that were appended, but are not replicated yet. */
  readonly unreplicated: UnreplicatedMarkers
  readonly topics: TopicStore
  readonly brokers: Brokers
  readonly clock: Clock
}

/**
 * @param again called when a marker that was written has been replicated
 * @returns false if the marker cannot be written now, or is not replicated yet; a deleted partition needs none
 */
export function writeMarker(
  stores: MarkerStores,
  target: TopicPartition,
  marker: EndMarker,
  again: () => void = () => undefined,
): boolean {
  const { topics, brokers, clock, coordinators, unreplicated } = stores
  const { leader } = topics.partition(target.topic, target.partition) ?? {}
  if (leader === undefined) return true
  if (!brokers.isUp(leader)) return false
  const partition = topics.seenBy(leader).partition(target.topic, target.partition)
  // The leader may not have heard of its election yet.
  if (partition?.leader !== leader) return false
  if (target.topic === OFFSETS_TOPIC) {
    completeOffsets(stores, target, marker.producerId, marker.commit)
    return true
  }
  const { id } = topics.get(target.topic) ?? {}
  const key = `${marker.transactionalId} ${marker.producerId} ${marker.producerEpoch} ${id} ${target.partition}`
  const state = unreplicated.stateOf(key)
  if (state !== null) return state === 'replicated'
  // A refusal means a newer epoch, whose producer has already ended this transaction.
  const refusal = partition.log.mark({
    producerId: marker.producerId,
    producerEpoch: marker.producerEpoch,
    commit: marker.commit,
    coordinatorEpoch: coordinators.epoch(marker.transactionalId),
    leaderEpoch: partition.leaderEpoch,
    timestamp: clock.now() + brokers.clockSkewMs(leader),
  })
  const { log, replication } = partition
  if (refusal !== null || replication === undefined || log.highWatermark === log.endOffset) return true
  unreplicated.add(key)
  void replication.acknowledged(log.endOffset, REPLICATION_TIMEOUT_MS).then(errorCode => {
    const isReplicated = errorCode === ErrorCode.ERR_NO_ERROR
    unreplicated.settle(key, isReplicated)
    if (isReplicated) again()
  })
  return false
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
