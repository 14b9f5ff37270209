import { test } from 'node:test'
import assert from 'node:assert/strict'
import { EventHub } from '../../src/observe/events.ts'
import { BrokerCounters, ClientCounters } from '../../src/observe/statistics/counters.ts'
import type { Statistics } from '../../src/statistics.ts'
import { StatisticsReporter } from '../../src/observe/statistics/reporter.ts'
import type { StatsEvent } from '../../src/types.ts'
import { FakeClock } from '../base/fake-clock.ts'

test('the counts of removed brokers stay in the totals of the client', () => {
  const client = new ClientCounters(new FakeClock())
  for (let i = 0; i < 2; i++) {
    const broker = new BrokerCounters(client)
    broker.sent('Produce', [Buffer.alloc(10), Buffer.alloc(5)], 1)
    broker.received(20, 1, 3.5, false)
    assert.equal(broker.roundTrip.take().max, 2500)
    assert.deepEqual([...broker.requests], [['Produce', 1]])
  }
  const { tx, txBytes, rx, rxBytes } = client
  assert.deepEqual({ tx, txBytes, rx, rxBytes }, { tx: 2, txBytes: 30, rx: 2, rxBytes: 48 })
})

test('statistics are emitted at every interval while there is a listener, and not after they are stopped', async () => {
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
