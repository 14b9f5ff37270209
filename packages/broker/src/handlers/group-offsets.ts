/** Committed offsets of groups: OffsetCommit, OffsetFetch, OffsetDelete. */
import {
  ErrorCode,
  OffsetCommitServer,
  OffsetDeleteServer,
  OffsetFetchServer,
  type Decoded,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
  type OffsetDeleteRequest,
  type OffsetDeleteResponse,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  type OffsetFetchResponseOffsetFetchResponseGroup,
} from '@ottla/protocol'
import { offsetKey, type Committer, type Group } from '../groups/group.ts'
import type { Groups } from '../groups/groups.ts'
import { route, type RequestContext, type Route } from './request.ts'
import type { Stores } from './stores.ts'
import type { Topic } from '../topics/topics.ts'
import { checkGroup } from './group-access.ts'

export const groupOffsetRoutes: readonly Route[] = [
  route(OffsetCommitServer, commit, ({ topics }, errorCode, { version }) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }) => ({
      ...(version >= TOPIC_ID_VERSION ? { topicId } : { name }),
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  })),
  route(OffsetFetchServer, fetch, (request, errorCode, { version }) =>
    version >= MANY_GROUPS_VERSION
      ? { throttleTimeMs: 0, groups: request.groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })) }
      : refusedFetch(request, errorCode, version),
  ),
  route(OffsetDeleteServer, remove, (_body, errorCode) => ({ errorCode, throttleTimeMs: 0, topics: [] })),
]

/** Longest metadata that may be committed with an offset. */
export const MAX_METADATA_LENGTH = 4096
// The first version of OffsetFetch with several groups.
const MANY_GROUPS_VERSION = 8
// The first version of OffsetFetch with an error code for the whole response.
const ERROR_CODE_VERSION = 2
// The first version of OffsetCommit and OffsetFetch with topic ids.
const TOPIC_ID_VERSION = 10
// The first version of OffsetCommit that may be answered with GROUP_ID_NOT_FOUND.
const GROUP_NOT_FOUND_VERSION = 9

function commit(
  request: Decoded<OffsetCommitRequest>,
  context: RequestContext,
  { coordinators, groups, topics: store }: Pick<Stores, 'coordinators' | 'groups' | 'topics'>,
): OffsetCommitResponse {
  const { version } = context
  const isById = version >= TOPIC_ID_VERSION
  const access = checkGroup('read', request.groupId, context, coordinators)
  // The group is only checked, or created, when there is something to commit.
  let requested: { readonly group: Group | null; readonly errorCode: number } | null = null
  const topics = request.topics.map(({ name: requestedName, topicId, partitions }) => {
    const topic = isById ? store.byId(topicId) : store.get(requestedName)
    const name = topic?.name ?? requestedName
    const unknown = isById ? ErrorCode.ERR_UNKNOWN_TOPIC_ID : ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
    let problem = access
    if (problem === ErrorCode.ERR_NO_ERROR && topic === undefined && isById) problem = unknown
    if (problem === ErrorCode.ERR_NO_ERROR && !context.allows('read', 'topic', name)) {
      problem = ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
    }
    if (problem === ErrorCode.ERR_NO_ERROR && topic === undefined) problem = unknown
    const answers = partitions.map(partition => {
      const { partitionIndex, committedOffset, committedMetadata, committedLeaderEpoch } = partition
      let errorCode = problem
      if (errorCode === ErrorCode.ERR_NO_ERROR && topic?.partitions[partitionIndex] === undefined) {
        errorCode = ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
      }
      if (errorCode === ErrorCode.ERR_NO_ERROR) {
        requested ??= groupToCommitFor(request, version, groups)
        errorCode = requested.errorCode
      }
      const group = requested?.group ?? null
      if (errorCode !== ErrorCode.ERR_NO_ERROR || group === null || topic === undefined) {
        return { partitionIndex, errorCode }
      }
      if ((committedMetadata?.length ?? 0) > MAX_METADATA_LENGTH) {
        return { partitionIndex, errorCode: ErrorCode.ERR_OFFSET_METADATA_TOO_LARGE }
      }
      errorCode = group.checkCommitFor(committerOf(request), false, topic.id, partitionIndex)
      if (errorCode !== ErrorCode.ERR_NO_ERROR) return { partitionIndex, errorCode }
      group.offsets.set(offsetKey(name, partitionIndex), {
        offset: committedOffset,
        leaderEpoch: committedLeaderEpoch,
        metadata: committedMetadata ?? '',
      })
      return { partitionIndex, errorCode }
    })
    return isById ? { topicId, partitions: answers } : { name, partitions: answers }
  })
  return { throttleTimeMs: 0, topics }
}

