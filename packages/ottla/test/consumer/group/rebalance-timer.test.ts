import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RebalanceTimer } from '../../../src/consumer/group/rebalance-timer.ts'
import { Averages } from '../../../src/observe/statistics/averages.ts'
import { FakeClock } from '../../base/fake-clock.ts'

test('a rebalance takes from its first step to the moment when the member is settled', async () => {
  const clock = new FakeClock()
  const latency = new Averages()
  const timer = new RebalanceTimer(clock, latency)
  timer.moved('moving')
  await clock.advance(30)
  timer.moved('moving')
  await clock.advance(20)
  timer.moved('settled')
  await clock.advance(1000)
  timer.moved('moving')
  await clock.advance(10)
  timer.moved('settled')
  assert.deepEqual(latency.take(), { count: 2, sum: 60, max: 50 })
})

test('a member that leaves before the end has seen none', async () => {
  const clock = new FakeClock()
  const latency = new Averages()
  const timer = new RebalanceTimer(clock, latency)
  timer.moved('moving')
  await clock.advance(30)
  timer.moved('out')
  await clock.advance(30)
  timer.moved('settled')
  assert.equal(latency.take().count, 0)
})
