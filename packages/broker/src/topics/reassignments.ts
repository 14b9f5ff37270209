/** Reassignments of partitions (KIP-455), and their leaders. */
import { ErrorCode } from '@ottla/protocol'
import type { PartitionView } from './views.ts'

/** The brokers of a partition. */
export interface Replicated {
  replicas: number[]
  /** Replicas that a reassignment adds and removes; empty without one. */
  adding: readonly number[]
  removing: readonly number[]
  isr: number[]
  /** Broker id, -1 while every replica is down. */
  leader: number
  leaderEpoch: number
  readonly log: { wake(): void }
}

/** Makes a broker the leader. @param brokerId -1: none @returns whether that is a change */
export function setLeader(partition: Replicated, brokerId: number): boolean {
  if (partition.leader === brokerId) return false
  partition.leader = brokerId
  partition.leaderEpoch++
  partition.log.wake()
  return true
}

/** 0, or why a broker cannot serve the partition at the leader epoch that the client knows (-1: none). */
export function leaderProblem(
  partition: Pick<PartitionView, 'leader' | 'leaderEpoch'>,
  brokerId: number,
  currentLeaderEpoch: number,
): number {
  if (partition.leader !== brokerId) return ErrorCode.ERR_NOT_LEADER_FOR_PARTITION
  if (currentLeaderEpoch < 0) return ErrorCode.ERR_NO_ERROR
  if (currentLeaderEpoch < partition.leaderEpoch) return ErrorCode.ERR_FENCED_LEADER_EPOCH
  return currentLeaderEpoch > partition.leaderEpoch ? ErrorCode.ERR_UNKNOWN_LEADER_EPOCH : ErrorCode.ERR_NO_ERROR
}

/** Starts a reassignment, which ends at once if all brokers are in sync. One in progress changes to the new target. */
export function reassign(
  partition: Replicated,
  target: readonly number[],
  isInSync: (brokerId: number) => boolean,
): void {
  const { replicas } = partition
  const original = replicas.filter(id => !partition.adding.includes(id))
  const adding = target.filter(id => !original.includes(id))
  const removing = replicas.filter(id => !target.includes(id))
  partition.replicas = [...target, ...removing]
  partition.adding = adding
  partition.removing = removing
  partition.isr = partition.replicas.filter(isInSync)
  settleReassignment(partition)
}

/** Ends a reassignment whose new replicas are all in sync. @returns whether it did */
export function settleReassignment(partition: Replicated): boolean {
  const { adding, removing, isr } = partition
  if (adding.length === 0 && removing.length === 0) return false
  const target = partition.replicas.filter(id => !removing.includes(id))
  if (!target.every(id => isr.includes(id))) return false
  finish(partition, target)
  return true
}

/** Cancels a reassignment, back to the original replicas. @returns 0, or why not */
export function cancelReassignment(partition: Replicated): number {
  const { adding, removing, isr } = partition
  if (adding.length === 0 && removing.length === 0) return ErrorCode.ERR_NO_REASSIGNMENT_IN_PROGRESS
  const original = partition.replicas.filter(id => !adding.includes(id))
  // None of the original replicas is in sync.
  if (!original.some(id => isr.includes(id))) return ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT
  finish(partition, original)
  return ErrorCode.ERR_NO_ERROR
}

function finish(partition: Replicated, replicas: number[]): void {
  const epoch = partition.leaderEpoch
  const isLess = partition.replicas.length > replicas.length
  partition.replicas = replicas
  partition.adding = []
  partition.removing = []
  partition.isr = partition.isr.filter(id => replicas.includes(id))
  if (!replicas.includes(partition.leader)) {
    setLeader(partition, replicas.find(id => partition.isr.includes(id)) ?? -1)
  }
  // The epoch goes up so that clients stop fetching from removed replicas.
  if (isLess && partition.leaderEpoch === epoch) {
    partition.leaderEpoch++
    partition.log.wake()
  }
}
