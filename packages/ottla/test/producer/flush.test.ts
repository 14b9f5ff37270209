/** What flush waits for, and counts: every message whose report has not been given. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { Deadline } from '../../src/base/clock.ts'
import type { ProducerConfig } from '../../src/config/resolve.ts'
import { flush, untilRead } from '../../src/producer/flush.ts'
import type { Event } from '../../src/types.ts'
import { makeWorld, settle, type World } from './world.ts'

/** How many messages have no report yet. */
const left = ({ pipeline, clock }: World): Promise<number> => flush(pipeline, clock, 0)

function filled(count: number, config: Partial<ProducerConfig> = {}): World {
  const world = makeWorld({ 'linger.ms': 0, ...config })
  world.cluster.topic('t', [1])
  for (let i = 0; i < count; i++) world.put({ topic: 't', value: `v${i}` })
  return world
}

test('within a callback its message still counts, and so do those that come after it', async () => {
  const world = makeWorld({ 'linger.ms': 0 })
  const { cluster, pipeline, nextAfter } = world
  cluster.topic('t', [1])
  const counts: number[] = []
  const flushed: Promise<number>[] = []
  // One callback for all, and one for each.
  for (const callbacks of [1, 3]) {
    const make = () => (): void => {
      counts.push(pipeline.accumulator.unreported)
      flushed.push(left(world))
    }
    const common = make()
    for (let i = 0; i < 3; i++) pipeline.put({ topic: 't' }, null, 'x', callbacks === 1 ? common : make())
    ;(await nextAfter(5)).ok()
    await settle()
  }
  assert.deepEqual(counts, [3, 2, 1, 3, 2, 1])
  assert.deepEqual(await Promise.all(flushed), counts)
  assert.equal(await left(world), 0)
})

test('a flush from within a callback ends when the last callback has returned', async () => {
  for (const from of [0, 2]) {
    const world = makeWorld({ 'linger.ms': 0 })
    const { cluster, pipeline, clock, nextAfter } = world
    cluster.topic('t', [1])
    const order: string[] = []
    for (let i = 0; i < 3; i++) {
      pipeline.put({ topic: 't' }, null, 'x', () => {
        if (i === from) void flush(pipeline, clock, -1).then(rest => order.push(`flushed, ${rest} left`))
        order.push(`report ${i}`)
      })
    }
    ;(await nextAfter(5)).ok()
    await settle()
    assert.deepEqual(order, ['report 0', 'report 1', 'report 2', 'flushed, 0 left'])
  }
})

test('messages that are retried, in flight or without a connection count until their report', async () => {
  const world = filled(3)
  const { cluster, clock, pipeline, nextAfter } = world
  const first = await nextAfter(0)
  assert.equal(await left(world), 3)
  let rest = -1
  void flush(pipeline, clock, -1).then(count => (rest = count))
  first.error(ErrorCode.ERR_NOT_ENOUGH_REPLICAS)
  await settle()
  assert.deepEqual([await left(world), rest], [3, -1])
  cluster.isConnected = false
  await clock.advance(120)
  assert.equal(cluster.waiting.length, 1)
  assert.deepEqual([await left(world), rest], [3, -1])
  cluster.connect()
  ;(await nextAfter(0)).ok()
  await settle()
  assert.deepEqual([await left(world), rest], [0, 0])
})

test('messages of a batch that have timed out are reported, the others count', async () => {
  const world = makeWorld({ 'linger.ms': 1500, 'message.timeout.ms': 4000 })
  const { cluster, clock, put, pipeline } = world
  cluster.topic('t', [1])
  put({ topic: 't', value: 'old' })
  await clock.advance(1000)
  put({ topic: 't', value: 'young' })
  put({ topic: 't', value: 'younger' })
  await clock.advance(500)
  const request = cluster.next()
  let rest = -1
  void flush(pipeline, clock, -1).then(count => (rest = count))
  await clock.advance(2510)
  assert.deepEqual(world.outcomes(), { ERR__MSG_TIMED_OUT: ['old'] })
  assert.deepEqual([await left(world), rest], [2, -1])
  request.ok()
  await settle()
  assert.deepEqual([await left(world), rest], [0, 0])
})

