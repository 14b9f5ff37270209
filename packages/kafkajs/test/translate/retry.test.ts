/** kafkajs's retry options. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allBackoffsMs, budgetMs, retryPlan, retryTime } from '../../src/translate/retry.ts'

test('defaults, and later options before earlier ones', () => {
  assert.deepEqual(retryPlan(), { retries: 5, initialRetryTime: 300, maxRetryTime: 30_000, factor: 0.2, multiplier: 2 })
  const plan = retryPlan({ retries: 1, factor: 0 }, undefined, { retries: 8 })
  assert.deepEqual([plan.retries, plan.factor, plan.initialRetryTime], [8, 0, 300])
})

test('backoffs grow to their limit', () => {
  const plan = retryPlan({ initialRetryTime: 100, maxRetryTime: 350, retries: 4 })
  assert.deepEqual(
    [1, 2, 3, 4].map(retry => retryTime(plan, retry)),
    [100, 200, 350, 350],
  )
  assert.equal(allBackoffsMs(plan), 1000)
  assert.equal(budgetMs(plan, 1000), 6000)
  assert.equal(allBackoffsMs(retryPlan({ retries: Number.MAX_SAFE_INTEGER })), Infinity)
})
