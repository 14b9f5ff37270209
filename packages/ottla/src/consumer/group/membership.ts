/** What a group protocol is to the rest of the consumer, and what it needs of it. */
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'
import type { RebalanceEvent, TopicPartition } from '../../types.ts'
import type { Strategy } from './assignors/strategies.ts'
import type { Subscription } from './subscription.ts'

/** Requests whose refusal says something of the membership. */
export type RefusedApi = 'Heartbeat' | 'OffsetCommit' | 'OffsetFetch'

/** Of a member of a group of KIP-848, which has to be up to date to be told. */
export interface MemberEpoch {
  readonly memberId: string
  readonly memberEpoch: number
}

/** The group that a consumer is to be a member of. */
export interface GroupSetup {
  readonly context: ClientContext
  readonly cluster: Cluster
  readonly groupId: string
  /** Of a classic group, in order of preference. */
  readonly strategies: readonly Strategy[]
}

/** What a protocol needs of the group. */
export interface MembershipHost {
  /** null once it has been given up. */
  readonly subscription: Subscription | null
  /** The topics that it means at present. */
  topics(subscription: Subscription): string[]
  /** Makes sure that the cluster's topics are known as far as the subscription needs them. */
  knowTopics(subscription: Subscription, signal: AbortSignal): Promise<void>
  /** Keeps all topics of the cluster known. */
  watchAll(): void
  /** What the program holds for the group. */
  held(): TopicPartition[]
  /** Gives up what was assigned by hand before. */
  makeRoom(): Promise<void>
  /** The program is to be called, in its next poll. */
  call(type: 'assign' | 'revoke', partitions: readonly TopicPartition[]): void
  /** The same, for all that it holds: it may be another's already. */
  lose(): void
  /** The program has not polled for too long: joins again only when it does. */
  readonly isParked: boolean
  /** Does that in the program's next poll. */
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
  /** Changes when one membership has ended: what the next one says must not pass for the one before. */
  readonly term: number
  /** Whether patterns are matched by the client, which needs to know all topics then. */
  matchesHere(subscription: Subscription): boolean
  /** The group waits for this member to poll. */
  readonly isMember: boolean
  /** Joins, or joins again with another subscription or after having been parked. */
  join(reason: string): void
  /** Topics or partitions have come or gone. */
  onMetadata(): void
  /** The program holds partitions that are lost, and has not been told. */
  readonly isLosing: boolean
  /** What the coordinator says to a request of a generation, which need not be the one of now. */
  onRefused(api: RefusedApi, code: number, generation: number): void
  /** The program has got what it was called with. */
  assigned(): void
  /** The program has given up what it was called with. */
  unassigned(): void
  /** Leaves the group and loses everything: the program does not poll. */
  evict(reason: string): void
  /** Gives up the partitions (with the program's callback), then leaves. */
  leave(): void
  /** Resolves when the group has been told. */
  readonly leaving: Promise<void>
  /** No more timers and requests. */
  stop(): void
}
