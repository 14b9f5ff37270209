/** A share group (KIP-932): its members acquire single records, and acknowledge each. */
import { ErrorCode } from '@ottla/protocol'
import type { Timer } from '../base/clock.ts'
import type { PartitionView } from '../topics/views.ts'
import type { Assignment, AssignorMember } from './assignors.ts'
import { durationMs } from './configs.ts'
import type { ConsumerContext } from './consumer.ts'
import type { HeartbeatClient, HeartbeatOutput } from './consumer-heartbeat.ts'
import { partitionKey } from './partition-set.ts'
import { GroupRefusal, knownMember } from './refusal.ts'
import { assignShares } from './share-assignor.ts'
import { SharePartition, type ShareLimits } from './share-partition.ts'

export interface ShareMember {
  readonly id: string
  rackId: string | null
  clientId: string
  host: string
  topics: ReadonlySet<string>
  epoch: number
  previousEpoch: number
  assigned: ReadonlySet<string>
  session: Timer | null
}

export interface ShareHeartbeat {
  readonly groupId: string
  readonly memberId: string
  readonly memberEpoch: number
  readonly rackId: string | null
  /** null: unchanged. */
  readonly topics: readonly string[] | null
}

// Kafka's default for group.share.max.size.
const MAX_MEMBERS = 200

/** Refuses heartbeats that are not valid whatever the group. @throws GroupRefusal INVALID_REQUEST */
export function checkShareHeartbeat({ groupId, memberId, memberEpoch, rackId, topics }: ShareHeartbeat): void {
  const refuse = (when: boolean, message: string): void => {
    if (when) throw new GroupRefusal(ErrorCode.ERR_INVALID_REQUEST, message)
  }
  refuse(memberId === '', "MemberId can't be empty.")
  refuse(groupId === '', "GroupId can't be empty.")
  refuse(rackId === '', "RackId can't be empty.")
  refuse(memberEpoch === 0 && (topics?.length ?? 0) === 0, 'SubscribedTopicNames must be set in first request.')
  refuse(memberEpoch < -1, 'MemberEpoch is invalid.')
}

export class ShareGroup {
  readonly type = 'share'
  readonly protocolType = 'share'
  readonly id: string
  readonly members = new Map<string, ShareMember>()
  readonly #context: ConsumerContext
  readonly #partitions = new Map<string, SharePartition>()
  #epoch = 1
  #assignmentEpoch = 0
  #assignedAt = 0
  #target: Assignment = new Map()
  #lastFingerprint: string
  #dead = false

  constructor(id: string, context: ConsumerContext) {
    this.id = id
    this.#context = context
    this.#lastFingerprint = this.#fingerprint()
  }

