import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ApiVersions,
  ApiVersionsServer,
  ConsumerGroupHeartbeat,
  ConsumerGroupHeartbeatServer,
  ErrorCode,
  FindCoordinator,
  FindCoordinatorServer,
  Heartbeat,
  HeartbeatServer,
  Metadata,
  MetadataServer,
  Produce,
  ProduceServer,
  type BrokerAddress,
} from '@ottla/protocol'
import { serve, type BrokerSide } from '../../src/replay/broker-side.ts'
import { Script } from '../../src/replay/script.ts'
import { transcribe } from '../../src/replay/transcript.ts'
import { MemorySocket, Story, WireEnd } from './story.ts'

interface Stage {
  readonly script: Script
  readonly lines: string[]
  readonly delays: number[]
  readonly connect: (broker?: string) => WireEnd
}

/** Plays a story's brokers, on connections in memory; delays are noted, and pass at once. */
function stage(story: Story, options: Partial<BrokerSide> = {}): Stage {
  const transcript = transcribe(story.recording)
  const lines: string[] = []
  const delays: number[] = []
  const side: BrokerSide = {
    script: new Script(transcript),
    names: transcript.names,
    addressOf: ({ port }: BrokerAddress) => ({ host: '127.0.0.1', port: port + 10_000 }),
    speed: 1,
    later: (ms, callback) => {
      delays.push(ms)
      queueMicrotask(callback)
    },
    report: line => lines.push(line),
    ...options,
  }
  const connect = (broker = 'b1:9092'): WireEnd => {
    const [client, server] = MemorySocket.pair()
    serve(server, broker, side)
    return new WireEnd(client)
  }
  return { script: side.script, lines, delays, connect }
}

const heartbeat = (groupId: string) => ({ groupId, generationId: 1, memberId: 'm' })
const versions = { errorCode: 0, apiKeys: [{ apiKey: 3, minVersion: 0, maxVersion: 12 }] }

test('a request gets the recorded answer, after the recorded time, by its own correlation id', async () => {
  const story = new Story()
    .open(1)
    .ask(1, ApiVersions, 3, {})
    .wait(5)
    .answer(1, ApiVersionsServer, 3, versions)
    .ask(1, Heartbeat, 4, heartbeat('g'))
    .wait(7)
    .answer(1, HeartbeatServer, 4, { errorCode: ErrorCode.ERR_REBALANCE_IN_PROGRESS })
  const { connect, script, delays, lines } = stage(story)
  const client = connect()
  assert.equal((await client.ask(ApiVersions, 3, {}))?.apiKeys.length, 1)
  assert.equal((await client.ask(Heartbeat, 4, heartbeat('g')))?.errorCode, ErrorCode.ERR_REBALANCE_IN_PROGRESS)
  assert.deepEqual(delays, [5, 7])
  assert.deepEqual(script.progress, { played: 2, all: 2 })
  assert.equal(lines[1], 'b1:9092  Heartbeat v4  group g  generation 1  member m  answered as on connection 1 (7.0 ms)')
})

test('--speed divides the times', async () => {
  const story = new Story().open(1).ask(1, ApiVersions, 3, {}).wait(50).answer(1, ApiVersionsServer, 3, versions)
  const { connect, delays } = stage(story, { speed: 10 })
  await connect().ask(ApiVersions, 3, {})
  assert.deepEqual(delays, [5])
})

test('addresses of brokers are those where they listen now', async () => {
  const brokers = [{ nodeId: 1, host: 'b1', port: 9092 }]
  const story = new Story()
    .open(1)
    .ask(1, Metadata, 12, { topics: [] })
    .answer(1, MetadataServer, 12, { brokers, topics: [] })
    .ask(1, FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    .answer(1, FindCoordinatorServer, 4, {
      coordinators: [{ key: 'g', nodeId: 1, host: 'b1', port: 9092, errorCode: 0, errorMessage: null }],
    })
    .ask(1, FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['none'] })
    .answer(1, FindCoordinatorServer, 4, {
      coordinators: [{ key: 'none', nodeId: -1, host: '', port: -1, errorCode: 15, errorMessage: null }],
    })
  const client = stage(story).connect()
  const metadata = await client.ask(Metadata, 12, { topics: [] })
  assert.deepEqual(metadata?.brokers, [{ nodeId: 1, host: '127.0.0.1', port: 19_092, rack: null }])
  const coordinator = await client.ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['none'] })
  assert.equal(coordinator?.coordinators[0]?.port, -1, 'the same question comes first, not the next one')
})

