import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import {
  AlterClientQuotas,
  BatchWriter,
  CreatePartitions,
  CreateTopics,
  DeleteTopics,
  DescribeClientQuotas,
  ErrorCode,
  Fetch,
  ListGroups,
  Produce,
} from '@ottla/protocol'
import { EmbeddedCluster } from '../../src/index.ts'
import { FakeClock } from '../fake-clock.ts'
import { WireClient } from '../wire-client.ts'

const EXACT = 0
const DEFAULT = 1
const SPECIFIED = 2

let clock: FakeClock
let cluster: EmbeddedCluster
let client: WireClient

beforeEach(async () => {
  clock = new FakeClock()
  cluster = await EmbeddedCluster.start({ clock })
  cluster.createTopic('t', { partitions: 1 })
  client = await WireClient.connect(cluster.bootstrapServers)
})
afterEach(async () => {
  client.close()
  await cluster.close()
})

type Entity = Readonly<Record<string, string | null>>

async function alter(entity: Entity, quotas: Readonly<Record<string, number | null>>): Promise<number | undefined> {
  const parts = Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }))
  const ops = Object.entries(quotas).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null }))
  const answer = await client.ask(AlterClientQuotas, 1, { entries: [{ entity: parts, ops }], validateOnly: false })
  return answer.entries[0]?.errorCode
}

type Component = readonly [type: string, match: number, name?: string]

async function describe(components: readonly Component[], strict = false): Promise<unknown> {
  const answer = await client.ask(DescribeClientQuotas, 1, {
    components: components.map(([entityType, matchType, match = null]) => ({ entityType, matchType, match })),
    strict,
  })
  if (answer.errorCode !== ErrorCode.ERR_NO_ERROR) return answer.errorCode
  return answer.entries?.map(({ entity, values }) => [
    ...entity.map(({ entityType, entityName }) => `${entityType}=${entityName ?? '<default>'}`),
    ...values.map(({ key, value }) => `${key}:${value}`),
  ])
}

function batch(size: number): Buffer {
  const writer = new BatchWriter()
  writer.append(null, 'x'.repeat(size), null, clock.now())
  return Buffer.from(writer.seal({}))
}

async function produce(records: Buffer): Promise<number> {
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }]
  const answer = await client.ask(Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  assert.equal(answer.responses[0]?.partitionResponses[0]?.errorCode, 0)
  return answer.throttleTimeMs
}

async function fetch(): Promise<{ throttleTimeMs: number; topics: number }> {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6 }]
  const body = { maxWaitMs: 0, minBytes: 1, maxBytes: 1e6, sessionEpoch: -1, topics: [{ topic: 't', partitions }] }
  const { throttleTimeMs, responses } = await client.ask(Fetch, 12, body)
  return { throttleTimeMs, topics: responses.length }
}

test('a producer over its quota is throttled until it has paused', async () => {
  const records = batch(2000)
  assert.equal(await alter({ 'client-id': 'test' }, { producer_byte_rate: 100 }), 0)
  const expected = Math.round(((records.length / 10 - 100) / 100) * 10_000)
  assert.equal(await produce(records), expected)
  clock.advance(11_000)
  assert.equal(await produce(batch(10)), 0)
})

test('a consumer over its quota gets no records for a while', async () => {
  await produce(batch(800))
  assert.equal(await alter({ user: 'ANONYMOUS' }, { consumer_byte_rate: 100 }), 0)
  assert.deepEqual(await fetch(), { throttleTimeMs: 0, topics: 1 })
  const { throttleTimeMs, topics } = await fetch()
  assert.ok(throttleTimeMs > 0)
  assert.equal(topics, 0)
  clock.advance(11_000)
  assert.deepEqual(await fetch(), { throttleTimeMs: 0, topics: 1 })
})

test('every request counts for request_percentage', async () => {
  assert.equal(await alter({ user: 'ANONYMOUS' }, { request_percentage: 0.1 }), 0)
  const times: number[] = []
  for (let i = 0; i < 20; i++) times.push((await client.ask(ListGroups, 4, { statesFilter: [] })).throttleTimeMs)
  // A tenth of a percent is one request a second and ten at once, including the one that set the quota.
  assert.deepEqual(
    times.slice(0, 9),
    Array.from({ length: 9 }, () => 0),
  )
  assert.ok(times.slice(9).every(ms => ms === 1000))
})

