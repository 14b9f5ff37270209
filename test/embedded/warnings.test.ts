/** Programs that wait in many places at once, with one signal or many brokers: Node has nothing to warn of. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { EmbeddedCluster } from '@ottla/broker'
import { AdminClient, Consumer, ErrorCode, KafkaError, OFFSET_BEGINNING, Producer, ShareConsumer } from 'ottla'

const MANY = 30
const quiet = { logger: (): void => undefined }

let cluster: EmbeddedCluster
let servers: { 'bootstrap.servers': string }
let names = 0
const fresh = (prefix: string): string => `${prefix}-${++names}`
const warnings: Error[] = []
const onWarning = (warning: Error): void => void warnings.push(warning)

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 14 })
  servers = { 'bootstrap.servers': cluster.bootstrapServers }
})
after(() => cluster.close())

beforeEach(() => {
  warnings.length = 0
  process.on('warning', onWarning)
})

afterEach(async () => {
  // They are told in a turn of their own.
  await turn()
  process.off('warning', onWarning)
  assert.deepEqual(
    warnings.map(({ stack }) => stack),
    [],
  )
})

async function filled(partitions: number, count: number): Promise<string> {
  const topic = fresh('topic')
  cluster.createTopic(topic, { partitions })
  const producer = new Producer(servers, quiet)
  try {
    const messages = Array.from({ length: count }, (_, i) => ({ topic, value: String(i), partition: i % partitions }))
    await producer.sendBatch(messages)
  } finally {
    await producer.close()
  }
  return topic
}

function consumer(): Consumer {
  return new Consumer({ ...servers, 'group.id': fresh('group'), 'auto.offset.reset': 'earliest' }, quiet)
}

test('Fifty handlers of run that pause before their next try, on one signal', async () => {
  const topic = await filled(1, 50)
  const stop = new AbortController()
  const reader = consumer()
  try {
    reader.subscribe(topic)
    let done = 0
    await reader.run({
      concurrency: 50,
      order: 'none',
      retry: { retries: 2, backoffMs: 100 },
      signal: stop.signal,
      handler: (_, { attempt }) => {
        if (attempt === 1) throw new Error('again')
        if (++done === 50) stop.abort()
      },
    })
    assert.equal(done, 50)
    assert.equal(getEventListeners(stop.signal, 'abort').length, 0)
  } finally {
    await reader.close()
  }
})

test('Handlers of a share group that wait on the signal they are given', async () => {
  const topic = fresh('topic')
  cluster.createTopic(topic, { partitions: 1 })
  const stop = new AbortController()
  const group = fresh('share')
  const admin = new AdminClient(servers, quiet)
  const producer = new Producer(servers, quiet)
  const reader = new ShareConsumer({ ...servers, 'group.id': group }, quiet)
  try {
    await admin.incrementalAlterConfigs([
      {
        type: 'group',
        name: group,
        entries: [{ name: 'share.auto.offset.reset', operation: 'set', value: 'earliest' }],
      },
    ])
    await producer.sendBatch(Array.from({ length: MANY }, (_, i) => ({ topic, value: String(i) })))
    reader.subscribe(topic)
    let done = 0
    await reader.run({
      concurrency: 20,
      signal: stop.signal,
      handler: async () => {
        await turn()
        if (++done === MANY) stop.abort()
      },
    })
    assert.equal(done, MANY)
  } finally {
    await Promise.all([reader.close(), producer.close(), admin.close()])
  }
})

test('One consumer of partitions on fourteen brokers', async () => {
  const topic = await filled(56, 112)
  const reader = consumer()
  try {
    await reader.assign(Array.from({ length: 56 }, (_, partition) => ({ topic, partition, offset: OFFSET_BEGINNING })))
    const { signal } = new AbortController()
    for (let i = 0; i < 112; i++) assert.ok(await reader.readMessage({ timeoutMs: 30_000, signal }))
  } finally {
    await reader.close()
  }
})

test('Sends that wait for room in a full queue, with one signal', async () => {
  const topic = fresh('topic')
  cluster.createTopic(topic, { partitions: 1 })
  const stop = new AbortController()
  const producer = new Producer({ ...servers, 'queue.buffering.max.messages': 1, 'linger.ms': 0 }, quiet)
  try {
    const { signal } = stop
    const sends = Array.from({ length: MANY }, (_, i) => producer.send({ topic, value: String(i) }, { signal }))
    const reports = await Promise.all(sends)
    assert.equal(reports.length, MANY)
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  } finally {
    await producer.close()
  }
})

test('Reads and admin calls with one signal, which ends what still waits', async () => {
  const topic = await filled(1, 1)
  const other = await filled(1, 1)
  const stop = new AbortController()
  const { signal } = stop
  const readers = Array.from({ length: 15 }, consumer)
  const admins = Array.from({ length: 15 }, () => new AdminClient(servers, quiet))
  const producers = Array.from({ length: 15 }, () => new Producer({ ...servers, 'linger.ms': 60_000 }, quiet))
  try {
    const reads = readers.map(async reader => {
      await reader.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
      await reader.readMessage({ signal })
      await reader.readMessage({ signal })
    })
    const calls = admins.flatMap(admin => [
      admin.describeCluster({ signal }),
      admin.describeTopics([topic], { signal }),
    ])
    await Promise.all(calls)
    const flushes = producers.map(producer => {
      producer.produce({ topic: other, value: 'x' }, () => undefined)
      return producer.flush(30_000)
    })
    await Promise.all(flushes)
    stop.abort()
    const ends = await Promise.allSettled(reads)
    assert.ok(ends.every(({ status }) => status === 'rejected'))
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  } finally {
    for (const client of [...readers, ...admins, ...producers]) await client.close()
  }
})

test('Thirty clients in one process', async () => {
  const topic = await filled(14, 14)
  const producers = Array.from({ length: MANY }, () => new Producer(servers, quiet))
  try {
    await Promise.all(producers.map(producer => producer.send({ topic, value: 'x' })))
  } finally {
    await Promise.all(producers.map(producer => producer.close()))
  }
})

test('Calls to an unreachable cluster, each of which waits to try again', async () => {
  const stop = new AbortController()
  const { signal } = stop
  const admin = new AdminClient({ 'bootstrap.servers': '127.0.0.1:1' }, quiet)
  try {
    const calls = Array.from({ length: MANY }, () => admin.describeCluster({ signal }))
    const settled = Promise.allSettled(calls)
    await turn()
    stop.abort(new KafkaError(ErrorCode.ERR__TIMED_OUT, 'enough'))
    assert.ok((await settled).every(({ status }) => status === 'rejected'))
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  } finally {
    await admin.close()
  }
})
