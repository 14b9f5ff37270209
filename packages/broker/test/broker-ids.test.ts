import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeConfigs, Metadata } from '@ottla/protocol'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '../src/index.ts'
import { WireClient } from './wire-client.ts'

async function idsOf(options: EmbeddedClusterOptions): Promise<number[]> {
  await using cluster = await EmbeddedCluster.start(options)
  cluster.createTopic('t', { partitions: 4 })
  const client = await WireClient.connect(cluster.bootstrapServers)
  const { brokers, topics } = await client.ask(Metadata, 12, { topics: [{ name: 't' }] })
  client.close()
  const ids = brokers.map(({ nodeId }) => nodeId)
  assert.ok(topics[0]?.partitions.every(({ leaderId, errorCode }) => errorCode === 0 && ids.includes(leaderId)))
  return ids
}

test('broker ids begin at 1, or where they are told to, or are as given', async () => {
  assert.deepEqual(await idsOf({ brokers: 2 }), [1, 2])
  assert.deepEqual(await idsOf({ brokers: 3, firstBrokerId: 0 }), [0, 1, 2])
  assert.deepEqual(await idsOf({ brokerIds: [101, 7] }), [101, 7])
  assert.deepEqual(await idsOf({ brokers: 3, firstBrokerId: 0, replication: 'simulated' }), [0, 1, 2])
})

test('broker 0 goes down, comes back and is described like any other', async () => {
  await using cluster = await EmbeddedCluster.start({ brokers: 2, firstBrokerId: 0, racks: ['a', 'b'] })
  cluster.createTopic('t', { partitions: 1, replicationFactor: 2 })
  await cluster.brokerDown(0)
  await cluster.brokerUp(0)
  cluster.setLeader('t', 0, 0)
  cluster.setCoordinator('group', 'g', 0)
  const client = await WireClient.connect(cluster.bootstrapServers)
  const { topics, controllerId } = await client.ask(Metadata, 12, { topics: [{ name: 't' }] })
  assert.equal(topics[0]?.partitions[0]?.leaderId, 0)
  assert.equal(controllerId, 0)
  const { results } = await client.ask(DescribeConfigs, 4, {
    resources: [{ resourceType: 4, resourceName: '0', configurationKeys: ['node.id', 'broker.rack'] }],
  })
  client.close()
  assert.deepEqual(
    results[0]?.configs.map(({ value }) => value),
    ['a', '0'],
  )
})

test('an added broker has the next id, or one of its own', async () => {
  await using cluster = await EmbeddedCluster.start({ firstBrokerId: 0 })
  assert.equal(await cluster.addBroker(), 1)
  assert.equal(await cluster.addBroker({ id: 40 }), 40)
  assert.equal(await cluster.addBroker(), 41)
  await assert.rejects(cluster.addBroker({ id: 40 }), /there is a broker 40 already/)
})

test('ids that cannot be are refused', async () => {
  await assert.rejects(EmbeddedCluster.start({ firstBrokerId: -1 }), /broker id -1/)
  await assert.rejects(EmbeddedCluster.start({ brokerIds: [1, 1] }), /two brokers with id 1/)
  await assert.rejects(EmbeddedCluster.start({ brokers: 2, brokerIds: [1] }), /1 ids for 2 brokers/)
  await assert.rejects(EmbeddedCluster.start({ firstBrokerId: 1, brokerIds: [1] }), /cannot be combined/)
})
