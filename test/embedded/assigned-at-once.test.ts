/** Changes of the assignment that are asked for before the one before has come to its end. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { Consumer, ErrorCode, OFFSET_STORED, type ConsumerConfig } from 'ottla'
import { plainClients } from '../behaviour/plain-world.ts'

const OFFSET_COMMIT = 8
const WAIT_MS = 20_000
const quiet = (): void => undefined

let cluster: EmbeddedCluster
let names = 0
const world = plainClients(async () => (cluster = await EmbeddedCluster.start()))

async function scene(t: TestContext, config: Partial<ConsumerConfig> = {}) {
  const topic = `at-once-${++names}`
  cluster.createTopic(topic, { partitions: 3 })
  const messages = Array.from({ length: 9 }, (_, i) => ({ topic, partition: i % 3, value: 'm' }))
  for (const { error } of await world.producer.sendBatch(messages)) assert.equal(error, undefined)
  const reader = new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'group.id': topic,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': 60_000,
      'fetch.wait.max.ms': 50,
      'retry.backoff.ms': 10,
      ...config,
    },
    { logger: quiet },
  )
  t.after(() => reader.close())
  return {
    topic,
    reader,
    from: (...partitions: number[]) => partitions.map(partition => ({ topic, partition, offset: OFFSET_STORED })),
    assigned: () =>
      reader
        .assignment()
        .map(({ partition }) => partition)
        .sort(),
  }
}

test('the last of several calls of assign and unassign counts', async t => {
  const { reader, from, assigned } = await scene(t)
  await Promise.all([reader.assign(from(0)), reader.assign(from(1))])
  assert.deepEqual(assigned(), [1])
  await Promise.all([reader.assign(from(2)), reader.unassign()])
  assert.deepEqual(assigned(), [])
  await Promise.all([reader.unassign(), reader.assign(from(0, 1)), reader.assign(from(1, 2))])
  assert.deepEqual(assigned(), [1, 2])
})

test('each begins where the one before has committed', async t => {
  const { topic, reader, from, assigned } = await scene(t)
  await reader.assign(from(0))
  assert.equal((await reader.readMessage(WAIT_MS)).offset, 0)
  const loading = ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS
  cluster.failNext(OFFSET_COMMIT, [loading, loading, loading])
  await Promise.all([reader.assign(from(1)), reader.assign(from(0)), reader.incrementalAssign(from(2))])
  assert.deepEqual(assigned(), [0, 2])
  await reader.incrementalUnassign([{ topic, partition: 2 }])
  assert.equal((await reader.readMessage(WAIT_MS)).offset, 1)
})

test('what is added and taken piece by piece keeps its turn, and is looked at when that has come', async t => {
  const { topic, reader, from, assigned } = await scene(t)
  const place = (partition: number) => [{ topic, partition }]
  await Promise.all([
    reader.assign(from(0)),
    reader.incrementalAssign(from(1)),
    assert.rejects(reader.incrementalAssign(from(0)), { code: ErrorCode.ERR__INVALID_ARG }),
    reader.incrementalUnassign(place(0)),
    assert.rejects(reader.incrementalUnassign(place(0)), { code: ErrorCode.ERR__INVALID_ARG }),
    reader.incrementalAssign(from(2)),
  ])
  assert.deepEqual(assigned(), [1, 2])
  // Nothing before it: done when the call returns.
  const added = reader.incrementalAssign(from(0))
  assert.deepEqual(assigned(), [0, 1, 2])
  await added
})

test('a rebalance callback may assign without awaiting that', async t => {
  const { topic, reader, from, assigned } = await scene(t)
  reader.subscribe(topic, ({ type }) => {
    if (type !== 'assign') return
    void reader.assign(from(0, 1, 2))
    void reader.assign(from(1))
  })
  assert.equal((await reader.readMessage(WAIT_MS)).partition, 1)
  assert.deepEqual(assigned(), [1])
})

test('nothing is assigned to a consumer that has been closed meanwhile', async t => {
  const { reader, from, assigned } = await scene(t)
  await reader.assign(from(0))
  await reader.readMessage(WAIT_MS)
  const loading = Array.from({ length: 1000 }, () => ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS)
  cluster.failNext(OFFSET_COMMIT, loading)
  t.after(() => cluster.clearFaults())
  const assigning = reader.assign(from(1))
  await reader.close(200)
  await assigning
  assert.deepEqual(assigned(), [])
})
