/** TxnOffsetCommit: offsets that take effect when the transaction commits. */
import {
  ErrorCode,
  TxnOffsetCommitServer,
  type Decoded,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from '@ottla/protocol'
import { route, type RequestContext, type Route } from './request.ts'
import type { Stores } from './stores.ts'
import type { TopicStore } from '../topics/topics.ts'
import { partitionKey } from '../transactions/transaction.ts'

const MAX_METADATA_BYTES = 4096
// Version 4 added the error TRANSACTION_ABORTABLE; from 5 on no AddOffsetsToTxn is needed (KIP-890).
const ABORTABLE_VERSION = 4
const ADDS_PARTITIONS_VERSION = 5

export const transactionOffsetRoutes: readonly Route[] = [
  route(TxnOffsetCommitServer, commit, ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  })),
]

type CommitStores = Pick<Stores, 'coordinators' | 'groups' | 'topics' | 'transactionalOffsets' | 'transactions'>

function commit(
  request: Decoded<TxnOffsetCommitRequest>,
  context: RequestContext,
  stores: CommitStores,
): TxnOffsetCommitResponse {
  const { groupId, producerId } = request
  const { topics: store, transactionalOffsets } = stores
  const accessError = checkAccess(request, context)
  const problemOf = (name: string, index: number): number =>
    accessError === ErrorCode.ERR_NO_ERROR ? checkPartition(name, index, context, store) : accessError
  // The group only becomes part of the transaction if any offset passes these checks.
  const isAnyLeft = request.topics.some(({ name, partitions }) =>
    partitions.some(({ partitionIndex }) => problemOf(name, partitionIndex) === ErrorCode.ERR_NO_ERROR),
  )
  const refusal = isAnyLeft ? checkCoordinator(request, context, stores) : ErrorCode.ERR_NO_ERROR
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, committedOffset, committedMetadata, committedLeaderEpoch }) => {
        let errorCode = problemOf(name, partitionIndex)
        if (errorCode === ErrorCode.ERR_NO_ERROR) errorCode = refusal
        if (errorCode === ErrorCode.ERR_NO_ERROR && (committedMetadata?.length ?? 0) > MAX_METADATA_BYTES) {
          errorCode = ErrorCode.ERR_OFFSET_METADATA_TOO_LARGE
        }
        if (errorCode === ErrorCode.ERR_NO_ERROR) errorCode = checkMember(request, name, partitionIndex, stores)
        if (errorCode === ErrorCode.ERR_NO_ERROR) {
          const key = partitionKey({ topic: name, partition: partitionIndex })
          transactionalOffsets.add(producerId, groupId, key, {
            offset: committedOffset,
            leaderEpoch: committedLeaderEpoch,
            metadata: committedMetadata ?? '',
          })
        }
        return { partitionIndex, errorCode }
      }),
    })),
  }
}

function checkAccess({ transactionalId, groupId }: Decoded<TxnOffsetCommitRequest>, context: RequestContext): number {
  if (!context.allows('write', 'transactional-id', transactionalId)) {
    return ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  }
  if (!context.allows('read', 'group', groupId)) return ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED
  return ErrorCode.ERR_NO_ERROR
}

// What the coordinator refuses about the whole request.
function checkCoordinator(
  request: Decoded<TxnOffsetCommitRequest>,
  context: RequestContext,
  stores: Pick<Stores, 'coordinators' | 'groups' | 'transactions'>,
): number {
  const { groupId, generationId, memberId, groupInstanceId } = request
  const { coordinators, groups } = stores
  let problem = coordinators.check(context.brokerId, groupId)
  if (problem !== ErrorCode.ERR_NO_ERROR) return problem
  if (groupId === '') return ErrorCode.ERR_INVALID_GROUP_ID
  problem = admit(request, context, stores)
  if (problem !== ErrorCode.ERR_NO_ERROR) return problem
  const group = generationId < 0 ? groups.getOrCreate(groupId) : groups.get(groupId)
  return (
    group?.checkCommit({ memberId, epoch: generationId, groupInstanceId }, true) ?? ErrorCode.ERR_ILLEGAL_GENERATION
  )
}

// Whether the member that the producer commits for has or had the partition (KIP-1251).
function checkMember(
  { groupId, memberId, generationId, groupInstanceId }: Decoded<TxnOffsetCommitRequest>,
  name: string,
  index: number,
  { groups, topics }: Pick<Stores, 'groups' | 'topics'>,
): number {
  const topicId = topics.get(name)?.id ?? ''
  const by = { memberId, epoch: generationId, groupInstanceId }
  return groups.get(groupId)?.checkCommitFor(by, true, topicId, index) ?? ErrorCode.ERR_NO_ERROR
}

function checkPartition(name: string, index: number, context: RequestContext, topics: TopicStore): number {
  if (!context.allows('read', 'topic', name)) return ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED
  return topics.partition(name, index) === undefined ? ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART : ErrorCode.ERR_NO_ERROR
}

function admit(
  request: Decoded<TxnOffsetCommitRequest>,
  { version }: RequestContext,
  { coordinators, transactions }: Pick<Stores, 'coordinators' | 'transactions'>,
): number {
  const { transactionalId, groupId, producerId, producerEpoch } = request
  const admission = version >= ADDS_PARTITIONS_VERSION ? 'add' : version >= ABORTABLE_VERSION ? 'verify' : 'verify-old'
  const target = coordinators.offsetsPartition(groupId)
  const code = transactions.admit(transactionalId, { producerId, producerEpoch }, target, admission)
  return code === ErrorCode.ERR_NOT_ENOUGH_REPLICAS ? ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE : code
}