test('messages that are purged from within a report are reported within it, and all count', async () => {
  const world = makeWorld({ 'linger.ms': 0 })
  const { cluster, pipeline, nextAfter } = world
  cluster.topic('t', [1, 1])
  const counts: [string, number][] = []
  const report = (value: string) => (): void => void counts.push([value, pipeline.accumulator.unreported])
  pipeline.put({ topic: 't', partition: 0 }, null, 'a', () => {
    pipeline.put({ topic: 't', partition: 1 }, null, 'c', report('c'))
    pipeline.purge(true, true)
    report('a')()
  })
  pipeline.put({ topic: 't', partition: 0 }, null, 'b', report('b'))
  ;(await nextAfter(0)).ok()
  await settle()
  assert.deepEqual(counts, [
    ['c', 3],
    ['a', 2],
    ['b', 1],
  ])
  assert.equal(await left(world), 0)
})

test('reports that an application does not want, or that nobody hears, count as given', async () => {
  const world = makeWorld({ 'linger.ms': 0, 'delivery.report.only.error': true })
  const { cluster, put, pipeline, nextAfter } = world
  cluster.topic('t', [1])
  put({ topic: 't', value: 'a' })
  pipeline.put({ topic: 't' }, null, 'b', null)
  pipeline.put({ topic: 't' }, null, 'c', null)
  ;(await nextAfter(0)).ok()
  await settle()
  assert.equal(await left(world), 0)
  pipeline.put({ topic: 't' }, null, 'd', null)
  ;(await nextAfter(0)).error(ErrorCode.ERR_INVALID_RECORD)
  await settle()
  assert.equal(await left(world), 0)
})

test('reports kept for the first listener count from then on, until it has had them', async () => {
  const world = makeWorld({ 'linger.ms': 0 })
  const { cluster, events, pipeline, clock, nextAfter } = world
  cluster.topic('t', [1])
  for (let i = 0; i < 2; i++) pipeline.put({ topic: 't' }, null, 'x', null)
  ;(await nextAfter(0)).ok()
  await settle()
  const counts: number[] = []
  events.on('delivery', () => void counts.push(pipeline.accumulator.unreported))
  pipeline.delivery.giveUnclaimed()
  assert.equal(pipeline.accumulator.unreported, 2)
  assert.equal(await flush(pipeline, clock, -1), 0)
  assert.deepEqual(counts, [2, 1])
})

/** A producer with two reports in a stream of events. */
async function streamed(): Promise<{ world: World; stream: AsyncIterableIterator<Event> }> {
  const world = makeWorld({ 'linger.ms': 0 })
  const { cluster, events, pipeline, nextAfter } = world
  cluster.topic('t', [1])
  const stream = events.stream()
  for (let i = 0; i < 3; i++) pipeline.put({ topic: 't' }, null, 'x', null)
  const first = stream.next()
  ;(await nextAfter(0)).ok()
  assert.equal((await first).done, false)
  assert.equal(events.unreadReports, 2)
  return { world, stream }
}

const read = ({ events, clock }: World, timeoutMs: number, signal?: AbortSignal): Promise<number> =>
  untilRead(events, clock, Deadline.after(clock, timeoutMs), signal)

test('reports in a stream are waited for while it is read', async () => {
  const { world, stream } = await streamed()
  const { clock } = world
  assert.equal(await read(world, 0), 2)
  let rest = -1
  void read(world, -1).then(count => (rest = count))
  await clock.advance(900)
  await stream.next()
  await clock.advance(900)
  assert.equal(rest, -1)
  await stream.next()
  await settle()
  assert.equal(rest, 0)
  assert.equal(clock.pendingTimers, 0)
})

test('a stream that is not read any more is not waited for longer than a second', async () => {
  const { world, stream } = await streamed()
  let rest = -1
  void read(world, -1).then(count => (rest = count))
  await world.clock.advance(999)
  assert.equal(rest, -1)
  await world.clock.advance(1)
  assert.equal(rest, 0)
  void read(world, -1).then(count => (rest = count + 10))
  await stream.return?.()
  await settle()
  assert.equal(rest, 10)
  assert.equal(world.clock.pendingTimers, 0)
})

test('a limit, and a signal, end the wait for a reader with the number of reports that are left', async () => {
  const { world } = await streamed()
  const before = world.clock.pendingTimers
  const limited = read(world, 100)
  await world.clock.advance(100)
  assert.equal(await limited, 2)
  const abort = new AbortController()
  const aborted = read(world, -1, abort.signal)
  abort.abort()
  assert.equal(await aborted, 2)
  assert.equal(await read(world, -1, abort.signal), 2)
  assert.equal(world.clock.pendingTimers, before)
})
