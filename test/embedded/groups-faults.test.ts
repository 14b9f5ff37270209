/** What a member of the consumer group protocol does when the coordinator refuses. */
import { after, before, test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import type { ConsumerGroupHeartbeatRequest } from '@ottla/protocol'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  errorName,
  KafkaError,
  Producer,
  type ConsumerConfig,
  type RebalanceEvent,
} from 'ottla'

const OFFSET_FETCH = 9
const OFFSET_COMMIT = 8
const CONSUMER_GROUP_HEARTBEAT = 68
const WAIT_MS = 20_000

const quiet = (): void => undefined

let cluster: EmbeddedCluster
let admin: AdminClient
let producer: Producer
let names = 0
const fresh = (prefix: string): string => `${prefix}-${++names}`

before(async () => {
  cluster = await EmbeddedCluster.start({ autoCreateTopics: false })
  const config = { 'bootstrap.servers': cluster.bootstrapServers }
  admin = new AdminClient(config, { logger: quiet })
  producer = new Producer({ ...config, 'linger.ms': 0 }, { logger: quiet })
})

after(async () => {
  await producer.close()
  await admin.close()
  await cluster.close()
})

function member(group: string, config: Partial<ConsumerConfig> = {}): Consumer {
  return new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': group,
      'group.protocol': 'consumer',
      'auto.offset.reset': 'earliest',
      'fetch.wait.max.ms': 50,
      'retry.backoff.ms': 20,
      ...config,
    },
    { logger: quiet },
  )
}

async function groupOf(prefix: string): Promise<string> {
  const group = fresh(prefix)
  const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '50', operation: 'set' }] as const
  const [altered] = await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
  assert.equal(altered?.error, undefined)
  return group
}

async function written(count: number): Promise<string> {
  const topic = fresh('topic')
  cluster.createTopic(topic, { partitions: 1, replicationFactor: 1 })
  const messages = Array.from({ length: count }, (_, i) => ({ topic, partition: 0, value: `value-${i}` }))
  for (const report of await producer.sendBatch(messages)) assert.equal(report.error, undefined)
  return topic
}

async function until(consumer: Consumer, what: string, done: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!done()) {
    assert.ok(performance.now() < deadline, `never came true: ${what}`)
    await consumer.poll(10)
  }
}

test('a stale epoch at OffsetFetch is tried again and never begins anew', async () => {
  const topic = await written(10)
  const group = await groupOf('fetch')
  const committed = await admin.alterConsumerGroupOffsets(group, [{ topic, partition: 0, offset: 7 }])
  assert.equal(committed[0]?.error, undefined)
  const stale = ErrorCode.ERR_STALE_MEMBER_EPOCH
  cluster.failNext(OFFSET_FETCH, [stale, stale, stale])
  const consumer = member(group)
  consumer.subscribe(topic)
  assert.equal((await consumer.readMessage(WAIT_MS)).offset, 7)
  await consumer.close()
})

test('a commit with a stale epoch is tried again', async () => {
  const topic = await written(10)
  const consumer = member(await groupOf('commit'), { 'enable.auto.commit': false })
  consumer.subscribe(topic)
  const message = await consumer.readMessage(WAIT_MS)
  cluster.failNext(OFFSET_COMMIT, [ErrorCode.ERR_STALE_MEMBER_EPOCH, ErrorCode.ERR_STALE_MEMBER_EPOCH])
  const [result] = await consumer.commitMessage(message)
  assert.equal(result?.error, undefined)
  const [found] = await consumer.committed([{ topic, partition: 0 }])
  assert.equal(found?.offset, 1)
  await consumer.close()
})

