/** What a test can do to a running cluster: break responses, and stop, move, add and remove brokers. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import {
  ApiKey,
  ApiVersions,
  BatchWriter,
  ErrorCode,
  Fetch,
  ListGroups,
  ListOffsets,
  Metadata,
  OffsetForLeaderEpoch,
  Produce,
  type Decoded,
  type FetchResponse,
} from '@ottla/protocol'
import { EmbeddedCluster } from '../src/index.ts'
import { lasting } from '../../../test/harness/each-test/open-things.ts'
import { WireClient } from './wire-client.ts'

let cluster: EmbeddedCluster
let client: WireClient

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3 })
  cluster.createTopic('t', { partitions: 2, replicationFactor: 3 })
  cluster.setLeader('t', 0, 1)
  cluster.setLeader('t', 1, 1)
  client = await connected()
})

after(async () => {
  client.close()
  await cluster.close()
})

function connected(index = 0): Promise<WireClient> {
  return WireClient.connect(cluster.bootstrapServers, index)
}

/** Error codes by partition. */
async function produce(using: WireClient, ...partitions: number[]): Promise<number[]> {
  const partitionData = partitions.map(index => {
    const writer = new BatchWriter()
    writer.append('k', 'v', null, 1000)
    return { index, records: Buffer.from(writer.seal({})) }
  })
  const topicData = [{ name: 't', partitionData }]
  const { responses } = await using.ask(Produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  return responses.flatMap(topic => topic.partitionResponses.map(({ errorCode }) => errorCode))
}

async function endOf(partition: number): Promise<number> {
  const own = await connected()
  const partitions = [{ partitionIndex: partition, timestamp: -1 }]
  const answer = await own.ask(ListOffsets, 6, { replicaId: -1, topics: [{ name: 't', partitions }] })
  own.close()
  return answer.topics[0]?.partitions[0]?.offset ?? -1
}

async function brokers(using: WireClient): Promise<{ id: number; port: number }[]> {
  const answer = await using.ask(Metadata, 9, { topics: [] })
  return answer.brokers.map(({ nodeId, port }) => ({ id: nodeId, port }))
}

function fetched(using: WireClient, more: object = {}): Promise<Decoded<FetchResponse>> {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1e6, ...more }]
  return using.ask(Fetch, 11, { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }] })
}

test('a response can be lost after the request was carried out', async () => {
  const before = await endOf(0)
  cluster.failNext(ApiKey.Produce, [{ code: ErrorCode.ERR__TRANSPORT, carriedOut: true }])
  await assert.rejects(produce(client, 0), /hung up/)
  assert.equal(await endOf(0), before + 1)
  client = lasting(await connected())
  cluster.failNext(ApiKey.Produce, [{ code: ErrorCode.ERR_REQUEST_TIMED_OUT, carriedOut: true }])
  assert.deepEqual(await produce(client, 0), [ErrorCode.ERR_REQUEST_TIMED_OUT])
  assert.equal(await endOf(0), before + 2)
})

test('a connection can be cut after half a response', async () => {
  cluster.failNext(ApiKey.ApiVersions, [{ cutAfterBytes: 7 }])
  const [host = '', port = ''] = cluster.bootstrapServers.split(',')[0]?.split(':') ?? []
  const socket = connect({ host, port: Number(port) })
  // ApiVersions version 0, correlation id 5, client id null.
  socket.write(Buffer.from('0000000a00120000000000 05ffff'.replace(' ', ''), 'hex'))
  let bytes = 0
  socket.on('data', chunk => (bytes += chunk.length))
  await new Promise(resolve => socket.once('close', resolve))
  assert.equal(bytes, 7)
})

test('a connection can fall silent while others are answered', async () => {
  const silent = await connected()
  cluster.failNextOn(1, ApiKey.ListGroups, [{ silent: true }])
  cluster.requests('start')
  let answers = 0
  const count = (): number => ++answers
  const asked = [silent.ask(ListGroups, 2, {}).then(count, () => 'cut'), brokers(silent).then(count, () => 'cut')]
  while (cluster.requests().length === 0) await new Promise(resolve => setImmediate(resolve))
  cluster.requests('stop')
  assert.equal((await client.ask(ListGroups, 2, {})).errorCode, 0)
  assert.equal((await brokers(client)).length, 3)
  assert.equal(answers, 0)
  silent.close()
  assert.deepEqual(await Promise.all(asked), ['cut', 'cut'])
})

test('a single partition of a request can fail', async () => {
  const [first, second] = [await endOf(0), await endOf(1)]
  cluster.failPartition('t', 1, ApiKey.Produce, [ErrorCode.ERR_NOT_ENOUGH_REPLICAS])
  assert.deepEqual(await produce(client, 0, 1), [0, ErrorCode.ERR_NOT_ENOUGH_REPLICAS])
  assert.deepEqual(await produce(client, 0, 1), [0, 0])
  assert.deepEqual([await endOf(0), await endOf(1)], [first + 2, second + 1])
  assert.throws(() => cluster.failPartition('t', 9, ApiKey.Produce, [1]), /there is no partition t \[9\]/)
})

test('a paused broker keeps its connections and answers when it is resumed', async () => {
  cluster.pauseBroker(1)
  let isAnswered = false
  const asked = brokers(client).then(found => {
    isAnswered = true
    return found
  })
  const fresh = await connected()
  const other = await connected(1)
  assert.equal((await brokers(other)).length, 3)
  assert.equal(isAnswered, false)
  cluster.resumeBroker(1)
  assert.equal((await asked).length, 3)
  assert.equal((await brokers(fresh)).length, 3)
  fresh.close()
  other.close()
})

