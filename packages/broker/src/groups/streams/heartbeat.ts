/** Heartbeats of members of a streams group (KIP-1071). */
import { ErrorCode, type Decoded, type StreamsGroupHeartbeatRequest } from '@ottla/protocol'
import type { TopicRequest } from '../../topics/topics.ts'
import { LEAVE_EPOCH, STATIC_LEAVE_EPOCH } from '../consumer-member.ts'
import { GroupRefusal } from '../refusal.ts'
import type { EndpointPartitions, StreamsGroup } from './group.ts'
import { isSameHeld, newStreamsMember, type HeldTasks, type StreamsMember } from './member.ts'
import { taskKeys, type Tasks } from './tasks.ts'
import { StreamsStatus, topologyOf } from './topology.ts'
import type { TopicProblem } from './configured-topology.ts'

export type StreamsHeartbeat = Decoded<StreamsGroupHeartbeatRequest>

export interface StreamsClient {
  readonly clientId: string
  readonly host: string
}

export interface StreamsHeartbeatOutput {
  readonly memberEpoch: number
  readonly heartbeatIntervalMs: number
  readonly status: readonly TopicProblem[]
  /** Null: as it was. */
  readonly assigned: HeldTasks | null
  readonly endpointEpoch: number
  /** Null: as it was. */
  readonly endpoints: readonly EndpointPartitions[] | null
  /** Internal topics of the application that have to be created. */
  readonly missing: readonly TopicRequest[]
}

/** Refuses heartbeats that are not valid whatever the group. @throws GroupRefusal INVALID_REQUEST, STREAMS_INVALID_TOPOLOGY */
export function checkStreamsHeartbeat(request: StreamsHeartbeat): void {
  const refuse = (when: boolean, message: string): void => {
    if (when) throw new GroupRefusal(ErrorCode.ERR_INVALID_REQUEST, message)
  }
  const { memberEpoch, topology, activeTasks, standbyTasks, warmupTasks } = request
  refuse(request.memberId === '', "MemberId can't be empty.")
  refuse(request.groupId === '', "GroupId can't be empty.")
  refuse(request.instanceId === '', "InstanceId can't be empty.")
  refuse(request.rackId === '', "RackId can't be empty.")
  if (memberEpoch === 0) {
    refuse(request.rebalanceTimeoutMs === -1, 'RebalanceTimeoutMs must be provided in first request.')
    refuse(!isEmpty(activeTasks), 'ActiveTasks must be empty when (re-)joining.')
    refuse(!isEmpty(standbyTasks), 'StandbyTasks must be empty when (re-)joining.')
    refuse(!isEmpty(warmupTasks), 'WarmupTasks must be empty when (re-)joining.')
    refuse(topology === null, 'Topology must be non-null when (re-)joining.')
    checkChangelogs(request)
  }
  refuse(memberEpoch === STATIC_LEAVE_EPOCH && request.instanceId === null, "InstanceId can't be null.")
  refuse(memberEpoch < STATIC_LEAVE_EPOCH, `MemberEpoch is ${memberEpoch}, but must be greater than or equal to -2.`)
  const said = [activeTasks, standbyTasks, warmupTasks].filter(tasks => tasks !== null).length
  refuse(said > 0 && said < 3, 'If one task-type is non-null, all must be non-null.')
  refuse(memberEpoch !== 0 && topology !== null, 'Topology can only be provided when (re-)joining.')
  // What brokers of Kafka 4.3 do not support.
  refuse(request.instanceId !== null, 'Static membership is not yet supported.')
  refuse(request.taskOffsets !== null, 'TaskOffsets are not supported yet.')
  refuse(request.taskEndOffsets !== null, 'TaskEndOffsets are not supported yet.')
  refuse(!isEmpty(warmupTasks), 'WarmupTasks are not supported yet.')
  const hasPatterns = topology?.subtopologies.some(({ sourceTopicRegex }) => sourceTopicRegex.length > 0) ?? false
  refuse(hasPatterns, 'Regular expressions for source topics are not supported yet.')
}

