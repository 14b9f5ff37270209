/** A group of any type, with its committed offsets. */
import { ErrorCode } from '@ottla/protocol'
import { PunctualClock } from '../base/punctual-clock.ts'
import { CommittedOffsets, type CommittedOffset } from './committed-offsets.ts'
import { ClassicInConsumer } from './classic-in-consumer.ts'
import type { ClassicSettings, ClassicState } from './classic-member.ts'
import { ClassicGroup } from './classic.ts'
import {
  ConsumerGroup,
  checkAssignmentEpoch,
  type CanDescribe,
  type ConsumerContext,
  type ConsumerState,
} from './consumer.ts'
import type { ConsumerSeed } from './consumer-member.ts'
import { upgraded } from './conversion.ts'
import { splitKey } from './partition-set.ts'
import { GroupRefusal } from './refusal.ts'
import { ShareGroup } from './share.ts'
import { StreamsGroup, type StreamsState } from './streams/group.ts'
import type { TopicStore } from '../topics/topics.ts'

/** What groups need of their cluster. */
export interface GroupContext extends ConsumerContext {
  readonly classic: ClassicSettings
  /** Called for every committed offset; null: it was deleted. */
  readonly offsetChanged?: (groupId: string, key: string, offset: CommittedOffset | null) => void
}

/** The member that a commit claims to come from. */
export interface Committer {
  readonly memberId: string
  /** Generation or member epoch; below 0 for a client outside the group. */
  readonly epoch: number
  readonly groupInstanceId: string | null
}

/** A group as members of the classic protocol use it. */
export type ClassicProtocol = Pick<ClassicGroup, 'join' | 'sync' | 'heartbeat' | 'leave'>

// Kafka's default for offsets.retention.minutes.
const OFFSETS_RETENTION_MS = 604_800_000
// The first version of OffsetCommit with member epochs.
const MEMBER_EPOCH_VERSION = 9

/** Keeps its offsets when its members change its type. */
export class Group {
  readonly id: string
  /** By {@link offsetKey}. */
  readonly offsets: CommittedOffsets
  readonly #context: GroupContext
  readonly #clock: PunctualClock
  readonly #committedAt = new Map<string, number>()
  #core: ClassicGroup | ConsumerGroup | ShareGroup | StreamsGroup

  constructor(id: string, context: GroupContext) {
    this.id = id
    this.#clock = new PunctualClock(context.clock)
    this.#context = { ...context, clock: this.#clock }
    this.offsets = new CommittedOffsets((key, offset) => {
      if (offset === null) this.#committedAt.delete(key)
      else this.#committedAt.set(key, context.clock.now())
      context.offsetChanged?.(id, key, offset)
    })
    this.#core = new ClassicGroup(id, this.#clock, context.classic)
  }

  get type(): 'classic' | 'consumer' | 'share' | 'streams' {
    return this.#core.type
  }

  get state(): ClassicState | ConsumerState | StreamsState {
    return this.#core.state
  }

  get protocolType(): string {
    return this.#core.protocolType ?? ''
  }

  get isEmpty(): boolean {
    return this.#core.isEmpty
  }

  /** The group, if it is a classic one. */
  get classic(): ClassicGroup | null {
    return this.#core instanceof ClassicGroup ? this.#core : null
  }

  /** The group, if it is a consumer group. */
  get consumer(): ConsumerGroup | null {
    return this.#core instanceof ConsumerGroup ? this.#core : null
  }

  /** The group, if it is a share group. */
  get share(): ShareGroup | null {
    return this.#core instanceof ShareGroup ? this.#core : null
  }

  /** The group, if it is a streams group. */
  get streams(): StreamsGroup | null {
    return this.#core instanceof StreamsGroup ? this.#core : null
  }