test('new connections are refused while existing ones stay', async () => {
  cluster.refuseConnections(1)
  assert.equal((await brokers(client)).length, 3)
  await assert.rejects(connected(0), /ECONNREFUSED/)
  await cluster.acceptConnections(1)
  const again = await connected(0)
  assert.equal((await brokers(again)).length, 3)
  again.close()
})

test('a broker moves to another port, and the others report it', async () => {
  const before = (await brokers(client)).find(({ id }) => id === 2)
  await cluster.moveBroker(2)
  const moved = (await brokers(client)).find(({ id }) => id === 2)
  assert.notEqual(moved?.port, before?.port)
  assert.ok(cluster.bootstrapServers.includes(`:${moved?.port}`))
  const there = await connected(1)
  assert.equal((await brokers(there)).length, 3)
  there.close()
})

test('brokers come and go', async () => {
  const id = await cluster.addBroker({ rack: 'new' })
  assert.equal(id, 4)
  assert.deepEqual(
    (await brokers(client)).map(broker => broker.id),
    [1, 2, 3, 4],
  )
  cluster.createTopic('wide', { partitions: 4, replicationFactor: 1 })
  cluster.setLeader('wide', 0, id)
  await cluster.removeBroker(id)
  assert.deepEqual(
    (await brokers(client)).map(broker => broker.id),
    [1, 2, 3],
  )
  const { topics } = await client.ask(Metadata, 9, { topics: [{ name: 'wide' }] })
  const leaders = topics[0]?.partitions.map(({ leaderId }) => leaderId) ?? []
  assert.ok(!leaders.includes(id), `led by ${leaders.join()}`)
  const alone = await EmbeddedCluster.start()
  await assert.rejects(alone.removeBroker(1), /the last broker/)
  await alone.close()
})

test('consumers can be sent to a replica', async () => {
  cluster.setPreferredReplica('t', 0, 3)
  const answer = await fetched(client)
  assert.equal(answer.responses[0]?.partitions[0]?.preferredReadReplica, 3)
  const there = await connected(2)
  const read = await fetched(there)
  assert.equal(read.responses[0]?.partitions[0]?.preferredReadReplica, -1)
  assert.ok((read.responses[0].partitions[0].records?.length ?? 0) > 0)
  cluster.setPreferredReplica('t', 0, null)
  assert.equal((await fetched(client)).responses[0]?.partitions[0]?.preferredReadReplica, -1)
  there.close()
})

test('a test can set the leader epoch', async () => {
  const ask = async (currentLeaderEpoch: number): Promise<number | undefined> => {
    const partitions = [{ partition: 1, currentLeaderEpoch, leaderEpoch: 0 }]
    const answer = await client.ask(OffsetForLeaderEpoch, 3, { replicaId: -1, topics: [{ topic: 't', partitions }] })
    return answer.topics[0]?.partitions[0]?.errorCode
  }
  cluster.setLeaderEpoch('t', 1, 7)
  assert.equal(await ask(7), 0)
  assert.equal(await ask(6), ErrorCode.ERR_FENCED_LEADER_EPOCH)
  assert.equal(await ask(8), ErrorCode.ERR_UNKNOWN_LEADER_EPOCH)
})

test('clients can be throttled', async () => {
  cluster.setThrottle(1, 250)
  assert.equal((await client.ask(ListGroups, 2, {})).throttleTimeMs, 250)
  cluster.setThrottle(1, 0)
  cluster.failNext(ApiKey.ListGroups, [{ throttleMs: 40 }])
  assert.equal((await client.ask(ListGroups, 2, {})).throttleTimeMs, 40)
  assert.equal((await client.ask(ListGroups, 2, {})).throttleTimeMs, 0)
})

test('restricted versions are not reported', async () => {
  const told = async (): Promise<string | undefined> => {
    const own = await connected()
    const { apiKeys } = await own.ask(ApiVersions, 2, {})
    own.close()
    const found = apiKeys.find(({ apiKey }) => apiKey === ApiKey.Fetch)
    return found && `${found.minVersion}-${found.maxVersion}`
  }
  const all = await told()
  cluster.setVersions(ApiKey.Fetch, { min: 4, max: 11 })
  assert.equal(await told(), '4-11')
  cluster.setVersions(ApiKey.Fetch, null)
  assert.equal(await told(), undefined)
  assert.throws(() => cluster.setVersions(ApiKey.Fetch, { min: 4, max: 99 }), /4 to 99 are not possible/)
  const [min, max] = all?.split('-').map(Number) ?? []
  cluster.setVersions(ApiKey.Fetch, { min: min ?? 4, max: max ?? 4 })
  assert.equal(await told(), all)
})

test('requests are tracked with their bodies', async () => {
  cluster.requests('start')
  await produce(client, 0)
  const [request] = cluster.requests('stop')
  assert.equal(request?.apiName, 'Produce')
  assert.equal(request.brokerId, 1)
  assert.equal(request.principal, 'User:ANONYMOUS')
  const { acks, topicData } = request.body as { acks: number; topicData: { name: string }[] }
  assert.deepEqual([acks, topicData[0]?.name], [-1, 't'])
})

test('a function sees requests and may answer them', async () => {
  const seen: string[] = []
  const endFirst = cluster.control(({ apiName }) => {
    seen.push(apiName)
  })
  const endSecond = cluster.control(async ({ apiName }) => {
    await Promise.resolve()
    if (apiName !== 'ListGroups') return undefined
    return { errorCode: ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE, groups: [] }
  })
  const listed = await client.ask(ListGroups, 2, {})
  assert.equal(listed.errorCode, ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE)
  assert.equal((await brokers(client)).length, 3)
  endSecond()
  assert.equal((await client.ask(ListGroups, 2, {})).errorCode, 0)
  endFirst()
  await brokers(client)
  assert.deepEqual(seen, ['ListGroups', 'Metadata', 'ListGroups'])
})
