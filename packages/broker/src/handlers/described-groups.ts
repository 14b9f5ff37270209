/** What ConsumerGroupDescribe and ShareGroupDescribe have in common. */
import type { ConsumerGroupDescribeRequest, ServerApi } from '@ottla/protocol'
import { byTopic } from '../groups/partition-set.ts'
import type { TopicStore } from '../topics/topics.ts'
import { namedError, type Reason } from './refusals.ts'
import { route, type RequestContext, type Route } from './request.ts'
import type { Stores } from './stores.ts'

interface UndescribedGroup extends Reason {
  readonly groupId: string
  readonly groupState: string
  readonly groupEpoch: number
  readonly assignmentEpoch: number
  readonly assignorName: string
  readonly members: never[]
}

/** @param fail what to answer for a group if the request is refused */
export function describeRoute<Group>(
  api: ServerApi<ConsumerGroupDescribeRequest, { throttleTimeMs: number; groups: readonly Group[] }>,
  describe: (groupId: string, withOperations: boolean, context: RequestContext, stores: Stores) => Group,
  fail: (groupId: string, reason: Reason) => Group,
): Route {
  return route(
    api,
    ({ groupIds, includeAuthorizedOperations }, context, stores) => ({
      throttleTimeMs: 0,
      groups: groupIds.map(groupId => describe(groupId, includeAuthorizedOperations, context, stores)),
    }),
    ({ groupIds }, errorCode) => ({
      throttleTimeMs: 0,
      groups: groupIds.map(groupId => fail(groupId, namedError(errorCode))),
    }),
  )
}

/** A group in a response that could not be described. */
export function notDescribed(groupId: string, reason: Reason): UndescribedGroup {
  return { ...reason, groupId, groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] }
}

/** Partitions by topic, for topics that exist. */
export function withNames(
  keys: Iterable<string>,
  topics: TopicStore,
): { topicId: string; topicName: string; partitions: number[] }[] {
  return byTopic(keys).flatMap(({ topicId, partitions }) => {
    const topicName = topics.byId(topicId)?.name
    return topicName === undefined ? [] : [{ topicId, topicName, partitions }]
  })
}
