import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ConsumerGroupHeartbeat, JoinGroup, Metadata } from '@ottla/protocol'
import { EmbeddedCluster } from '../src/index.ts'
import { seededRandom, systemRandom } from '../src/base/random.ts'
import { WireClient } from './wire-client.ts'

async function ids(seed?: number): Promise<(string | null)[]> {
  await using cluster = await EmbeddedCluster.start(seed === undefined ? {} : { seed })
  cluster.createTopic('t')
  const client = await WireClient.connect(cluster.bootstrapServers)
  const { clusterId, topics } = await client.ask(Metadata, 12, { topics: [{ name: 't' }] })
  const join = { groupId: 'g', sessionTimeoutMs: 6000, memberId: '', protocolType: 'consumer' }
  const { memberId } = await client.ask(JoinGroup, 9, {
    ...join,
    protocols: [{ name: 'p', metadata: Buffer.alloc(1) }],
  })
  const heartbeat = { groupId: 'h', memberEpoch: 0, rebalanceTimeoutMs: 1000, subscribedTopicNames: ['t'] }
  const joined = await client.ask(ConsumerGroupHeartbeat, 0, { ...heartbeat, memberId: '', topicPartitions: [] })
  client.close()
  return [clusterId, topics[0]?.topicId ?? null, memberId, joined.memberId]
}

test('with a seed the ids of clusters, topics and members are the same every time', async () => {
  const first = await ids(42)
  assert.deepEqual(await ids(42), first)
  const other = [...(await ids(43)), ...(await ids()), ...(await ids())]
  assert.equal(new Set([...first, ...other]).size, 16)
})

test('the bytes of a seed are not all the same', () => {
  assert.equal(new Set(seededRandom(1).bytes(64)).size > 40, true)
  assert.notDeepEqual(systemRandom.bytes(16), systemRandom.bytes(16))
})
