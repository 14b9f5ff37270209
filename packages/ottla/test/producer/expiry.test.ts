/** message.timeout.ms: each message has its own time, wherever its batch is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import type { ProducerConfig } from '../../src/config/resolve.ts'
import type { FakeRequest } from './fake-cluster.ts'
import { makeWorld, settle, type World } from './world.ts'

const TIMEOUT_MS = 4000
/** Messages of a batch are this far apart. */
const APART_MS = 400
/** How often messages are checked. */
const SCAN_MS = TIMEOUT_MS / 10
const RETRY_MS = 120

const values = (n: number, from = 0): string[] => Array.from({ length: n }, (_, i) => `v${from + i}`)

/** Five messages of one batch, the last of them just before the batch is sent. */
async function fiveInABatch(
  config: Partial<ProducerConfig> = {},
  prepare: (world: World) => void = () => undefined,
): Promise<World> {
  const world = makeWorld({ 'message.timeout.ms': TIMEOUT_MS, 'linger.ms': 4 * APART_MS + 50, ...config })
  world.cluster.topic('t', [1])
  prepare(world)
  world.ids[0]?.answer(0, 7n, 0)
  for (const value of values(5)) {
    world.put({ topic: 't', partition: 0, value })
    await world.clock.advance(value === 'v4' ? 50 : APART_MS)
  }
  return world
}

/** The same, sent and not answered. */
async function inFlight(config: Partial<ProducerConfig> = {}): Promise<{ world: World; request: FakeRequest }> {
  const world = await fiveInABatch(config)
  const request = world.cluster.next()
  assert.deepEqual(request.values, { 't/0': values(5) })
  return { world, request }
}

/** Waits until the first two messages have timed out, and the others have not. */
async function twoAreOver({ clock, reports }: World): Promise<void> {
  await clock.advance(TIMEOUT_MS + APART_MS - (4 * APART_MS + 50) + 10)
  assert.deepEqual(
    reports.map(report => [report.value, report.error?.name]),
    values(2).map(value => [value, 'ERR__MSG_TIMED_OUT']),
  )
}

const stamp = (request: FakeRequest): number[] => {
  const { producerEpoch, baseSequence, recordCount } = request.batch(0)
  return [producerEpoch, baseSequence, recordCount]
}

type Status = 'not-persisted' | 'possibly-persisted'

// Where the batch is while the time of its messages runs out.
const places: [
  what: string,
  status: Status,
  config: Partial<ProducerConfig>,
  put: (world: World) => void | Promise<void>,
][] = [
  ['without a leader', 'not-persisted', {}, ({ cluster }) => cluster.topic('t', [-1], {}, 1)],
  ['that waits for a connection', 'not-persisted', {}, ({ cluster }) => void (cluster.isConnected = false)],
  ['in flight', 'possibly-persisted', {}, () => undefined],
]
for (const idempotent of [false, true]) {
  for (const [what, status, extra, prepare] of places) {
    const kind = idempotent ? 'an idempotent producer' : 'a producer'
    test(`each message of a batch ${what} times out in its own time, of ${kind}`, async () => {
      const config = { 'enable.idempotence': idempotent, ...extra }
      const { clock, reports, pipeline } = await fiveInABatch(config, world => void prepare(world))
      await clock.advance(2 * TIMEOUT_MS)
      assert.deepEqual(
        reports.map(report => [report.value, report.error?.name, report.status]),
        values(5).map(value => [value, 'ERR__MSG_TIMED_OUT', status]),
      )
      for (const { value, latencyMs } of reports) {
        const isTimely = latencyMs >= TIMEOUT_MS && latencyMs <= TIMEOUT_MS + SCAN_MS
        assert.ok(isTimely, `${String(value)} was reported after ${latencyMs} ms`)
      }
      assert.deepEqual([pipeline.accumulator.messages, pipeline.accumulator.bytes], [0, 0])
    })
  }

  for (const [what, fail] of [
    ['refused', (r: FakeRequest) => r.error(ErrorCode.ERR_NOT_ENOUGH_REPLICAS)],
    ['in doubt', (r: FakeRequest) => r.fail(ErrorCode.ERR__TRANSPORT, true)],
    ['unsent', (r: FakeRequest) => r.fail(ErrorCode.ERR__TRANSPORT, false)],
  ] as const) {
    test(`each message of a batch that is ${what} and retried times out in its own time (idempotent: ${idempotent})`, async () => {
      const { world, request } = await inFlight({ 'enable.idempotence': idempotent, 'retry.backoff.ms': 100 })
      const { cluster, clock, reports } = world
      fail(request)
      for (let i = 0; i < 2 * (TIMEOUT_MS / 50); i++) {
        await clock.advance(50)
        while (cluster.unseen > 0) fail(cluster.next())
      }
      assert.deepEqual(
        reports.map(report => [report.value, report.error?.name]),
        values(5).map(value => [value, 'ERR__MSG_TIMED_OUT']),
      )
      // Others may be in flight just when their time is over.
      if (what === 'in doubt') assert.ok(reports.every(report => report.status === 'possibly-persisted'))
      for (const { value, latencyMs } of reports) {
        assert.ok(latencyMs <= TIMEOUT_MS + SCAN_MS + 50, `${String(value)} was reported after ${latencyMs} ms`)
      }
    })
  }
}

