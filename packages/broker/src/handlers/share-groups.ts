/** Share groups (KIP-932): heartbeats, descriptions and offsets. */
import {
  AlterShareGroupOffsetsServer,
  DeleteShareGroupOffsetsServer,
  DescribeShareGroupOffsetsServer,
  ErrorCode,
  ShareGroupDescribeServer,
  ShareGroupHeartbeatServer,
  ZERO_UUID,
  type AlterShareGroupOffsetsRequest,
  type AlterShareGroupOffsetsResponse,
  type Decoded,
  type DeleteShareGroupOffsetsRequest,
  type DeleteShareGroupOffsetsResponse,
  type DescribeShareGroupOffsetsRequest,
  type DescribeShareGroupOffsetsResponseDescribeShareGroupOffsetsResponseGroup,
  type ShareGroupDescribeResponseDescribedGroup,
  type ShareGroupHeartbeatRequest,
  type ShareGroupHeartbeatResponse,
} from '@ottla/protocol'
import { byTopic } from '../groups/partition-set.ts'
import { GroupRefusal, orRefuse } from '../groups/refusal.ts'
import { SHARE_ASSIGNOR } from '../groups/share-assignor.ts'
import { checkShareHeartbeat } from '../groups/share.ts'
import { describeRoute, notDescribed, withNames } from './described-groups.ts'
import { authorizedOperations } from './operations.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError, type Reason } from './refusals.ts'
import type { Stores } from './stores.ts'
import { canDescribe, checkGroup, hostOf } from './group-access.ts'

type ShareGroupStores = Pick<Stores, 'coordinators' | 'groups' | 'topics'>

export const shareGroupRoutes: readonly Route[] = [
  route(ShareGroupHeartbeatServer, heartbeat, (_body, errorCode) => refusedHeartbeat(namedError(errorCode))),
  describeRoute(ShareGroupDescribeServer, describe, notDescribed),
  route(
    DescribeShareGroupOffsetsServer,
    ({ groups }, context, stores) => ({
      throttleTimeMs: 0,
      groups: groups.map(group => describeOffsets(group, context, stores)),
    }),
    ({ groups }, errorCode) => ({
      throttleTimeMs: 0,
      groups: groups.map(({ groupId }) => ({ groupId, topics: [], ...namedError(errorCode) })),
    }),
  ),
  route(AlterShareGroupOffsetsServer, alterOffsets, (_body, errorCode) => unchanged(namedError(errorCode))),
  route(DeleteShareGroupOffsetsServer, deleteOffsets, (_body, errorCode) => unchanged(namedError(errorCode))),
]

function refusedHeartbeat(reason: Reason): ShareGroupHeartbeatResponse {
  return { throttleTimeMs: 0, ...reason, memberEpoch: 0, heartbeatIntervalMs: 0 }
}

function unchanged(reason: Reason): { throttleTimeMs: number; responses: never[] } & Reason {
  return { throttleTimeMs: 0, ...reason, responses: [] }
}

function heartbeat(
  request: Decoded<ShareGroupHeartbeatRequest>,
  context: RequestContext,
  { coordinators, groups }: Pick<Stores, 'coordinators' | 'groups'>,
): ShareGroupHeartbeatResponse {
  const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames: topics } = request
  const refuse = (errorCode: number, errorMessage: string | null = null): ShareGroupHeartbeatResponse =>
    refusedHeartbeat({ errorCode, errorMessage })
  if (!context.allows('read', 'group', groupId)) return refuse(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
  if (topics?.some(name => !context.allows('describe', 'topic', name)) ?? false) {
    return refuse(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  }
  return orRefuse((): ShareGroupHeartbeatResponse => {
    const input = { groupId, memberId, memberEpoch, rackId, topics }
    checkShareHeartbeat(input)
    const problem = coordinators.check(context.brokerId, groupId)
    if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
    const isNew = !groups.has(groupId)
    if (isNew && memberEpoch !== 0) {
      throw new GroupRefusal(ErrorCode.ERR_GROUP_ID_NOT_FOUND, `Share group ${groupId} not found.`)
    }
    const client = { clientId: context.clientId, host: hostOf(context), canDescribe: canDescribe(context) }
    const output = groups.getOrCreate(groupId).asShare(isNew).heartbeat(input, client)
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.ERR_NO_ERROR,
      errorMessage: null,
      memberId: output.memberId,
      memberEpoch: output.memberEpoch,
      heartbeatIntervalMs: output.heartbeatIntervalMs,
      assignment: output.assignment === null ? null : { topicPartitions: byTopic(output.assignment) },
    }
  }, refuse)
}

