/** Heartbeats of members of a consumer group (KIP-848). */
import { ErrorCode } from '@ottla/protocol'
import { newUuid } from '../base/random.ts'
import { assignors } from './assignors.ts'
import { LEAVE_EPOCH, STATIC_LEAVE_EPOCH, newConsumerMember, type ConsumerMember } from './consumer-member.ts'
import type { CanDescribe, ConsumerGroup } from './consumer.ts'
import { GroupRefusal } from './refusal.ts'
import { patternProblem } from './topic-pattern.ts'

export interface ConsumerHeartbeat {
  readonly groupId: string
  readonly memberId: string
  readonly memberEpoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  /** -1: unchanged. */
  readonly rebalanceTimeoutMs: number
  /** null, here and below: unchanged. */
  readonly topics: readonly string[] | null
  readonly regex: string | null
  readonly assignor: string | null
  readonly owned: ReadonlySet<string> | null
}

/** The client that sends a heartbeat. */
export interface HeartbeatClient {
  readonly clientId: string
  readonly host: string
  readonly canDescribe: CanDescribe
}

export interface HeartbeatOutput {
  readonly memberId: string
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  /** null: unchanged. */
  readonly assignment: ReadonlySet<string> | null
}

/**
 * Refuses heartbeats that are not valid whatever the group.
 * @param namesItself version 1 and later: the client chooses the member id
 * @throws GroupRefusal INVALID_REQUEST, UNSUPPORTED_ASSIGNOR, INVALID_REGULAR_EXPRESSION
 */
export function checkConsumerHeartbeat(heartbeat: ConsumerHeartbeat, namesItself: boolean): void {
  const { groupId, memberId, memberEpoch, instanceId, rackId, rebalanceTimeoutMs, topics, regex, assignor, owned } =
    heartbeat
  const refuse = (when: boolean, message: string): void => {
    if (when) throw new GroupRefusal(ErrorCode.ERR_INVALID_REQUEST, message)
  }
  const isKnown = memberEpoch > 0 || memberEpoch === LEAVE_EPOCH
  refuse((namesItself || isKnown) && memberId === '', "MemberId can't be empty.")
  refuse(groupId === '', "GroupId can't be empty.")
  refuse(instanceId === '', "InstanceId can't be empty.")
  refuse(rackId === '', "RackId can't be empty.")
  if (memberEpoch === 0) {
    refuse(rebalanceTimeoutMs === -1, 'RebalanceTimeoutMs must be provided in first request.')
    refuse(owned === null || owned.size > 0, 'TopicPartitions must be empty when (re-)joining.')
    const nothing = 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.'
    refuse(topics === null && regex === null, nothing)
  }
  refuse(memberEpoch === STATIC_LEAVE_EPOCH && instanceId === null, "InstanceId can't be null.")
  refuse(memberEpoch < STATIC_LEAVE_EPOCH, 'MemberEpoch is invalid.')
  if (assignor !== null && !assignors.has(assignor)) {
    const known = [...assignors.keys()].join(', ')
    const message = `ServerAssignor ${assignor} is not supported. Supported assignors: ${known}.`
    throw new GroupRefusal(ErrorCode.ERR_UNSUPPORTED_ASSIGNOR, message)
  }
  const problem = regex === null ? null : patternProblem(regex)
  if (problem !== null) {
    const message = `SubscribedTopicRegex \`${regex}\` is not a valid regular expression: ${problem}.`
    throw new GroupRefusal(ErrorCode.ERR_INVALID_REGULAR_EXPRESSION, message)
  }
}

/** A member joins, stays, or leaves. @throws GroupRefusal */
export function consumerHeartbeat(
  group: ConsumerGroup,
  heartbeat: ConsumerHeartbeat,
  client: HeartbeatClient,
): HeartbeatOutput {
  const { memberEpoch, owned } = heartbeat
  if (memberEpoch < 0) return leave(group, heartbeat)
  group.checkRoom(heartbeat.memberId)
  const member = memberEpoch === 0 ? joiningMember(group, heartbeat) : existingMember(group, heartbeat)
  const before = member.assigned
  const changed = update(member, heartbeat, client)
  group.settle(member, owned, changed, client.canDescribe)
  group.keepAlive(member)
  const isFull =
    heartbeat.rebalanceTimeoutMs !== -1 && (heartbeat.topics !== null || heartbeat.regex !== null) && owned !== null
  const hasNewAssignment = memberEpoch === 0 || isFull || !sameKeys(before, member.assigned)
  return {
    memberId: member.id,
    memberEpoch: member.epoch,
    heartbeatIntervalMs: group.heartbeatIntervalMs,
    assignment: hasNewAssignment ? new Set(member.assigned.keys()) : null,
  }
}