test('messages without a partition time out in their own time; the others are sent once there is one', async () => {
  const { cluster, clock, put, reports, nextAfter } = makeWorld({ 'message.timeout.ms': TIMEOUT_MS })
  for (const value of values(5)) {
    put({ topic: 't', value })
    await clock.advance(APART_MS)
  }
  await clock.advance(TIMEOUT_MS - 4 * APART_MS)
  assert.deepEqual(
    reports.map(({ value, status }) => [value, status]),
    values(2).map(value => [value, 'not-persisted']),
  )
  cluster.topic('t', [1])
  assert.deepEqual((await nextAfter(0)).values, { 't/0': values(3, 2) })
})

test('messages with and without a partition keep their order, and time out in their own time', async () => {
  const { cluster, clock, put, reports } = makeWorld({ 'message.timeout.ms': TIMEOUT_MS, 'batch.num.messages': 3 })
  const partitions = [0, undefined, 0, undefined, 0]
  for (const [i, partition] of partitions.entries()) {
    put({ topic: 't', value: `v${i}`, ...(partition === undefined ? {} : { partition }) })
    await clock.advance(APART_MS)
  }
  cluster.topic('t', [-1])
  await clock.advance(2 * TIMEOUT_MS)
  assert.deepEqual(
    reports.map(report => report.value),
    values(5),
  )
  for (const { latencyMs } of reports) assert.ok(latencyMs <= TIMEOUT_MS + SCAN_MS, String(latencyMs))
})

test('the timestamp that the application gives a message says nothing about its time', async () => {
  const { cluster, clock, put, reports } = makeWorld({ 'message.timeout.ms': TIMEOUT_MS })
  cluster.topic('t', [-1])
  put({ topic: 't', partition: 0, value: 'future', timestamp: 4_000_000_000_000 })
  put({ topic: 't', partition: 0, value: 'past', timestamp: 1 })
  await clock.advance(TIMEOUT_MS - 10)
  assert.equal(reports.length, 0)
  await clock.advance(SCAN_MS + 10)
  assert.deepEqual(
    reports.map(report => report.value),
    ['future', 'past'],
  )
})

test('the answer settles what has not timed out, with its own offsets', async () => {
  const { world, request } = await inFlight()
  await twoAreOver(world)
  const { reports, pipeline } = world
  assert.match(reports[0]?.error?.message ?? '', /within 4000 ms \(message\.timeout\.ms\).*broker 1 has not answered/)
  assert.equal(pipeline.accumulator.messages, 3)
  request.ok(100)
  await settle()
  assert.deepEqual(
    reports.slice(2).map(({ value, offset, status }) => [value, offset, status]),
    [
      ['v2', 102, 'persisted'],
      ['v3', 103, 'persisted'],
      ['v4', 104, 'persisted'],
    ],
  )
  assert.deepEqual([pipeline.accumulator.messages, pipeline.accumulator.bytes], [0, 0])
})

test('errors of single records are those of the messages left', async () => {
  const { world, request } = await inFlight()
  await twoAreOver(world)
  const recordErrors = [
    { batchIndex: 1, batchIndexErrorMessage: 'over already' },
    { batchIndex: 3, batchIndexErrorMessage: 'too new' },
  ]
  request.error(ErrorCode.ERR_INVALID_TIMESTAMP, { recordErrors })
  await settle()
  assert.deepEqual(
    world.reports.slice(2).map(({ value, error }) => [value, error?.name]),
    [
      ['v2', 'ERR__INVALID_DIFFERENT_RECORD'],
      ['v3', 'ERR_INVALID_RECORD'],
      ['v4', 'ERR__INVALID_DIFFERENT_RECORD'],
    ],
  )
})