function describe(
  groupId: string,
  withOperations: boolean,
  context: RequestContext,
  { coordinators, groups, topics: store }: ShareGroupStores,
): ShareGroupDescribeResponseDescribedGroup {
  const refuse = (errorCode: number, errorMessage: string | null = null): ReturnType<typeof describe> =>
    notDescribed(groupId, { errorCode, errorMessage })
  const problem = checkGroup('describe', groupId, context, coordinators)
  if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
  const group = groups.get(groupId)
  const share = group?.share ?? null
  if (share === null) {
    const what = group === undefined ? 'not found' : 'is not a share group'
    return refuse(ErrorCode.ERR_GROUP_ID_NOT_FOUND, `Group ${groupId} ${what}.`)
  }
  const members = [...share.members.values()]
  if (members.some(({ topics }) => [...topics].some(name => !context.allows('describe', 'topic', name)))) {
    const message = 'The group has described topic(s) that the client is not authorized to describe.'
    return refuse(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, message)
  }
  return {
    errorCode: ErrorCode.ERR_NO_ERROR,
    errorMessage: null,
    groupId,
    groupState: share.state,
    groupEpoch: share.epoch,
    assignmentEpoch: share.assignmentEpoch,
    assignorName: SHARE_ASSIGNOR,
    members: members.map(({ id, rackId, epoch, clientId, host, topics, assigned }) => ({
      memberId: id,
      rackId,
      memberEpoch: epoch,
      clientId,
      clientHost: host,
      subscribedTopicNames: [...topics],
      assignment: { topicPartitions: withNames(assigned, store) },
    })),
    ...(withOperations ? { authorizedOperations: authorizedOperations(context, 'group', groupId) } : {}),
  }
}

function describeOffsets(
  { groupId, topics: requested }: Decoded<DescribeShareGroupOffsetsRequest>['groups'][number],
  context: RequestContext,
  { coordinators, groups, topics: store }: ShareGroupStores,
): DescribeShareGroupOffsetsResponseDescribeShareGroupOffsetsResponseGroup {
  const { version } = context
  const problem = checkGroup('describe', groupId, context, coordinators)
  if (problem !== ErrorCode.ERR_NO_ERROR) return { groupId, topics: [], errorCode: problem, errorMessage: null }
  const share = groups.get(groupId)?.share ?? null
  const wanted =
    requested ??
    withNames(share?.partitionKeys() ?? [], store)
      .filter(({ topicName }) => context.allows('describe', 'topic', topicName))
      .map(({ topicName, partitions }) => ({ topicName, partitions }))
  const topics = wanted.map(({ topicName, partitions }) => {
    const topic = store.get(topicName)
    const mayDescribe = context.allows('describe', 'topic', topicName)
    return {
      topicName,
      topicId: mayDescribe ? (topic?.id ?? ZERO_UUID) : ZERO_UUID,
      partitions: partitions.map(partitionIndex => {
        const partition = topic?.partitions[partitionIndex]
        const known = topic === undefined ? undefined : share?.known(topic.id, partitionIndex)
        const start = mayDescribe ? (known?.storedOffset ?? -1) : -1
        const hides = start < 0 || partition === undefined || known === undefined
        const lag = hides ? -1 : partition.log.highWatermark - known.startOffset - known.doneCount
        return {
          partitionIndex,
          startOffset: start,
          leaderEpoch: hides ? 0 : partition.leaderEpoch,
          ...(version >= 1 ? { lag } : {}),
          errorCode: mayDescribe ? ErrorCode.ERR_NO_ERROR : ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
          errorMessage: null,
        }
      }),
    }
  })
  return { groupId, topics, errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: null }
}

