import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AddPartitionsToTxn,
  DescribeProducers,
  DescribeTransactions,
  EndTxn,
  ErrorCode,
  FindCoordinator,
  InitProducerId,
} from '@ottla/protocol'
import type { WireClient } from '../wire-client.ts'
import { Scene } from './scene.ts'

const ID = 'txn'
const READ_COMMITTED = { isolationLevel: 1 }

interface Producer {
  readonly client: WireClient
  readonly producerId: bigint
  readonly producerEpoch: number
}

async function coordinator(scene: Scene, asked: number): Promise<WireClient> {
  const client = await scene.client(asked)
  const answer = await client.ask(FindCoordinator, 4, { keyType: 1, coordinatorKeys: [ID] })
  return scene.client(answer.coordinators[0]?.nodeId ?? 0)
}

/** A producer whose transaction has one record in partition 0, which is replicated. */
async function inTransaction(scene: Scene, topic: string): Promise<Producer> {
  const client = await coordinator(scene, 1)
  scene.clock.advance(100)
  const request = { transactionalId: ID, transactionTimeoutMs: 60_000, producerId: -1n, producerEpoch: -1 }
  const { producerId, producerEpoch } = await client.ask(InitProducerId, 4, request)
  const added = await client.ask(AddPartitionsToTxn, 3, {
    v3AndBelowTransactionalId: ID,
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: [{ name: topic, partitions: [0] }],
  })
  assert.equal(added.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode, 0)
  const seal = { producerId, producerEpoch, baseSequence: 0, isTransactional: true }
  const put = await scene.until(scene.put(1, topic, { acks: -1, seal, transactionalId: ID }))
  assert.equal(put.errorCode, 0)
  scene.clock.advance(100)
  return { client, producerId, producerEpoch }
}

async function end({ client, producerId, producerEpoch }: Producer, committed: boolean): Promise<number> {
  return (await client.ask(EndTxn, 3, { transactionalId: ID, producerId, producerEpoch, committed })).errorCode
}

async function state(client: WireClient): Promise<string | undefined> {
  const answer = await client.ask(DescribeTransactions, 0, { transactionalIds: [ID] })
  return answer.transactionStates[0]?.transactionState
}

test('a transaction is complete, and its records stable, once its marker is replicated', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  const producer = await inTransaction(scene, topic)
  for (const id of [2, 3]) scene.cluster.setReplicationLag(id, 20)
  assert.equal(await end(producer, true), 0)
  assert.match(scene.ends(topic), /^1:1\/2 leads/)
  assert.equal(await state(producer.client), 'PrepareCommit')
  assert.equal((await scene.fetch(1, topic, 0, {}, READ_COMMITTED)).lastStableOffset, 0)
  scene.clock.advance(40)
  await scene.until(Promise.resolve(), 1, 1)
  assert.equal((await scene.fetch(1, topic, 0, {}, READ_COMMITTED)).lastStableOffset, 2)
  assert.equal(await state(producer.client), 'CompleteCommit')
  assert.deepEqual(scene.values(topic), ['value-0'])
})

test('an aborted transaction is not stable before its marker is replicated, either', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  const producer = await inTransaction(scene, topic)
  assert.equal(await end(producer, false), 0)
  const early = await scene.fetch(1, topic, 0, {}, READ_COMMITTED)
  assert.deepEqual([early.lastStableOffset, early.records?.length], [0, 0])
  scene.clock.advance(100)
  const late = await scene.fetch(1, topic, 0, {}, READ_COMMITTED)
  assert.equal(late.lastStableOffset, 2)
  assert.deepEqual(late.abortedTransactions, [{ producerId: producer.producerId, firstOffset: 0 }])
  assert.deepEqual(scene.values(topic), [])
})

test('a marker that is lost with its leader is written again by the next one', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  const producer = await inTransaction(scene, topic)
  for (const id of [2, 3]) scene.cluster.stopReplication(id)
  assert.equal(await end(producer, true), 0)
  assert.equal(scene.ends(topic), '1:1/2 leads, 2:1/1, 3:1/1')
  scene.cluster.fenceBroker(1)
  for (const id of [2, 3]) scene.cluster.resumeReplication(id)
  assert.equal(scene.ends(topic), '1:1/2 out, 2:1/1 leads, 3:1/1')
  await scene.until(Promise.resolve(), 1, 1)
  scene.clock.advance(300)
  await scene.until(Promise.resolve(), 1, 1)
  assert.equal(scene.ends(topic), '1:2/2 out, 2:2/2 leads, 3:2/2')
  assert.deepEqual(scene.values(topic), ['value-0'])
  assert.equal(await state(await coordinator(scene, 2)), 'CompleteCommit')
})

test('a marker waits until its partition has a leader', async () => {
  await using scene = await Scene.start()
  scene.cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
  scene.cluster.setLeader('t', 0, 1)
  const topic = 't'
  const producer = await inTransaction(scene, topic)
  await scene.cluster.brokerDown(1)
  scene.clock.advance(100)
  const next = await coordinator(scene, 2)
  scene.clock.advance(100)
  assert.equal(await end({ ...producer, client: next }, true), 0)
  scene.clock.advance(1000)
  assert.equal(await state(next), 'PrepareCommit')
  await scene.cluster.brokerUp(1)
  scene.clock.advance(200)
  await scene.until(Promise.resolve(), 1, 1)
  scene.clock.advance(200)
  assert.equal(await state(next), 'CompleteCommit')
  assert.deepEqual(scene.values(topic), ['value-0'])
})

test('each replica knows the producers that its own log shows', async () => {
  await using scene = await Scene.start()
  const topic = scene.topic('t')
  const producer = await inTransaction(scene, topic)
  const starts = async (): Promise<unknown[]> => {
    const all = [1, 2, 3].map(async id => {
      const client = await scene.client(id)
      const answer = await client.ask(DescribeProducers, 0, { topics: [{ name: topic, partitionIndexes: [0] }] })
      return answer.topics[0]?.partitions[0]?.activeProducers.map(each => each.currentTxnStartOffset)
    })
    return Promise.all(all)
  }
  assert.deepEqual(await starts(), [[0], [0], [0]])
  for (const id of [2, 3]) scene.cluster.stopReplication(id)
  await end(producer, true)
  assert.deepEqual(await starts(), [[-1], [0], [0]])
  // The next leader still has the transaction open.
  scene.cluster.setLeader(topic, 0, 2)
  const seal = { producerId: producer.producerId, producerEpoch: producer.producerEpoch, baseSequence: 1 }
  assert.equal((await scene.put(2, topic, { seal })).errorCode, ErrorCode.ERR_INVALID_TXN_STATE)
})