for (const [what, fail] of [
  ['was refused', (r: FakeRequest) => r.error(ErrorCode.ERR_NOT_ENOUGH_REPLICAS)],
  ['is in doubt', (r: FakeRequest) => r.fail(ErrorCode.ERR__TRANSPORT, true)],
  ['was too large', (r: FakeRequest) => r.error(ErrorCode.ERR_MSG_SIZE_TOO_LARGE)],
] as const) {
  test(`a batch that ${what} is sent again without the messages that have timed out`, async () => {
    const { world, request } = await inFlight({ 'compression.codec': 'gzip' })
    const { clock, outcomes, pipeline } = world
    await twoAreOver(world)
    fail(request)
    const again = await world.nextAfter(RETRY_MS)
    assert.deepEqual(again.values, { 't/0': values(3, 2) })
    again.ok()
    await settle()
    assert.deepEqual(outcomes(), { ERR__MSG_TIMED_OUT: values(2), ok: values(3, 2) })
    assert.deepEqual([pipeline.accumulator.messages, pipeline.accumulator.bytes], [0, 0])
    await clock.advance(2 * TIMEOUT_MS)
    assert.equal(clock.pendingTimers, 0)
  })
}

test('an idempotent batch in doubt is sent again as it was: a broker that has it would not recognize another one', async () => {
  const { world, request } = await inFlight({ 'enable.idempotence': true })
  const { ids, outcomes, reports } = world
  await twoAreOver(world)
  request.fail(ErrorCode.ERR__TRANSPORT, true)
  const again = await world.nextAfter(RETRY_MS)
  assert.deepEqual([again.values, stamp(again)], [request.values, stamp(request)])
  again.error(ErrorCode.ERR_DUPLICATE_SEQUENCE_NUMBER)
  await settle()
  assert.deepEqual(outcomes(), { ERR__MSG_TIMED_OUT: values(2), ok: values(3, 2) })
  assert.deepEqual([reports[0]?.status, reports[2]?.status], ['possibly-persisted', 'persisted'])
  // No gap: the sequence goes on.
  world.put({ topic: 't', partition: 0, value: 'next' })
  assert.deepEqual(stamp(await world.nextAfter(2000)), [0, 5, 1])
  assert.equal(ids.length, 1)
})

test('an idempotent batch that was refused goes on without them, under the next epoch', async () => {
  const { world, request } = await inFlight({ 'enable.idempotence': true })
  await twoAreOver(world)
  request.error(ErrorCode.ERR_NOT_ENOUGH_REPLICAS)
  const again = await world.nextAfter(RETRY_MS)
  assert.deepEqual([again.values, stamp(again)], [{ 't/0': values(3, 2) }, [1, 0, 3]])
  again.ok()
  await settle()
  assert.deepEqual(world.outcomes(), { ERR__MSG_TIMED_OUT: values(2), ok: values(3, 2) })
})

test('messages of an idempotent producer that time out before they were sent leave no gap', async () => {
  const world = await fiveInABatch({ 'enable.idempotence': true }, ({ cluster }) => cluster.topic('t', [-1], {}, 1))
  await twoAreOver(world)
  world.cluster.topic('t', [1], {}, 2)
  const request = await world.nextAfter(0)
  assert.deepEqual([request.values, stamp(request)], [{ 't/0': values(3, 2) }, [0, 0, 3]])
})

for (const idempotent of [false, true]) {
  test(`what times out while it waits for a connection is never written (idempotent: ${idempotent})`, async () => {
    const config = { 'enable.idempotence': idempotent }
    const world = await fiveInABatch(config, ({ cluster }) => void (cluster.isConnected = false))
    const { cluster, clock, reports, outcomes } = world
    assert.equal(cluster.waiting.length, 1)
    await twoAreOver(world)
    assert.equal(reports[0]?.status, 'not-persisted')
    cluster.connect()
    await clock.advance(0)
    const request = cluster.next()
    assert.deepEqual([request.values, stamp(request).at(-1)], [{ 't/0': values(3, 2) }, 3])
    request.ok()
    await settle()
    assert.deepEqual(outcomes(), { ERR__MSG_TIMED_OUT: values(2), ok: values(3, 2) })
    assert.equal(cluster.unseen, 0)
  })
}

