import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resetPolicy } from '../../src/config/reset-policy.ts'

test('auto.offset.reset is a word, or a duration as Java writes it', () => {
  const days = 24 * 60 * 60 * 1000
  assert.deepEqual(resetPolicy('largest'), { to: 'latest' })
  assert.deepEqual(resetPolicy('beginning'), { to: 'earliest' })
  assert.deepEqual(resetPolicy('error'), { to: 'error' })
  assert.deepEqual(resetPolicy('by_duration:P7D'), { to: 'age', ms: 7 * days })
  assert.deepEqual(resetPolicy('by_duration:PT1H30M'), { to: 'age', ms: 90 * 60_000 })
  assert.deepEqual(resetPolicy('by_duration:p1dt0.5s'), { to: 'age', ms: days + 500 })
  for (const none of ['by_duration:', 'by_duration:P', 'by_duration:PT', 'by_duration:1h', 'by_duration:P1M', 'x']) {
    assert.equal(resetPolicy(none), null, none)
  }
})
