import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  DescribeTransactions,
  EndTxn,
  ErrorCode,
  InitProducerId,
  ListTransactions,
  Produce,
  TxnOffsetCommit,
  WriteTxnMarkers,
} from '@ottla/protocol'
import { EmbeddedCluster, type AclBinding } from '../../src/index.ts'
import { batchBytes } from '../batches.ts'
import { WireClient } from '../wire-client.ts'

const everyone = { principal: 'User:ANONYMOUS', host: '*', resourcePatternType: 'literal' } as const
const acls: readonly AclBinding[] = [
  { ...everyone, resourceType: 'transactional-id', name: 'mine', permissionType: 'allow', operation: 'write' },
  { ...everyone, resourceType: 'topic', name: 'mine', permissionType: 'allow', operation: 'write' },
]

let cluster: EmbeddedCluster
let client: WireClient

before(async () => {
  cluster = await EmbeddedCluster.start({ acls })
  for (const topic of ['mine', 'other']) cluster.createTopic(topic, { partitions: 1 })
  client = await WireClient.connect(cluster.bootstrapServers)
})

after(async () => {
  client.close()
  await cluster.close()
})

test('a transactional id needs permission to write', async () => {
  const denied = ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  const id = { transactionalId: 'other', producerId: 1n, producerEpoch: 0 }
  const begun = await client.ask(InitProducerId, 4, { transactionalId: 'other', transactionTimeoutMs: 1000 })
  assert.equal(begun.errorCode, denied)
  assert.equal((await client.ask(AddOffsetsToTxn, 3, { ...id, groupId: 'g' })).errorCode, denied)
  assert.equal((await client.ask(EndTxn, 4, { ...id, committed: true })).errorCode, denied)
  const described = await client.ask(DescribeTransactions, 0, { transactionalIds: ['other'] })
  assert.equal(described.transactionStates[0]?.errorCode, denied)
  const seal = { producerId: 1n, producerEpoch: 0, baseSequence: 0, isTransactional: true }
  const partitionData = [{ index: 0, records: batchBytes(1, seal, Date.now()) }]
  const topicData = [{ name: 'mine', partitionData }]
  const produced = await client.ask(Produce, 12, { transactionalId: 'other', acks: -1, timeoutMs: 1000, topicData })
  assert.equal(produced.responses[0]?.partitionResponses[0]?.errorCode, denied)
})

test('the topics and groups of a transaction need permission, too', async () => {
  const begun = await client.ask(InitProducerId, 4, { transactionalId: 'mine', transactionTimeoutMs: 1000 })
  assert.equal(begun.errorCode, ErrorCode.ERR_NO_ERROR)
  const { producerId, producerEpoch } = begun
  const added = await client.ask(AddPartitionsToTxn, 3, {
    v3AndBelowTransactionalId: 'mine',
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: ['mine', 'other'].map(name => ({ name, partitions: [0] })),
  })
  assert.deepEqual(
    added.resultsByTopicV3AndBelow.map(({ resultsByPartition }) => resultsByPartition[0]?.partitionErrorCode),
    [ErrorCode.ERR_OPERATION_NOT_ATTEMPTED, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED],
  )
  const id = { transactionalId: 'mine', producerId, producerEpoch, groupId: 'g' }
  const offsets = await client.ask(AddOffsetsToTxn, 3, id)
  assert.equal(offsets.errorCode, ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
  const topics = [{ name: 'mine', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }]
  const committed = await client.ask(TxnOffsetCommit, 3, { ...id, topics })
  assert.equal(committed.topics[0]?.partitions[0]?.errorCode, ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
})

test('only transactions that may be described are listed, and markers need permission on the cluster', async () => {
  const listed = await client.ask(ListTransactions, 1, { stateFilters: [], producerIdFilters: [], durationFilter: -1 })
  assert.deepEqual(
    listed.transactionStates.map(({ transactionalId }) => transactionalId),
    ['mine'],
  )
  const topics = [{ name: 'mine', partitionIndexes: [0] }]
  const marker = { producerId: 1n, producerEpoch: 0, transactionResult: false, coordinatorEpoch: 0, topics }
  const written = await client.ask(WriteTxnMarkers, 1, { markers: [marker] })
  const code = written.markers[0]?.topics[0]?.partitions[0]?.errorCode
  assert.equal(code, ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
})