/** Carries out a heartbeat that is valid by itself. @throws GroupRefusal */
export function streamsHeartbeat(
  group: StreamsGroup,
  request: StreamsHeartbeat,
  client: StreamsClient,
): StreamsHeartbeatOutput {
  const { memberId, memberEpoch } = request
  if (memberEpoch === LEAVE_EPOCH) return leave(group, request)
  const isJoining = memberEpoch === 0
  if (isJoining) group.checkRoom(memberId)
  const isFirst = group.isEmpty
  const owned = ownedTasks(request)
  const known = isJoining ? group.members.get(memberId) : group.member(memberId)
  if (known !== undefined) checkEpoch(known, memberEpoch, owned)
  const topology = topologyOf(request)
  group.checkTopology(topology)
  const missing = group.configure(topology)
  group.checkTasks(owned?.active ?? null, owned?.standby ?? null)
  const member = known ?? newStreamsMember(memberId)
  group.members.set(memberId, member)
  const changed = update(member, request, client) || known === undefined
  const before = member.assigned
  const delayed = group.settle(member, owned, changed, isFirst)
  group.keepAlive(member)
  if (request.shutdownApplication) group.requestShutdown(memberId)
  const isNew = isJoining || !isSameHeld(before, member.assigned)
  if (isNew && member.userEndpoint !== null) group.endpointsChanged()
  const statusDetail = delayed ?? ''
  const delay = delayed === null ? [] : [{ statusCode: StreamsStatus.assignmentDelayed, statusDetail }]
  return {
    memberEpoch: member.epoch,
    heartbeatIntervalMs: group.heartbeatIntervalMs,
    status: [...delay, ...group.problems(member)],
    assigned: isNew ? member.assigned : null,
    endpointEpoch: group.endpointEpoch,
    endpoints: group.endpointEpoch === request.endpointInformationEpoch ? null : group.endpoints(),
    missing,
  }
}

function leave(
  group: StreamsGroup,
  { memberId, memberEpoch, shutdownApplication }: StreamsHeartbeat,
): StreamsHeartbeatOutput {
  const member = group.member(memberId)
  if (shutdownApplication) group.requestShutdown(memberId)
  group.fence(member)
  return {
    memberEpoch,
    heartbeatIntervalMs: 0,
    status: [],
    assigned: null,
    endpointEpoch: 0,
    endpoints: null,
    missing: [],
  }
}

/** Their number follows from what the application reads. */
function checkChangelogs({ topology }: StreamsHeartbeat): void {
  for (const { stateChangelogTopics } of topology?.subtopologies ?? []) {
    for (const { name, partitions } of stateChangelogTopics) {
      if (partitions === 0) continue
      const message = `Changelog topic ${name} must have an undefined partition count, but it is set to ${partitions}.`
      throw new GroupRefusal(ErrorCode.ERR_STREAMS_INVALID_TOPOLOGY, message)
    }
  }
}

function ownedTasks({ activeTasks, standbyTasks, warmupTasks }: StreamsHeartbeat): Tasks | null {
  if (activeTasks === null || standbyTasks === null || warmupTasks === null) return null
  return { active: taskKeys(activeTasks), standby: taskKeys(standbyTasks) }
}

function checkEpoch({ epoch, previousEpoch, assigned }: StreamsMember, memberEpoch: number, owned: Tasks | null): void {
  if (memberEpoch === 0 || memberEpoch === epoch) return
  // It may have missed the response to its last heartbeat.
  const missedResponse =
    memberEpoch === previousEpoch &&
    owned !== null &&
    [...owned.active].every(task => assigned.active.has(task)) &&
    [...owned.standby].every(task => assigned.standby.has(task))
  if (memberEpoch < epoch && missedResponse) return
  const size = memberEpoch > epoch ? 'greater' : 'smaller'
  const message = `The streams group member has a ${size} member epoch (${memberEpoch}) than the one known by the group coordinator (${epoch}). The member must abandon all its partitions and rejoin.`
  throw new GroupRefusal(ErrorCode.ERR_FENCED_MEMBER_EPOCH, message)
}

// Returns whether the member has changed.
function update(member: StreamsMember, request: StreamsHeartbeat, { clientId, host }: StreamsClient): boolean {
  const { rackId, rebalanceTimeoutMs, topology, processId, userEndpoint, clientTags } = request
  const after = {
    clientId,
    host,
    rackId: rackId ?? member.rackId,
    rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? member.rebalanceTimeoutMs : rebalanceTimeoutMs,
    topologyEpoch: topology?.epoch ?? member.topologyEpoch,
    processId: processId ?? member.processId,
    userEndpoint: userEndpoint ?? member.userEndpoint,
    clientTags: clientTags === null ? member.clientTags : new Map(clientTags.map(({ key, value }) => [key, value])),
  }
  const changed = described(after) !== described(member)
  Object.assign(member, after)
  return changed
}

function described(
  member: Omit<StreamsMember, 'timers' | 'id' | 'epoch' | 'previousEpoch' | 'state' | 'assigned' | 'revoking'>,
): string {
  const { clientId, host, rackId, rebalanceTimeoutMs, topologyEpoch, processId, userEndpoint, clientTags } = member
  const endpoint = userEndpoint === null ? null : [userEndpoint.host, userEndpoint.port]
  return JSON.stringify([
    clientId,
    host,
    rackId,
    rebalanceTimeoutMs,
    topologyEpoch,
    processId,
    endpoint,
    [...clientTags].sort(([a], [b]) => (a < b ? -1 : 1)),
  ])
}

function isEmpty(tasks: readonly unknown[] | null): boolean {
  return tasks === null || tasks.length === 0
}
