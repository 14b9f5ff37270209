import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { RequestError } from '../../../src/network/request-error.ts'
import type { FakeRequest } from '../fake-cluster.ts'
import { SequencedLog } from './sequenced-log.ts'
import { seeded } from '../seeded.ts'
import { makeWorld, settle, type World } from '../world.ts'

const RETRY_MS = 120
const values = (n: number, from = 0): string[] => Array.from({ length: n }, (_, i) => `v${from + i}`)

function idempotent(config: object = {}): World {
  const world = makeWorld({ 'enable.idempotence': true, 'batch.num.messages': 1, ...config })
  world.cluster.topic('t', [1])
  return world
}

const stamps = (request: FakeRequest, partition = 0): number[] => {
  const { producerId, producerEpoch, baseSequence } = request.batch(partition)
  return [Number(producerId), producerEpoch, baseSequence]
}

async function withId(world: World): Promise<void> {
  world.ids[0]?.answer(0, 7n, 0)
  world.put({ topic: 't', value: 'first', partition: 0 })
  ;(await world.nextAfter(0)).ok()
  await settle()
}

test('messages wait for the producer id and then carry it with rising sequence numbers', async () => {
  const world = idempotent({ 'batch.num.messages': 3 })
  const { cluster, clock, put, ids, nextAfter } = world
  for (const value of values(6)) put({ topic: 't', value })
  await clock.advance(100)
  assert.equal(cluster.unseen, 0)
  assert.equal(ids.length, 1)
  ids[0]?.answer(0, 7n, 2)
  const first = await nextAfter(0)
  assert.deepEqual(stamps(first), [7, 2, 0])
  first.ok()
  assert.deepEqual(stamps(await nextAfter(0)), [7, 2, 3])
})

test('a partition gets no second batch before its first one is acknowledged: an unknown producer may start anywhere', async () => {
  const world = idempotent()
  const { cluster, clock, put, nextAfter } = world
  cluster.topic('t', [1, 1])
  await withId(world)
  for (const value of values(3)) put({ topic: 't', value, partition: 1 })
  const first = await nextAfter(0)
  await clock.advance(10)
  assert.equal(cluster.unseen, 0)
  first.error(ErrorCode.ERR_NOT_ENOUGH_REPLICAS)
  const again = await nextAfter(RETRY_MS)
  assert.deepEqual(stamps(again, 1), [7, 0, 0])
  again.ok()
  assert.deepEqual(stamps(await nextAfter(0), 1), [7, 0, 1])
  assert.deepEqual(stamps(await nextAfter(0), 1), [7, 0, 2])
})

test('a batch in doubt is retried with the same sequence, and a duplicate is a success', async () => {
  const world = idempotent()
  const { put, reports, nextAfter } = world
  await withId(world)
  put({ topic: 't', value: 'a' })
  const first = await nextAfter(0)
  first.fail(ErrorCode.ERR__TRANSPORT, true)
  const again = await nextAfter(RETRY_MS)
  assert.deepEqual(stamps(again), stamps(first))
  again.error(ErrorCode.ERR_DUPLICATE_SEQUENCE_NUMBER)
  await settle()
  assert.equal(reports[1]?.status, 'persisted')
  assert.equal(reports[1].error, undefined)
  assert.equal(reports[1].offset, -1)
})

