/** What a consumer does when brokers refuse, move, forget and fall silent. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  KafkaError,
  OFFSET_BEGINNING,
  Producer,
  type Clock,
  type ConsumerConfig,
  type RebalanceEvent,
} from 'ottla'

const OFFSET_FETCH = 9
const OFFSET_COMMIT = 8
const LIST_OFFSETS = 2
const FETCH = 1
const JOIN_GROUP = 11
const HEARTBEAT = 12
const SYNC_GROUP = 14
const FIND_COORDINATOR = 10
const LEAVE_GROUP = 13

const quiet = (): void => undefined

let cluster: EmbeddedCluster
let admin: AdminClient
let producer: Producer
let names = 0
const fresh = (prefix: string): string => `${prefix}-${++names}`

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3 })
  const config = { 'bootstrap.servers': cluster.bootstrapServers }
  admin = new AdminClient(config, { logger: quiet })
  producer = new Producer({ ...config, 'linger.ms': 0 }, { logger: quiet })
})

after(async () => {
  await producer.close()
  await admin.close()
  await cluster.close()
})

function consumer(config: Partial<ConsumerConfig> = {}): Consumer {
  return new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': fresh('group'),
      'auto.offset.reset': 'earliest',
      'session.timeout.ms': 6000,
      'heartbeat.interval.ms': 50,
      'fetch.wait.max.ms': 50,
      'retry.backoff.ms': 20,
      ...config,
    },
    { logger: quiet },
  )
}

function topicWith(partitions: number, replicationFactor = 3): string {
  const topic = fresh('faults')
  cluster.createTopic(topic, { partitions, replicationFactor })
  return topic
}

async function fill(topic: string, count: number, partition = 0): Promise<void> {
  const messages = Array.from({ length: count }, (_, i) => ({ topic, partition, value: String(i) }))
  for (const report of await producer.sendBatch(messages)) assert.equal(report.error, undefined)
}

async function take(reader: Consumer, count: number): Promise<number[]> {
  const offsets: number[] = []
  while (offsets.length < count) offsets.push((await reader.readMessage(20_000)).offset)
  return offsets
}

test('an offset fetch that fails again and again never throws the progress of the group away', async () => {
  const topic = topicWith(1)
  await fill(topic, 20)
  const group = fresh('group')
  const first = consumer({ 'group.id': group })
  first.subscribe(topic)
  await take(first, 12)
  await first.close()
  cluster.failNext(OFFSET_FETCH, [
    ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode.ERR_NOT_COORDINATOR,
    ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE,
    ErrorCode.ERR_UNSTABLE_OFFSET_COMMIT,
    ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED,
    ErrorCode.ERR_UNKNOWN,
  ])
  await using second = consumer({ 'group.id': group })
  second.subscribe(topic)
  const errors: number[] = []
  let offset = -1
  while (offset < 0) {
    try {
      offset = (await second.readMessage(20_000)).offset
    } catch (error) {
      assert.ok(error instanceof KafkaError)
      errors.push(error.code)
    }
  }
  assert.equal(offset, 12)
  assert.deepEqual(errors, [ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED])
})

test('passing refusals while joining are gone through in silence', async () => {
  const topic = topicWith(1)
  await fill(topic, 1)
  cluster.failNext(FIND_COORDINATOR, [ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE])
  cluster.failNext(JOIN_GROUP, [
    ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS,
    ErrorCode.ERR_NOT_COORDINATOR,
    ErrorCode.ERR_UNKNOWN_MEMBER_ID,
  ])
  cluster.failNext(SYNC_GROUP, [ErrorCode.ERR_REBALANCE_IN_PROGRESS, ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE])
  await using reader = consumer()
  reader.subscribe(topic)
  assert.deepEqual(await take(reader, 1), [0])
})

test('a member that the coordinator has forgotten loses its partitions and comes back', async () => {
  const topic = topicWith(1)
  await fill(topic, 3)
  await using reader = consumer({ 'enable.auto.commit': false })
  const events: RebalanceEvent['type'][] = []
  const lost: boolean[] = []
  reader.subscribe(topic, (event, self) => {
    events.push(event.type)
    lost.push(self.assignmentLost())
  })
  await take(reader, 3)
  const member = reader.memberId
  cluster.failNext(HEARTBEAT, [ErrorCode.ERR_UNKNOWN_MEMBER_ID])
  await take(reader, 3)
  assert.deepEqual(events, ['assign', 'lost', 'assign'])
  assert.deepEqual(lost, [false, true, false])
  assert.notEqual(reader.memberId, member)
})

test('a generation that is over takes the partitions, too', async () => {
  const topic = topicWith(1)
  await fill(topic, 1)
  await using reader = consumer({ 'enable.auto.commit': false })
  const events: RebalanceEvent['type'][] = []
  reader.subscribe(topic, event => void events.push(event.type))
  await take(reader, 1)
  cluster.failNext(HEARTBEAT, [ErrorCode.ERR_ILLEGAL_GENERATION])
  await take(reader, 1)
  assert.deepEqual(events, ['assign', 'lost', 'assign'])
})

test('a commit of a generation that is over is refused, and the member joins again', async () => {
  const topic = topicWith(1)
  await fill(topic, 1)
  await using reader = consumer({ 'enable.auto.commit': false })
  const events: RebalanceEvent['type'][] = []
  reader.subscribe(topic, event => void events.push(event.type))
  await take(reader, 1)
  cluster.failNext(OFFSET_COMMIT, [ErrorCode.ERR_ILLEGAL_GENERATION])
  await assert.rejects(reader.commit(), (error: KafkaError) => error.code === ErrorCode.ERR_ILLEGAL_GENERATION)
  await fill(topic, 1)
  await take(reader, 1)
  assert.deepEqual(events, ['assign', 'lost', 'assign'])
  await reader.commit()
})

test('a commit waits for a coordinator that is loading or has moved', async () => {
  const topic = topicWith(1)
  await fill(topic, 1)
  const group = fresh('group')
  await using reader = consumer({ 'group.id': group, 'enable.auto.commit': false })
  reader.subscribe(topic)
  await take(reader, 1)
  cluster.failNext(OFFSET_COMMIT, [ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.ERR_NOT_COORDINATOR])
  assert.equal((await reader.commit())[0]?.error, undefined)
  for (const id of [1, 2, 3]) {
    cluster.setCoordinator('group', group, id)
    await reader.commit([{ topic, partition: 0, offset: 1 }])
  }
})

test('a member without a heartbeat for session.timeout.ms knows that its partitions are lost', async () => {
  const topic = topicWith(1)
  await fill(topic, 1)
  await using reader = consumer({ 'session.timeout.ms': 1000, 'enable.auto.commit': false })
  const types: string[] = []
  reader.subscribe(topic, event => void types.push(event.type))
  await take(reader, 1)
  cluster.failNext(
    HEARTBEAT,
    Array.from({ length: 100 }, () => ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE),
  )
  while (!types.includes('lost')) await reader.poll(50)
  cluster.clearFaults()
  await take(reader, 1)
  assert.deepEqual(types, ['assign', 'lost', 'assign'])
})

test('an instance that was fenced off is told so, for good', async () => {
  const topic = topicWith(1)
  await fill(topic, 1)
  await using reader = consumer({ 'group.instance.id': 'one' })
  reader.subscribe(topic)
  await take(reader, 1)
  cluster.failNext(HEARTBEAT, [ErrorCode.ERR_FENCED_INSTANCE_ID])
  cluster.failNext(JOIN_GROUP, [ErrorCode.ERR_FENCED_INSTANCE_ID])
  await assert.rejects(reader.readMessage(10_000), (error: KafkaError) => {
    assert.equal(error.code, ErrorCode.ERR_FENCED_INSTANCE_ID)
    assert.equal(error.isFatal, true)
    return true
  })
  // It met one of the two; the other is not for the next test.
  cluster.clearFaults()
})

test('leaders that move while messages are read cost none of them', async () => {
  const topic = topicWith(2)
  await using reader = consumer()
  await reader.assign([
    { topic, partition: 0, offset: OFFSET_BEGINNING },
    { topic, partition: 1, offset: OFFSET_BEGINNING },
  ])
  const next = [0, 0]
  for (let round = 0; round < 6; round++) {
    cluster.setLeader(topic, round % 2, 1 + (round % 3))
    await fill(topic, 20, 0)
    await fill(topic, 20, 1)
    for (let i = 0; i < 40; i++) {
      const { partition, offset } = await reader.readMessage(20_000)
      assert.equal(offset, next[partition])
      next[partition] = offset + 1
    }
  }
  assert.deepEqual(next, [120, 120])
})

test('refused fetches and offset requests are tried again, at the same place', async () => {
  const topic = topicWith(1)
  await fill(topic, 10)
  cluster.failNext(LIST_OFFSETS, [ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, ErrorCode.ERR_LEADER_NOT_AVAILABLE])
  cluster.failNext(FETCH, [
    ErrorCode.ERR_NOT_LEADER_FOR_PARTITION,
    ErrorCode.ERR_UNKNOWN_LEADER_EPOCH,
    ErrorCode.ERR_FENCED_LEADER_EPOCH,
    ErrorCode.ERR_KAFKA_STORAGE_ERROR,
    ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART,
    ErrorCode.ERR_OFFSET_NOT_AVAILABLE,
    ErrorCode.ERR_UNKNOWN,
  ])
  await using reader = consumer({ 'fetch.error.backoff.ms': 20 })
  await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
  assert.deepEqual(await take(reader, 10), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('connections that break while messages are read cost none of them', async () => {
  const topic = topicWith(3)
  const group = fresh('group')
  await using reader = consumer({ 'group.id': group })
  reader.subscribe(topic)
  const next = [0, 0, 0]
  for (let round = 0; round < 5; round++) {
    for (const partition of [0, 1, 2]) await fill(topic, 30, partition)
    for (let i = 0; i < 90; i++) {
      if (i === 40) for (const id of [1, 2, 3]) cluster.dropConnections(id)
      const { partition, offset } = await reader.readMessage(20_000)
      assert.equal(offset, next[partition])
      next[partition] = offset + 1
    }
  }
})

test('close returns in its time when no broker answers', async () => {
  const topic = topicWith(1)
  await fill(topic, 2)
  const reader = consumer()
  const events: string[] = []
  reader.subscribe(topic, event => void events.push(event.type))
  await take(reader, 2)
  for (const id of [1, 2, 3]) await cluster.brokerDown(id, { moveLeaders: false })
  try {
    await reader.close(300)
    assert.equal(reader.closed, true)
    assert.deepEqual(events, ['assign', 'revoke'])
  } finally {
    for (const id of [1, 2, 3]) await cluster.brokerUp(id)
  }
})

test('close says goodbye, so that the others need not wait for a time-out', async () => {
  const topic = topicWith(1)
  await fill(topic, 1)
  cluster.requests('start')
  const reader = consumer()
  reader.subscribe(topic)
  await take(reader, 1)
  await reader.close()
  const order = cluster.requests('stop').map(request => request.apiKey)
  const commit = order.lastIndexOf(OFFSET_COMMIT)
  const leave = order.lastIndexOf(LEAVE_GROUP)
  assert.ok(commit >= 0 && leave > commit, 'the commit comes before the goodbye')
})

test('brokers that are down at first are waited for', async () => {
  const later = await EmbeddedCluster.start({ brokers: 1 })
  later.createTopic('later', { partitions: 1 })
  const writer = new Producer({ 'bootstrap.servers': later.bootstrapServers, 'linger.ms': 0 }, { logger: quiet })
  await writer.send({ topic: 'later', value: 'x' })
  await writer.close()
  await later.brokerDown(1, { moveLeaders: false })
  const reader = consumer({ 'bootstrap.servers': later.bootstrapServers, 'reconnect.backoff.ms': 20 })
  reader.subscribe('later')
  const errors: string[] = []
  reader.on('error', event => errors.push(event.error.name))
  await assert.rejects(reader.readMessage(300), (error: KafkaError) => error.code === ErrorCode.ERR__TIMED_OUT)
  assert.ok(errors.length > 0, 'the trouble is told as events')
  await later.brokerUp(1)
  assert.deepEqual(await take(reader, 1), [0])
  await reader.close()
  await later.close()
})

test('a fetch that is under way when the program seeks does not bring it back', async () => {
  const topic = topicWith(1)
  await fill(topic, 100)
  await using reader = consumer()
  await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
  cluster.setRoundTripTime(-1, 30)
  try {
    for (const offset of [90, 5, 60, 30]) {
      await reader.seek([{ topic, partition: 0, offset }])
      assert.deepEqual(await take(reader, 2), [offset, offset + 1])
    }
  } finally {
    cluster.setRoundTripTime(-1, 0)
  }
})

test('a consumer that is closed leaves no timer behind', async () => {
  const topic = topicWith(2)
  await fill(topic, 1)
  let pending = 0
  const clock: Clock = {
    now: () => performance.now(),
    wallTime: () => Date.now(),
    setTimer: (ms, callback) => {
      pending++
      let open = true
      const settle = (): void => {
        if (open) pending--
        open = false
      }
      const handle = setTimeout(() => {
        settle()
        callback()
      }, ms)
      return {
        cancel: () => {
          clearTimeout(handle)
          settle()
        },
      }
    },
  }
  const config = { 'bootstrap.servers': cluster.bootstrapServers, 'auto.offset.reset': 'earliest' } as const
  const reader = new Consumer({ ...config, 'group.id': fresh('group') }, { logger: quiet, clock })
  reader.subscribe([topic, 'missing-topic'])
  await assert.rejects(
    reader.readMessage(10_000),
    (error: KafkaError) => error.code === ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART,
  )
  await take(reader, 1)
  const waiting = reader.poll(60_000)
  await reader.close()
  assert.equal(await waiting, null)
  assert.equal(pending, 0)
})
