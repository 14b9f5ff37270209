import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { abortTransaction, describeProducers } from '../../src/admin/producers.ts'
import { describeTransactions, fenceProducers, listTransactions } from '../../src/admin/transactions.ts'
import { KafkaError } from '../../src/errors.ts'
import { refused, scriptedCall, topicLedBy } from './scripted-cluster.ts'

const zero = { topic: 'a', partition: 0 }

test('listTransactions asks every broker, with the filters', async () => {
  const { call, sent } = scriptedCall(
    {
      ListTransactions: ({ target }) => {
        if (target.to !== 'node' || target.id === 2) throw new KafkaError(ErrorCode.ERR__TIMED_OUT, 'no answer')
        const transactionStates = [{ transactionalId: 't', producerId: 9n, transactionState: 'Ongoing' }]
        return { errorCode: 0, unknownStateFilters: [], transactionStates }
      },
    },
    { brokers: [1, 2] },
  )
  const options = { states: ['Ongoing'], producerIds: [9], minDurationMs: 5, transactionalIdPattern: 't.*' } as const
  const { transactions, errors } = await listTransactions(call, options)
  assert.deepEqual(transactions, [{ transactionalId: 't', producerId: 9n, state: 'Ongoing', coordinatorId: 1 }])
  assert.equal(errors[0]?.code, ErrorCode.ERR__TIMED_OUT)
  assert.deepEqual(sent[0]?.body, {
    stateFilters: ['Ongoing'],
    producerIdFilters: [9n],
    durationFilter: 5,
    transactionalIdPattern: 't.*',
  })
  await refused(listTransactions(call, { states: ['Running' as never] }), /states\[0\] must be one of Ongoing/)
})

test('describeTransactions asks each coordinator; an unknown id has an error of its own', async () => {
  const { call } = scriptedCall({
    DescribeTransactions: ({ target }) => {
      const transactionalId = target.to === 'coordinator' ? target.key : ''
      const errorCode = transactionalId === 'gone' ? ErrorCode.ERR_TRANSACTIONAL_ID_NOT_FOUND : 0
      return {
        transactionStates: [
          {
            errorCode,
            transactionalId,
            transactionState: 'CompleteCommit',
            transactionTimeoutMs: 60_000,
            transactionStartTimeMs: -1,
            producerId: 7n,
            producerEpoch: 3,
            topics: [{ topic: 'a', partitions: [0] }],
          },
        ],
      }
    },
  })
  const [known, gone] = await describeTransactions(call, ['t', 'gone'])
  assert.deepEqual(known, {
    transactionalId: 't',
    coordinatorId: 1,
    state: 'CompleteCommit',
    producerId: 7n,
    producerEpoch: 3,
    timeoutMs: 60_000,
    startTimestamp: null,
    partitions: [zero],
  })
  assert.equal(gone?.error?.code, ErrorCode.ERR_TRANSACTIONAL_ID_NOT_FOUND)
  assert.equal(gone.state, 'Unknown')
})

test('describeProducers asks the leader, or the replica in the options', async () => {
  const state = { lastSequence: 4, lastTimestamp: 1000, coordinatorEpoch: -1, currentTxnStartOffset: -1 }
  const activeProducers = [{ producerId: 1n, producerEpoch: 0, ...state }]
  const { call, sent } = scriptedCall(
    {
      DescribeProducers: () => ({
        topics: [{ name: 'a', partitions: [{ partitionIndex: 0, errorCode: 0, errorMessage: null, activeProducers }] }],
      }),
    },
    { topics: [topicLedBy('a', [2])] },
  )
  const [result] = await describeProducers(call, [zero], undefined)
  assert.deepEqual(result?.producers, [
    {
      producerId: 1n,
      producerEpoch: 0,
      lastSequence: 4,
      lastTimestamp: 1000,
      coordinatorEpoch: null,
      currentTransactionStartOffset: null,
    },
  ])
  await describeProducers(call, [zero], 3)
  assert.deepEqual(
    sent.map(s => s.target),
    [
      { to: 'node', id: 2 },
      { to: 'node', id: 3 },
    ],
  )
})

test('abortTransaction writes an abort marker to the leader, and rejects with its error', async () => {
  let errorCode: number = 0
  const { call, sent } = scriptedCall(
    {
      WriteTxnMarkers: () => ({
        markers: [{ producerId: 1n, topics: [{ name: 'a', partitions: [{ partitionIndex: 0, errorCode }] }] }],
      }),
    },
    { topics: [topicLedBy('a', [2])] },
  )
  const hanging = { ...zero, producerId: 1n, producerEpoch: 5, coordinatorEpoch: null }
  await abortTransaction(call, hanging)
  assert.deepEqual(sent[0], {
    target: { to: 'node', id: 2 },
    api: 'WriteTxnMarkers',
    body: {
      markers: [
        {
          producerId: 1n,
          producerEpoch: 5,
          coordinatorEpoch: 0,
          transactionResult: false,
          topics: [{ name: 'a', partitionIndexes: [0] }],
        },
      ],
    },
  })
  errorCode = ErrorCode.ERR_INVALID_PRODUCER_EPOCH
  await assert.rejects(abortTransaction(call, hanging), { code: ErrorCode.ERR_INVALID_PRODUCER_EPOCH })
  await refused(abortTransaction(call, { ...hanging, producerEpoch: 40_000 }), /producerEpoch must be an integer/)
})

test('fenceProducers starts over for each transactional id', async () => {
  const { call, sent } = scriptedCall({
    InitProducerId: ({ target }) =>
      target.to === 'coordinator' && target.key === 'denied'
        ? { errorCode: ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, producerId: -1n, producerEpoch: -1 }
        : { errorCode: 0, producerId: 8n, producerEpoch: 2 },
  })
  const [fenced, denied] = await fenceProducers(call, ['t', 'denied'])
  assert.deepEqual(fenced, { transactionalId: 't', producerId: 8n, producerEpoch: 2 })
  assert.equal(denied?.error?.code, ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
  assert.deepEqual(sent[0]?.target, { to: 'coordinator', type: 'transaction', key: 't' })
})
