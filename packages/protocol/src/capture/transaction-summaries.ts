/** Summaries of the requests of transactions. */
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
  TxnOffsetCommit,
  type TxnOffsetCommitRequest,
  type TxnOffsetCommitResponse,
} from '../generated/txn-offset-commit.ts'
import {
  assignmentWords,
  commitWords,
  errorWords,
  outcomeWords,
  partitionWords,
  producerWords,
  type Summary,
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

export const transactionSummaries: readonly (readonly [number, Summary<never, never>])[] = [
  [InitProducerId.key, initProducerId],
  [AddPartitionsToTxn.key, addPartitionsToTxn],
  [EndTxn.key, endTxn],
  [TxnOffsetCommit.key, txnOffsetCommit],
]