  /**
   * The group for members with the classic protocol; null for a share group, and for a streams group.
   * @param joins a member joins: an empty group becomes a classic one
   */
  asClassic(joins: boolean, canDescribe: CanDescribe): ClassicProtocol | null {
    if (this.#core instanceof ClassicGroup) return this.#core
    if (this.#core instanceof ShareGroup || this.#core instanceof StreamsGroup) return null
    if (!joins || !this.#core.isEmpty) {
      return new ClassicInConsumer(this.#core, this.#context.topics, canDescribe)
    }
    this.#core.close()
    return (this.#core = new ClassicGroup(this.id, this.#context.clock, this.#context.classic))
  }

  /**
   * The group for members with the consumer protocol.
   * @param joins a member joins: a classic group becomes a consumer group and keeps its members
   * @throws GroupRefusal GROUP_ID_NOT_FOUND
   */
  asConsumer(joins: boolean): ConsumerGroup {
    if (this.#core instanceof ConsumerGroup) return this.#core
    if (!joins || !(this.#core instanceof ClassicGroup)) {
      throw new GroupRefusal(ErrorCode.ERR_GROUP_ID_NOT_FOUND, `Group ${this.id} is not a consumer group.`)
    }
    let seed: ConsumerSeed | null = null
    if (!this.#core.isEmpty) {
      if (this.#core.members.size > this.#context.maxSize) {
        const message = `Cannot upgrade classic group ${this.id} to consumer group because the group size exceeds the consumer group maximum size.`
        throw new GroupRefusal(ErrorCode.ERR_GROUP_ID_NOT_FOUND, message)
      }
      seed = upgraded(this.#core, this.#context.topics)
    }
    this.#core.close(ErrorCode.ERR_REBALANCE_IN_PROGRESS)
    this.#core = new ConsumerGroup(
      this.id,
      this.#context,
      (classicSeed, rebalances) => {
        const { clock, classic } = this.#context
        const next = ClassicGroup.from(this.id, clock, classic, classicSeed)
        this.#core = next
        if (rebalances) next.rebalance()
      },
      seed,
    )
    return this.#core
  }

  /**
   * The group for members of a share group (KIP-932).
   * @param isNew the group has just been created: it becomes a share group
   * @throws GroupRefusal GROUP_ID_NOT_FOUND
   */
  asShare(isNew: boolean): ShareGroup {
    if (this.#core instanceof ShareGroup) return this.#core
    if (!isNew) throw new GroupRefusal(ErrorCode.ERR_GROUP_ID_NOT_FOUND, `Group ${this.id} is not a share group.`)
    this.#core.close()
    return (this.#core = new ShareGroup(this.id, this.#context))
  }

  /**
   * The group for members of a Kafka Streams application (KIP-1071).
   * @param joins a member joins: an empty classic group becomes a streams group and keeps its offsets
   * @throws GroupRefusal GROUP_ID_NOT_FOUND
   */
  asStreams(joins: boolean): StreamsGroup {
    if (this.#core instanceof StreamsGroup) return this.#core
    if (!joins || !(this.#core instanceof ClassicGroup) || !this.#core.isEmpty) {
      throw new GroupRefusal(ErrorCode.ERR_GROUP_ID_NOT_FOUND, `Group ${this.id} is not a streams group.`)
    }
    this.#core.close()
    return (this.#core = new StreamsGroup(this.id, this.#context))
  }

  /** 0, or why a client that claims to be this member may not commit offsets. @param version of OffsetCommit */
  checkCommit(by: Committer, isTransactional: boolean, version = MEMBER_EPOCH_VERSION): number {
    const { memberId, epoch, groupInstanceId } = by
    if (this.#core instanceof ClassicGroup) {
      return this.#core.checkCommit(memberId, epoch, groupInstanceId, isTransactional)
    }
    // Share groups have no committed offsets.
    if (this.#core instanceof ShareGroup) return ErrorCode.ERR_GROUP_ID_NOT_FOUND
    if (epoch < 0 && this.#core.isEmpty) return ErrorCode.ERR_NO_ERROR
    if (isTransactional && isOutside(by)) return ErrorCode.ERR_NO_ERROR
    const member = this.#core.members.get(memberId)
    if (member === undefined) return ErrorCode.ERR_UNKNOWN_MEMBER_ID
    const isClassic = 'classic' in member && member.classic !== null
    if (!isTransactional && !isClassic && version < MEMBER_EPOCH_VERSION) return ErrorCode.ERR_UNSUPPORTED_VERSION
    if (epoch <= member.epoch) return ErrorCode.ERR_NO_ERROR
    return isClassic || isTransactional ? ErrorCode.ERR_ILLEGAL_GENERATION : ErrorCode.ERR_STALE_MEMBER_EPOCH
  }

  /** 0, or why a member that passed {@link checkCommit} may not commit for this partition (KIP-1251). */
  checkCommitFor(by: Committer, isTransactional: boolean, topicId: string, partition: number): number {
    if (isOutside(by)) return ErrorCode.ERR_NO_ERROR
    const code = this.#checkEpochFor(by, topicId, partition)
    const isStale = code === ErrorCode.ERR_STALE_MEMBER_EPOCH
    return isTransactional && isStale ? ErrorCode.ERR_ILLEGAL_GENERATION : code
  }

  /** 0, or why a member may not read offsets. @param memberId null: the client does not claim to be one */
  checkFetch(memberId: string | null, epoch: number): number {
    const core = this.#core
    if (core instanceof ClassicGroup || core instanceof ShareGroup) return ErrorCode.ERR_NO_ERROR
    if (memberId === null && epoch < 0) return ErrorCode.ERR_NO_ERROR
    const member = core.members.get(memberId ?? '')
    if (member === undefined) return ErrorCode.ERR_UNKNOWN_MEMBER_ID
    if (epoch === member.epoch) return ErrorCode.ERR_NO_ERROR
    const isClassic = 'classic' in member && member.classic !== null
    return isClassic ? ErrorCode.ERR_ILLEGAL_GENERATION : ErrorCode.ERR_STALE_MEMBER_EPOCH
  }

  /** 0, or why none of the group's offsets can be deleted. */
  checkOffsetDelete(): number {
    if (this.#core instanceof ShareGroup) return ErrorCode.ERR_GROUP_ID_NOT_FOUND
    if (this.#core instanceof StreamsGroup) return ErrorCode.ERR_NO_ERROR
    return this.isEmpty || this.protocolType === 'consumer' ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_NON_EMPTY_GROUP
  }

  /** Whether members read the topic, so that its offsets must not be deleted. */
  isSubscribedTo(topic: string): boolean {
    return this.#core.isSubscribedTo(topic)
  }

  /** Deletes offsets unused for a week (KIP-211). @returns whether nothing is left of the group */
  expire(): boolean {
    const limit = this.#context.clock.now() - OFFSETS_RETENTION_MS
    for (const key of [...this.offsets.keys()]) {
      const needed = this.#neededUntil(key)
      if (needed !== null && needed <= limit) this.offsets.delete(key)
    }
    return this.isEmpty && this.offsets.size === 0 && !(this.#core instanceof ShareGroup)
  }

  /** Removes the members whose sessions have ended, if the event loop has not come to it. */
  endSessions(): void {
    this.#clock.fireDue()
  }

  /** Another broker coordinates the group. A classic group falls back to its last complete generation. */
  moved(): void {
    const core = this.#core
    if (core instanceof ConsumerGroup) for (const member of core.members.values()) core.keepAlive(member)
    if (core instanceof StreamsGroup) for (const member of core.members.values()) core.keepAlive(member)
    if (!(core instanceof ClassicGroup)) return
    const { clock, classic } = this.#context
    const { stored } = core
    core.close(ErrorCode.ERR_NOT_COORDINATOR)
    this.#core =
      stored === null ? new ClassicGroup(this.id, clock, classic) : ClassicGroup.from(this.id, clock, classic, stored)
  }

  /**
   * Another broker coordinates the group, and what was stored of its members is lost: they are unknown, and generations
   * and epochs begin anew. Committed offsets, and what a share group has delivered, are stored elsewhere.
   */
  forgetMembers(): void {
    if (this.#core instanceof ShareGroup) {
      this.#core.forgetMembers()
      return
    }
    this.#core.close(ErrorCode.ERR_NOT_COORDINATOR)
    this.#core = new ClassicGroup(this.id, this.#context.clock, this.#context.classic)
  }

  /** Answers all waiting members and stops all timers. */
  close(): void {
    this.#core.close()
  }

  // When the retention of an offset starts; null: it is in use.
  #neededUntil(key: string): number | null {
    const committedAt = this.#committedAt.get(key) ?? this.#context.clock.now()
    const core = this.#core
    if (core instanceof ShareGroup) return null
    if (core instanceof ClassicGroup && core.protocolType === null) return committedAt
    if (core instanceof ClassicGroup && core.state !== 'Stable') return core.emptySince
    const [topic = ''] = key.split('\0')
    const isKnown = core instanceof StreamsGroup || core.protocolType === 'consumer'
    return !isKnown || core.isSubscribedTo(topic) ? null : committedAt
  }

  #checkEpochFor({ memberId, epoch }: Committer, topicId: string, partition: number): number {
    const core = this.#core
    if (core instanceof ConsumerGroup) {
      const member = core.members.get(memberId)
      return member === undefined ? ErrorCode.ERR_NO_ERROR : checkAssignmentEpoch(member, epoch, topicId, partition)
    }
    if (!(core instanceof StreamsGroup)) return ErrorCode.ERR_NO_ERROR
    return core.checkTaskEpoch(memberId, epoch, this.#context.topics.byId(topicId)?.name ?? '', partition)
  }
}

/** The key of a partition's offset among those of a group. */
export function offsetKey(topic: string, partition: number): string {
  return `${topic}\0${partition}`
}

/**
 * What a group has committed for a partition.
 * @since 0.1.0
 */
export interface CommittedPartition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** -1 without one. */
  readonly leaderEpoch: number
  readonly metadata: string | null
}

/** All that a group has committed; where the partitions of a share group start. */
export function committedPartitions(group: Group | undefined, topics: TopicStore): CommittedPartition[] {
  if (group === undefined) return []
  if (group.share !== null) return sharePartitions(group.share, topics)
  return [...group.offsets].map(([key, { offset, leaderEpoch, metadata }]) => {
    const [topic = '', partition = ''] = key.split('\0')
    return { topic, partition: Number(partition), offset, leaderEpoch, metadata }
  })
}

function sharePartitions(share: ShareGroup, topics: TopicStore): CommittedPartition[] {
  return share.partitionKeys().flatMap(key => {
    const { topicId, partition } = splitKey(key)
    const topic = topics.byId(topicId)
    const known = share.known(topicId, partition)
    if (topic === undefined || known === undefined) return []
    return [{ topic: topic.name, partition, offset: known.startOffset, leaderEpoch: -1, metadata: null }]
  })
}

function isOutside({ memberId, epoch, groupInstanceId }: Committer): boolean {
  return epoch < 0 && memberId === '' && groupInstanceId === null
}