test('connections are told apart by their first request after the handshake', async () => {
  const story = new Story()
  for (const [connection, api] of [
    [1, 'produce'],
    [2, 'heartbeat'],
  ] as const) {
    story.open(connection).ask(connection, ApiVersions, 3, {}).answer(connection, ApiVersionsServer, 3, versions)
    if (api === 'produce') story.ask(connection, Metadata, 12, { topics: [] })
    else story.ask(connection, Heartbeat, 4, heartbeat('g'))
    if (api === 'produce') story.answer(connection, MetadataServer, 12, { brokers: [], topics: [], clusterId: 'one' })
    else story.answer(connection, HeartbeatServer, 4, { errorCode: 0 })
  }
  const { connect, lines } = stage(story)
  const first = connect()
  await first.ask(ApiVersions, 3, {})
  assert.equal((await first.ask(Heartbeat, 4, heartbeat('g')))?.errorCode, 0)
  const second = connect()
  await second.ask(ApiVersions, 3, {})
  assert.equal((await second.ask(Metadata, 12, { topics: [] }))?.clusterId, 'one')
  assert.match(lines[1] ?? '', /as on connection 2/)
  assert.match(lines[3] ?? '', /as on connection 1/)
})

test('what is asked about the cluster is answered in the order of the recording, on whichever connection', async () => {
  const story = new Story()
  for (const connection of [1, 2]) {
    story.wait(10).open(connection, `b${connection}:9092`).ask(connection, Metadata, 12, { topics: [] })
    story.answer(connection, MetadataServer, 12, { brokers: [], topics: [], clusterId: `seen ${connection}` })
  }
  const { connect } = stage(story)
  for (const [broker, expected] of [
    ['b2:9092', 'seen 1'],
    ['b1:9092', 'seen 2'],
    ['b1:9092', 'seen 2'],
  ] as const)
    assert.equal((await connect(broker).ask(Metadata, 12, { topics: [] }))?.clusterId, expected)
})

test('a broker that hung up hangs up, one that refused refuses', async () => {
  const story = new Story()
    .connect(1)
    .add({ event: 'refused', connection: 1, why: 'ECONNREFUSED' })
    .open(2)
    .ask(2, Heartbeat, 4, heartbeat('g'))
    .wait(30)
    .add({ event: 'closed', connection: 2, by: 'broker', why: 'reset' })
    .open(3)
    .ask(3, Heartbeat, 4, heartbeat('g'))
    .answer(3, HeartbeatServer, 4, { errorCode: 0 })
  const { connect, delays, lines } = stage(story)
  await connect().closed
  assert.equal(lines[0], 'b1:9092  refused, as recorded')
  assert.equal(await connect().ask(Heartbeat, 4, heartbeat('g')), null)
  assert.deepEqual(delays, [30])
  assert.equal((await connect().ask(Heartbeat, 4, heartbeat('g')))?.errorCode, 0)
})

test('a broker that closed an idle connection closes it again, after its last answer', async () => {
  const story = new Story()
    .open(1)
    .ask(1, Heartbeat, 4, heartbeat('g'))
    .wait(2)
    .answer(1, HeartbeatServer, 4, { errorCode: 0 })
    .wait(600)
    .add({ event: 'closed', connection: 1, by: 'broker', why: 'reset' })
  const { connect, delays } = stage(story)
  const client = connect()
  assert.equal((await client.ask(Heartbeat, 4, heartbeat('g')))?.errorCode, 0)
  await client.closed
  assert.deepEqual(delays, [2, 600])
})

