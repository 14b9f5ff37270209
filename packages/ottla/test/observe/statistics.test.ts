import { test } from 'node:test'
import assert from 'node:assert/strict'
import { EventHub } from '../../src/observe/events.ts'
import { BrokerCounters, ClientCounters } from '../../src/observe/statistics/counters.ts'
import type { Statistics } from '../../src/observe/statistics/layout.ts'
import { StatisticsReporter } from '../../src/observe/statistics/reporter.ts'
import { Window } from '../../src/observe/statistics/window.ts'
import type { StatsEvent } from '../../src/types.ts'
import { FakeClock } from '../base/fake-clock.ts'

test('a window tells the smallest, the largest, the average and the percentiles of what was counted', () => {
  const window = new Window()
  for (let i = 1; i <= 100; i++) window.add(i)
  const taken = window.take()
  const { min, max, avg, sum, cnt, p50, p75, p90, p95, p99, p99_99 } = taken
  assert.deepEqual({ min, max, avg, sum, cnt }, { min: 1, max: 100, avg: 50, sum: 5050, cnt: 100 })
  assert.deepEqual({ p50, p75, p90, p95, p99, p99_99 }, { p50: 50, p75: 75, p90: 90, p95: 95, p99: 99, p99_99: 100 })
  assert.equal(taken.stddev, 28)
})

test('percentiles of large values are right within 1.6 percent, and never above the largest value', () => {
  const values: number[] = []
  const window = new Window()
  // A spread over nine powers of ten, without chance.
  for (let i = 0; i < 1000; i++) values.push(Math.floor(1.021 ** i))
  for (const value of values) window.add(value)
  const taken = window.take()
  const exact = (percent: number): number => values[Math.ceil((values.length * percent) / 100) - 1] ?? NaN
  for (const [told, percent] of [
    [taken.p50, 50],
    [taken.p75, 75],
    [taken.p90, 90],
    [taken.p95, 95],
    [taken.p99, 99],
  ] as const) {
    assert.ok(told >= exact(percent) && told <= exact(percent) * 1.016 + 1, `p${percent}: ${told} of ${exact(percent)}`)
  }
  assert.ok(taken.p99_99 <= taken.max)
})

test('each window begins anew, and an empty one is all zeros', () => {
  const window = new Window()
  assert.equal(window.take().hdrsize, 0, 'nothing is allocated before the first value')
  window.add(5)
  window.take()
  const { hdrsize, ...rest } = window.take()
  assert.ok(hdrsize > 0)
  assert.deepEqual(new Set(Object.values(rest)), new Set([0]))
})

test('values that no class is there for are told as out of range', () => {
  const window = new Window()
  for (const value of [2 ** 31, Infinity, NaN]) window.add(value)
  window.add(2 ** 31 - 1)
  window.add(-1)
  const { outofrange, cnt, min, max, p99 } = window.take()
  assert.deepEqual(
    { outofrange, cnt, min, max, p99 },
    { outofrange: 3, cnt: 2, min: 0, max: 2 ** 31 - 1, p99: 2 ** 31 - 1 },
  )
})

test('what brokers count stays in the totals of the client when they are gone', () => {
  const client = new ClientCounters(new FakeClock())
  for (let i = 0; i < 2; i++) {
    const broker = new BrokerCounters(client)
    broker.sent('Produce', [Buffer.alloc(10), Buffer.alloc(5)], 1)
    broker.received(20, 1, 3.5)
    assert.equal(broker.roundTrip.take().max, 2500)
    assert.deepEqual([...broker.requests], [['Produce', 1]])
  }
  const { tx, txBytes, rx, rxBytes } = client
  assert.deepEqual({ tx, txBytes, rx, rxBytes }, { tx: 2, txBytes: 30, rx: 2, rxBytes: 48 })
})

test('statistics are emitted at every interval while somebody listens, and not once they are stopped', async () => {
  const clock = new FakeClock()
  const events = new EventHub(() => undefined)
  const heard: string[] = []
  let collected = 0
  // The reporter only turns the value into JSON.
  const collect = (): Statistics => ({ n: ++collected }) as unknown as Statistics
  const reporter = new StatisticsReporter(clock, events, 100, collect)
  await clock.advance(250)
  assert.equal(collected, 0, 'nobody listens')
  const listener = (event: StatsEvent): void => void heard.push(event.json)
  events.on('stats', listener)
  await clock.advance(250)
  assert.deepEqual(heard, ['{"n":1}', '{"n":2}', '{"n":3}'])
  reporter.stop()
  await clock.advance(1000)
  assert.equal(heard.length, 3)
  assert.equal(clock.pendingTimers, 0)
})

test('an interval of 0 starts no timer', async () => {
  const clock = new FakeClock()
  const events = new EventHub(() => undefined)
  events.on('stats', () => assert.fail('there are none'))
  new StatisticsReporter(clock, events, 0, () => assert.fail('nothing to collect')).stop()
  await clock.advance(10_000)
})