for (const code of [ErrorCode.ERR_FENCED_MEMBER_EPOCH, ErrorCode.ERR_UNKNOWN_MEMBER_ID]) {
  test(`a member that is told ${errorName(code)} loses its partitions, and goes on where it has committed`, async () => {
    const topic = await written(10)
    const consumer = member(await groupOf('fenced'), { 'enable.auto.commit': false })
    const events: RebalanceEvent[] = []
    consumer.subscribe(topic, event => void events.push(event))
    await consumer.commitMessage(await consumer.readMessage(WAIT_MS))
    await consumer.readMessage(WAIT_MS)
    cluster.failNext(CONSUMER_GROUP_HEARTBEAT, [code])
    await until(consumer, 'it has them again', () => events.length === 3)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['assign', 'lost', 'assign'],
    )
    await consumer.close()
    assert.deepEqual(
      events.map(({ type }) => type),
      ['assign', 'lost', 'assign', 'revoke'],
    )
  })
}

test('a member that the coordinator will not have is told so, for good', async () => {
  const topic = await written(1)
  cluster.failNext(CONSUMER_GROUP_HEARTBEAT, [ErrorCode.ERR_UNRELEASED_INSTANCE_ID])
  const consumer = member(await groupOf('refused'), { 'group.instance.id': 'taken' })
  consumer.subscribe(topic)
  await assert.rejects(consumer.readMessage(WAIT_MS), (error: unknown) => {
    assert.ok(error instanceof KafkaError)
    assert.deepEqual([error.code, error.isFatal], [ErrorCode.ERR_UNRELEASED_INSTANCE_ID, true])
    return true
  })
  await consumer.close()
})

test('what somebody may put right is told, and tried again', async () => {
  const topic = await written(1)
  cluster.failNext(CONSUMER_GROUP_HEARTBEAT, [ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED])
  const consumer = member(await groupOf('allowed'))
  consumer.subscribe(topic)
  await assert.rejects(consumer.readMessage(WAIT_MS), { name: 'ERR_GROUP_AUTHORIZATION_FAILED' })
  assert.equal((await consumer.readMessage(WAIT_MS)).offset, 0)
  await consumer.close()
})

test('a pattern that the broker does not take is matched by the client', async () => {
  const topic = await written(1)
  cluster.failNext(CONSUMER_GROUP_HEARTBEAT, [ErrorCode.ERR_INVALID_REGULAR_EXPRESSION])
  const consumer = member(await groupOf('regex'))
  consumer.subscribe(`^${topic}$`)
  assert.equal((await consumer.readMessage(WAIT_MS)).topic, topic)
  await consumer.close()
})

test('a pattern that only JavaScript understands is matched by the client, topics that come later included', async () => {
  const prefix = fresh('look')
  const consumer = member(await groupOf('look'), { 'topic.metadata.refresh.interval.ms': 100 })
  consumer.subscribe(new RegExp(`^${prefix}-(?!internal)`))
  cluster.createTopic(`${prefix}-internal`, { partitions: 1, replicationFactor: 1 })
  cluster.createTopic(`${prefix}-orders`, { partitions: 1, replicationFactor: 1 })
  await until(consumer, 'it is assigned', () => consumer.assignment().length > 0)
  assert.deepEqual(consumer.assignment(), [{ topic: `${prefix}-orders`, partition: 0 }])
  await consumer.close()
})

test('a topic that was deleted and made anew under its name is another one', async () => {
  const topic = await written(3)
  const consumer = member(await groupOf('anew'), { 'topic.metadata.refresh.interval.ms': 100 })
  consumer.subscribe(topic)
  for (let i = 0; i < 3; i++) await consumer.readMessage(WAIT_MS)
  const [deleted] = await admin.deleteTopics([topic])
  assert.equal(deleted?.error, undefined)
  await until(consumer, 'it is gone', () => consumer.assignment().length === 0)
  cluster.createTopic(topic, { partitions: 1, replicationFactor: 1 })
  await until(consumer, 'it is back', () => consumer.assignment().length === 1)
  const [report] = await producer.sendBatch([{ topic, partition: 0, value: 'new' }])
  assert.equal(report?.error, undefined)
  assert.equal(String((await consumer.readMessage(WAIT_MS)).value), 'new')
  await consumer.close()
})

