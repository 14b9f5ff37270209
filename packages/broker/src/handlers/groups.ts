/** Classic consumer groups and their offsets. */
import {
  DeleteGroupsServer,
  DescribeGroupsServer,
  ErrorCode,
  HeartbeatServer,
  JoinGroupServer,
  LeaveGroupServer,
  ListGroupsServer,
  OffsetCommitServer,
  OffsetDeleteServer,
  OffsetFetchServer,
  SyncGroupServer,
  type Decoded,
  type DescribeGroupsResponseDescribedGroup,
  type JoinGroupRequest,
  type JoinGroupResponse,
  type LeaveGroupRequest,
  type LeaveGroupResponse,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  type OffsetFetchResponseOffsetFetchResponseGroup,
  type SyncGroupRequest,
  type SyncGroupResponse,
} from '@ottla/protocol'
import type { Operation } from '../acls.ts'
import type { Group } from '../groups.ts'
import { authorizedOperations } from '../operations.ts'
import { route, type RequestContext, type Route } from '../request.ts'

const MAX_SESSION_TIMEOUT_MS = 1_800_000
const MAX_METADATA_BYTES = 4096
// OffsetFetch speaks of many groups from here on.
const MANY_GROUPS_VERSION = 8

export const groupRoutes: readonly Route[] = [
  route(JoinGroupServer, join),
  route(SyncGroupServer, sync),
  route(HeartbeatServer, ({ groupId, memberId, generationId, groupInstanceId }, context) => {
    const problem = mayUse('read', groupId, context)
    const errorCode =
      problem === ErrorCode.ERR_NO_ERROR
        ? known(groupId, context, group => group.heartbeat(memberId, generationId, groupInstanceId))
        : problem
    return { throttleTimeMs: 0, errorCode }
  }),
  route(LeaveGroupServer, leave),
  route(OffsetCommitServer, commit),
  route(OffsetFetchServer, fetchOffsets),
  route(OffsetDeleteServer, ({ groupId, topics }, context) => {
    const problem = mayUse('delete', groupId, context)
    const group = context.state.groups.get(groupId)
    if (problem !== ErrorCode.ERR_NO_ERROR || group === undefined) {
      const errorCode = problem === ErrorCode.ERR_NO_ERROR ? ErrorCode.ERR_GROUP_ID_NOT_FOUND : problem
      return { errorCode, throttleTimeMs: 0, topics: [] }
    }
    return {
      errorCode: ErrorCode.ERR_NO_ERROR,
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => {
          const busy = group.members.size > 0
          if (!busy) group.offsets.delete(offsetKey(name, partitionIndex))
          return { partitionIndex, errorCode: busy ? ErrorCode.ERR_GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.ERR_NO_ERROR }
        }),
      })),
    }
  }),
  route(ListGroupsServer, ({ statesFilter, typesFilter }, context) => {
    const states = statesFilter.map(state => state.toLowerCase())
    const types = typesFilter.map(type => type.toLowerCase())
    const groups = [...context.state.groups.values()]
      .filter(group => context.state.coordinator('group', group.id)?.id === context.brokerId)
      .filter(
        group =>
          context.allows('describe', 'cluster', 'kafka-cluster') || context.allows('describe', 'group', group.id),
      )
      .filter(group => states.length === 0 || states.includes(group.state.toLowerCase()))
      .filter(() => types.length === 0 || types.includes('classic'))
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.ERR_NO_ERROR,
      groups: groups.map(group => ({
        groupId: group.id,
        protocolType: group.protocolType ?? '',
        groupState: group.state,
        groupType: 'classic',
      })),
    }
  }),
  route(DescribeGroupsServer, ({ groups, includeAuthorizedOperations }, context) => ({
    throttleTimeMs: 0,
    groups: groups.map(groupId => describe(groupId, includeAuthorizedOperations, context)),
  })),
  route(DeleteGroupsServer, ({ groupsNames }, context) => ({
    throttleTimeMs: 0,
    results: groupsNames.map(groupId => {
      const problem = mayUse('delete', groupId, context)
      const group = context.state.groups.get(groupId)
      if (problem !== ErrorCode.ERR_NO_ERROR) return { groupId, errorCode: problem }
      if (group === undefined) return { groupId, errorCode: ErrorCode.ERR_GROUP_ID_NOT_FOUND }
      if (group.members.size > 0) return { groupId, errorCode: ErrorCode.ERR_NON_EMPTY_GROUP }
      group.close()
      context.state.groups.delete(groupId)
      return { groupId, errorCode: ErrorCode.ERR_NO_ERROR }
    }),
  })),
]

