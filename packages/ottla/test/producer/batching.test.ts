import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, type ErrorCode as Code } from '@ottla/protocol'
import { KafkaError } from '../../src/errors.ts'
import { makeWorld, settle } from './world.ts'

const has =
  (code: Code, says = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof KafkaError)
    assert.equal(error.code, code, error.name)
    assert.match(error.message, says)
    return true
  }
const values = (n: number, from = 0): string[] => Array.from({ length: n }, (_, i) => `v${from + i}`)

test('a message waits for the linger, is sent, and is reported with the offset of its place in the batch', async () => {
  const { cluster, clock, put, reports, nextAfter } = makeWorld({ 'linger.ms': 5 })
  cluster.topic('t', [1])
  put({ topic: 't', key: 'k', value: 'a', opaque: 1 })
  put({ topic: 't', key: 'k', value: 'b', headers: { h: 'x' } })
  await clock.advance(4.9)
  assert.equal(cluster.unseen, 0)
  const request = await nextAfter(0.1)
  assert.equal(request.brokerId, 1)
  assert.equal(request.body.acks, -1)
  assert.equal(request.body.timeoutMs, 30_000)
  assert.deepEqual(request.values, { 't/0': ['a', 'b'] })
  await clock.advance(7)
  request.ok(40)
  await settle()
  assert.deepEqual(
    reports.map(r => [r.topic, r.partition, r.offset, r.value, r.key, r.opaque, r.status, r.latencyMs, r.error]),
    [
      ['t', 0, 40, 'a', 'k', 1, 'persisted', 12, undefined],
      ['t', 0, 41, 'b', 'k', undefined, 'persisted', 12, undefined],
    ],
  )
  assert.equal(reports[0]?.timestamp, 1_700_000_000_000)
  assert.deepEqual(reports[1]?.headers, { h: 'x' })
})