function alterOffsets(
  { groupId, topics }: Decoded<AlterShareGroupOffsetsRequest>,
  context: RequestContext,
  { coordinators, groups, topics: store }: ShareGroupStores,
): AlterShareGroupOffsetsResponse {
  const refuse = (errorCode: number, errorMessage: string | null = null): AlterShareGroupOffsetsResponse =>
    unchanged({ errorCode, errorMessage })
  const problem = checkGroup('read', groupId, context, coordinators)
  if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
  if (groupId === '') return refuse(ErrorCode.ERR_INVALID_GROUP_ID)
  return orRefuse(() => {
    const isNew = !groups.has(groupId)
    const share = groups.getOrCreate(groupId).asShare(isNew)
    if (!share.isEmpty) throw new GroupRefusal(ErrorCode.ERR_NON_EMPTY_GROUP, 'The group is not empty.')
    const responses = topics.map(({ topicName, partitions }) => {
      const allowed = context.allows('read', 'topic', topicName)
      const topic = allowed ? store.get(topicName) : undefined
      return {
        topicName,
        topicId: topic?.id ?? ZERO_UUID,
        partitions: partitions.map(({ partitionIndex, startOffset }) => {
          const partition = topic?.partitions[partitionIndex]
          if (!allowed || topic === undefined || partition === undefined) {
            const errorCode = allowed ? ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART : ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
            return { partitionIndex, errorCode, errorMessage: null }
          }
          share.begin(topic.id, partition, startOffset)
          return { partitionIndex, errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: null }
        }),
      }
    })
    return { ...refuse(ErrorCode.ERR_NO_ERROR), responses }
  }, refuse)
}

function deleteOffsets(
  { groupId, topics }: Decoded<DeleteShareGroupOffsetsRequest>,
  context: RequestContext,
  { coordinators, groups, topics: store }: ShareGroupStores,
): DeleteShareGroupOffsetsResponse {
  const refuse = (errorCode: number, errorMessage: string | null = null): DeleteShareGroupOffsetsResponse =>
    unchanged({ errorCode, errorMessage })
  const problem = checkGroup('delete', groupId, context, coordinators)
  if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
  if (groupId === '') return refuse(ErrorCode.ERR_INVALID_GROUP_ID)
  const group = groups.get(groupId)
  const share = group?.share ?? null
  if (share === null) {
    const what = group === undefined ? 'not found' : 'is not a share group'
    return refuse(ErrorCode.ERR_GROUP_ID_NOT_FOUND, `Group ${groupId} ${what}.`)
  }
  if (!share.isEmpty) return refuse(ErrorCode.ERR_NON_EMPTY_GROUP, 'The group is not empty.')
  const responses = topics.map(({ topicName }) => {
    const topicId = store.get(topicName)?.id ?? ZERO_UUID
    if (!context.allows('read', 'topic', topicName)) {
      const errorCode = ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
      return { topicName, topicId: ZERO_UUID, errorCode, errorMessage: 'Topic authorization failed.' }
    }
    return share.forget(topicId)
      ? { topicName, topicId, errorCode: ErrorCode.ERR_NO_ERROR, errorMessage: null }
      : {
          topicName,
          topicId,
          errorCode: ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART,
          errorMessage: 'The group has no offsets for the topic.',
        }
  })
  return { ...refuse(ErrorCode.ERR_NO_ERROR), responses }
}
