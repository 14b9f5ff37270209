import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AlterReplicaLogDirs, BatchWriter, DescribeLogDirs, ErrorCode, Produce } from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { WireClient } from '../wire-client.ts'

let cluster: EmbeddedCluster
let client: WireClient

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 2, maxBytes: 10_000 })
  cluster.createTopic('here', { partitions: 2, replicationFactor: 2 })
  for (let i = 0; i < 2; i++) cluster.createTopic(`single-${i}`, { partitions: 1, replicationFactor: 1 })
  client = await WireClient.connect(cluster.bootstrapServers)
})
after(async () => {
  client.close()
  await cluster.close()
})

test('a log directory is described with its replicas, their sizes and the free space', async () => {
  const writer = new BatchWriter()
  writer.append(null, 'v', null, 1000)
  const records = Buffer.from(writer.seal({}))
  cluster.setLeader('here', 1, 1)
  const topicData = [{ name: 'here', partitionData: [{ index: 1, records }] }]
  await client.ask(Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  const topics = [{ topic: 'here', partitions: [1, 9] }, { topic: 'missing', partitions: [0] }] // prettier-ignore
  const { results } = await client.ask(DescribeLogDirs, 4, { topics })
  const partition = { partitionIndex: 1, partitionSize: records.length, offsetLag: 0, isFutureKey: false }
  assert.deepEqual(results[0]?.topics, [{ name: 'here', partitions: [partition] }])
  assert.equal(results[0].totalBytes, 10_000)
  assert.equal(results[0].usableBytes, 10_000 - records.length)
})

test('without a list of topics all replicas of a broker are described', async () => {
  const { results } = await client.ask(DescribeLogDirs, 4, { topics: null })
  const names = results[0]?.topics.map(({ name }) => name) ?? []
  assert.ok(names.includes('here'))
  assert.equal(names.filter(name => name.startsWith('single')).length, 1)
})

test('a replica can only be moved to the directory where it is', async () => {
  const { results } = await client.ask(DescribeLogDirs, 4, { topics: null })
  const path = results[0]?.logDir ?? ''
  const single = results[0]?.topics.find(({ name }) => name.startsWith('single'))?.name
  const other = single === 'single-0' ? 'single-1' : 'single-0'
  const move = async (name: string, partition = 0, to = path): Promise<number | undefined> => {
    const dirs = [{ path: to, topics: [{ name, partitions: [partition] }] }]
    const answer = await client.ask(AlterReplicaLogDirs, 2, { dirs })
    return answer.results[0]?.partitions[0]?.errorCode
  }
  assert.equal(await move('here'), 0)
  assert.equal(await move('here', 0, '/there/is/none'), ErrorCode.ERR_LOG_DIR_NOT_FOUND)
  assert.equal(await move('here', 2), ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  assert.equal(await move('missing'), ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  assert.equal(await move(other), ErrorCode.ERR_REPLICA_NOT_AVAILABLE)
  assert.equal(await move('x'.repeat(249)), ErrorCode.ERR_TOPIC_EXCEPTION)
})
