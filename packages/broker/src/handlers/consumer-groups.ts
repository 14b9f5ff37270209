/** Consumer groups (KIP-848): ConsumerGroupHeartbeat and ConsumerGroupDescribe. */
import {
  ConsumerGroupDescribeServer,
  ConsumerGroupHeartbeatServer,
  ErrorCode,
  type ConsumerGroupDescribeResponseDescribedGroup,
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
  type Decoded,
} from '@ottla/protocol'
import { checkConsumerHeartbeat, consumerHeartbeat, type ConsumerHeartbeat } from '../groups/consumer-heartbeat.ts'
import type { ConsumerMember } from '../groups/consumer-member.ts'
import { byTopic, keysOf } from '../groups/partition-set.ts'
import { GroupRefusal, orRefuse } from '../groups/refusal.ts'
import { describeRoute, notDescribed, withNames } from './described-groups.ts'
import { authorizedOperations } from './operations.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { namedError, type Reason } from './refusals.ts'
import type { Stores } from './stores.ts'
import type { TopicStore } from '../topics/topics.ts'
import { canDescribe, checkGroup, hostOf } from './group-access.ts'

export const consumerGroupRoutes: readonly Route[] = [
  route(ConsumerGroupHeartbeatServer, heartbeat, (_body, errorCode) => refusedHeartbeat(namedError(errorCode))),
  describeRoute(ConsumerGroupDescribeServer, describe, notDescribed),
]

const CLASSIC_MEMBER = 0
const CONSUMER_MEMBER = 1

function heartbeat(
  request: Decoded<ConsumerGroupHeartbeatRequest>,
  context: RequestContext,
  { coordinators, groups }: Pick<Stores, 'coordinators' | 'groups'>,
): ConsumerGroupHeartbeatResponse {
  const { version } = context
  const { groupId, subscribedTopicNames, topicPartitions } = request
  const refuse = (errorCode: number, errorMessage: string | null = null): ConsumerGroupHeartbeatResponse =>
    refusedHeartbeat({ errorCode, errorMessage })
  if (!context.allows('read', 'group', groupId)) return refuse(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
  if (subscribedTopicNames?.some(name => !context.allows('describe', 'topic', name)) ?? false) {
    return refuse(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  }
  const input: ConsumerHeartbeat = {
    groupId,
    memberId: request.memberId,
    memberEpoch: request.memberEpoch,
    instanceId: request.instanceId,
    rackId: request.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    topics: subscribedTopicNames,
    regex: request.subscribedTopicRegex,
    assignor: request.serverAssignor,
    owned: topicPartitions === null ? null : keysOf(topicPartitions),
  }
  return orRefuse((): ConsumerGroupHeartbeatResponse => {
    checkConsumerHeartbeat(input, version >= 1)
    const problem = coordinators.check(context.brokerId, groupId)
    if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
    const joins = request.memberEpoch === 0
    if (!joins && !groups.has(groupId)) {
      throw new GroupRefusal(ErrorCode.ERR_GROUP_ID_NOT_FOUND, `Consumer group ${groupId} not found.`)
    }
    const client = { clientId: context.clientId, host: hostOf(context), canDescribe: canDescribe(context) }
    const output = consumerHeartbeat(groups.getOrCreate(groupId).asConsumer(joins), input, client)
    const { memberId, memberEpoch, heartbeatIntervalMs, assignment } = output
    return {
      throttleTimeMs: 0,
      errorCode: ErrorCode.ERR_NO_ERROR,
      errorMessage: null,
      memberId,
      memberEpoch,
      heartbeatIntervalMs,
      assignment: assignment === null ? null : { topicPartitions: byTopic(assignment) },
    }
  }, refuse)
}

function describe(
  groupId: string,
  withOperations: boolean,
  context: RequestContext,
  { coordinators, groups, topics: store }: Pick<Stores, 'coordinators' | 'groups' | 'topics'>,
): ConsumerGroupDescribeResponseDescribedGroup {
  const { version } = context
  const refuse = (errorCode: number, errorMessage: string | null = null): ReturnType<typeof describe> =>
    notDescribed(groupId, { errorCode, errorMessage })
  const problem = checkGroup('describe', groupId, context, coordinators)
  if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
  const group = groups.get(groupId)
  const consumer = group?.consumer ?? null
  if (consumer === null) {
    const what = group === undefined ? 'not found' : 'is not a consumer group'
    return refuse(ErrorCode.ERR_GROUP_ID_NOT_FOUND, `Group ${groupId} ${what}.`)
  }
  const members = [...consumer.members.values()]
  const hidden = members.some(({ topics, assigned, revoking }) => {
    const names = byTopic([...assigned.keys(), ...revoking.keys()]).map(({ topicId }) => store.byId(topicId)?.name)
    return [...topics, ...names].some(name => name !== undefined && !context.allows('describe', 'topic', name))
  })
  if (hidden) {
    const message = 'The described group uses topics that the client is not authorized to describe.'
    return refuse(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, message)
  }
  return {
    errorCode: ErrorCode.ERR_NO_ERROR,
    errorMessage: null,
    groupId,
    groupState: consumer.state,
    groupEpoch: consumer.epoch,
    assignmentEpoch: consumer.assignmentEpoch,
    assignorName: consumer.assignor,
    members: members.map(member => ({
      ...describeMember(member, consumer.targetOf(member.id), store),
      ...(version >= 1 ? { memberType: member.classic === null ? CONSUMER_MEMBER : CLASSIC_MEMBER } : {}),
    })),
    ...(withOperations ? { authorizedOperations: authorizedOperations(context, 'group', groupId) } : {}),
  }
}

function refusedHeartbeat(reason: Reason): ConsumerGroupHeartbeatResponse {
  return { throttleTimeMs: 0, ...reason, memberEpoch: 0, heartbeatIntervalMs: 0 }
}

type DescribedMember = ConsumerGroupDescribeResponseDescribedGroup['members'][number]

function describeMember(member: ConsumerMember, target: ReadonlySet<string>, topics: TopicStore): DescribedMember {
  return {
    memberId: member.id,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.epoch,
    clientId: member.clientId,
    clientHost: member.host,
    subscribedTopicNames: [...member.topics],
    subscribedTopicRegex: member.regex,
    assignment: { topicPartitions: withNames([...member.assigned.keys(), ...member.revoking.keys()], topics) },
    targetAssignment: { topicPartitions: withNames(target, topics) },
  }
}
