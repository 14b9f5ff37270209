import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, Fetch, Produce, type Decoded, type FetchRequest, type FetchResponse } from '@ottla/protocol'
import { EmbeddedCluster } from '../src/index.ts'
import { batchBytes } from './batches.ts'
import { FakeClock } from './fake-clock.ts'
import { WireClient } from './wire-client.ts'

const LATER = 60_000
const clock = new FakeClock()
let cluster: EmbeddedCluster
let clients: WireClient[]
let topics = 0
let idleTimers = 0

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 2, clock, racks: ['east', 'west'] })
  idleTimers = clock.pending
  clients = await Promise.all([0, 1].map(i => WireClient.connect(cluster.bootstrapServers, i)))
})

after(async () => {
  for (const client of clients) client.close()
  await cluster.close()
})

/** A topic with one partition, led by broker 1. */
function topicOnFirst(): string {
  const topic = `t-${topics++}`
  cluster.createTopic(topic, { partitions: 1, replicationFactor: 2 })
  cluster.setLeader(topic, 0, 1)
  return topic
}

function fetchFrom(
  broker: number,
  topic: string | null,
  options: Partial<FetchRequest> = {},
  fetchOffset = 0,
): Promise<Decoded<FetchResponse>> {
  const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1e6 }]
  const body = { maxWaitMs: LATER, minBytes: 1, maxBytes: 1e6, topics: topic === null ? [] : [{ topic, partitions }] }
  return (clients[broker - 1] as WireClient).ask(Fetch, 12, { ...body, ...options }) // two were connected
}

async function put(topic: string): Promise<void> {
  const client = await WireClient.connect(cluster.bootstrapServers)
  const topicData = [{ name: topic, partitionData: [{ index: 0, records: batchBytes(2, {}, clock.now()) }] }]
  const answer = await client.ask(Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  assert.equal(answer.responses[0]?.partitionResponses[0]?.errorCode, ErrorCode.ERR_NO_ERROR)
  client.close()
}

/** Waits until the broker holds the response back: nothing else sets timers on this clock. */
async function waiting(): Promise<void> {
  while (clock.pending <= idleTimers) await new Promise(resolve => setImmediate(resolve))
}

function only(answer: Decoded<FetchResponse>): Decoded<FetchResponse>['responses'][number]['partitions'][number] {
  return answer.responses[0]?.partitions[0] ?? assert.fail('there is no partition in the answer')
}

test('a fetch of no partitions is answered at once', async () => {
  assert.deepEqual((await fetchFrom(1, null)).responses, [])
})

test('a fetch does not wait for more bytes than its maximum', async () => {
  const topic = topicOnFirst()
  await put(topic)
  const answer = await fetchFrom(1, topic, { minBytes: 1e6, maxBytes: 10 })
  assert.equal(only(answer).errorCode, ErrorCode.ERR_NO_ERROR)
})

test('a consumer can keep fetching from a former leader that is in sync', async () => {
  const topic = topicOnFirst()
  const answer = fetchFrom(1, topic)
  await waiting()
  cluster.setLeader(topic, 0, 2)
  clock.advance(LATER)
  assert.equal(only(await answer).errorCode, ErrorCode.ERR_NO_ERROR)
})

test('a waiting fetch with a leader epoch is answered at once when that ends', async () => {
  const topic = topicOnFirst()
  const partitions = [{ partition: 0, currentLeaderEpoch: 1, fetchOffset: 0, partitionMaxBytes: 1e6 }]
  const answer = fetchFrom(1, topic, { topics: [{ topic, partitions }] })
  await waiting()
  cluster.setLeader(topic, 0, 2)
  assert.equal(only(await answer).errorCode, ErrorCode.ERR_FENCED_LEADER_EPOCH)
})

test('a waiting fetch is woken when its topic is deleted', async () => {
  const topic = topicOnFirst()
  const answer = fetchFrom(1, topic)
  await waiting()
  cluster.deleteTopic(topic)
  assert.equal(only(await answer).errorCode, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
})

test('a fetch returns empty when its time has passed', async () => {
  const topic = topicOnFirst()
  const answer = fetchFrom(1, topic)
  await waiting()
  clock.advance(LATER)
  assert.equal(only(await answer).errorCode, ErrorCode.ERR_NO_ERROR)
})

test('a consumer in another rack is sent to the replica there', async () => {
  const topic = topicOnFirst()
  await put(topic)
  const sent = only(await fetchFrom(1, topic, { rackId: 'west' }))
  assert.equal(sent.preferredReadReplica, 2)
  assert.equal(only(await fetchFrom(1, topic, { rackId: 'east' })).preferredReadReplica, -1)
  const read = only(await fetchFrom(2, topic, { rackId: 'west' }))
  assert.equal(read.preferredReadReplica, -1)
  assert.ok(read.records !== null && read.records.length > 0)
})

test('a truncated log diverges from what its reader knows', async () => {
  const topic = topicOnFirst()
  await put(topic)
  await put(topic)
  cluster.truncate(topic, 0, 2)
  const behind = [{ partition: 0, fetchOffset: 4, lastFetchedEpoch: 1, partitionMaxBytes: 1e6 }]
  const where = async (): Promise<unknown> =>
    only(await fetchFrom(1, topic, { topics: [{ topic, partitions: behind }] })).divergingEpoch
  // Also while the reader stands behind the end of the log.
  assert.deepEqual(await where(), { epoch: 1, endOffset: 2 })
  await put(topic)
  await put(topic)
  assert.deepEqual(await where(), { epoch: 1, endOffset: 2 })
})
