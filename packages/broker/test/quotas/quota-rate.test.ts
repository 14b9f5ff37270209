import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QuotaRate, maxBurst } from '../../src/quotas/quota-rate.ts'

const START = 1_700_000_000_000

test('ten seconds’ worth may be used at once', () => {
  const rate = new QuotaRate()
  rate.record(maxBurst(100), START)
  assert.equal(rate.throttleMs(100, START), 0)
})

test('what exceeds the limit is throttled', () => {
  const rate = new QuotaRate()
  rate.record(2000, START)
  // 200 a second over ten seconds, twice the limit.
  assert.equal(rate.throttleMs(100, START), 10_000)
  assert.equal(rate.throttleMs(100, START + 5000), 10_000)
})

test('samples older than eleven seconds do not count', () => {
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
