/** DescribeTopicPartitions: partitions of topics, page by page (KIP-966). */
import {
  DescribeTopicPartitionsServer,
  ErrorCode,
  ZERO_UUID,
  type Decoded,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
} from '@ottla/protocol'
import { authorizedOperations } from './operations.ts'
import { route, type RequestContext, type Route } from './request.ts'
import type { Stores } from './stores.ts'
import { nameProblem } from '../topics/topics.ts'
import { describePartition } from './metadata.ts'

// Kafka's default for max.request.partition.size.limit.
const MAX_PARTITIONS = 2000

export const topicPartitionRoutes: readonly Route[] = [
  route(DescribeTopicPartitionsServer, describe, ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: inOrder(topics.map(({ name }) => name)).map(name => notDescribed(name, errorCode)),
  })),
]

type DescribedTopic = DescribeTopicPartitionsResponse['topics'][number]

// In the order of names, from the cursor on, until the page is full. No topics: all that the client may describe.
function describe(
  { topics: requested, cursor, responsePartitionLimit }: Decoded<DescribeTopicPartitionsRequest>,
  context: RequestContext,
  { topics: all }: Pick<Stores, 'topics'>,
): DescribeTopicPartitionsResponse {
  const store = all.seenBy(context.brokerId)
  const mayDescribe = (name: string): boolean => context.allows('describe', 'topic', name)
  const isAll = requested.length === 0
  const wanted = isAll ? [...store.all()].map(({ name }) => name).filter(mayDescribe) : requested.map(one => one.name)
  const start = cursor?.topicName ?? ''
  const names = inOrder(wanted).filter(name => name >= start)
  let left = Math.max(1, Math.min(MAX_PARTITIONS, responsePartitionLimit))
  const topics: DescribedTopic[] = []
  for (const name of names) {
    const topic = store.get(name)
    const errorCode = errorOf(name, topic !== undefined, mayDescribe(name))
    if (errorCode !== ErrorCode.ERR_NO_ERROR || topic === undefined) {
      topics.push(notDescribed(name, errorCode))
      continue
    }
    const from = cursor?.topicName === name ? cursor.partitionIndex : 0
    if (from < 0) {
      topics.push(notDescribed(name, ErrorCode.ERR_INVALID_REQUEST))
      continue
    }
    const page = topic.partitions.slice(from, from + left)
    topics.push({
      errorCode,
      name,
      topicId: topic.id,
      isInternal: topic.isInternal,
      // The protocol allows null here, but Kafka's own client fails on it.
      partitions: page.map(partition => ({
        ...describePartition(partition, store),
        eligibleLeaderReplicas: [],
        lastKnownElr: [],
      })),
      topicAuthorizedOperations: authorizedOperations(context, 'topic', name),
    })
    left -= page.length
    const next = from + page.length
    const following = names[names.indexOf(name) + 1]
    if (left > 0) continue
    if (next < topic.partitions.length) {
      return { throttleTimeMs: 0, topics, nextCursor: { topicName: name, partitionIndex: next } }
    }
    if (following !== undefined) {
      return { throttleTimeMs: 0, topics, nextCursor: { topicName: following, partitionIndex: 0 } }
    }
  }
  return { throttleTimeMs: 0, topics }
}

function inOrder(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}

function notDescribed(name: string, errorCode: number): DescribedTopic {
  return { errorCode, name, topicId: ZERO_UUID, partitions: [] }
}

function errorOf(name: string, isThere: boolean, isAllowed: boolean): number {
  if (!isAllowed) return ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
  if (isThere) return ErrorCode.ERR_NO_ERROR
  return nameProblem(name) === null ? ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART : ErrorCode.ERR_TOPIC_EXCEPTION
}