/** Epochs of a member's heartbeats as its coordinator hears them, those that it refuses while loading in brackets. */
function heard(t: TestContext, group: string, isLoading: (epoch: number) => boolean): string[] {
  const epochs: string[] = []
  const end = cluster.control(({ apiName, body }) => {
    if (apiName !== 'ConsumerGroupHeartbeat') return undefined
    const { groupId, memberId, memberEpoch } = body as ConsumerGroupHeartbeatRequest
    if (groupId !== group) return undefined
    const isRefused = isLoading(memberEpoch)
    if (memberEpoch <= 0) epochs.push(isRefused ? `(${memberEpoch})` : `${memberEpoch}`)
    if (!isRefused) return undefined
    const errorCode = ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS
    const rest = { errorMessage: null, memberEpoch: 0, heartbeatIntervalMs: 50, assignment: null }
    return { throttleTimeMs: 0, errorCode, memberId, ...rest }
  })
  t.after(end)
  return epochs
}

for (const how of ['evicted', 'unsubscribed'] as const) {
  test(`a member that was ${how} joins again behind its goodbye, however often that has to be said`, async t => {
    const topic = await written(1)
    const group = await groupOf('goodbye')
    let refusals = 3
    const epochs = heard(t, group, epoch => epoch === -1 && refusals-- > 0)
    const consumer = member(group, { 'max.poll.interval.ms': 500, 'retry.backoff.ms': 50 })
    t.after(() => consumer.close())
    consumer.subscribe(topic)
    await until(consumer, 'it is assigned', () => consumer.assignment().length > 0)
    // Evicted because it does not poll.
    const left = how === 'unsubscribed' ? consumer.unsubscribe() : Promise.resolve()
    const end = performance.now() + WAIT_MS
    while (!epochs.includes('(-1)')) {
      assert.ok(performance.now() < end)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
    consumer.subscribe(topic)
    await left
    const before = epochs.indexOf('0')
    await until(
      consumer,
      'it has come back',
      () => epochs.lastIndexOf('0') > before && consumer.assignment().length > 0,
    )
    assert.deepEqual(epochs, ['0', '(-1)', '(-1)', '(-1)', '-1', '0'])
  })
}

test('a member that is left while it joins is not tried to be brought in behind its goodbye', async t => {
  const topic = await written(1)
  const group = await groupOf('joining')
  let isLoading = true
  const epochs = heard(t, group, epoch => epoch === 0 && isLoading)
  const consumer = member(group)
  t.after(() => consumer.close())
  consumer.subscribe(topic)
  await until(consumer, 'it is refused', () => epochs.length > 1)
  await consumer.unsubscribe()
  isLoading = false
  consumer.subscribe(topic)
  assert.equal((await consumer.readMessage(WAIT_MS)).offset, 0)
  assert.deepEqual(epochs.slice(epochs.indexOf('-1')), ['-1', '0'])
})

test('what was read is committed when the member leaves in the middle of a rebalance', async () => {
  const topic = await written(3)
  const group = fresh('leaver')
  const consumer = new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': group,
      'auto.offset.reset': 'earliest',
      'fetch.wait.max.ms': 50,
      'retry.backoff.ms': 20,
      'auto.commit.interval.ms': 60_000,
    },
    { logger: quiet },
  )
  consumer.subscribe(topic)
  for (let i = 0; i < 3; i++) await consumer.readMessage(WAIT_MS)
  const { ERR_REBALANCE_IN_PROGRESS } = ErrorCode
  cluster.failNext(OFFSET_COMMIT, [ERR_REBALANCE_IN_PROGRESS, ERR_REBALANCE_IN_PROGRESS])
  await consumer.close()
  const [committed] = await admin.listConsumerGroupOffsets(group, [{ topic, partition: 0 }])
  assert.equal(committed?.offset, 3)
})

test('settings that the broker decides are refused', () => {
  for (const config of [
    { 'session.timeout.ms': 10_000 },
    { 'heartbeat.interval.ms': 100 },
    { 'partition.assignment.strategy': 'range' },
  ]) {
    assert.throws(() => member('none', config), /is for group.protocol=classic/)
  }
})
