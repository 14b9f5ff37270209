import { test } from 'node:test'
import assert from 'node:assert/strict'
import { MutationBucket, MutationQuota } from '../../src/quotas/mutation-quota.ts'

const LIMIT = 2
const BURST = 22
const START = 1_000_000

test('a client may use eleven seconds’ worth at once, and gets it back with time', () => {
  const bucket = new MutationBucket()
  assert.equal(bucket.left(LIMIT, START), BURST)
  bucket.take(BURST)
  assert.equal(bucket.left(LIMIT, START), 0)
  assert.equal(bucket.left(LIMIT, START + 2500), 5)
  assert.equal(bucket.left(LIMIT, START + 60_000), BURST)
})

test('a strict quota lets one request go over the limit, and refuses those after it', () => {
  const bucket = new MutationBucket()
  const first = new MutationQuota(bucket, LIMIT, true, START)
  assert.equal(first.take(BURST + 4), true)
  assert.equal(first.throttleTimeMs, 0)
  const second = new MutationQuota(bucket, LIMIT, true, START)
  assert.equal(second.take(1), false)
  assert.equal(second.throttleTimeMs, 2000)
  const later = new MutationQuota(bucket, LIMIT, true, START + 2000)
  assert.equal(later.take(1), true)
})

test('a permissive quota allows everything, but throttles', () => {
  const bucket = new MutationBucket()
  const quota = new MutationQuota(bucket, LIMIT, false, START)
  assert.equal(quota.take(BURST + 4), true)
  assert.equal(quota.throttleTimeMs, 2000)
  assert.equal(quota.take(2), true)
  assert.equal(quota.throttleTimeMs, 3000)
})

test('without a limit nothing is counted', () => {
  const quota = new MutationQuota(new MutationBucket(), Infinity, true, START)
  assert.equal(quota.take(1e9), true)
  assert.equal(quota.throttleTimeMs, 0)
})