test('what is produced with acks=0 holds up no answer, and the broker hangs up as long after it as it did', async () => {
  const produce = { acks: 0, timeoutMs: 1, topicData: [] }
  const story = new Story()
    .open(1)
    .ask(1, Produce, 11, produce)
    .wait(5)
    .ask(1, Heartbeat, 4, heartbeat('g'))
    .wait(2)
    .answer(1, HeartbeatServer, 4, { errorCode: 0 })
    .ask(1, Produce, 11, produce)
    .wait(600)
    .add({ event: 'closed', connection: 1, by: 'broker', why: 'reset' })
  const { connect, delays, script } = stage(story)
  const client = connect()
  client.send(Produce, 11, produce)
  assert.equal((await client.ask(Heartbeat, 4, heartbeat('g')))?.errorCode, 0)
  client.send(Produce, 11, produce)
  await client.closed
  assert.deepEqual(delays, [2, 600])
  assert.deepEqual(script.progress, { played: 3, all: 3 })
})

test('questions that may be repeated get their last answer, others none', async () => {
  const story = new Story()
    .open(1)
    .ask(1, Metadata, 12, { topics: [] })
    .answer(1, MetadataServer, 12, { brokers: [], topics: [], clusterId: 'one' })
    .ask(1, Metadata, 12, { topics: [] })
    .answer(1, MetadataServer, 12, { brokers: [], topics: [], clusterId: 'two' })
  const { connect, lines } = stage(story)
  const client = connect()
  const ids: (string | null | undefined)[] = []
  for (let i = 0; i < 4; i++) ids.push((await client.ask(Metadata, 12, { topics: [] }))?.clusterId)
  assert.deepEqual(ids, ['one', 'two', 'two', 'two'])
  void client.ask(Produce, 11, { acks: -1, timeoutMs: 1, topicData: [] })
  await new Promise(setImmediate)
  assert.match(lines.at(-1) ?? '', /Produce v11 {2}acks=-1 {2}not answered: the recording has no more of it/)
})

test('a member that chose another id is answered by it', async () => {
  const request = { groupId: 'g', memberId: 'theirs', memberEpoch: 0 }
  const story = new Story()
    .open(1)
    .ask(1, ConsumerGroupHeartbeat, 1, request)
    .answer(1, ConsumerGroupHeartbeatServer, 1, {
      throttleTimeMs: 0,
      errorCode: 0,
      memberId: 'theirs',
      memberEpoch: 1,
      heartbeatIntervalMs: 1000,
    })
  const answer = await stage(story)
    .connect()
    .ask(ConsumerGroupHeartbeat, 1, { ...request, memberId: 'mine' })
  assert.equal(answer?.memberId, 'mine')
})

test('a message to another partition gets the recorded outcome', async () => {
  const produce = (index: number) => ({
    acks: -1,
    timeoutMs: 1,
    topicData: [{ name: 'orders', partitionData: [{ index, records: null }] }],
  })
  const partitionResponses = [{ index: 0, errorCode: ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, baseOffset: -1 }]
  const story = new Story()
    .open(1)
    .ask(1, Produce, 11, produce(0))
    .answer(1, ProduceServer, 11, { responses: [{ name: 'orders', partitionResponses }] })
  const answer = await stage(story).connect().ask(Produce, 11, produce(3))
  const [outcome] = answer?.responses[0]?.partitionResponses ?? []
  assert.deepEqual([outcome?.index, outcome?.errorCode], [3, ErrorCode.ERR_NOT_LEADER_FOR_PARTITION])
})

test('a request in another version is answered in that version', async () => {
  const story = new Story()
    .open(1)
    .ask(1, Heartbeat, 2, { ...heartbeat('g') })
    .answer(1, HeartbeatServer, 2, { errorCode: 27 })
  assert.equal((await stage(story).connect().ask(Heartbeat, 4, heartbeat('g')))?.errorCode, 27)
})

test('what is not Kafka is hung up on', async () => {
  const lines: string[] = []
  const [client, server] = MemorySocket.pair()
  const transcript = transcribe(new Story().open(1).recording)
  serve(server, 'b1:9092', {
    script: new Script(transcript),
    names: transcript.names,
    addressOf: address => address,
    speed: 1,
    later: () => assert.fail('nothing is to be waited for'),
    report: line => lines.push(line),
  })
  const end = new WireEnd(client)
  client.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await end.closed
  assert.equal(lines[0], 'b1:9092  closed: the client does not speak Kafka')
})
