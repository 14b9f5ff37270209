/** How far consumers are behind: `consumer.lag()` and `admin.groupLag()`. */
import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, KafkaError, OFFSET_INVALID, Producer, type ConsumerConfig } from 'ottla'
import { ways } from '../behaviour/reading-ways.ts'

const quiet = (): void => undefined
const WAIT_MS = 20_000

let cluster: EmbeddedCluster
let names = 0
const fresh = (prefix: string): string => `${prefix}-${++names}`

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 2, autoCreateTopics: false })
})
after(() => cluster.close())

function consumer(t: TestContext, config: Partial<ConsumerConfig> = {}): Consumer {
  const made = new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': fresh('group'),
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 50,
      'fetch.wait.max.ms': 50,
      ...config,
    },
    { logger: quiet },
  )
  t.after(() => made.close())
  return made
}

/** Three committed transactions of two messages, with an aborted one in between: 6 messages in 12 offsets. */
async function transactions(topic: string): Promise<void> {
  const config = { 'bootstrap.servers': cluster.bootstrapServers, 'transactional.id': fresh('txn') }
  await using producer = new Producer(config, { logger: quiet })
  const send = async (tx: Producer): Promise<void> => {
    for (let i = 0; i < 2; i++) await tx.send({ topic, value: 'v' })
  }
  for (const isAborted of [false, true, false, false]) {
    const work = producer.transaction(async tx => {
      await send(tx)
      if (isAborted) throw new Error('abort')
    })
    await (isAborted ? assert.rejects(work, /abort/) : work)
  }
}

async function until(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!(await isTrue())) {
    assert.ok(Date.now() < deadline, `never: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

for (const [way, read] of Object.entries(ways)) {
  for (const isolation of ['read_committed', 'read_uncommitted'] as const) {
    const messages = isolation === 'read_committed' ? 6 : 8
    test(`${way}, ${isolation}: the lag is 0 when all of ${messages} messages between markers are committed`, async t => {
      const topic = fresh('topic')
      cluster.createTopic(topic, { partitions: 1 })
      await transactions(topic)
      const reader = consumer(t, { 'isolation.level': isolation })
      reader.subscribe(topic)
      let seen = 0
      const reading = read(reader, () => {
        seen++
      })
      await until(() => seen === messages, `${messages} messages`)
      await until(async () => (await reader.lag())[0]?.lag === 0, 'a lag of 0')
      const [lag] = await reader.lag()
      assert.deepEqual([lag?.topic, lag?.partition, lag?.lagMs, lag?.error], [topic, 0, 0, undefined])
      assert.equal(lag?.highWatermark, 12)
      await reader.close()
      await reading
    })
  }
}

test('messages that are delivered and not committed count, markers and aborted messages between them do not', async t => {
  const topic = fresh('topic')
  cluster.createTopic(topic, { partitions: 1 })
  await transactions(topic)
  const reader = consumer(t, { 'enable.auto.commit': false, 'enable.auto.offset.store': false })
  reader.subscribe(topic)
  const counts: (number | undefined)[] = []
  for (let i = 0; i < 6; i++) {
    const message = await reader.readMessage(WAIT_MS)
    const [before] = await reader.lag()
    if (i === 0) assert.equal(before?.committed, OFFSET_INVALID)
    if (i % 2 === 1) await reader.commitMessage(message)
    counts.push((await reader.lag())[0]?.lag)
  }
  assert.deepEqual(counts, [6, 4, 4, 2, 2, 0])
})

test('a partition of which nothing is fetched counts by its offsets; without a group, what is not delivered counts', async () => {
  const topic = fresh('topic')
  cluster.createTopic(topic, { partitions: 2 })
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  await using producer = new Producer(servers, { logger: quiet })
  const stamp = Date.now() - 5000
  for (let i = 0; i < 3; i++) await producer.send({ topic, partition: 0, value: 'v', timestamp: stamp })
  await using reader = new Consumer(servers, { logger: quiet })
  assert.deepEqual(await reader.lag(), [])
  await reader.assign([0, 1].map(partition => ({ topic, partition, offset: 0 })))
  reader.pause([{ topic, partition: 1 }])
  await producer.send({ topic, partition: 1, value: 'v' })
  await reader.readMessage(WAIT_MS)
  const [first, second] = await reader.lag()
  assert.deepEqual([first?.lag, first?.committed, first?.position], [2, OFFSET_INVALID, 1])
  assert.ok((first?.lagMs ?? 0) >= 5000)
  assert.equal(second?.lag, 1)
})

test('groupLag: of several groups at once, with those that have committed nothing', async () => {
  const topic = fresh('topic')
  cluster.createTopic(topic, { partitions: 2 })
  const servers = { 'bootstrap.servers': cluster.bootstrapServers }
  await using producer = new Producer(servers, { logger: quiet })
  for (let i = 0; i < 5; i++) await producer.send({ topic, partition: 0, value: 'v' })
  await using admin = new AdminClient(servers, { logger: quiet })
  const [behind, done, none] = [fresh('group'), fresh('group'), fresh('group')]
  await admin.alterConsumerGroupOffsets(behind, [
    { topic, partition: 0, offset: 2 },
    { topic, partition: 1, offset: 0 },
  ])
  await admin.alterConsumerGroupOffsets(done, [{ topic, partition: 0, offset: 5 }])
  assert.deepEqual(await admin.groupLag([behind, done, none]), [
    {
      groupId: behind,
      partitions: [
        { topic, partition: 0, committed: 2, end: 5, lag: 3 },
        { topic, partition: 1, committed: 0, end: 0, lag: 0 },
      ],
    },
    { groupId: done, partitions: [{ topic, partition: 0, committed: 5, end: 5, lag: 0 }] },
    { groupId: none, partitions: [] },
  ])
  assert.deepEqual(await admin.groupLag([]), [])
  await assert.rejects(admin.groupLag(['']), KafkaError)
})
