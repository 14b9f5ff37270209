import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import {
  ErrorCode,
  KafkaError,
  Producer,
  json,
  type DeliveryReport,
  type ProducerConfig,
  type ProducerMessage,
} from 'ottla'

const quiet = (): void => undefined
let cluster: EmbeddedCluster
let topics = 0
const fresh = (): string => `producer-${++topics}`

before(async () => {
  cluster = await EmbeddedCluster.start({ brokers: 3 })
})
after(() => cluster.close())

function producer(config: Partial<ProducerConfig> = {}): Producer {
  return new Producer({ 'bootstrap.servers': cluster.bootstrapServers, ...config }, { logger: quiet })
}

const is =
  (code: number, says = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof KafkaError)
    assert.equal(error.code, code, `${error.name}: ${error.message}`)
    assert.match(error.message, says)
    return true
  }

test('send resolves with the report of the message', async () => {
  await using alice = producer()
  const topic = fresh()
  const report = await alice.send({ topic, key: 'k', value: 'v', opaque: 7, timestamp: 1234, headers: { h: 'x' } })
  assert.deepEqual(
    { ...report, latencyMs: 0 },
    {
      topic,
      partition: report.partition,
      offset: 0,
      timestamp: 1234,
      key: 'k',
      value: 'v',
      headers: { h: 'x' },
      opaque: 7,
      status: 'persisted',
      latencyMs: 0,
    },
  )
  assert.ok(report.latencyMs > 0)
})

test('send rejects with an error that has the report, which is not shown with it', async () => {
  await using alice = producer()
  const topic = fresh()
  cluster.createTopic(topic, { partitions: 1, configs: { 'max.message.bytes': '200' } })
  await assert.rejects(alice.send({ topic, value: 'secret'.repeat(100), opaque: 9 }), (error: KafkaError) => {
    is(ErrorCode.ERR_MSG_SIZE_TOO_LARGE)(error)
    assert.equal(error.report?.opaque, 9)
    assert.equal(error.report.status, 'not-persisted')
    assert.doesNotMatch(JSON.stringify(error) + String(error), /secret/)
    return true
  })
})

test('sendBatch gives the reports in order and never rejects for one bad message', async () => {
  await using alice = producer()
  const topic = fresh()
  const bad = { topic, value: 5 } as unknown as ProducerMessage
  const reports = await alice.sendBatch([{ topic, value: 'a' }, bad, { topic, value: 'b' }, { topic: '!', value: 'c' }])
  assert.deepEqual(
    reports.map(r => [r.value, r.status, r.error?.name]),
    [
      ['a', 'persisted', undefined],
      [5, 'not-persisted', 'ERR__INVALID_ARG'],
      ['b', 'persisted', undefined],
      ['c', 'not-persisted', 'ERR__INVALID_ARG'],
    ],
  )
  assert.deepEqual(await alice.sendBatch([]), [])
})

test('send waits for room in the queue, and an aborted one gives up its place', async () => {
  await using alice = producer({ 'queue.buffering.max.messages': 10 })
  const topic = fresh()
  const sends = Array.from({ length: 500 }, (_, i) => alice.send({ topic, key: 'k', value: String(i) }))
  const abort = new AbortController()
  const given = alice.send({ topic, value: 'x' }, { signal: abort.signal })
  abort.abort(new Error('too slow'))
  await assert.rejects(given, /too slow/)
  const reports = await Promise.all(sends)
  const offsets = reports.map(r => r.offset)
  assert.deepEqual(
    offsets,
    offsets.toSorted((a, b) => a - b),
  )
  assert.equal(alice.outstanding, 0)
})

test('sendBatch of more than the queue holds goes through', async () => {
  await using alice = producer({ 'queue.buffering.max.messages': 10 })
  const topic = fresh()
  const reports = await alice.sendBatch(Array.from({ length: 1000 }, (_, i) => ({ topic, value: String(i) })))
  assert.ok(reports.every((r, i) => r.status === 'persisted' && r.value === String(i)))
})

