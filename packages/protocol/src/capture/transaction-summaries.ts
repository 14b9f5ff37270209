/** Summaries of the requests of transactions and of share consumers. */
import type { Decoded } from '../api.ts'
import {
  AddPartitionsToTxn,
  type AddPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
} from '../generated/add-partitions-to-txn.ts'
import { EndTxn, type EndTxnRequest, type EndTxnResponse } from '../generated/end-txn.ts'
import {
  InitProducerId,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
} from '../generated/init-producer-id.ts'
import {
  ShareAcknowledge,
  type ShareAcknowledgeRequest,
  type ShareAcknowledgeResponse,
} from '../generated/share-acknowledge.ts'
import { ShareFetch, type ShareFetchRequest, type ShareFetchResponse } from '../generated/share-fetch.ts'
import {
  TxnOffsetCommit,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from '../generated/txn-offset-commit.ts'
import { range } from './batch-words.ts'
import {
  assignmentWords,
  errorWords,
  few,
  memberWords,
  partitionWords,
  producerWords,
  type Summary,
  commitWords,
  outcomeWords,
} from './phrases.ts'

const initProducerId: Summary<Decoded<InitProducerIdRequest>, Decoded<InitProducerIdResponse>> = {
  request: m => [
    m.transactionalId === null ? 'idempotent' : `transaction ${m.transactionalId}`,
    producerWords(m.producerId, m.producerEpoch),
  ],
  response: m => [m.errorCode === 0 ? producerWords(m.producerId, m.producerEpoch) : errorWords(m.errorCode)],
}

const addPartitionsToTxn: Summary<Decoded<AddPartitionsToTxnRequest>, Decoded<AddPartitionsToTxnResponse>> = {
  request: (m, names) => {
    const all =
      m.transactions.length > 0
        ? m.transactions
        : [
            {
              transactionalId: m.v3AndBelowTransactionalId,
              producerId: m.v3AndBelowProducerId,
              producerEpoch: m.v3AndBelowProducerEpoch,
              topics: m.v3AndBelowTopics,
            },
          ]
    return all.flatMap(each => [
      `transaction ${each.transactionalId}`,
      producerWords(each.producerId, each.producerEpoch),
      assignmentWords(each.topics, names),
    ])
  },
  response: (m, names) => {
    const results = [...m.resultsByTopicV3AndBelow, ...m.resultsByTransaction.flatMap(each => each.topicResults)]
    return [
      errorWords(m.errorCode),
      partitionWords(
        results.map(({ name, resultsByPartition }) => ({ name, partitions: resultsByPartition })),
        names,
        p => p.partitionIndex,
        p => errorWords(p.partitionErrorCode),
      ),
    ]
  },
}

const endTxn: Summary<Decoded<EndTxnRequest>, Decoded<EndTxnResponse>> = {
  request: m => [
    m.committed ? 'commit' : 'abort',
    `transaction ${m.transactionalId}`,
    producerWords(m.producerId, m.producerEpoch),
  ],
  response: m => [m.errorCode === 0 ? 'ok' : errorWords(m.errorCode), producerWords(m.producerId, m.producerEpoch)],
}

const txnOffsetCommit: Summary<Decoded<TxnOffsetCommitRequest>, Decoded<TxnOffsetCommitResponse>> = {
  request: (m, names) => [
    `transaction ${m.transactionalId}`,
    `group ${m.groupId}`,
    producerWords(m.producerId, m.producerEpoch),
    commitWords(m.topics, names),
  ],
  response: (m, names) => [outcomeWords(m.topics, names)],
}

interface AcknowledgedPartition {
  readonly partitionIndex: number
  readonly acknowledgementBatches: readonly {
    readonly firstOffset: number
    readonly lastOffset: number
    readonly acknowledgeTypes: readonly number[]
  }[]
}

const acknowledgeTypes = ['gap', 'accept', 'release', 'reject', 'renew']

function acknowledgedWords(partition: AcknowledgedPartition): string {
  return few(
    partition.acknowledgementBatches.map(batch => {
      const types = [...new Set(batch.acknowledgeTypes)].map(type => acknowledgeTypes[type] ?? `type ${type}`)
      return `${types.join('/')} ${range(batch.firstOffset, batch.lastOffset)}`
    }),
    ' ',
  )
}

function shareMemberWords(m: Decoded<ShareAcknowledgeRequest>): string[] {
  const session = m.shareSessionEpoch === 0 ? 'new session' : `session /${m.shareSessionEpoch}`
  return [`group ${m.groupId ?? ''}`, memberWords(m.memberId), m.shareSessionEpoch < 0 ? 'ends its session' : session]
}

const shareFetch: Summary<Decoded<ShareFetchRequest>, Decoded<ShareFetchResponse>> = {
  request: (m, names) => [
    ...shareMemberWords(m),
    m.topics.length === 0 ? 'as before' : partitionWords(m.topics, names, p => p.partitionIndex, acknowledgedWords),
    `waits ${m.maxWaitMs} ms`,
  ],
  response: (m, names) => [
    errorWords(m.errorCode, m.errorMessage),
    m.errorCode === 0 && m.responses.length === 0 ? 'nothing new' : '',
    partitionWords(
      m.responses,
      names,
      p => p.partitionIndex,
      p => {
        const refused = p.acknowledgeErrorCode === 0 ? '' : ` acknowledgement ${errorWords(p.acknowledgeErrorCode)}`
        if (p.errorCode !== 0) return `${errorWords(p.errorCode, p.errorMessage)}${refused}`
        const acquired = p.acquiredRecords.map(each => range(each.firstOffset, each.lastOffset))
        return `${acquired.length === 0 ? 'nothing' : `acquired ${few(acquired, ' ')}`}${refused}`
      },
    ),
  ],
}

const shareAcknowledge: Summary<Decoded<ShareAcknowledgeRequest>, Decoded<ShareAcknowledgeResponse>> = {
  request: (m, names) => [
    ...shareMemberWords(m),
    partitionWords(m.topics, names, p => p.partitionIndex, acknowledgedWords),
  ],
  response: (m, names) => [errorWords(m.errorCode, m.errorMessage), outcomeWords(m.responses, names)],
}

export const transactionSummaries: readonly (readonly [number, Summary<never, never>])[] = [
  [InitProducerId.key, initProducerId],
  [AddPartitionsToTxn.key, addPartitionsToTxn],
  [EndTxn.key, endTxn],
  [TxnOffsetCommit.key, txnOffsetCommit],
  [ShareFetch.key, shareFetch],
  [ShareAcknowledge.key, shareAcknowledge],
]
