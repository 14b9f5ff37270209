import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventHub, STREAM_LIMIT } from '../../src/observe/events.ts'
import type { Statistics } from '../../src/statistics.ts'
import type { DeliveryReport, StatsEvent } from '../../src/types.ts'

/** Whoever tests the events does not look into them. */
const stats = (json: string): StatsEvent => ({ type: 'stats', json, statistics: {} as Statistics })

test('a listener that throws is reported and the others still get the event', () => {
  const failures: unknown[] = []
  const hub = new EventHub((type, error) => failures.push([type, error]))
  const heard: string[] = []
  const bad = new Error('bad')
  hub.on('stats', () => {
    throw bad
  })
  hub.on('stats', event => heard.push(event.json))
  assert.equal(hub.emit(stats('{}')), true)
  assert.deepEqual(heard, ['{}'])
  assert.deepEqual(failures, [['stats', bad]])
})

test('each stream has every event from its start on, until its iteration ends', async () => {
  const hub = new EventHub(() => undefined)
  assert.equal(hub.emit(stats('0')), false)
  const a = hub.stream()
  const b = hub.stream()
  for (let i = 1; i <= 3; i++) hub.emit(stats(String(i)))
  const seen: string[] = []
  for await (const event of a) {
    if (event.type === 'stats') seen.push(event.json)
    if (seen.length === 2) break
  }
  assert.deepEqual(seen, ['1', '2'])
  hub.close()
  const rest: string[] = []
  for await (const event of b) if (event.type === 'stats') rest.push(event.json)
  assert.deepEqual(rest, ['1', '2', '3'])
})

test('a reader that falls behind loses the oldest events, not the newest', async () => {
  const hub = new EventHub(() => undefined)
  const stream = hub.stream()
  for (let i = 0; i < STREAM_LIMIT + 5; i++) hub.emit(stats(String(i)))
  const first = await stream.next()
  assert.deepEqual(first.value, stats('5'))
})

const report = { type: 'delivery', report: {} as DeliveryReport } as const

test('unread reports are those of the stream that was read the most; one that nobody has begun does not count', async () => {
  const hub = new EventHub(() => undefined)
  const [one, other, untouched] = [hub.stream([report]), hub.stream(), hub.stream()]
  for (let i = 0; i < 3; i++) hub.emit(report)
  hub.emit(stats('{}'))
  assert.equal(hub.unreadReports, 0)
  let reads = 0
  const stop = hub.onRead(() => reads++)
  await one.next()
  assert.equal(hub.unreadReports, 3)
  await other.next()
  assert.deepEqual([hub.unreadReports, reads], [2, 2])
  await other.return?.()
  assert.deepEqual([hub.unreadReports, reads], [3, 3])
  stop()
  for (let i = 0; i < 4; i++) await one.next()
  assert.deepEqual([hub.unreadReports, reads], [0, 3])
  await untouched.return?.()
})

test('reports that a slow reader has lost are not unread any more', async () => {
  const hub = new EventHub(() => undefined)
  const stream = hub.stream()
  hub.emit(report)
  await stream.next()
  for (let i = 0; i < 5; i++) hub.emit(report)
  for (let i = 0; i < STREAM_LIMIT - 2; i++) hub.emit(stats('{}'))
  assert.equal(hub.unreadReports, 2)
})