test('topics are created and deleted only as fast as the quota allows', async () => {
  assert.equal(await alter({ user: 'ANONYMOUS' }, { controller_mutation_rate: 1 }), 0)
  const create = async (name: string, numPartitions: number, version = 7): Promise<[number | undefined, number]> => {
    const topic = { name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }
    const { topics, throttleTimeMs } = await client.ask(CreateTopics, version, { topics: [topic], timeoutMs: 1000 })
    return [topics[0]?.errorCode, throttleTimeMs]
  }
  const TOO_MUCH = ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED
  // Eleven may be created at once; a client that creates more is refused the next time.
  assert.deepEqual(await create('a', 13), [0, 0])
  assert.deepEqual(await create('b', 1), [TOO_MUCH, 2000])
  const growing = { topics: [{ name: 'a', count: 14, assignments: null }], timeoutMs: 1000, validateOnly: false }
  const grown = await client.ask(CreatePartitions, 3, growing)
  assert.deepEqual([grown.results[0]?.errorCode, grown.throttleTimeMs], [TOO_MUCH, 2000])
  const gone = await client.ask(DeleteTopics, 5, { topicNames: ['a'], timeoutMs: 1000 })
  assert.deepEqual([gone.responses[0]?.errorCode, gone.throttleTimeMs], [TOO_MUCH, 2000])
  clock.advance(2000)
  assert.deepEqual(await create('b', 1), [0, 0])
  // Older clients are not refused.
  assert.deepEqual(await create('c', 1, 5), [0, 2000])
})

test('the most specific quota of a client applies', async () => {
  await alter({ user: null }, { producer_byte_rate: 1 })
  await alter({ 'client-id': 'test' }, { producer_byte_rate: 1 })
  await alter({ user: 'ANONYMOUS' }, { producer_byte_rate: 2 })
  await alter({ user: 'ANONYMOUS', 'client-id': null }, { producer_byte_rate: 1e6 })
  assert.equal(await produce(batch(5000)), 0)
  await alter({ user: 'ANONYMOUS', 'client-id': 'test' }, { producer_byte_rate: 1 })
  assert.ok((await produce(batch(5000))) > 0)
})

test('quotas are found by filters', async () => {
  await alter({ user: 'a' }, { producer_byte_rate: 1 })
  await alter({ user: null }, { consumer_byte_rate: 2 })
  await alter({ user: 'a', 'client-id': 'c' }, { request_percentage: 3.5 })
  await alter({ ip: '127.0.0.1' }, { connection_creation_rate: 4 })
  const ofA = ['user=a', 'producer_byte_rate:1']
  const ofAll = ['user=<default>', 'consumer_byte_rate:2']
  const ofBoth = ['user=a', 'client-id=c', 'request_percentage:3.5']
  const ofIp = ['ip=127.0.0.1', 'connection_creation_rate:4']
  assert.deepEqual(await describe([]), [ofA, ofAll, ofBoth, ofIp])
  assert.deepEqual(await describe([], true), [])
  assert.deepEqual(await describe([['user', EXACT, 'a']]), [ofA, ofBoth])
  assert.deepEqual(await describe([['user', EXACT, 'a']], true), [ofA])
  assert.deepEqual(await describe([['user', DEFAULT]]), [ofAll])
  assert.deepEqual(await describe([['user', SPECIFIED]]), [ofA, ofAll, ofBoth])
  assert.deepEqual(await describe([['ip', SPECIFIED]]), [ofIp])
  await alter({ user: 'a' }, { producer_byte_rate: null })
  assert.deepEqual(await describe([['user', EXACT, 'a']]), [ofBoth])
})

test('invalid filters are refused', async () => {
  const wrong = ErrorCode.ERR_INVALID_REQUEST
  assert.equal(await describe([['nonsense', SPECIFIED]]), ErrorCode.ERR_UNSUPPORTED_VERSION)
  assert.equal(await describe([['', SPECIFIED]]), wrong)
  assert.equal(await describe([['user', 9]]), wrong)
  assert.equal(await describe([['user', EXACT]]), wrong)
  assert.equal(await describe([['user', DEFAULT, 'x']]), wrong)
  assert.equal(await describe([['user', SPECIFIED], ['user', DEFAULT]]), wrong) // prettier-ignore
  assert.equal(await describe([['ip', SPECIFIED], ['user', SPECIFIED]]), wrong) // prettier-ignore
})

test('invalid quotas are refused', async () => {
  const wrong = ErrorCode.ERR_INVALID_REQUEST
  const user = { user: 'u' }
  assert.equal(await alter(user, { nonsense: 1 }), wrong)
  assert.equal(await alter(user, { nonsense: null }), 0)
  assert.equal(await alter(user, { producer_byte_rate: 0 }), wrong)
  assert.equal(await alter(user, { producer_byte_rate: 1.5 }), wrong)
  assert.equal(await alter(user, { producer_byte_rate: 1e20 }), wrong)
  assert.equal(await alter(user, { connection_creation_rate: 1 }), wrong)
  assert.equal(await alter({ user: '' }, { producer_byte_rate: 1 }), wrong)
  assert.equal(await alter({}, { producer_byte_rate: 1 }), wrong)
  assert.equal(await alter({ nonsense: 'x' }, { producer_byte_rate: 1 }), wrong)
  assert.equal(await alter({ ip: 'x y' }, { connection_creation_rate: 1 }), wrong)
  assert.equal(await alter({ ip: '::1', user: 'u' }, { connection_creation_rate: 1 }), wrong)
  assert.deepEqual(await describe([]), [])
})