test('batches behind a failed one are out of order, and are retried behind it with their sequence', async () => {
  const world = idempotent()
  const { cluster, put, ids, outcomes, nextAfter } = world
  await withId(world)
  for (const value of values(3)) put({ topic: 't', value })
  await settle()
  const sent = [cluster.next(), cluster.next(), cluster.next()]
  sent[0]?.error(ErrorCode.ERR_NOT_ENOUGH_REPLICAS)
  sent[1]?.error(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  sent[2]?.error(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  for (const value of values(3)) {
    const request = await nextAfter(RETRY_MS)
    assert.deepEqual(request.values, { 't/0': [value] })
    assert.deepEqual(stamps(request), [7, 0, 1 + Number(value.slice(1))])
    request.ok()
  }
  await settle()
  assert.equal(ids.length, 1, 'no other id was needed')
  assert.deepEqual(outcomes(), { ok: ['first', ...values(3)] })
})

test('a message whose first attempt may still be written is never reported as not persisted', async () => {
  const world = idempotent({ 'message.timeout.ms': 1000 })
  const { cluster, clock, put, reports, nextAfter } = world
  await withId(world)
  for (const value of values(2)) put({ topic: 't', value })
  await settle()
  const [older, younger] = [cluster.next(), cluster.next()]
  // Their connection is lost; the broker may read its bytes later.
  older.fail(ErrorCode.ERR__TRANSPORT, true)
  younger.fail(ErrorCode.ERR__TRANSPORT, true)
  const again = await nextAfter(RETRY_MS)
  again.error(ErrorCode.ERR_NOT_ENOUGH_REPLICAS)
  for (let i = 0; i < 20; i++) {
    await clock.advance(RETRY_MS)
    while (cluster.unseen > 0) cluster.next().error(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
    await settle()
  }
  assert.deepEqual(
    reports
      .slice(1)
      .map(({ value, status }) => [value, status])
      .sort(),
    [
      ['v0', 'possibly-persisted'],
      ['v1', 'possibly-persisted'],
    ],
  )
})

test('after a batch is given up the sequence restarts with the next epoch', async () => {
  const world = idempotent()
  const { cluster, put, ids, outcomes, nextAfter } = world
  await withId(world)
  for (const value of values(3)) put({ topic: 't', value })
  await settle()
  const sent = [cluster.next(), cluster.next(), cluster.next()]
  sent[0]?.error(ErrorCode.ERR_INVALID_RECORD)
  sent[1]?.error(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  sent[2]?.error(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  for (const [i, value] of ['v1', 'v2'].entries()) {
    const request = await nextAfter(RETRY_MS)
    assert.deepEqual(request.values, { 't/0': [value] })
    assert.deepEqual(stamps(request), [7, 1, i])
    request.ok()
  }
  await settle()
  assert.equal(ids.length, 1, 'no other id was needed')
  assert.deepEqual(outcomes(), { ok: ['first', 'v1', 'v2'], ERR_INVALID_RECORD: ['v0'] })
})

test('a batch given up in flight cannot be written behind newer messages', async () => {
  const world = idempotent({ 'message.timeout.ms': 1000 })
  const { put, outcomes, nextAfter } = world
  const log = new SequencedLog()
  const write = (request: FakeRequest): number =>
    log.append(request.body.topicData[0]?.partitionData[0]?.records ?? null).errorCode
  world.ids[0]?.answer(0, 7n, 0)
  put({ topic: 't', value: 'first' })
  const first = await nextAfter(0)
  assert.equal(write(first), 0)
  first.ok()
  put({ topic: 't', value: 'late' })
  const late = await nextAfter(0)
  await world.clock.advance(1000)
  late.fail(ErrorCode.ERR__TIMED_OUT, true)
  put({ topic: 't', value: 'new' })
  const next = await nextAfter(RETRY_MS)
  assert.equal(write(next), 0)
  next.ok()
  assert.equal(write(late), ErrorCode.ERR_INVALID_PRODUCER_EPOCH)
  await settle()
  assert.deepEqual(outcomes(), { ok: ['first', 'new'], ERR__MSG_TIMED_OUT: ['late'] })
})

for (const [what, tried] of [
  ['may still be on its way', (b: FakeRequest) => b.fail(ErrorCode.ERR__TRANSPORT, true)],
  // It is in the log while the broker waits for the replicas.
  ['a broker had when it lost the partition', (b: FakeRequest) => b.error(ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)],
] as const) {
  test(`what ${what} is not sent with another sequence, behind messages that were given up`, async () => {
    const world = idempotent({ 'message.timeout.ms': 1000 })
    const { cluster, clock, put, reports, nextAfter } = world
    await withId(world)
    put({ topic: 't', value: 'a' })
    const a = await nextAfter(0)
    await clock.advance(500)
    put({ topic: 't', value: 'b' })
    const b = await nextAfter(0)
    await clock.advance(500)
    a.fail(ErrorCode.ERR__TIMED_OUT, true)
    tried(b)
    put({ topic: 't', value: 'c' })
    // If it were sent again now, both could be written: the first attempt behind `a`, still in flight, and this one.
    const again = await nextAfter(RETRY_MS)
    assert.deepEqual(again.values, { 't/0': ['b'] })
    assert.deepEqual(stamps(again), stamps(b))
    again.error(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
    const next = await nextAfter(RETRY_MS)
    assert.deepEqual([next.values, stamps(next)], [{ 't/0': ['c'] }, [7, 1, 0]])
    next.ok()
    await settle()
    assert.equal(cluster.unseen, 0)
    assert.deepEqual(
      reports.map(({ value, status, error }) => [value, status, error?.name ?? 'ok']),
      [
        ['first', 'persisted', 'ok'],
        ['a', 'possibly-persisted', 'ERR__MSG_TIMED_OUT'],
        ['b', 'possibly-persisted', 'ERR_OUT_OF_ORDER_SEQUENCE_NUMBER'],
        ['c', 'persisted', 'ok'],
      ],
    )
  })
}

test('a batch refused for good can no longer be written: those behind it are retried', async () => {
  const world = idempotent()
  const { put, outcomes, nextAfter } = world
  await withId(world)
  put({ topic: 't', value: 'a' })
  const a = await nextAfter(0)
  put({ topic: 't', value: 'b' })
  const b = await nextAfter(0)
  a.error(ErrorCode.ERR_INVALID_RECORD)
  b.fail(ErrorCode.ERR__TRANSPORT, true)
  const again = await nextAfter(RETRY_MS)
  assert.deepEqual(stamps(again), stamps(b))
  again.error(ErrorCode.ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
  const anew = await nextAfter(2 * RETRY_MS)
  assert.deepEqual([anew.values, stamps(anew)], [{ 't/0': ['b'] }, [7, 1, 0]])
  anew.ok()
  await settle()
  assert.deepEqual(outcomes(), { ok: ['first', 'b'], ERR_INVALID_RECORD: ['a'] })
})

test('messages that expire unsent leave no gap', async () => {
  const world = idempotent({ 'message.timeout.ms': 1000 })
  const { cluster, clock, put, ids, nextAfter } = world
  await withId(world)
  cluster.topic('t', [-1], {}, 1)
  put({ topic: 't', value: 'a' })
  await clock.advance(1500)
  cluster.topic('t', [1], {}, 2)
  put({ topic: 't', value: 'b' })
  assert.deepEqual(stamps(await nextAfter(0)), [7, 0, 1])
  assert.equal(ids.length, 1)
})

test('a partition without a gap keeps its sequence until nothing is in flight, then takes the new epoch', async () => {
  const world = idempotent()
  const { cluster, put, ids, nextAfter } = world
  cluster.topic('t', [1, 1])
  ids[0]?.answer(0, 7n, 0)
  put({ topic: 't', partition: 0, value: 'warm' })
  ;(await nextAfter(0)).ok()
  await settle()
  put({ topic: 't', partition: 0, value: 'bad' })
  const bad = await nextAfter(0)
  put({ topic: 't', partition: 1, value: 'a' })
  const a = await nextAfter(0)
  assert.deepEqual(a.batch(1).producerEpoch, 0)
  bad.error(ErrorCode.ERR_INVALID_RECORD)
  await settle()
  put({ topic: 't', partition: 1, value: 'b' })
  await assert.rejects(nextAfter(100), /no further/)
  a.ok()
  const b = (await nextAfter(0)).batch(1)
  assert.deepEqual([b.producerEpoch, b.baseSequence], [1, 0])
})

test('a producer id that the brokers no longer know gets another epoch', async () => {
  const world = idempotent()
  const { put, ids, nextAfter } = world
  await withId(world)
  put({ topic: 't', value: 'a' })
  ;(await nextAfter(0)).error(ErrorCode.ERR_UNKNOWN_PRODUCER_ID)
  assert.deepEqual(stamps(await nextAfter(RETRY_MS)), [7, 1, 0])
  assert.equal(ids.length, 1)
})

test('a fenced producer id is replaced', async () => {
  const world = idempotent()
  const { put, ids, nextAfter } = world
  await withId(world)
  put({ topic: 't', value: 'a' })
  ;(await nextAfter(0)).error(ErrorCode.ERR_INVALID_PRODUCER_EPOCH)
  await assert.rejects(nextAfter(1000), /no further/)
  ids[1]?.answer(0, 8n, 5)
  assert.deepEqual(stamps(await nextAfter(RETRY_MS)), [8, 5, 0])
})

test('the request for an id is retried', async () => {
  const { clock, ids } = idempotent()
  ids[0]?.reject(new RequestError(ErrorCode.ERR__TRANSPORT, 'no way', false))
  await clock.advance(500)
  assert.equal(ids.length, 2)
})

test('a refused id is fatal', async () => {
  const { ids, fatals } = idempotent()
  ids[0]?.answer(ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, -1n, -1)
  await settle()
  assert.equal(fatals.length, 1)
  assert.match(fatals[0] ?? '', /^ERR_CLUSTER_AUTHORIZATION_FAILED/)
})

test('with enable.gapless.guarantee a lost message is fatal', async () => {
  const world = idempotent({ 'enable.gapless.guarantee': true })
  await withId(world)
  world.put({ topic: 't', value: 'a' })
  ;(await world.nextAfter(0)).error(ErrorCode.ERR_INVALID_RECORD)
  await settle()
  assert.match(world.fatals[0] ?? '', /^ERR__GAPLESS_GUARANTEE/)
})

test('halves of a batch that was too large share its sequence', async () => {
  const world = idempotent({ 'batch.num.messages': 4 })
  const { put, ids, nextAfter } = world
  ids[0]?.answer(0, 7n, 0)
  for (const value of values(4)) put({ topic: 't', value })
  ;(await nextAfter(0)).error(ErrorCode.ERR_MSG_SIZE_TOO_LARGE)
  const first = await nextAfter(0)
  assert.deepEqual(
    [stamps(first), first.values['t/0']],
    [
      [7, 0, 0],
      ['v0', 'v1'],
    ],
  )
  first.ok()
  const second = await nextAfter(0)
  assert.deepEqual(
    [stamps(second), second.values['t/0']],
    [
      [7, 0, 2],
      ['v2', 'v3'],
    ],
  )
})

for (let seed = 1; seed <= 12; seed++) {
  test(`whatever happens, a log has each persisted message once and in order (seed ${seed})`, async () => {
    const random = seeded(seed * 7919)
    const pick = (n: number): number => Math.floor(random() * n)
    const { cluster, clock, put, reports, pipeline, ids } = makeWorld({
      'enable.idempotence': true,
      'batch.num.messages': 1 + pick(4),
      'message.timeout.ms': 4000,
      'linger.ms': [0, 1, 2, 900][pick(4)] ?? 0,
    })
    const leaders = [1, 2]
    let epoch = 0
    cluster.topic('t', leaders)
    const logs = [new SequencedLog(), new SequencedLog()]
    let lastId = 6
    let produced = 0
    let answeredIds = 0
    let hostile = true
    const serve = (): void => {
      for (; answeredIds < ids.length; answeredIds++) {
        const id = ids[answeredIds]
        // Without a transactional id brokers give another id each time.
        clock.setTimer(pick(50), () => id?.answer(0, BigInt(++lastId), 0))
      }
      while (cluster.unseen > 0) {
        const request = cluster.next()
        const kind = hostile ? pick(13) : 0
        // Some of its messages may have timed out by the time of a slow answer.
        const delay = hostile && pick(40) === 0 ? pick(5000) : pick(30)
        // The broker handles the requests of a connection in order; responses may come in any order.
        const answers = new Map<string, object>()
        if (kind === 12) {
          // In flight for so long that the request times out.
          clock.setTimer(pick(3000), () => {
            for (const { partitionData } of request.body.topicData) {
              for (const p of partitionData) logs[p.index]?.append(p.records)
            }
          })
        }
        if (kind !== 7 && kind !== 8 && kind !== 12) {
          for (const topic of request.body.topicData) {
            for (const p of topic.partitionData) {
              const outcome =
                kind === 9
                  ? { errorCode: ErrorCode.ERR_NOT_ENOUGH_REPLICAS }
                  : kind === 10
                    ? { errorCode: ErrorCode.ERR_INVALID_RECORD }
                    : (logs[p.index]?.append(p.records) ?? {})
              answers.set(`${topic.name}/${p.index}`, outcome)
            }
          }
        }
        clock.setTimer(delay, () => {
          if (kind === 6 || kind === 7 || kind === 12) request.fail(ErrorCode.ERR__TRANSPORT, true)
          else if (kind === 8) request.fail(ErrorCode.ERR__TRANSPORT, false)
          else request.answer((topic, partition) => answers.get(`${topic}/${partition}`) ?? {})
        })
      }
    }
    for (let at = 0; at < 400; at++) {
      for (let n = pick(5); n > 0; n--) put({ topic: 't', partition: pick(2), value: `v${produced++}` })
      if (pick(25) === 0) {
        leaders[pick(2)] = pick(4) === 0 ? -1 : 1 + pick(3)
        cluster.topic('t', leaders, {}, ++epoch)
      }
      if (pick(80) === 0) pipeline.purge(pick(2) === 0, pick(3) === 0)
      if (pick(20) === 0) logs[pick(2)]?.restart()
      if (cluster.isConnected) cluster.isConnected = pick(25) > 0
      else if (pick(12) === 0) cluster.connect()
      else if (pick(6) === 0) cluster.refuseConnection(ErrorCode.ERR__TRANSPORT)
      serve()
      await clock.advance(pick(40))
    }
    hostile = false
    cluster.connect()
    cluster.topic('t', [1, 2], {}, ++epoch)
    for (let i = 0; i < 400 && pipeline.accumulator.messages > 0; i++) {
      serve()
      await clock.advance(40)
    }
    assert.equal(pipeline.accumulator.messages, 0)
    assert.equal(reports.length, produced)
    for (const { value, latencyMs } of reports) {
      assert.ok(latencyMs <= 4000 + 400, `${String(value)} was reported after ${latencyMs} ms`)
    }
    for (const [partition, log] of logs.entries()) {
      const numbers = log.values.map(value => Number(value.slice(1)))
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
        'in order',
      )
      assert.equal(new Set(numbers).size, numbers.length, 'without duplicates')
      const written = new Set(log.values)
      for (const report of reports.filter(r => r.partition === partition)) {
        const value = String(report.value)
        if (report.status === 'persisted') assert.ok(written.has(value), `${value} was reported as persisted`)
        if (report.status === 'not-persisted') assert.ok(!written.has(value), `${value} was reported as not persisted`)
      }
    }
    assert.ok(logs.reduce((sum, log) => sum + log.values.length, 0) > 50, 'it went on in spite of everything')
  })
}
