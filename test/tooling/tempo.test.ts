/** When a simulated run is at work. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Dice } from '@ottla/broker/simulation'
import { consumerAt, Rhythm, tempoOf, type Tempo } from '../simulation/tempo.ts'

const MINUTES_10 = 600_000

function rhythm(tempo: Tempo, seed = 1): Rhythm {
  return new Rhythm(tempo, new Dice(seed), MINUTES_10)
}

test('in a dense run all time is work', () => {
  const dense = rhythm('dense')
  for (const at of [0, 0.5, 300_000, 700_000]) {
    assert.equal(dense.workMs(at, 200), 200)
    assert.equal(dense.actMs(200), 200)
    assert.equal(dense.lookMs(at, 200), 200)
    assert.equal(dense.isAtRest(at), false)
  }
})

test('a sparse run begins with work, ends with work and rests most of the time between', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const sparse = rhythm('sparse', seed)
    let working = 0
    for (let at = 0; at < MINUTES_10; at += 100) if (!sparse.isAtRest(at)) working++
    assert.ok(working > 5 && working < 3000, `${working / 10} s of work with seed ${seed}`)
    assert.equal(sparse.isAtRest(0), false)
    assert.equal(sparse.isAtRest(MINUTES_10 - 1), false)
    assert.equal(sparse.isAtRest(MINUTES_10 + 1), false)
  }
})

test('work that is waited for in pieces or in one takes equally long', () => {
  const whole = rhythm('sparse').workMs(0, 5000)
  const sparse = rhythm('sparse')
  let at = 0
  for (let i = 0; i < 50; i++) at += sparse.workMs(at, 100)
  assert.ok(Math.abs(at - whole) < 1e-3)
  assert.ok(whole > 5000)
  assert.ok(sparse.actMs(1000) < 1000)
})

test('what is waited for is there when the work goes on', () => {
  const sparse = rhythm('sparse')
  for (let at = 0; at < MINUTES_10; at += 1000) {
    assert.equal(sparse.isAtRest(at + sparse.workMs(at, 0.001)), false)
    // Nobody who looks now and then misses the beginning of a burst.
    const next = at + sparse.lookMs(at, 200)
    assert.ok(next <= at + 200 || at + sparse.workMs(at, 0) >= next - 1e-6)
  }
})

test('after the last burst all time is work', () => {
  const sparse = rhythm('sparse')
  assert.equal(sparse.workMs(MINUTES_10, 5000), 5000)
  assert.ok(MINUTES_10 - 1 + sparse.workMs(MINUTES_10 - 1, 5000) < MINUTES_10 + 5001)
})

test('the seed says which tempo a run has, and dense ones are rare', () => {
  const dense = Array.from({ length: 10_000 }, (_, seed) => tempoOf(seed)).filter(tempo => tempo === 'dense').length
  assert.ok(dense > 100 && dense < 400, `${dense} of 10,000 are dense`)
  assert.equal(tempoOf(7), tempoOf(7))
})

test('consumers of a sparse run ask more rarely, and of a dense one as they are told', () => {
  const config = {
    'fetch.wait.max.ms': 100,
    'auto.commit.interval.ms': 100,
    'session.timeout.ms': 6000,
    'heartbeat.interval.ms': 2000,
  }
  assert.deepEqual(consumerAt('dense', config), config)
  assert.deepEqual(consumerAt('sparse', config), {
    'fetch.wait.max.ms': 2000,
    'auto.commit.interval.ms': 500,
    'session.timeout.ms': 6000,
    'heartbeat.interval.ms': 3000,
  })
  assert.equal(consumerAt('sparse', {})['heartbeat.interval.ms'], 6000)
  assert.equal(consumerAt('sparse', { 'group.protocol': 'consumer' })['heartbeat.interval.ms'], undefined)
})