test('a lonely send does not wait for the linger, with ottla.linger.adaptive=false it does', async () => {
  const topic = fresh()
  await using eager = producer({ 'linger.ms': 20_000 })
  const lonely = await eager.send({ topic, value: 'a' })
  assert.ok(lonely.latencyMs < 10_000, String(lonely.latencyMs))
  await using patient = producer({ 'linger.ms': 300, 'ottla.linger.adaptive': false })
  const report = await patient.send({ topic, value: 'b' })
  assert.ok(report.latencyMs >= 299, String(report.latencyMs))
})

test('serializers make the bytes; the report has what was given', async () => {
  const bootstrap = { 'bootstrap.servers': cluster.bootstrapServers }
  await using orders = new Producer<number, { id: number }>(bootstrap, {
    logger: quiet,
    key: (data, context) => `${context.topic}/${context.field}/${String(context.headers[0]?.value)}/${data}`,
    value: json<{ id: number }>(),
  })
  const topic = fresh()
  const report = await orders.send({ topic, key: 5, value: { id: 1 }, headers: { h: 'x' } })
  assert.equal(report.key, 5)
  assert.deepEqual(report.value, { id: 1 })
})

test('an asynchronous serializer works with send and is refused by produce', async () => {
  const bootstrap = { 'bootstrap.servers': cluster.bootstrapServers }
  const options = { logger: quiet, value: (data: string) => Promise.resolve(data.toUpperCase()) }
  await using slow = new Producer<string, string>(bootstrap, options)
  const topic = fresh()
  assert.throws(() => slow.produce({ topic, value: 'x' }), is(ErrorCode.ERR__INVALID_ARG, /send\(\) only/))
  assert.equal((await slow.send({ topic, value: 'x' })).status, 'persisted')
})

test('a serializer that throws is told as such, and harms nobody else', async () => {
  const bootstrap = { 'bootstrap.servers': cluster.bootstrapServers }
  const value = (data: string): string => {
    if (data === 'bad') throw new Error('cannot say it')
    return data
  }
  await using fussy = new Producer<string, string>(bootstrap, { logger: quiet, value, key: value })
  const topic = fresh()
  const good = fussy.send({ topic, value: 'good' })
  assert.throws(() => fussy.produce({ topic, value: 'bad' }), is(ErrorCode.ERR__VALUE_SERIALIZATION, /cannot say it/))
  assert.throws(() => fussy.produce({ topic, key: 'bad' }), is(ErrorCode.ERR__KEY_SERIALIZATION))
  await assert.rejects(fussy.send({ topic, value: 'bad' }), is(ErrorCode.ERR__VALUE_SERIALIZATION))
  assert.equal((await good).status, 'persisted')
})

test('events() gives the reports made before it was asked for, then those that follow, and ends with the producer', async () => {
  const alice = producer()
  const topic = fresh()
  alice.produce({ topic, value: 'early' })
  assert.equal(await alice.flush(), 0)
  const events = alice.events()[Symbol.asyncIterator]()
  const values: unknown[] = []
  const reading = (async () => {
    for (let step = await events.next(); step.done !== true; step = await events.next()) {
      if (step.value.type === 'delivery') values.push(step.value.report.value)
    }
  })()
  alice.produce({ topic, value: 'late' })
  await alice.flush()
  await alice.close()
  await reading
  assert.deepEqual(values, ['early', 'late'])
})

test("on('delivery') gets the reports that nobody had asked for, after it has returned", async () => {
  await using alice = producer()
  const topic = fresh()
  alice.produce({ topic, value: 'early' })
  await alice.flush()
  const heard = new Promise<DeliveryReport>(resolve => alice.on('delivery', event => resolve(event.report)))
  assert.equal((await heard).value, 'early')
})

test('writable() takes a stream of messages, and closing it waits for their reports', async () => {
  await using alice = producer({ 'queue.buffering.max.messages': 20 })
  const topic = fresh()
  const writer = alice.writable().getWriter()
  for (let i = 0; i < 200; i++) {
    await writer.ready
    void writer.write({ topic, partition: 0, value: String(i) })
  }
  await writer.close()
  assert.equal(alice.outstanding, 0)
  assert.deepEqual(await alice.queryWatermarkOffsets(topic, 0), { low: 0, high: 200 })
})

