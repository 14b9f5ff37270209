import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { flush } from '../../../src/producer/flush.ts'
import { seeded } from '../seeded.ts'
import { makeWorld, settle } from '../world.ts'
import type { Event } from '../../../src/types.ts'

test('a callback that throws is logged and does not stop the other reports', async () => {
  const { cluster, pipeline, logs, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  const heard: number[] = []
  for (let i = 0; i < 3; i++) {
    pipeline.put({ topic: 't' }, null, 'x', () => {
      heard.push(i)
      if (i === 1) throw new Error('callback trouble')
    })
  }
  ;(await nextAfter(5)).ok()
  await settle()
  assert.deepEqual(heard, [0, 1, 2])
  assert.equal(logs.length, 1)
  assert.match(logs[0] ?? '', /DRCALLBACK.*callback trouble/s)
})

test('a message produced from within a callback has the room of the reported one', async () => {
  const { cluster, pipeline, nextAfter } = makeWorld({ 'queue.buffering.max.messages': 1 })
  cluster.topic('t', [1])
  pipeline.put({ topic: 't' }, null, 'first', () => void pipeline.put({ topic: 't' }, null, 'second', null))
  ;(await nextAfter(5)).ok()
  assert.deepEqual((await nextAfter(5)).values, { 't/0': ['second'] })
})

test('delivery.report.only.error keeps successes from callbacks and events', async () => {
  const { cluster, put, events, pipeline, reports, nextAfter } = makeWorld({
    'delivery.report.only.error': true,
    retries: 0,
  })
  cluster.topic('t', [1])
  const heard: Event[] = []
  events.on('delivery', event => heard.push(event))
  put({ topic: 't', value: 'good' })
  pipeline.put({ topic: 't' }, null, 'good', null)
  ;(await nextAfter(5)).ok()
  await settle()
  assert.equal(reports.length + heard.length, 0)
  put({ topic: 't', value: 'bad' })
  pipeline.put({ topic: 't' }, null, 'bad', null)
  ;(await nextAfter(5)).error(ErrorCode.ERR_INVALID_RECORD)
  await settle()
  assert.equal(reports.length, 1)
  assert.equal(heard.length, 1)
})

test('without a callback reports become events for the listeners', async () => {
  const { cluster, pipeline, events, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  const heard: Event[] = []
  events.on('delivery', event => heard.push(event))
  pipeline.put({ topic: 't', opaque: 1 }, null, 'a', null)
  pipeline.put({ topic: 't', opaque: 2 }, null, 'b', () => undefined)
  ;(await nextAfter(5)).ok()
  await settle()
  assert.deepEqual(
    heard.map(event => event.type === 'delivery' && event.report.opaque),
    [1],
  )
})

test('the newest 10,000 reports without a listener are kept, and dropped ones are logged', async () => {
  const { cluster, pipeline, logs, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  for (let i = 0; i < 12_000; i++) pipeline.put({ topic: 't', opaque: i }, null, 'x', null)
  ;(await nextAfter(0)).ok(0)
  ;(await nextAfter(5)).ok(10_000)
  await settle()
  assert.equal(pipeline.accumulator.messages, 0, 'a report that nobody hears counts as reported')
  assert.equal(logs.filter(line => line.includes('DRDROP')).length, 0)
  const reports = pipeline.delivery.takeUnclaimed()
  assert.equal(reports.length, 10_000)
  assert.deepEqual([reports[0]?.opaque, reports[9_999]?.opaque], [2_000, 11_999])
  assert.deepEqual(pipeline.delivery.takeUnclaimed(), [])
})

test('dropped reports are logged once, and counted at the end', async () => {
  const { cluster, pipeline, logs, nextAfter } = makeWorld({ 'batch.num.messages': 5000 })
  cluster.topic('t', [1])
  for (let i = 0; i < 20_000; i++) pipeline.put({ topic: 't', opaque: i }, null, 'x', null)
  for (let i = 0; i < 4; i++) (await nextAfter(5)).ok(0)
  await settle()
  pipeline.close()
  const warnings = logs.filter(line => line.includes('DRDROP'))
  assert.equal(warnings.length, 2)
  assert.match(warnings[1] ?? '', /10000 delivery reports were dropped/)
})

test('a failed delivery without callback or listener is logged, once per batch', async () => {
  const { cluster, pipeline, logs, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  for (let i = 0; i < 3; i++) pipeline.put({ topic: 't' }, 'secret-key', 'secret-value', null)
  ;(await nextAfter(5)).error(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
  await settle()
  assert.equal(logs.length, 1)
  assert.match(logs[0] ?? '', /^3 DRFAIL 3 messages to t \[0\] not delivered .*ERR_TOPIC_AUTHORIZATION_FAILED/)
  assert.doesNotMatch(logs.join(), /secret/)
})

test('flush sends without linger, waits for the reports, and overrides the linger of new messages', async () => {
  const { cluster, clock, put, pipeline, nextAfter } = makeWorld({
    'linger.ms': 10_000,
    'sticky.partitioning.linger.ms': 1,
  })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  const flushed = flush(pipeline, clock, -1)
  const first = await nextAfter(0)
  put({ topic: 't', value: 'b' })
  first.ok()
  const second = await nextAfter(0)
  assert.deepEqual(second.values, { 't/0': ['b'] })
  second.ok(1)
  assert.equal(await flushed, 0)
  put({ topic: 't', value: 'c' })
  await clock.advance(100)
  assert.equal(cluster.unseen, 0, 'after the flush the linger counts again')
})

test('flush returns 0 at once when nothing is outstanding, and the number of remaining messages on a timeout', async () => {
  const { cluster, clock, put, pipeline } = makeWorld()
  assert.equal(await flush(pipeline, clock, -1), 0)
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  put({ topic: 't', value: 'b' })
  assert.equal(await flush(pipeline, clock, 0), 2)
  const limited = flush(pipeline, clock, 100)
  await clock.advance(100)
  assert.equal(await limited, 2)
  const abort = new AbortController()
  const aborted = flush(pipeline, clock, -1, abort.signal)
  abort.abort()
  assert.equal(await aborted, 2)
})

test('purge reports queued messages and those in flight, and ignores later responses', async () => {
  const { cluster, put, pipeline, outcomes, reports, nextAfter } = makeWorld({ 'batch.num.messages': 1 })
  cluster.topic('t', [1])
  put({ topic: 't', value: 'flying' })
  const flying = await nextAfter(0)
  put({ topic: 't', value: 'queued' })
  put({ topic: 'unknown', value: 'waiting' })
  pipeline.purge(true, false)
  assert.deepEqual(outcomes(), { ERR__PURGE_QUEUE: ['queued', 'waiting'] })
  pipeline.purge(false, true)
  assert.deepEqual(outcomes(), { ERR__PURGE_QUEUE: ['queued', 'waiting'], ERR__PURGE_INFLIGHT: ['flying'] })
  assert.deepEqual(
    reports.map(r => r.status),
    ['not-persisted', 'not-persisted', 'possibly-persisted'],
  )
  assert.equal(pipeline.accumulator.messages, 0)
  put({ topic: 't', value: 'next' })
  flying.ok()
  const next = await nextAfter(5)
  next.ok()
  await settle()
  assert.equal(reports.length, 4)
})

test('a purged request that fails does not bring its messages back', async () => {
  const { cluster, clock, put, pipeline, reports, nextAfter } = makeWorld()
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  const request = await nextAfter(5)
  pipeline.purge(true, true)
  request.fail(ErrorCode.ERR__TRANSPORT, true)
  await clock.advance(1000)
  assert.equal(reports.length, 1)
  assert.equal(cluster.unseen, 0)
})

test('closing leaves no timer and no listener', async () => {
  const { cluster, clock, put, pipeline } = makeWorld()
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  pipeline.purge(true, true)
  pipeline.close()
  await settle()
  assert.equal(clock.pendingTimers, 0)
  assert.equal(cluster.listenerCount, 0)
  assert.deepEqual([...cluster.wanted], [])
})

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  test(`whatever brokers and leaders do, each message is reported exactly once (seed ${seed})`, async () => {
    const random = seeded(seed)
    const pick = (n: number): number => Math.floor(random() * n)
    const { cluster, clock, put, reports, pipeline } = makeWorld({
      'batch.num.messages': 1 + pick(5),
      'message.timeout.ms': 3000,
      'max.in.flight': 1 + pick(3),
      'linger.ms': [0, 1, 2, 700][pick(4)] ?? 0,
      retries: pick(4),
      'compression.codec': pick(2) === 0 ? 'lz4' : 'none',
    })
    const leaders = [1, 2, 3]
    let epoch = 0
    const log = new Map<string, number>()
    let produced = 0
    for (let step = 0; step < 300; step++) {
      for (let n = pick(8); n > 0; n--) put({ topic: 't', key: `k${pick(9)}`, value: `v${produced++}` })
      if (step === 5) cluster.topic('t', leaders)
      if (step > 5 && pick(15) === 0) {
        leaders[pick(3)] = pick(5) === 0 ? -1 : 1 + pick(3)
        cluster.topic('t', leaders, {}, ++epoch)
      }
      while (cluster.unseen > 0) {
        const request = cluster.next()
        const write = (): void => {
          for (const value of Object.values(request.values).flat()) log.set(value, (log.get(value) ?? 0) + 1)
        }
        const kind = pick(9)
        const answer = (): void => {
          if (kind < 4) {
            write()
            request.ok(pick(1000))
          } else if (kind === 4) request.error(ErrorCode.ERR_NOT_LEADER_FOR_PARTITION)
          else if (kind === 5) request.error(ErrorCode.ERR_MSG_SIZE_TOO_LARGE)
          else if (kind === 6) {
            write()
            request.fail(ErrorCode.ERR__TRANSPORT, true)
          } else if (kind === 7) request.fail(ErrorCode.ERR__TRANSPORT, false)
          else request.error(ErrorCode.ERR_INVALID_RECORD)
        }
        clock.setTimer(pick(40), answer)
      }
      if (pick(60) === 0) pipeline.purge(pick(2) === 0, pick(2) === 0)
      if (cluster.isConnected) cluster.isConnected = pick(25) > 0
      else if (pick(12) === 0) cluster.connect()
      else if (pick(6) === 0) cluster.refuseConnection(ErrorCode.ERR__TRANSPORT)
      await clock.advance(pick(60))
    }
    cluster.connect()
    await clock.advance(10_000)
    while (cluster.unseen > 0) {
      cluster.next().fail(ErrorCode.ERR__TIMED_OUT, true)
      await clock.advance(5000)
    }
    assert.equal(pipeline.accumulator.messages, 0)
    assert.equal(pipeline.accumulator.bytes, 0)
    const seen = reports.map(r => String(r.value)).sort()
    assert.deepEqual(seen, Array.from({ length: produced }, (_, i) => `v${i}`).sort())
    for (const { value, status, latencyMs } of reports) {
      assert.ok(latencyMs <= 3000 + 300, `${String(value)} was reported after ${latencyMs} ms`)
      const written = log.get(String(value)) ?? 0
      if (status === 'persisted') assert.ok(written > 0, `${String(value)} was reported as persisted`)
      if (status === 'not-persisted') assert.equal(written, 0, `${String(value)} was reported as not persisted`)
    }
    await clock.advance(5000)
    assert.equal(clock.pendingTimers, 0)
  })
}
