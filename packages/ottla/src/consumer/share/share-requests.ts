/** Builds the requests of share groups, and finds what a response refuses. */
import type {
  Decoded,
  ShareAcknowledgeRequest,
  ShareAcknowledgeResponse,
  ShareFetchRequest,
  ShareFetchResponse,
} from '@ottla/protocol'
import type { ConsumerSettings } from '../../config/resolve.ts'
import { isRenewal } from './acknowledgements.ts'
import type { Sent } from './share-node.ts'
import { keyOf, type ShareSession } from './share-session.ts'

/** The first version with renewals, and with record limits that are exact. */
export const FIRST_WITH_RENEWAL = 2
const RECORD_LIMIT = 1

/** Why a broker refused the acknowledgements of a partition: code and message. */
export type Refusal = readonly [number, string | null]

export interface ShareIdentity {
  readonly groupId: string
  readonly memberId: string
}

/** @param isStrict no more records than asked for, even if that cuts a batch */
export function fetchBody(
  { groupId, memberId }: ShareIdentity,
  { epoch, topics, forgotten }: ReturnType<ShareSession['fetch']>,
  settings: ConsumerSettings,
  maxWaitMs: number,
  maxRecords: number,
  isStrict: boolean,
): (version: number) => ShareFetchRequest {
  return version => ({
    groupId,
    memberId,
    shareSessionEpoch: epoch,
    maxWaitMs,
    minBytes: settings['fetch.min.bytes'],
    maxBytes: settings['fetch.max.bytes'],
    maxRecords,
    batchSize: maxRecords,
    topics,
    forgottenTopicsData: forgotten,
    ...(version >= FIRST_WITH_RENEWAL && isStrict ? { shareAcquireMode: RECORD_LIMIT } : {}),
  })
}

export function acknowledgeBody(
  { groupId, memberId }: ShareIdentity,
  { epoch, topics }: ReturnType<ShareSession['acknowledge']>,
  sent: readonly Sent[],
): (version: number) => ShareAcknowledgeRequest {
  const isRenewAck = sent.some(({ types }) => [...types.values()].some(isRenewal))
  return version => ({
    groupId,
    memberId,
    shareSessionEpoch: epoch,
    topics,
    ...(version >= FIRST_WITH_RENEWAL ? { isRenewAck } : {}),
  })
}

/** How many bytes of batches a fetch brought. */
export function fetchedBytes({ responses }: Decoded<ShareFetchResponse>): number {
  let bytes = 0
  for (const { partitions } of responses) for (const { records } of partitions) bytes += records?.length ?? 0
  return bytes
}

/** The partitions whose acknowledgements a fetch carried and the broker refused. */
export function refusedWithFetch({ responses }: Decoded<ShareFetchResponse>): Map<string, Refusal> {
  const refusals = new Map<string, Refusal>()
  for (const { topicId, partitions } of responses) {
    for (const { partitionIndex: partition, acknowledgeErrorCode: code, acknowledgeErrorMessage } of partitions) {
      if (code !== 0) refusals.set(keyOf({ topicId, partition }), [code, acknowledgeErrorMessage])
    }
  }
  return refusals
}

/** As above, for a request with nothing but acknowledgements. */
export function refusedAcknowledgements({ responses }: Decoded<ShareAcknowledgeResponse>): Map<string, Refusal> {
  const refusals = new Map<string, Refusal>()
  for (const { topicId, partitions } of responses) {
    for (const { partitionIndex: partition, errorCode, errorMessage } of partitions) {
      if (errorCode !== 0) refusals.set(keyOf({ topicId, partition }), [errorCode, errorMessage])
    }
  }
  return refusals
}
