/** The interface between a group protocol and the rest of the consumer. */
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'
import type { RebalanceEvent, TopicPartition } from '../../types.ts'
import type { Strategy } from './assignors/strategies.ts'
import type { Subscription } from './subscription.ts'

/** Requests whose refusal says something about the membership. */
export type RefusedApi = 'Heartbeat' | 'OffsetCommit' | 'OffsetFetch'

/** The identity of a KIP-848 member, whose epoch must be current in a request for committed offsets. */
export interface MemberEpoch {
  readonly memberId: string
  readonly memberEpoch: number
}

/** The parts of a group and its member. */
export interface GroupSetup {
  readonly context: ClientContext
  readonly cluster: Cluster
  readonly groupId: string
  /** Of a classic group, in order of preference. */
  readonly strategies: readonly Strategy[]
}

/** What a protocol needs from the group. */
export interface MembershipHost {
  /** Null after unsubscribe. */
  readonly subscription: Subscription | null
  /** The topics that it currently matches. */
  topics(subscription: Subscription): string[]
  /** Loads the metadata that the subscription needs. */
  knowTopics(subscription: Subscription, signal: AbortSignal): Promise<void>
  /** Keeps the metadata of all topics of the cluster. */
  watchAll(): void
  /** The partitions that the application holds for the group. */
  held(): TopicPartition[]
  /** Gives up partitions that the application assigned itself before it subscribed. */
  makeRoom(): Promise<void>
  /** Calls the rebalance callback in the application's next poll. */
  call(type: 'assign' | 'revoke', partitions: readonly TopicPartition[]): void
  /** The same for all partitions that it holds, as lost. */
  lose(): void
  /** The application has not polled for too long: joins again only when it does. */
  readonly isParked: boolean
  /** Joins inside the application's next poll. */
  joinWhenPolled(join: () => void): void
  raise(error: KafkaError): void
}

/** One member of one group, by one of the protocols. */
export interface Membership {
  readonly protocol: RebalanceEvent['protocol']
  /** Empty until it is known. */
  readonly memberId: string
  /** Generation or member epoch; -1 while not a member. */
  readonly generation: number
  /** As statistics name it, with librdkafka's words. */
  readonly joinState?: string
  /** Changes when a membership ends: commits of the old one must not be sent as the new one. */
  readonly term: number
  /** Whether the client matches the patterns itself, for which it needs the metadata of all topics. */
  matchesInClient(subscription: Subscription): boolean
  /** The group counts on this member to poll. */
  readonly isMember: boolean
  /** A member of a classic group that keeps its partitions while it joins again. */
  readonly isRejoining: boolean
  /** Joins, or joins again with another subscription or after having been parked. */
  join(reason: string): void
  /** Topics or partitions may have come or gone. */
  onMetadata(): void
  /** The application holds partitions that are lost, and does not know it yet. */
  readonly isLosing: boolean
  /** The coordinator has refused a request of this generation, which may be an older one. */
  onRefused(api: RefusedApi, code: number, generation: number): void
  /** The callback for new partitions has been called. */
  assigned(): void
  /** The callback for revoked or lost partitions has been called. */
  unassigned(): void
  /** Leaves the group and loses everything, because the application does not poll. */
  evict(reason: string): void
  /** Gives up the partitions (with the application's callback), then leaves. */
  leave(): void
  /** Resolves when the leave request has been answered or given up. */
  readonly leaving: Promise<void>
  /** No more timers and requests. */
  stop(): void
}
