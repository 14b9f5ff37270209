import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gaps } from '../../../src/consumer/partition/gaps.ts'

test('counts the offsets of gaps within a range; gaps that touch are one', () => {
  const gaps = new Gaps()
  gaps.add(3, 4)
  gaps.add(4, 6)
  gaps.add(10, 11)
  assert.equal(gaps.between(0, 20), 4)
  assert.equal(gaps.between(5, 20), 2)
  assert.equal(gaps.between(0, 4), 1)
  assert.equal(gaps.between(6, 10), 0)
  gaps.forgetBefore(6)
  assert.equal(gaps.between(0, 20), 1)
  gaps.clear()
  assert.equal(gaps.between(0, 20), 0)
})

test('what is passed again counts once', () => {
  const gaps = new Gaps()
  gaps.add(3, 5)
  gaps.add(3, 5)
  gaps.add(4, 7)
  assert.equal(gaps.between(0, 20), 4)
})

test('keeps the latest thousand at most', () => {
  const gaps = new Gaps()
  for (let i = 0; i < 5000; i++) gaps.add(2 * i, 2 * i + 1)
  const kept = gaps.between(0, 10_000)
  assert.ok(kept >= 500 && kept <= 1000, String(kept))
  assert.equal(gaps.between(9_998, 10_000), 1)
})