// Only a commit without a generation may create a group.
function groupToCommitFor(
  request: Decoded<OffsetCommitRequest>,
  version: number,
  groups: Groups,
): { group: Group | null; errorCode: number } {
  const { groupId, generationIdOrMemberEpoch } = request
  if (generationIdOrMemberEpoch >= 0 && !groups.has(groupId)) {
    const isOld = version < GROUP_NOT_FOUND_VERSION
    return { group: null, errorCode: isOld ? ErrorCode.ERR_ILLEGAL_GENERATION : ErrorCode.ERR_GROUP_ID_NOT_FOUND }
  }
  const group = groups.getOrCreate(groupId)
  return { group, errorCode: group.checkCommit(committerOf(request), false, version) }
}

function committerOf(request: Decoded<OffsetCommitRequest>): Committer {
  const { memberId, generationIdOrMemberEpoch, groupInstanceId } = request
  return { memberId, epoch: generationIdOrMemberEpoch, groupInstanceId }
}

type FetchStores = Pick<Stores, 'coordinators' | 'groups' | 'topics' | 'transactionalOffsets'>

function fetch(
  request: Decoded<OffsetFetchRequest>,
  context: RequestContext,
  stores: FetchStores,
): OffsetFetchResponse {
  const { version } = context
  if (version >= MANY_GROUPS_VERSION) {
    const groups = request.groups.map(({ groupId, memberId, memberEpoch, topics }) => {
      const by = { memberId, memberEpoch }
      const { answer, errorCode } = offsetsOf(groupId, topics, request.requireStable, by, context, stores)
      return { groupId, topics: answer, errorCode }
    })
    return { throttleTimeMs: 0, groups }
  }
  const requested =
    request.topics?.map(({ name, partitionIndexes }) => ({ name, topicId: '', partitionIndexes })) ?? null
  const { answer, errorCode } = offsetsOf(request.groupId, requested, request.requireStable, NO_MEMBER, context, stores)
  if (errorCode !== ErrorCode.ERR_NO_ERROR) return refusedFetch(request, errorCode, version)
  const topics = answer.map(({ name = '', partitions }) => ({ name, partitions }))
  return { throttleTimeMs: 0, ...(version >= ERROR_CODE_VERSION ? { errorCode } : {}), topics }
}

// For versions with one group.
function refusedFetch(
  { topics }: Decoded<OffsetFetchRequest>,
  errorCode: number,
  version: number,
): OffsetFetchResponse {
  if (version >= ERROR_CODE_VERSION) return { throttleTimeMs: 0, errorCode, topics: [] }
  // Version 1 can only report the error for each partition.
  const refused = (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(partitionIndex => ({ ...noOffset(partitionIndex, version), errorCode })),
  }))
  return { throttleTimeMs: 0, topics: refused }
}

type AnsweredPartition = OffsetFetchResponseOffsetFetchResponseGroup['topics'][number]['partitions'][number]
type AnsweredTopics = readonly {
  readonly name?: string
  readonly topicId?: string
  readonly partitions: readonly AnsweredPartition[]
}[]
type RequestedTopics = readonly {
  readonly name: string
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}[]

interface Requester {
  readonly memberId: string | null
  readonly memberEpoch: number
}

const NO_MEMBER: Requester = { memberId: null, memberEpoch: -1 }

