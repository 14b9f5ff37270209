/** Streams groups (KIP-1071): StreamsGroupHeartbeat and StreamsGroupDescribe. */
import {
  ErrorCode,
  StreamsGroupDescribeServer,
  StreamsGroupHeartbeatServer,
  type Decoded,
  type StreamsGroupDescribeResponseAssignment,
  type StreamsGroupDescribeResponseDescribedGroup,
  type StreamsGroupDescribeResponseMember,
  type StreamsGroupDescribeResponseSubtopology,
  type StreamsGroupDescribeResponseTopology,
  type StreamsGroupHeartbeatRequest,
  type StreamsGroupHeartbeatResponse,
} from '@ottla/protocol'
import { GroupRefusal, orRefuse } from '../groups/refusal.ts'
import type { StreamsGroup } from '../groups/streams/group.ts'
import { checkStreamsHeartbeat, streamsHeartbeat, type StreamsHeartbeatOutput } from '../groups/streams/heartbeat.ts'
import type { StreamsMember } from '../groups/streams/member.ts'
import { taskIds } from '../groups/streams/tasks.ts'
import { requiredTopics, StreamsStatus, type InternalTopic, type Subtopology } from '../groups/streams/topology.ts'
import { CLUSTER_NAME } from '../security/acls.ts'
import type { TopicRequest } from '../topics/topics.ts'
import { checkGroup, hostOf } from './group-access.ts'
import { authorizedOperations } from './operations.ts'
import { namedError, type Reason } from './refusals.ts'
import { route, type RequestContext, type Route } from './request.ts'
import type { Stores } from './stores.ts'

type StreamsStores = Pick<Stores, 'coordinators' | 'groups' | 'topics'>

export const streamsGroupRoutes: readonly Route[] = [
  route(StreamsGroupHeartbeatServer, heartbeat, (_body, errorCode) => refusedHeartbeat(namedError(errorCode))),
  route(
    StreamsGroupDescribeServer,
    ({ groupIds, includeAuthorizedOperations }, context, stores) => ({
      throttleTimeMs: 0,
      groups: groupIds.map(groupId => describe(groupId, includeAuthorizedOperations, context, stores)),
    }),
    ({ groupIds }, errorCode) => ({
      throttleTimeMs: 0,
      groups: groupIds.map(groupId => notDescribed(groupId, namedError(errorCode))),
    }),
  ),
]

function refusedHeartbeat(reason: Reason): StreamsGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    ...reason,
    memberId: '',
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    acceptableRecoveryLag: 0,
    taskOffsetIntervalMs: 0,
    status: null,
    endpointInformationEpoch: 0,
  }
}

