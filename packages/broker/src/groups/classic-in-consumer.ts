/** Members of a consumer group that use the classic protocol, while clients are upgraded one by one (KIP-848). */
import { ErrorCode } from '@ottla/protocol'
import { dashedUuid } from '../base/random.ts'
import type { TopicStore } from '../topics/topics.ts'
import {
  refusedJoin,
  refusedSync,
  type JoinInput,
  type JoinOutput,
  type LeaveInput,
  type SyncInput,
  type SyncOutput,
} from './classic-member.ts'
import { newConsumerMember, type ConsumerMember } from './consumer-member.ts'
import { readSubscription } from './consumer-protocol.ts'
import type { CanDescribe, ConsumerGroup } from './consumer.ts'
import { encodeAssignment } from './conversion.ts'
import { partitionKey } from './partition-set.ts'
import { GroupRefusal, orRefuse } from './refusal.ts'

/** Makes a consumer group look like a classic one to members of the classic protocol. */
export class ClassicInConsumer {
  readonly #group: ConsumerGroup
  readonly #topics: TopicStore
  readonly #canDescribe: CanDescribe

  constructor(group: ConsumerGroup, topics: TopicStore, canDescribe: CanDescribe) {
    this.#group = group
    this.#topics = topics
    this.#canDescribe = canDescribe
  }

  join(input: JoinInput, answer: (output: JoinOutput) => void): void {
    answer(
      orRefuse(
        () => this.#join(input),
        errorCode => refusedJoin(errorCode, input.memberId),
      ),
    )
  }