function joiningMember(group: ConsumerGroup, { memberId, instanceId }: ConsumerHeartbeat): ConsumerMember {
  const old = instanceId === null ? undefined : group.byInstance(instanceId)
  if (old === undefined || instanceId === null) {
    const known = group.members.get(memberId)
    if (known !== undefined) return known
    // In version 0 the coordinator chooses the id.
    const member = { ...newConsumerMember(memberId === '' ? newUuid(group.random) : memberId), instanceId }
    group.admit(member)
    return member
  }
  if (old.classic === null && old.epoch !== STATIC_LEAVE_EPOCH) {
    const message = `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ${old.id} member.`
    throw new GroupRefusal(ErrorCode.ERR_UNRELEASED_INSTANCE_ID, message)
  }
  const member = {
    ...old,
    id: memberId === '' ? newUuid(group.random) : memberId,
    epoch: 0,
    previousEpoch: 0,
    timers: new Map(),
  }
  group.admit(member)
  return member
}

function existingMember(
  group: ConsumerGroup,
  { memberId, instanceId, memberEpoch, owned }: ConsumerHeartbeat,
): ConsumerMember {
  const member = instanceId === null ? group.member(memberId) : byInstance(group, memberId, instanceId)
  const { epoch, previousEpoch, assigned } = member
  const fence = (size: string): never => {
    const message = `The consumer group member has a ${size} member epoch (${memberEpoch}) than the one known by the group coordinator (${epoch}). The member must abandon all its partitions and rejoin.`
    throw new GroupRefusal(ErrorCode.ERR_FENCED_MEMBER_EPOCH, message)
  }
  if (memberEpoch > epoch) fence('greater')
  // It may have missed the response to its last heartbeat.
  const missedResponse = memberEpoch === previousEpoch && owned !== null && [...owned].every(key => assigned.has(key))
  if (memberEpoch < epoch && !missedResponse) fence('smaller')
  return member
}

function leave(group: ConsumerGroup, heartbeat: ConsumerHeartbeat): HeartbeatOutput {
  const { memberId, memberEpoch, instanceId } = heartbeat
  const member = instanceId === null ? group.member(memberId) : byInstance(group, memberId, instanceId)
  if (instanceId !== null && memberEpoch === STATIC_LEAVE_EPOCH) {
    // Its partitions stay reserved until its session expires.
    member.epoch = STATIC_LEAVE_EPOCH
    member.revoking = new Map()
    member.assigned = new Map([...member.assigned.keys()].map(key => [key, 0]))
  } else {
    group.fence([member])
  }
  return { memberId: member.id, memberEpoch, heartbeatIntervalMs: 0, assignment: null }
}

function byInstance(group: ConsumerGroup, memberId: string, instanceId: string): ConsumerMember {
  const member = group.byInstance(instanceId)
  if (member === undefined) {
    throw new GroupRefusal(ErrorCode.ERR_UNKNOWN_MEMBER_ID, `Instance id ${instanceId} is unknown.`)
  }
  if (member.id === memberId) return member
  const message = `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.id}.`
  throw new GroupRefusal(ErrorCode.ERR_FENCED_INSTANCE_ID, message)
}

// Returns whether the subscription has changed.
function update(member: ConsumerMember, heartbeat: ConsumerHeartbeat, client: HeartbeatClient): boolean {
  const { rackId, rebalanceTimeoutMs, topics, regex, assignor } = heartbeat
  if (rackId !== null) member.rackId = rackId
  if (rebalanceTimeoutMs !== -1) member.rebalanceTimeoutMs = rebalanceTimeoutMs
  if (assignor !== null) member.assignor = assignor
  member.clientId = client.clientId
  member.host = client.host
  member.classic = null
  const names = topics === null ? member.topics : new Set(topics)
  const changed = !sameNames(names, member.topics) || (regex !== null && regex !== member.regex)
  member.topics = names
  if (regex !== null) member.regex = regex
  return changed
}

function sameNames(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every(name => b.has(name))
}

function sameKeys(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  if (a === b) return true
  return a.size === b.size && [...a.keys()].every(key => b.has(key))
}