function heartbeat(
  request: Decoded<StreamsGroupHeartbeatRequest>,
  context: RequestContext,
  { coordinators, groups, topics }: StreamsStores,
): StreamsGroupHeartbeatResponse {
  const { groupId, memberId, memberEpoch, topology } = request
  const refuse = (errorCode: number, errorMessage: string | null = null): StreamsGroupHeartbeatResponse =>
    refusedHeartbeat({ errorCode, errorMessage })
  if (!context.allows('read', 'group', groupId)) return refuse(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
  const needed = topology === null ? [] : [...requiredTopics(topology)]
  if (needed.some(name => !context.allows('describe', 'topic', name))) {
    return refuse(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  }
  return orRefuse((): StreamsGroupHeartbeatResponse => {
    checkStreamsHeartbeat(request)
    const problem = coordinators.check(context.brokerId, groupId)
    if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
    const isNew = !groups.has(groupId)
    if (isNew && memberEpoch !== 0) {
      throw new GroupRefusal(ErrorCode.ERR_GROUP_ID_NOT_FOUND, `Streams group ${groupId} not found.`)
    }
    const client = { clientId: context.clientId, host: hostOf(context) }
    const group = groups.getOrCreate(groupId)
    const output = streamsHeartbeat(group.asStreams(memberEpoch === 0), request, client)
    const failures = createTopics(output.missing, context, topics)
    return responseOf(memberId, output, failures)
  }, refuse)
}

function responseOf(memberId: string, output: StreamsHeartbeatOutput, failures: string): StreamsGroupHeartbeatResponse {
  const { memberEpoch, heartbeatIntervalMs, status, assigned, endpointEpoch, endpoints } = output
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.ERR_NO_ERROR,
    errorMessage: null,
    memberId,
    memberEpoch,
    heartbeatIntervalMs,
    acceptableRecoveryLag: 0,
    taskOffsetIntervalMs: 0,
    status: status.map(each =>
      each.statusCode === StreamsStatus.missingInternalTopics
        ? { ...each, statusDetail: each.statusDetail + failures }
        : each,
    ),
    ...(assigned === null
      ? {}
      : { activeTasks: taskIds(assigned.active.keys()), standbyTasks: taskIds(assigned.standby), warmupTasks: [] }),
    endpointInformationEpoch: endpointEpoch,
    partitionsByUserEndpoint:
      endpoints?.map(({ endpoint, active, standby }) => ({
        userEndpoint: endpoint,
        activePartitions: active,
        standbyPartitions: standby,
      })) ?? null,
  }
}

/** Creates the internal topics. @returns why some were not, to follow a sentence; empty if none failed */
function createTopics(
  missing: readonly TopicRequest[],
  context: RequestContext,
  topics: StreamsStores['topics'],
): string {
  const mayCreateAll = context.allows('create', 'cluster', CLUSTER_NAME)
  const forbidden = missing.filter(({ name }) => !mayCreateAll && !context.allows('create', 'topic', name))
  if (forbidden.length > 0) {
    return `; Unauthorized to CREATE on topics ${forbidden.map(({ name }) => name).join(', ')}.`
  }
  const failures = missing.flatMap(wanted => {
    const refusal = topics.refusal(wanted)
    if (refusal !== null) return [`${wanted.name} (${refusal.message})`]
    topics.create(wanted)
    return []
  })
  return failures.length === 0 ? '' : `; Creation failed: ${failures.join(', ')}.`
}

function describe(
  groupId: string,
  withOperations: boolean,
  context: RequestContext,
  { coordinators, groups }: StreamsStores,
): StreamsGroupDescribeResponseDescribedGroup {
  const refuse = (errorCode: number, errorMessage: string | null = null): ReturnType<typeof describe> =>
    notDescribed(groupId, { errorCode, errorMessage })
  const problem = checkGroup('describe', groupId, context, coordinators)
  if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
  const group = groups.get(groupId)
  const streams = group?.streams ?? null
  if (streams === null) {
    const what = group === undefined ? 'not found' : 'is not a streams group'
    return refuse(ErrorCode.ERR_GROUP_ID_NOT_FOUND, `Group ${groupId} ${what}.`)
  }
  const { topology } = streams
  const names = topology === null ? [] : [...requiredTopics(topology)]
  if (names.some(name => !context.allows('describe', 'topic', name))) {
    const message = 'The described group uses topics that the client is not authorized to describe.'
    return refuse(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, message)
  }
  return {
    errorCode: ErrorCode.ERR_NO_ERROR,
    errorMessage: null,
    groupId,
    groupState: streams.state,
    groupEpoch: streams.epoch,
    assignmentEpoch: streams.assignmentEpoch,
    topology: describeTopology(streams),
    members: [...streams.members.values()].map(member => describeMember(member, streams)),
    ...(withOperations ? { authorizedOperations: authorizedOperations(context, 'group', groupId) } : {}),
  }
}

function notDescribed(groupId: string, reason: Reason): StreamsGroupDescribeResponseDescribedGroup {
  return { ...reason, groupId, groupState: '', groupEpoch: 0, assignmentEpoch: 0, topology: null, members: [] }
}

function describeTopology({ topology, configured }: StreamsGroup): StreamsGroupDescribeResponseTopology | null {
  if (topology === null) return null
  const counts = configured?.partitionCounts ?? new Map<string, number>()
  const subtopologies = [...topology.subtopologies]
    .sort((a, b) => (a.subtopologyId < b.subtopologyId ? -1 : 1))
    .map(each => describeSubtopology(each, counts))
  return { epoch: topology.epoch, subtopologies }
}

function describeSubtopology(
  subtopology: Subtopology,
  counts: ReadonlyMap<string, number>,
): StreamsGroupDescribeResponseSubtopology {
  const topic = ({ name, partitions, replicationFactor, topicConfigs }: InternalTopic): InternalTopic => ({
    name,
    partitions: partitions || (counts.get(name) ?? 0),
    replicationFactor,
    topicConfigs,
  })
  const named = (a: InternalTopic, b: InternalTopic): number => (a.name < b.name ? -1 : 1)
  return {
    subtopologyId: subtopology.subtopologyId,
    sourceTopics: [...subtopology.sourceTopics].sort(),
    repartitionSinkTopics: [...subtopology.repartitionSinkTopics].sort(),
    stateChangelogTopics: subtopology.stateChangelogTopics.map(topic).sort(named),
    repartitionSourceTopics: subtopology.repartitionSourceTopics.map(topic).sort(named),
  }
}

function describeMember(member: StreamsMember, group: StreamsGroup): StreamsGroupDescribeResponseMember {
  const { id, rackId, epoch, clientId, host, topologyEpoch, processId, userEndpoint, clientTags, assigned } = member
  return {
    memberId: id,
    memberEpoch: epoch,
    instanceId: null,
    rackId,
    clientId,
    clientHost: host,
    topologyEpoch,
    processId,
    userEndpoint,
    clientTags: Array.from(clientTags, ([key, value]) => ({ key, value })),
    taskOffsets: [],
    taskEndOffsets: [],
    assignment: assignmentOf(assigned.active.keys(), assigned.standby),
    targetAssignment: assignmentOf(group.targetOf(id).active, group.targetOf(id).standby),
    isClassic: false,
  }
}

function assignmentOf(active: Iterable<string>, standby: Iterable<string>): StreamsGroupDescribeResponseAssignment {
  return { activeTasks: taskIds(active), standbyTasks: taskIds(standby), warmupTasks: [] }
}