  get state(): 'Empty' | 'Stable' | 'Dead' {
    if (this.#dead) return 'Dead'
    return this.members.size === 0 ? 'Empty' : 'Stable'
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  get epoch(): number {
    return this.#epoch
  }

  get assignmentEpoch(): number {
    return this.#assignmentEpoch
  }

  get limits(): ShareLimits {
    const { configs } = this.#context
    return {
      lockMs: configs.number(this.id, 'share.record.lock.duration.ms'),
      deliveries: configs.number(this.id, 'share.delivery.count.limit'),
      locks: configs.number(this.id, 'share.partition.max.record.locks'),
      mayRenew: configs.text(this.id, 'share.renew.acknowledge.enable') === 'true',
    }
  }

  /** Whether records of transactions are delivered only once they are committed. */
  get readsCommitted(): boolean {
    return this.#context.configs.text(this.id, 'share.isolation.level') === 'read_committed'
  }

  /** A member joins, stays, or leaves. @throws GroupRefusal */
  heartbeat({ memberId, memberEpoch, rackId, topics }: ShareHeartbeat, client: HeartbeatClient): HeartbeatOutput {
    const interval = this.#context.configs.number(this.id, 'share.heartbeat.interval.ms')
    if (memberEpoch === -1) {
      this.#fence(this.#member(memberId))
      return { memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: null }
    }
    if (this.members.size >= MAX_MEMBERS && !this.members.has(memberId)) {
      const message = `The share group has reached its maximum capacity of ${MAX_MEMBERS} members.`
      throw new GroupRefusal(ErrorCode.ERR_GROUP_MAX_SIZE_REACHED, message)
    }
    const member = memberEpoch === 0 ? this.#join(memberId) : this.#member(memberId)
    if (memberEpoch !== 0) checkEpoch(member, memberEpoch)
    const before = member.assigned
    const names = topics === null ? member.topics : new Set(topics)
    const changed = names.size !== member.topics.size || [...names].some(name => !member.topics.has(name))
    member.topics = names
    member.rackId = rackId ?? member.rackId
    member.clientId = client.clientId
    member.host = client.host
    this.#settle(member, changed)
    this.#keepAlive(member)
    const same = before.size === member.assigned.size && [...before].every(key => member.assigned.has(key))
    const hasNewAssignment = memberEpoch === 0 || topics !== null || !same
    return {
      memberId,
      memberEpoch: member.epoch,
      heartbeatIntervalMs: interval,
      assignment: hasNewAssignment ? member.assigned : null,
    }
  }

  /** A partition's state; undefined before its first fetch. */
  known(topicId: string, index: number): SharePartition | undefined {
    return this.#partitions.get(partitionKey(topicId, index))
  }

  /** A partition's state; a new one starts where `share.auto.offset.reset` says. */
  partition(topicId: string, partition: PartitionView): SharePartition {
    const known = this.known(topicId, partition.index)
    known?.startAt(partition.log.startOffset)
    return known ?? this.#begin(topicId, partition, this.#resetOffset(partition), -1)
  }

  /** Restarts a partition at this offset. */
  begin(topicId: string, partition: PartitionView, offset: number): void {
    this.#begin(topicId, partition, offset, offset)
  }

  /** The partitions that the group has state for. */
  partitionKeys(): string[] {
    return [...this.#partitions.keys()]
  }

  /** Forgets a topic's partitions. @returns whether there were any */
  forget(topicId: string): boolean {
    let found = false
    for (const [key, partition] of this.#partitions) {
      if (!key.startsWith(`${topicId}/`)) continue
      partition.close()
      this.#partitions.delete(key)
      found = true
    }
    return found
  }

  /** Releases what a member has acquired of some partitions. @param matches by the partition's key */
  release(memberId: string, matches: (key: string) => boolean): void {
    for (const [key, partition] of this.#partitions) {
      if (matches(key)) partition.releaseAll(memberId, this.limits)
    }
  }

  /** Forgets that a member has acquired records of some partitions: their broker is gone. @param matches by key */
  forgetLocks(memberId: string, matches: (key: string) => boolean): void {
    for (const [key, partition] of this.#partitions) if (matches(key)) partition.forget(memberId)
  }

  /** All members are unknown from now on. */
  forgetMembers(): void {
    for (const member of [...this.members.values()]) this.#fence(member)
  }

  isSubscribedTo(topic: string): boolean {
    return [...this.members.values()].some(({ topics }) => topics.has(topic))
  }

  close(): void {
    for (const { session } of this.members.values()) session?.cancel()
    for (const partition of this.#partitions.values()) partition.close()
    this.members.clear()
    this.#partitions.clear()
    this.#dead = true
  }

  #begin(topicId: string, partition: PartitionView, offset: number, storedOffset: number): SharePartition {
    const key = partitionKey(topicId, partition.index)
    this.#partitions.get(key)?.close()
    // The log is another one once the leader has changed.
    const wake = (): void => this.#context.topics.byId(topicId)?.partitions[partition.index]?.log.wake()
    const fresh = new SharePartition(offset, storedOffset, this.#context.clock, wake)
    this.#partitions.set(key, fresh)
    return fresh
  }

  #member(memberId: string): ShareMember {
    return knownMember(this.members, memberId, this.id)
  }

  #join(memberId: string): ShareMember {
    const known = this.members.get(memberId)
    if (known !== undefined) return known
    const member: ShareMember = {
      id: memberId,
      rackId: null,
      clientId: '',
      host: '',
      topics: new Set(),
      epoch: 0,
      previousEpoch: -1,
      assigned: new Set(),
      session: null,
    }
    this.members.set(memberId, member)
    return member
  }

  #settle(member: ShareMember, changed: boolean): void {
    const fingerprint = this.#fingerprint()
    if (changed || fingerprint !== this.#lastFingerprint) {
      this.#lastFingerprint = fingerprint
      this.#epoch++
    }
    this.#assignIfNeeded()
    if (member.epoch === this.#assignmentEpoch && !changed) return
    if (member.epoch !== this.#assignmentEpoch) {
      member.previousEpoch = member.epoch
      member.epoch = this.#assignmentEpoch
    }
    member.assigned = this.#target.get(member.id) ?? new Set()
  }

  #assignIfNeeded(): void {
    const { clock, configs, topics } = this.#context
    if (this.#assignmentEpoch >= this.#epoch) return
    const interval = configs.number(this.id, 'share.assignment.interval.ms')
    if (this.#assignedAt > 0 && interval > 0 && clock.now() < this.#assignedAt + interval) return
    const counts = new Map<string, number>()
    const members = [...this.members.values()].map((member): AssignorMember => {
      const topicIds = new Set<string>()
      for (const name of [...member.topics].sort()) {
        const topic = topics.get(name)
        if (topic === undefined) continue
        topicIds.add(topic.id)
        counts.set(topic.id, topic.partitions.length)
      }
      return { id: member.id, instanceId: null, topicIds, owned: this.#target.get(member.id) ?? new Set() }
    })
    this.#target = assignShares(members, counts)
    this.#assignmentEpoch = this.#epoch
    this.#assignedAt = clock.now()
  }

  #fingerprint(): string {
    const names = new Set([...this.members.values()].flatMap(({ topics }) => [...topics]))
    const known = [...names].sort().flatMap(name => {
      const topic = this.#context.topics.get(name)
      return topic === undefined ? [] : [[topic.id, topic.partitions.length]]
    })
    return JSON.stringify(known)
  }

  #keepAlive(member: ShareMember): void {
    const { clock, configs } = this.#context
    member.session?.cancel()
    const ms = configs.number(this.id, 'share.session.timeout.ms')
    member.session = clock.setTimer(ms, () => this.#fence(member))
  }

  #fence(member: ShareMember): void {
    member.session?.cancel()
    this.members.delete(member.id)
    this.#target.delete(member.id)
    this.#lastFingerprint = this.#fingerprint()
    this.#epoch++
  }

  #resetOffset({ log }: PartitionView): number {
    const { clock, configs } = this.#context
    const reset = configs.text(this.id, 'share.auto.offset.reset')
    if (reset === 'earliest') return log.startOffset
    if (reset === 'latest') return log.highWatermark
    const ago = durationMs(reset.slice(reset.indexOf(':') + 1)) ?? 0
    return log.firstAt(clock.now() - ago)?.offset ?? log.highWatermark
  }
}

function checkEpoch(member: ShareMember, memberEpoch: number): void {
  const { epoch, previousEpoch } = member
  if (memberEpoch === epoch || (memberEpoch < epoch && memberEpoch === previousEpoch)) return
  const size = memberEpoch > epoch ? 'greater' : 'smaller'
  const message = `The share group member has a ${size} member epoch (${memberEpoch}) than the one known by the group coordinator (${epoch}). The member must abandon all its partitions and rejoin.`
  throw new GroupRefusal(ErrorCode.ERR_FENCED_MEMBER_EPOCH, message)
}
