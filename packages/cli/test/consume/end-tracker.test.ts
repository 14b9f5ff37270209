import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EndTracker, partitionName } from '../../src/consume/end-tracker.ts'

const [p0, p1, p2] = [0, 1, 2].map(partition => ({ topic: 'orders', partition })) as [Partition, Partition, Partition]
type Partition = { topic: string; partition: number }

test('with -e the command exits at the end of the last partition', () => {
  const ends = new EndTracker(true)
  ends.expect([p0, p1])
  assert.equal(ends.reached(p0), false)
  assert.equal(ends.reached(p0), false, 'the same partition counts once')
  assert.equal(ends.reached(p1), true)
})

test('a partition that is revoked is not waited for, one that is assigned later is', () => {
  const ends = new EndTracker(true)
  ends.expect([p0, p1])
  ends.forget([p1])
  ends.expect([p2])
  assert.equal(ends.reached(p0), false)
  assert.equal(ends.reached(p2), true)
})

test('without -e no end exits the command', () => {
  const ends = new EndTracker(false)
  ends.expect([p0])
  assert.equal(ends.reached(p0), false)
})

test('a partition is named topic [partition]', () => {
  assert.equal(partitionName(p2), 'orders [2]')
})