function offsetsOf(
  groupId: string,
  requested: RequestedTopics | null,
  requireStable: boolean,
  { memberId, memberEpoch }: Requester,
  context: RequestContext,
  { coordinators, groups, topics: store, transactionalOffsets }: FetchStores,
): { answer: AnsweredTopics; errorCode: number } {
  const { version } = context
  const group = groups.get(groupId)
  let errorCode = checkGroup('describe', groupId, context, coordinators)
  if (errorCode === ErrorCode.ERR_NO_ERROR && group !== undefined) errorCode = group.checkFetch(memberId, memberEpoch)
  if (errorCode !== ErrorCode.ERR_NO_ERROR) return { answer: [], errorCode }
  const isById = version >= TOPIC_ID_VERSION
  const wanted: RequestedTopics = requested ?? allOffsetsOf(group, context)
  const answer = wanted.map(({ name: requestedName, topicId: requestedId, partitionIndexes }) => {
    const topic = isById && requested !== null ? store.byId(requestedId) : store.get(requestedName)
    const problem = checkTopic(topic, requestedName, isById, context)
    const partitions = partitionIndexes.map((partitionIndex): AnsweredPartition => {
      const none = noOffset(partitionIndex, version)
      if (problem !== ErrorCode.ERR_NO_ERROR) return { ...none, errorCode: problem }
      const key = offsetKey(topic?.name ?? requestedName, partitionIndex)
      if (requireStable && transactionalOffsets.isPending(groupId, key)) {
        return { ...none, errorCode: ErrorCode.ERR_UNSTABLE_OFFSET_COMMIT }
      }
      const found = group?.offsets.get(key)
      if (found === undefined) return none
      const { offset, leaderEpoch, metadata } = found
      const epoch = version >= 5 ? { committedLeaderEpoch: leaderEpoch } : {}
      return { ...none, committedOffset: offset, metadata, ...epoch }
    })
    return isById ? { topicId: topic?.id ?? requestedId, partitions } : { name: requestedName, partitions }
  })
  return { answer, errorCode }
}

function checkTopic(topic: Topic | undefined, name: string, isById: boolean, context: RequestContext): number {
  if (isById && topic === undefined) return ErrorCode.ERR_UNKNOWN_TOPIC_ID
  return context.allows('describe', 'topic', topic?.name ?? name)
    ? ErrorCode.ERR_NO_ERROR
    : ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
}

function noOffset(partitionIndex: number, version: number): AnsweredPartition {
  const epoch = version >= 5 ? { committedLeaderEpoch: -1 } : {}
  return { partitionIndex, committedOffset: -1, metadata: '', errorCode: ErrorCode.ERR_NO_ERROR, ...epoch }
}

// Every partition with an offset, of the topics that the client may describe.
function allOffsetsOf(group: Group | undefined, context: RequestContext): RequestedTopics {
  const byTopic = new Map<string, number[]>()
  for (const key of group?.offsets.keys() ?? []) {
    const [name = '', index = '0'] = key.split('\0')
    const list = byTopic.get(name)
    if (list === undefined) byTopic.set(name, [Number(index)])
    else list.push(Number(index))
  }
  return [...byTopic]
    .filter(([name]) => context.allows('describe', 'topic', name))
    .map(([name, partitionIndexes]) => ({ name, topicId: '', partitionIndexes }))
}

function remove(
  { groupId, topics }: Decoded<OffsetDeleteRequest>,
  context: RequestContext,
  { coordinators, groups, topics: store }: Pick<Stores, 'coordinators' | 'groups' | 'topics'>,
): OffsetDeleteResponse {
  const group = groups.get(groupId)
  let problem = checkGroup('delete', groupId, context, coordinators)
  // A group without a name can have offsets, but they cannot be deleted.
  if (problem === ErrorCode.ERR_NO_ERROR && groupId === '') problem = ErrorCode.ERR_INVALID_GROUP_ID
  if (problem === ErrorCode.ERR_NO_ERROR) problem = group?.checkOffsetDelete() ?? ErrorCode.ERR_GROUP_ID_NOT_FOUND
  if (problem !== ErrorCode.ERR_NO_ERROR || group === undefined) {
    return { errorCode: problem, throttleTimeMs: 0, topics: [] }
  }
  const removeOne = (name: string, partition: number): number => {
    if (!context.allows('read', 'topic', name)) return ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
    if (store.partition(name, partition) === undefined) return ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
    if (group.isSubscribedTo(name)) return ErrorCode.ERR_GROUP_SUBSCRIBED_TO_TOPIC
    group.offsets.delete(offsetKey(name, partition))
    return ErrorCode.ERR_NO_ERROR
  }
  return {
    errorCode: ErrorCode.ERR_NO_ERROR,
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: removeOne(name, partitionIndex),
      })),
    })),
  }
}