test('a purge reports what has not timed out', async () => {
  for (const [queued, name] of [
    [true, 'ERR__PURGE_QUEUE'],
    [false, 'ERR__PURGE_INFLIGHT'],
  ] as const) {
    const world = await fiveInABatch({}, ({ cluster }) => {
      if (queued) cluster.topic('t', [-1], {}, 1)
    })
    await twoAreOver(world)
    world.pipeline.purge(true, true)
    assert.deepEqual(world.outcomes(), { ERR__MSG_TIMED_OUT: values(2), [name]: values(3, 2) })
    const { messages, bytes } = world.pipeline.accumulator
    assert.deepEqual([messages, bytes], [0, 0])
  }
})

test('there is room for others as soon as messages have timed out, also for those produced from within a report', async () => {
  const world = await fiveInABatch({ 'queue.buffering.max.messages': 5 })
  const { pipeline, clock } = world
  assert.throws(() => world.put({ topic: 't', value: 'too many' }), { code: ErrorCode.ERR__QUEUE_FULL })
  await twoAreOver(world)
  world.put({ topic: 't', value: 'a' })
  world.put({ topic: 't', value: 'b' })
  assert.throws(() => world.put({ topic: 't', value: 'too many' }), { code: ErrorCode.ERR__QUEUE_FULL })
  assert.equal(pipeline.accumulator.messages, 5)
  await clock.advance(0)
})

test('a batch purged from within the report of a message that timed out is reported once', async () => {
  const world = makeWorld({ 'message.timeout.ms': TIMEOUT_MS, 'linger.ms': 2 * APART_MS + 50 })
  const { cluster, clock, pipeline } = world
  cluster.topic('t', [1])
  const heard: string[] = []
  for (const value of values(3)) {
    pipeline.put({ topic: 't', partition: 0, value }, null, value, ({ error }) => {
      heard.push(`${value} ${String(error?.name)}`)
      pipeline.purge(true, true)
    })
    await clock.advance(APART_MS)
  }
  await clock.advance(2 * TIMEOUT_MS)
  assert.deepEqual(heard, ['v0 ERR__MSG_TIMED_OUT', 'v1 ERR__PURGE_INFLIGHT', 'v2 ERR__PURGE_INFLIGHT'])
})

test('messages behind others in flight time out in order', async () => {
  const world = makeWorld({ 'message.timeout.ms': TIMEOUT_MS, 'batch.num.messages': 2, 'linger.ms': 0 })
  const { cluster, clock, put, reports } = world
  cluster.topic('t', [1])
  for (const value of values(9)) {
    put({ topic: 't', partition: 0, value })
    await clock.advance(30)
  }
  await clock.advance(2 * TIMEOUT_MS)
  assert.deepEqual(
    reports.map(report => report.value),
    values(9),
  )
})

test('unheard reports of messages that timed out are kept like others, each once', async () => {
  const world = makeWorld({ 'message.timeout.ms': TIMEOUT_MS, 'linger.ms': APART_MS + 50 })
  const { cluster, clock, pipeline, logs } = world
  cluster.topic('t', [1])
  for (const value of values(2)) {
    pipeline.put({ topic: 't', partition: 0, value }, null, value, null)
    await clock.advance(APART_MS)
  }
  await clock.advance(TIMEOUT_MS - 2 * APART_MS + 10)
  cluster.next().ok(7)
  await settle()
  assert.deepEqual(
    pipeline.delivery.takeUnclaimed().map(({ value, offset, error }) => [value, offset, error?.name]),
    [
      ['v0', -1, 'ERR__MSG_TIMED_OUT'],
      ['v1', 8, undefined],
    ],
  )
  assert.equal(logs.filter(line => line.includes('DRFAIL 1 message to t [0]')).length, 1)
})

test('a request with little time left does not end the connection at once', async () => {
  const { cluster, clock, put, nextAfter } = makeWorld({ 'message.timeout.ms': TIMEOUT_MS })
  cluster.topic('t', [-1])
  put({ topic: 't', partition: 0, value: 'a' })
  await clock.advance(TIMEOUT_MS - 10)
  cluster.topic('t', [1], {}, 1)
  assert.equal((await nextAfter(0)).options.timeoutMs, 100)
})
