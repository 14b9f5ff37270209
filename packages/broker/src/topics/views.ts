/** Topics and partitions as one broker knows them. Where nothing lags they are the same for all. */
import type { PartitionLog } from '../log/log.ts'

export interface PartitionView {
  readonly topic: string
  readonly index: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Broker id, -1 while there is no leader. */
  readonly leader: number
  readonly leaderEpoch: number
  /** The broker's own copy of the records. */
  readonly log: PartitionLog
  /** How the copy relates to the others; absent if all brokers share one. */
  readonly replication?: PartitionReplication
}

export interface PartitionReplication {
  /** Where the log ended when the broker became the leader, 0 for a follower. */
  readonly epochStart: number
  /**
   * Resolves with 0 when the in-sync replicas have all records before `endOffset`, else with what a producer with
   * acks=all gets. Never rejects.
   * @param signal aborted when nobody waits any more
   */
  acknowledged(endOffset: number, timeoutMs: number, signal?: AbortSignal): Promise<number>
  /** Whether the leader may send consumers at this offset to another replica. */
  hasOffset(brokerId: number, offset: number): boolean
}

export interface TopicView {
  readonly name: string
  readonly id: string
  readonly isInternal: boolean
  readonly partitions: readonly PartitionView[]
  /** The topic's own settings, without defaults. */
  readonly configs: ReadonlyMap<string, string>
}

export interface TopicsView {
  all(): Iterable<TopicView>
  get(name: string): TopicView | undefined
  byId(id: string): TopicView | undefined
  partition(name: string, index: number): PartitionView | undefined
  /** Whether a broker is known to be up. */
  isUp(brokerId: number): boolean
}