  sync(input: SyncInput, answer: (output: SyncOutput) => void): void {
    answer(orRefuse(() => this.#sync(input), refusedSync))
  }

  heartbeat(memberId: string, generationId: number, groupInstanceId: string | null): number {
    return orRefuse(
      () => {
        const member = this.#member(memberId, groupInstanceId)
        checkGeneration(member, generationId)
        this.#group.keepAlive(member)
        const canAdvance = member.state === 'unreleased' && !this.#group.waitsForOthers(member)
        if (member.epoch >= this.#group.assignmentEpoch && member.state !== 'unrevoked' && !canAdvance) {
          return ErrorCode.ERR_NO_ERROR
        }
        this.#expectJoin(member)
        return ErrorCode.ERR_REBALANCE_IN_PROGRESS
      },
      errorCode => errorCode,
    )
  }

  /** @returns an error code for each */
  leave(leaving: readonly LeaveInput[]): number[] {
    const members = new Set<ConsumerMember>()
    const codes = leaving.map(({ memberId, groupInstanceId }): number => {
      const member =
        groupInstanceId === null ? this.#group.members.get(memberId) : this.#group.byInstance(groupInstanceId)
      if (member === undefined) return ErrorCode.ERR_UNKNOWN_MEMBER_ID
      if (memberId !== '' && member.id !== memberId) return ErrorCode.ERR_FENCED_INSTANCE_ID
      members.add(member)
      return ErrorCode.ERR_NO_ERROR
    })
    this.#group.fence([...members])
    return codes
  }

  #join(input: JoinInput): JoinOutput {
    const { groupInstanceId, protocols, protocolType } = input
    const group = this.#group
    const isNew = input.memberId === ''
    const memberId = isNew ? dashedUuid(this.#topics.random) : input.memberId
    group.checkRoom(memberId)
    if (protocolType !== 'consumer' || !this.#supportsProtocols(input)) {
      throw new GroupRefusal(ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL, `${memberId}'s protocols are not supported.`)
    }
    if (isNew && groupInstanceId === null && input.requiresMemberId) {
      return refusedJoin(ErrorCode.ERR_MEMBER_ID_REQUIRED, memberId)
    }
    const [preferred] = protocols
    const subscription = preferred === undefined ? null : readSubscription(preferred.metadata)
    if (preferred === undefined || subscription === null) {
      throw new GroupRefusal(
        ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL,
        'The subscription in the member metadata is malformed.',
      )
    }
    const old = groupInstanceId === null ? undefined : group.byInstance(groupInstanceId)
    const downgrades = isNew && old !== undefined && group.isClassicExcept(old)
    const member = isNew ? this.#admit(memberId, groupInstanceId) : this.#rejoining(memberId, groupInstanceId)
    const names = new Set(subscription.topics)
    const changed =
      member.regex !== '' ||
      names.size !== member.topics.size ||
      subscription.topics.some(name => !member.topics.has(name))
    member.rackId = subscription.rackId ?? member.rackId
    member.rebalanceTimeoutMs = input.rebalanceTimeoutMs
    member.topics = names
    member.regex = ''
    member.clientId = input.clientId
    member.host = input.host
    member.classic = { protocols, sessionTimeoutMs: input.sessionTimeoutMs }
    const owned = new Set<string>()
    for (const { topic, partitions } of subscription.ownedPartitions) {
      const topicId = this.#topics.get(topic)?.id
      for (const index of topicId === undefined ? [] : partitions) owned.add(partitionKey(topicId ?? '', index))
    }
    if (downgrades) {
      group.bump(changed, this.#canDescribe)
      if (group.assignmentEpoch === group.epoch) group.advance(member, owned, changed)
      group.downgrade()
    } else {
      group.settle(member, owned, changed, this.#canDescribe)
      group.stopTimer(member, 'join')
      group.keepAlive(member)
      group.startTimer(member, 'sync', input.rebalanceTimeoutMs)
    }
    return {
      ...refusedJoin(ErrorCode.ERR_NO_ERROR, member.id),
      generationId: member.epoch,
      protocolType: 'consumer',
      protocolName: preferred.name,
    }
  }

  #sync(input: SyncInput): SyncOutput {
    const { memberId, groupInstanceId, generationId, protocolType, protocolName } = input
    const group = this.#group
    const member = this.#member(memberId, groupInstanceId)
    checkGeneration(member, generationId)
    const chosen = member.classic?.protocols[0]
    const otherName = protocolName !== null && protocolName !== chosen?.name
    if (otherName || (protocolType !== null && protocolType !== 'consumer')) {
      throw new GroupRefusal(
        ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL,
        'The protocol is not the one that the member joined with.',
      )
    }
    if (group.assignmentEpoch > member.epoch && member.state !== 'unrevoked') {
      this.#expectJoin(member)
      throw new GroupRefusal(ErrorCode.ERR_REBALANCE_IN_PROGRESS, `${memberId} should rejoin to catch up.`)
    }
    group.stopTimer(member, 'sync')
    group.keepAlive(member)
    const assignment = encodeAssignment(member.assigned.keys(), chosen?.metadata ?? Buffer.alloc(0), this.#topics)
    return { errorCode: ErrorCode.ERR_NO_ERROR, protocolType, protocolName, assignment }
  }

  // The classic members need an assignor that all of them support, as in a classic group.
  #supportsProtocols({ protocols }: JoinInput): boolean {
    const others = [...this.#group.members.values()].flatMap(({ classic }) => classic ?? [])
    return protocols.some(({ name }) => others.every(other => other.protocols.some(known => known.name === name)))
  }

  #admit(memberId: string, instanceId: string | null): ConsumerMember {
    const old = instanceId === null ? undefined : this.#group.byInstance(instanceId)
    const member =
      old === undefined
        ? { ...newConsumerMember(memberId), instanceId }
        : { ...old, id: memberId, epoch: 0, previousEpoch: 0, timers: new Map() }
    this.#group.admit(member)
    return member
  }

  // Ids that were given out are not remembered, so any id may join.
  #rejoining(memberId: string, instanceId: string | null): ConsumerMember {
    if (instanceId !== null) return this.#identify(memberId, instanceId)
    return this.#group.members.get(memberId) ?? this.#admit(memberId, null)
  }

  #identify(memberId: string, instanceId: string | null): ConsumerMember {
    if (instanceId === null) return this.#group.member(memberId)
    const member = this.#group.byInstance(instanceId)
    if (member === undefined) {
      throw new GroupRefusal(ErrorCode.ERR_UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`)
    }
    if (member.id === memberId) return member
    throw new GroupRefusal(ErrorCode.ERR_FENCED_INSTANCE_ID, `${memberId} was fenced by member ${member.id}.`)
  }

  #member(memberId: string, instanceId: string | null): ConsumerMember {
    const member = this.#identify(memberId, instanceId)
    if (member.classic !== null) return member
    const message = `Member ${memberId} does not use the classic protocol.`
    throw new GroupRefusal(ErrorCode.ERR_UNKNOWN_MEMBER_ID, message)
  }

  #expectJoin(member: ConsumerMember): void {
    if (!member.timers.has('join')) this.#group.startTimer(member, 'join', member.rebalanceTimeoutMs)
  }
}

function checkGeneration(member: ConsumerMember, generationId: number): void {
  if (member.epoch === generationId) return
  const message = `The request generation id ${generationId} is not equal to the member epoch ${member.epoch} of member ${member.id}.`
  throw new GroupRefusal(ErrorCode.ERR_ILLEGAL_GENERATION, message)
}