test('a message that cannot be delivered errors its writable()', async () => {
  await using alice = producer()
  const topic = fresh()
  cluster.createTopic(topic, { partitions: 1, configs: { 'max.message.bytes': '200' } })
  const writer = alice.writable().getWriter()
  await writer.write({ topic, value: 'x'.repeat(500) })
  await assert.rejects(writer.close(), is(ErrorCode.ERR_MSG_SIZE_TOO_LARGE))
  await writer.closed.catch(quiet)
})

test('after close everything is refused with ERR__STATE, and closing again is harmless', async () => {
  const alice = producer()
  const topic = fresh()
  const reports: DeliveryReport[] = []
  alice.produce({ topic, value: 'last' }, report => reports.push(report))
  const closing = alice.close()
  assert.equal(alice.closed, true)
  assert.throws(() => alice.produce({ topic, value: 'x' }), is(ErrorCode.ERR__STATE, /being closed/))
  await closing
  assert.equal(reports[0]?.status, 'persisted')
  await alice.close()
  assert.throws(() => alice.produce({ topic, value: 'x' }), is(ErrorCode.ERR__STATE, /closed/))
  await assert.rejects(alice.send({ topic, value: 'x' }), is(ErrorCode.ERR__STATE))
  await assert.rejects(alice.getMetadata(), is(ErrorCode.ERR__STATE))
  assert.equal(await alice.flush(), 0)
})

test('close returns within its limit although nothing can be delivered, and reports what was left', async () => {
  const lost = new Producer({ 'bootstrap.servers': '127.0.0.1:1' }, { logger: quiet })
  const reports: DeliveryReport[] = []
  for (let i = 0; i < 3; i++) lost.produce({ topic: 't', value: 'x' }, report => reports.push(report))
  await lost.close(20)
  assert.deepEqual(
    reports.map(r => [r.error?.name, r.status]),
    Array.from({ length: 3 }, () => ['ERR__PURGE_QUEUE', 'not-persisted']),
  )
  const other = new Producer({ 'bootstrap.servers': '127.0.0.1:1' }, { logger: quiet })
  const sent = other.send({ topic: 't', value: 'x' })
  const abort = new AbortController()
  const closing = other.close({ signal: abort.signal })
  abort.abort()
  await closing
  await assert.rejects(sent, is(ErrorCode.ERR__PURGE_QUEUE))
})

test('a send that waits for room when the producer is closed is let in if there is time, else refused', async () => {
  const topic = fresh()
  const alice = producer({ 'queue.buffering.max.messages': 1 })
  const sends = ['a', 'b', 'c'].map(value => alice.send({ topic, value }))
  await alice.close()
  assert.ok((await Promise.all(sends)).every(report => report.status === 'persisted'))

  const lost = new Producer(
    { 'bootstrap.servers': '127.0.0.1:1', 'queue.buffering.max.messages': 1 },
    { logger: quiet },
  )
  const [first, second] = [lost.send({ topic, value: 'a' }), lost.send({ topic, value: 'b' })]
  const refused = Promise.allSettled([first, second])
  await lost.close(20)
  const outcomes = (await refused).map(o => (o.status === 'rejected' ? (o.reason as KafkaError).name : o.status))
  assert.deepEqual(outcomes, ['ERR__PURGE_QUEUE', 'ERR__STATE'])
})