test('no timer is left once everything has been reported', async () => {
  const { cluster, clock, put, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  const request = await nextAfter(5)
  request.ok()
  await clock.advance(2000)
  assert.equal(clock.pendingTimers, 0)
})

test('with linger 0 the messages of one turn are sent as one batch', async () => {
  const { cluster, put } = makeWorld({ 'linger.ms': 0 })
  cluster.topic('t', [1])
  for (const value of values(10)) put({ topic: 't', value })
  await settle()
  assert.deepEqual(cluster.next().values, { 't/0': values(10) })
  assert.equal(cluster.unseen, 0)
})

test('a batch that is full by count is sent before its linger is over', async () => {
  const { cluster, put } = makeWorld({ 'linger.ms': 1000, 'batch.num.messages': 3 })
  cluster.topic('t', [1])
  for (const value of values(7)) put({ topic: 't', value })
  await settle()
  cluster.next().ok(0)
  await settle()
  assert.deepEqual(cluster.next().values, { 't/0': values(3, 3) })
  assert.equal(cluster.unseen, 0, 'the last one still waits for company')
})

test('a batch that is full by size is sent before its linger is over', async () => {
  const { cluster, put, pipeline } = makeWorld({ 'linger.ms': 1000, 'batch.size': 1000 })
  cluster.topic('t', [1])
  for (let i = 0; i < 20; i++) put({ topic: 't', value: Buffer.alloc(100, i) })
  await settle()
  const request = cluster.next()
  const { recordCount } = request.batch(0)
  assert.ok(recordCount >= 6 && recordCount <= 8, String(recordCount))
  assert.ok((request.body.topicData[0]?.partitionData[0]?.records?.length ?? 0) <= 1000)
  assert.equal(pipeline.accumulator.messages, 20)
})

test('a message larger than the limit of a batch is sent alone', async () => {
  const { cluster, put, nextAfter } = makeWorld({ 'batch.size': 1000 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'small' })
  put({ topic: 't', value: 'x'.repeat(5000) })
  const request = await nextAfter(5)
  assert.deepEqual(request.values, { 't/0': ['small'] })
  request.ok()
  await settle()
  assert.equal(cluster.next().batch(0).recordCount, 1)
})

test('one request carries the ready batches of all partitions of its broker, up to message.max.bytes', async () => {
  const { cluster, put, nextAfter } = makeWorld({ 'message.max.bytes': 2000 })
  cluster.topic('t', [1, 1, 2, 1])
  for (const partition of [0, 1, 2, 3]) put({ topic: 't', partition, value: Buffer.alloc(800, partition) })
  const first = await nextAfter(5)
  assert.deepEqual(first.partitions, ['t/0', 't/1'])
  const second = cluster.next()
  assert.deepEqual(second.partitions, ['t/2'])
  assert.equal(second.brokerId, 2)
  first.ok()
  await settle()
  assert.deepEqual(cluster.next().partitions, ['t/3'])
})

test('a request never has two batches of one partition', async () => {
  const { cluster, put, nextAfter } = makeWorld({ 'batch.num.messages': 1 })
  cluster.topic('t', [1])
  for (const value of values(3)) put({ topic: 't', value })
  for (const value of values(3)) {
    const request = await nextAfter(0)
    assert.deepEqual(request.values, { 't/0': [value] })
    request.ok()
  }
})

test('max.in.flight bounds the requests to a broker', async () => {
  const { cluster, put, nextAfter } = makeWorld({ 'batch.num.messages': 1, 'max.in.flight': 2 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'first' })
  const first = await nextAfter(0)
  first.ok()
  await settle()
  for (const value of values(4)) put({ topic: 't', value })
  await settle()
  assert.equal(cluster.unseen, 2)
  cluster.next().ok(1)
  await settle()
  assert.equal(cluster.unseen, 2)
})

test('until a broker has answered once, one request at a time is sent to it, so that batches grow', async () => {
  const { cluster, clock, put, nextAfter } = makeWorld({ 'linger.ms': 1 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  const first = await nextAfter(1)
  put({ topic: 't', value: 'b' })
  await clock.advance(10)
  put({ topic: 't', value: 'c' })
  await clock.advance(10)
  assert.equal(cluster.unseen, 0)
  first.ok()
  await settle()
  assert.deepEqual(cluster.next().values, { 't/0': ['b', 'c'] })
})

test('messages to an unknown topic wait in order, get partitions when it is known, and keep their bytes', async () => {
  const { cluster, put, clock, reports, nextAfter } = makeWorld()
  const reused = Buffer.from('first')
  put({ topic: 't', key: 'k', value: reused, headers: [{ key: 'h', value: 'one' }, { key: 'h' }] })
  reused.fill('!')
  put({ topic: 't', key: 'k', value: 'second', timestamp: 1234 })
  await clock.advance(100)
  assert.deepEqual(cluster.refreshes[0], ['t'])
  assert.equal(cluster.unseen, 0)
  cluster.topic('t', [1, 2, 3])
  const request = await nextAfter(0)
  assert.deepEqual(Object.values(request.values), [['first', 'second']])
  request.ok(7)
  await settle()
  assert.deepEqual(
    reports.map(r => [r.offset, r.timestamp]),
    [
      [7, 1_700_000_000_000],
      [8, 1234],
    ],
  )
  assert.equal(reports[0]?.value, reused, 'the report has the object as given')
})

test('metadata of the new topics of one turn is requested together', async () => {
  const { cluster, put } = makeWorld()
  put({ topic: 'a', value: '1' })
  put({ topic: 'b', value: '2' })
  await settle()
  assert.deepEqual(cluster.refreshes, [['a', 'b']])
  assert.deepEqual([...cluster.wanted], ['a', 'b'])
})

test('a given partition of an unknown topic is used if it exists, and reported when two responses lack it', async () => {
  const { cluster, clock, put, outcomes, reports, nextAfter } = makeWorld()
  put({ topic: 't', partition: 1, value: 'good' })
  put({ topic: 't', partition: 2_000_000_000, value: 'bad' })
  await settle()
  cluster.topic('t', [1, 1])
  const request = await nextAfter(5)
  assert.deepEqual(request.values, { 't/1': ['good'] })
  request.ok()
  await clock.advance(2000)
  assert.deepEqual(outcomes(), { ok: ['good'] }, 'one answer may be an old one')
  cluster.topic('t', [1, 1], { updatedAt: clock.now() })
  await clock.advance(1000)
  assert.deepEqual(outcomes(), { ERR__UNKNOWN_PARTITION: ['bad'], ok: ['good'] })
  assert.equal(reports[1]?.status, 'not-persisted')
})

test('a partition that a known topic does not have is refused at once', () => {
  const { cluster, put, pipeline } = makeWorld()
  cluster.topic('t', [1, 1])
  put({ topic: 't', partition: 1, value: 'x' })
  assert.throws(
    () => put({ topic: 't', partition: 2, value: 'x' }),
    has(ErrorCode.ERR__UNKNOWN_PARTITION, /no partition 2: it has 2/),
  )
  assert.equal(pipeline.accumulator.messages, 1)
})

test('partitions added later get messages', async () => {
  const { cluster, put, nextAfter } = makeWorld({ 'linger.ms': 0 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  ;(await nextAfter(0)).ok()
  cluster.topic('t', [1, 1])
  put({ topic: 't', partition: 1, value: 'b' })
  assert.deepEqual((await nextAfter(0)).values, { 't/1': ['b'] })
})

test('beyond queue.buffering.max.messages there is ERR__QUEUE_FULL until reports make room', async () => {
  const { cluster, put, nextAfter } = makeWorld({ 'queue.buffering.max.messages': 3 })
  cluster.topic('t', [1])
  for (const value of values(3)) put({ topic: 't', value })
  assert.throws(() => put({ topic: 't', value: 'x' }), has(ErrorCode.ERR__QUEUE_FULL, /3 messages/))
  ;(await nextAfter(5)).ok()
  await settle()
  put({ topic: 't', value: 'x' })
})

test('beyond queue.buffering.max.kbytes there is ERR__QUEUE_FULL, measured in real bytes', () => {
  const { cluster, put, pipeline } = makeWorld({ 'queue.buffering.max.kbytes': 1 })
  cluster.topic('t', [1])
  // 400 characters could be 1200 bytes, but are not.
  put({ topic: 't', value: 'x'.repeat(400) })
  put({ topic: 't', value: 'x'.repeat(400) })
  assert.throws(() => put({ topic: 't', value: 'x'.repeat(400) }), has(ErrorCode.ERR__QUEUE_FULL))
  assert.ok(pipeline.accumulator.bytes <= 1024)
})

test('a message over message.max.bytes is refused, counting real bytes', () => {
  const { cluster, put, pipeline } = makeWorld({ 'message.max.bytes': 1000 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'x'.repeat(990), key: 'k'.repeat(10) })
  const tooLarge = has(ErrorCode.ERR_MSG_SIZE_TOO_LARGE, /1001 bytes to t .*\(1000\)/)
  assert.throws(() => put({ topic: 't', value: 'x'.repeat(990), key: 'k'.repeat(11) }), tooLarge)
  assert.equal(pipeline.accumulator.messages, 1)
})

test('a refused message does not affect those accepted before it', async () => {
  const { cluster, put, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  assert.throws(() => put({ topic: 't', value: 5 }), has(ErrorCode.ERR__INVALID_ARG))
  assert.throws(() => put({ topic: 'not a topic', value: 'x' }), has(ErrorCode.ERR__INVALID_ARG))
  assert.throws(
    () => put({ topic: 't', headers: [{ key: 'h', value: 7 }] as never, value: 'x' }),
    has(ErrorCode.ERR__INVALID_ARG),
  )
  put({ topic: 't', value: 'b' })
  assert.deepEqual((await nextAfter(5)).values, { 't/0': ['a', 'b'] })
})

for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`batches are compressed with ${codec}`, async () => {
    const { cluster, clock, put } = makeWorld({ 'compression.codec': codec })
    cluster.topic('t', [1])
    for (let i = 0; i < 50; i++) put({ topic: 't', value: `value ${i} `.repeat(20) })
    await clock.advance(5)
    while (cluster.requests.length === 0) await settle()
    const request = cluster.next()
    assert.notEqual(request.batch(0).codecId, 0)
    assert.equal(request.values['t/0']?.length, 50)
  })
}

test('with acks=0 messages are reported when sent, as possibly persisted and without an offset', async () => {
  const { cluster, put, reports, nextAfter } = makeWorld({ acks: 0 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  const request = await nextAfter(5)
  assert.equal(request.options.noResponse, true)
  assert.equal(request.body.acks, 0)
  request.written()
  await settle()
  assert.deepEqual(
    reports.map(r => [r.offset, r.status, r.error]),
    [[-1, 'possibly-persisted', undefined]],
  )
})

test("the log's append time is reported if the topic uses it", async () => {
  const { cluster, put, reports, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a', timestamp: 5 })
  const request = await nextAfter(5)
  request.answer(() => ({ baseOffset: 3, logAppendTimeMs: 99 }))
  await settle()
  assert.equal(reports[0]?.timestamp, 99)
})

test('topics are sent by id where the version requires it', async () => {
  const { cluster, put, outcomes, nextAfter } = makeWorld()
  cluster.version = 13
  cluster.topic('t', [1], { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
  put({ topic: 't', value: 'a' })
  const request = await nextAfter(5)
  assert.equal(request.version, 13)
  assert.equal(request.body.topicData[0]?.topicId, 'AAAAAAAAAAAAAAAAAAAAAQ')
  request.ok()
  await settle()
  assert.deepEqual(outcomes(), { ok: ['a'] })
})

test('without a known id the last version with names is used', async () => {
  const { cluster, put, nextAfter } = makeWorld()
  cluster.version = 13
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  assert.equal((await nextAfter(5)).version, 12)
})
