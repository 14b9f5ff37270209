/** Moves of partitions to other brokers (KIP-455), and who leads them. */
import { ErrorCode } from '@ottla/protocol'

/** What is known of a partition's brokers. */
export interface Replicated {
  replicas: number[]
  /** Replicas that a move adds and takes away; none while there is no move under way. */
  adding: readonly number[]
  removing: readonly number[]
  isr: number[]
  /** Broker id, -1 while every replica is down. */
  leader: number
  leaderEpoch: number
  readonly log: { wake(): void }
}

/** Makes a broker the leader, -1: nobody. @returns false if it is already */
export function lead(partition: Replicated, brokerId: number): boolean {
  if (partition.leader === brokerId) return false
  partition.leader = brokerId
  partition.leaderEpoch++
  partition.log.wake()
  return true
}

/** 0, or why a broker cannot answer for the partition at the leader epoch that the client knows (-1: none). */
export function leaderProblem(partition: Replicated, brokerId: number, currentLeaderEpoch: number): number {
  if (partition.leader !== brokerId) return ErrorCode.ERR_NOT_LEADER_FOR_PARTITION
  if (currentLeaderEpoch < 0) return ErrorCode.ERR_NO_ERROR
  if (currentLeaderEpoch < partition.leaderEpoch) return ErrorCode.ERR_FENCED_LEADER_EPOCH
  return currentLeaderEpoch > partition.leaderEpoch ? ErrorCode.ERR_UNKNOWN_LEADER_EPOCH : ErrorCode.ERR_NO_ERROR
}

/** Begins a move, which ends at once if all the brokers are up. A move that was under way goes on to the new target. */
export function reassign(partition: Replicated, target: readonly number[], isUp: (brokerId: number) => boolean): void {
  const { replicas } = partition
  const original = replicas.filter(id => !partition.adding.includes(id))
  const adding = target.filter(id => !original.includes(id))
  const removing = replicas.filter(id => !target.includes(id))
  partition.replicas = [...target, ...removing]
  partition.adding = adding
  partition.removing = removing
  partition.isr = partition.replicas.filter(isUp)
  settleReassignment(partition)
}

/** Ends a move whose new replicas are all in sync. @returns whether anything has changed */
export function settleReassignment(partition: Replicated): boolean {
  const { adding, removing, isr } = partition
  if (adding.length === 0 && removing.length === 0) return false
  const target = partition.replicas.filter(id => !removing.includes(id))
  if (!target.every(id => isr.includes(id))) return false
  finish(partition, target)
  return true
}

/** Gives up a move: the replicas are those from before it. @returns 0, or why not */
export function cancelReassignment(partition: Replicated): number {
  const { adding, removing, isr } = partition
  if (adding.length === 0 && removing.length === 0) return ErrorCode.ERR_NO_REASSIGNMENT_IN_PROGRESS
  const original = partition.replicas.filter(id => !adding.includes(id))
  // Nobody is left who has the records.
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
  if (!replicas.includes(partition.leader)) lead(partition, partition.isr[0] ?? -1)
  // Whoever is gone must not be fetched from as if nothing had happened.
  if (isLess && partition.leaderEpoch === epoch) {
    partition.leaderEpoch++
    partition.log.wake()
  }
}