// 0, or why the client or this broker has nothing to do with the group.
function mayUse(operation: Operation, groupId: string, context: RequestContext): number {
  if (!context.allows(operation, 'group', groupId)) return ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED
  return context.state.checkCoordinator(context.brokerId, groupId)
}

function known(groupId: string, context: RequestContext, ask: (group: Group) => number): number {
  const group = context.state.groups.get(groupId)
  return group === undefined ? ErrorCode.ERR_UNKNOWN_MEMBER_ID : ask(group)
}

function join(request: Decoded<JoinGroupRequest>, context: RequestContext): Promise<JoinGroupResponse> {
  const { groupId, memberId, sessionTimeoutMs } = request
  const refuse = (errorCode: number): Promise<JoinGroupResponse> =>
    Promise.resolve({ errorCode, protocolName: context.version >= 7 ? null : '', leader: '', memberId, members: [] })
  const problem = mayUse('read', groupId, context)
  if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
  if (groupId === '') return refuse(ErrorCode.ERR_INVALID_GROUP_ID)
  if (memberId !== '' && !context.state.groups.has(groupId)) return refuse(ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  if (sessionTimeoutMs < 1 || sessionTimeoutMs > MAX_SESSION_TIMEOUT_MS) {
    return refuse(ErrorCode.ERR_INVALID_SESSION_TIMEOUT)
  }
  const input = {
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: context.clientId,
    host: `/${context.session.host}`,
    protocolType: request.protocolType,
    // The frame is let go of; what is kept has to be a copy.
    protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
    sessionTimeoutMs,
    rebalanceTimeoutMs: context.version >= 1 ? request.rebalanceTimeoutMs : sessionTimeoutMs,
    requiresMemberId: context.version >= 4,
  }
  return new Promise(resolve => {
    context.state.group(groupId).join(input, output => {
      resolve({
        throttleTimeMs: 0,
        errorCode: output.errorCode,
        generationId: output.generationId,
        protocolName: output.protocolName ?? (context.version >= 7 ? null : ''),
        leader: output.leader,
        memberId: output.memberId,
        members: output.members.map(({ memberId: id, groupInstanceId, metadata }) => ({
          memberId: id,
          metadata,
          ...(context.version >= 5 ? { groupInstanceId } : {}),
        })),
        ...(context.version >= 7 ? { protocolType: output.protocolType } : {}),
      })
    })
  })
}

function sync(request: Decoded<SyncGroupRequest>, context: RequestContext): Promise<SyncGroupResponse> {
  const problem = mayUse('read', request.groupId, context)
  const group = context.state.groups.get(request.groupId)
  if (problem !== ErrorCode.ERR_NO_ERROR || group === undefined) {
    const errorCode = problem === ErrorCode.ERR_NO_ERROR ? ErrorCode.ERR_UNKNOWN_MEMBER_ID : problem
    return Promise.resolve({ errorCode, assignment: Buffer.alloc(0) })
  }
  const { memberId, generationId, groupInstanceId, protocolName, assignments } = request
  return new Promise(resolve => {
    group.sync(memberId, generationId, groupInstanceId, protocolName, assignments, output => {
      resolve({
        throttleTimeMs: 0,
        errorCode: output.errorCode,
        assignment: output.assignment,
        ...(context.version >= 5 ? { protocolType: output.protocolType, protocolName: output.protocolName } : {}),
      })
    })
  })
}

function leave(request: Decoded<LeaveGroupRequest>, context: RequestContext): LeaveGroupResponse {
  const problem = mayUse('read', request.groupId, context)
  if (problem !== ErrorCode.ERR_NO_ERROR) return { throttleTimeMs: 0, errorCode: problem }
  const leaveOne = (memberId: string, groupInstanceId: string | null): number =>
    known(request.groupId, context, group => group.leave(memberId, groupInstanceId))
  if (context.version < 3) return { throttleTimeMs: 0, errorCode: leaveOne(request.memberId, null) }
  const members = request.members.map(({ memberId, groupInstanceId }) => ({
    memberId,
    groupInstanceId,
    errorCode: leaveOne(memberId, groupInstanceId),
  }))
  return { throttleTimeMs: 0, errorCode: ErrorCode.ERR_NO_ERROR, members }
}

function commit(request: Decoded<OffsetCommitRequest>, context: RequestContext): OffsetCommitResponse {
  const { groupId, memberId, generationIdOrMemberEpoch, groupInstanceId } = request
  const { state, version } = context
  let problem = mayUse('read', groupId, context)
  // Only a commit from outside of any generation may begin a group.
  const isSimple = memberId === '' && generationIdOrMemberEpoch < 0
  if (problem === ErrorCode.ERR_NO_ERROR && !isSimple && !state.groups.has(groupId)) {
    problem = version >= 9 ? ErrorCode.ERR_GROUP_ID_NOT_FOUND : ErrorCode.ERR_ILLEGAL_GENERATION
  }
  const group = problem === ErrorCode.ERR_NO_ERROR ? state.group(groupId) : null
  if (group !== null) problem = group.checkCommit(memberId, generationIdOrMemberEpoch, groupInstanceId)
  const topics = request.topics.map(asked => {
    const topic = version >= 10 ? state.topics.byId(asked.topicId) : state.topics.get(asked.name)
    const name = topic?.name ?? asked.name
    const partitions = asked.partitions.map(partition => {
      const { partitionIndex, committedOffset, committedMetadata, committedLeaderEpoch } = partition
      let errorCode = problem
      if (errorCode !== ErrorCode.ERR_NO_ERROR || group === null) return { partitionIndex, errorCode }
      if (topic === undefined && version >= 10) errorCode = ErrorCode.ERR_UNKNOWN_TOPIC_ID
      else if (!context.allows('read', 'topic', name)) errorCode = ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
      else if (topic?.partitions[partitionIndex] === undefined) errorCode = ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
      else if ((committedMetadata?.length ?? 0) > MAX_METADATA_BYTES)
        errorCode = ErrorCode.ERR_OFFSET_METADATA_TOO_LARGE
      else {
        group.offsets.set(offsetKey(name, partitionIndex), {
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata: committedMetadata ?? '',
        })
      }
      return { partitionIndex, errorCode }
    })
    return version >= 10 ? { topicId: asked.topicId, partitions } : { name, partitions }
  })
  return { throttleTimeMs: 0, topics }
}

function fetchOffsets(request: Decoded<OffsetFetchRequest>, context: RequestContext): OffsetFetchResponse {
  const { version } = context
  if (version < MANY_GROUPS_VERSION) {
    const asked = request.topics?.map(({ name, partitionIndexes }) => ({ name, topicId: '', partitionIndexes })) ?? null
    const { errorCode = 0, topics } = offsetsOf(request.groupId, asked, request.requireStable, context)
    return {
      throttleTimeMs: 0,
      ...(version >= 2 ? { errorCode } : {}),
      topics: topics.map(({ name = '', partitions }) => ({ name, partitions })),
    }
  }
  return {
    throttleTimeMs: 0,
    groups: request.groups.map(({ groupId, topics }) => offsetsOf(groupId, topics, request.requireStable, context)),
  }
}

type AskedTopics = readonly {
  readonly name: string
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}[]

function offsetsOf(
  groupId: string,
  asked: AskedTopics | null,
  requireStable: boolean,
  context: RequestContext,
): OffsetFetchResponseOffsetFetchResponseGroup {
  const { state, version } = context
  const problem = mayUse('describe', groupId, context)
  if (problem !== ErrorCode.ERR_NO_ERROR) return { groupId, topics: [], errorCode: problem }
  const offsets = state.groups.get(groupId)?.offsets
  const wanted =
    asked ?? everythingIn(offsets ?? new Map()).filter(({ name }) => context.allows('describe', 'topic', name))
  const topics = wanted.map(({ name: askedName, topicId, partitionIndexes }) => {
    const byId = version >= 10 && asked !== null
    const topic = byId ? state.topics.byId(topicId) : state.topics.get(askedName)
    const name = byId ? (topic?.name ?? '') : askedName
    const partitions = partitionIndexes.map(partitionIndex => {
      const found = offsets?.get(offsetKey(name, partitionIndex))
      let errorCode: number = ErrorCode.ERR_NO_ERROR
      if (byId && topic === undefined) errorCode = ErrorCode.ERR_UNKNOWN_TOPIC_ID
      else if (!context.allows('describe', 'topic', name)) errorCode = ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
      else if (requireStable && state.transactionalOffsets.isPending(groupId, offsetKey(name, partitionIndex))) {
        errorCode = ErrorCode.ERR_UNSTABLE_OFFSET_COMMIT
      }
      const has = found !== undefined && errorCode === ErrorCode.ERR_NO_ERROR
      return {
        partitionIndex,
        committedOffset: has ? found.offset : -1,
        metadata: has ? found.metadata : '',
        errorCode,
        ...(version >= 5 ? { committedLeaderEpoch: has ? found.leaderEpoch : -1 } : {}),
      }
    })
    return version >= 10 ? { topicId: byId ? topicId : (topic?.id ?? topicId), partitions } : { name, partitions }
  })
  return { groupId, topics, errorCode: ErrorCode.ERR_NO_ERROR }
}

function everythingIn(offsets: ReadonlyMap<string, unknown>): AskedTopics {
  const byTopic = new Map<string, number[]>()
  for (const key of offsets.keys()) {
    const [name = '', index = '0'] = key.split('\0')
    const list = byTopic.get(name)
    if (list === undefined) byTopic.set(name, [Number(index)])
    else list.push(Number(index))
  }
  return [...byTopic].map(([name, partitionIndexes]) => ({ name, topicId: '', partitionIndexes }))
}

function describe(
  groupId: string,
  withOperations: boolean,
  context: RequestContext,
): DescribeGroupsResponseDescribedGroup {
  const empty = { groupId, protocolType: '', protocolData: '', members: [] }
  const problem = mayUse('describe', groupId, context)
  if (problem !== ErrorCode.ERR_NO_ERROR) return { ...empty, errorCode: problem, groupState: '' }
  const group = context.state.groups.get(groupId)
  if (group === undefined) {
    const errorCode = context.version >= 6 ? ErrorCode.ERR_GROUP_ID_NOT_FOUND : ErrorCode.ERR_NO_ERROR
    const errorMessage = `Group ${groupId} not found.`
    return { ...empty, errorCode, groupState: 'Dead', ...(context.version >= 6 ? { errorMessage } : {}) }
  }
  return {
    errorCode: ErrorCode.ERR_NO_ERROR,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: group.protocol ?? '',
    members: [...group.members.values()].map(member => ({
      memberId: member.id,
      clientId: member.clientId,
      clientHost: member.host,
      memberMetadata: group.metadataOf(member),
      memberAssignment: member.assignment,
      ...(context.version >= 4 ? { groupInstanceId: member.groupInstanceId } : {}),
    })),
    ...(withOperations ? { authorizedOperations: authorizedOperations(context, 'group', groupId) } : {}),
  }
}

function offsetKey(topic: string, partition: number): string {
  return `${topic}\0${partition}`
}
