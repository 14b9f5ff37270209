import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QuotaRate, maxBurst } from '../../src/quotas/quota-rate.ts'

const START = 1_700_000_000_000

test('ten seconds’ worth may come at once', () => {
  const rate = new QuotaRate()
  rate.record(maxBurst(100), START)
  assert.equal(rate.throttleMs(100, START), 0)
})

test('what is beyond the limit has to be waited for', () => {
  const rate = new QuotaRate()
  rate.record(2000, START)
  // 200 a second over ten seconds: half of it would be all right.
  assert.equal(rate.throttleMs(100, START), 10_000)
  assert.equal(rate.throttleMs(100, START + 5000), 10_000)
})

test('what is older than eleven seconds counts no more', () => {
  const rate = new QuotaRate()
  rate.record(2000, START)
  assert.ok(rate.throttleMs(100, START + 10_999) > 0)
  assert.equal(rate.throttleMs(100, START + 11_000), 0)
  assert.ok(rate.isIdle(START + 11_000))
})

test('samples are kept for each second', () => {
  const rate = new QuotaRate()
  for (let second = 0; second < 20; second++) rate.record(100, START + second * 1000)
  assert.equal(rate.throttleMs(111, START + 19_000), 0)
  assert.ok(rate.throttleMs(109, START + 19_000) > 0)
})