test('a fatal error makes produce throw ERR__FATAL and is told as an event', async () => {
  await using alice = producer()
  const errors: KafkaError[] = []
  alice.on('error', event => errors.push(event.error))
  alice.testFatalError(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 'made up')
  alice.testFatalError(ErrorCode.ERR_UNKNOWN, 'too late')
  assert.equal(alice.fatalError?.code, ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  assert.equal(alice.fatalError.isFatal, true)
  assert.throws(() => alice.produce({ topic: 't', value: 'x' }), is(ErrorCode.ERR__FATAL, /made up/))
  assert.deepEqual(
    errors.filter(error => error.isFatal).map(error => error.code),
    [ErrorCode.ERR__FATAL],
  )
})

test('metadata and offsets can be asked for', async () => {
  await using alice = producer()
  const topic = fresh()
  cluster.createTopic(topic, { partitions: 2 })
  await alice.send({ topic, partition: 1, value: 'a', timestamp: 1000 })
  await alice.send({ topic, partition: 1, value: 'b', timestamp: 2000 })
  const metadata = await alice.getMetadata({ topic })
  assert.equal(metadata.brokers.length, 3)
  assert.equal(metadata.topics[0]?.partitions.length, 2)
  assert.deepEqual(await alice.queryWatermarkOffsets(topic, 1, 5000), { low: 0, high: 2 })
  const [found] = await alice.offsetsForTimes([{ topic, partition: 1, offset: 1500 }], 5000)
  assert.equal(found?.offset, 1)
})

test('settings that cannot work are refused by the constructor', () => {
  assert.throws(() => producer({ partitioner: 'nonsense' }), is(ErrorCode.ERR__INVALID_ARG, /nonsense/))
  const options = { partitioner: 'murmur2' as unknown as () => number }
  assert.throws(
    () => new Producer({ 'bootstrap.servers': 'x' }, options),
    is(ErrorCode.ERR__INVALID_ARG, /partitioner/),
  )
})

test('connections cut in the middle of requests: each message is reported once, and what is persisted is there', async () => {
  await using alice = producer({ 'linger.ms': 1, 'batch.num.messages': 50, 'retry.backoff.ms': 10 })
  const topic = fresh()
  cluster.createTopic(topic, { partitions: 3, replicationFactor: 3 })
  const reports: DeliveryReport[] = []
  const total = 6000
  for (let i = 0; i < total; i++) {
    alice.produce({ topic, key: `k${i % 7}`, value: String(i) }, report => reports.push(report))
    if (i % 100 === 99) await new Promise(resolve => setImmediate(resolve))
    if (i % 500 === 250) cluster.dropConnections(1 + (Math.floor(i / 500) % 3))
  }
  assert.equal(await alice.flush(60_000), 0)
  assert.equal(reports.length, total)
  assert.equal(new Set(reports.map(r => r.value)).size, total)
  assert.ok(reports.every(r => r.status === 'persisted'))
  let written = 0
  for (const partition of [0, 1, 2]) written += (await alice.queryWatermarkOffsets(topic, partition)).high
  assert.ok(written >= total, `${written} of ${total}`)
})

test('an idempotent producer writes each message once and in order, whatever happens to its connections', async () => {
  await using alice = producer({ 'enable.idempotence': true, 'batch.num.messages': 20, 'retry.backoff.ms': 10 })
  const topic = fresh()
  cluster.createTopic(topic, { partitions: 3, replicationFactor: 3 })
  const reports: DeliveryReport[] = []
  const total = 6000
  for (let i = 0; i < total; i++) {
    alice.produce({ topic, partition: i % 3, value: String(i) }, report => reports.push(report))
    // A partition that does not know the producer takes any sequence for its first: that one arrives undisturbed.
    if (i === 2) await alice.flush(10_000)
    if (i % 50 === 49) await new Promise(resolve => setImmediate(resolve))
    if (i % 400 === 200) cluster.dropConnections(1 + (Math.floor(i / 400) % 3))
    if (i % 1500 === 700) cluster.setLeader(topic, 0, 1 + (Math.floor(i / 1500) % 3))
    if (i % 900 === 300) cluster.failNext(0, [ErrorCode.ERR_NOT_ENOUGH_REPLICAS, ErrorCode.ERR_REQUEST_TIMED_OUT])
  }
  assert.equal(await alice.flush(60_000), 0)
  assert.ok(reports.every(r => r.status === 'persisted'))
  for (const partition of [0, 1, 2]) {
    assert.deepEqual(await alice.queryWatermarkOffsets(topic, partition), { low: 0, high: total / 3 })
    const offsets = reports
      .filter(r => r.partition === partition && r.offset >= 0)
      .map(r => [Number(r.value), r.offset])
    for (const [value = -1, offset] of offsets) assert.equal(offset, (value - partition) / 3)
  }
})

test('the oldest release that is supported takes messages, idempotent ones too', async () => {
  await using old = await EmbeddedCluster.start({ as: '2.1' })
  for (const config of [{}, { 'enable.idempotence': true }, { 'compression.type': 'zstd' }] as const) {
    await using alice = new Producer({ 'bootstrap.servers': old.bootstrapServers, ...config }, { logger: quiet })
    const reports = await alice.sendBatch(['a', 'b'].map(value => ({ topic: 't', partition: 0, value })))
    assert.deepEqual(
      reports.map(r => r.status),
      ['persisted', 'persisted'],
    )
  }
})
