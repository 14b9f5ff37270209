import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goalOf, planReset, type ResetGoal } from '../../src/admin/group-reset.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

const facts = { topic: 'a', partition: 0, committed: 50, earliest: 10, latest: 100, atTime: 70 }

test('a reset goes to its target, kept within the log', () => {
  const to = (goal: ResetGoal): number => planReset(facts, goal).to
  assert.equal(to({ to: 'earliest' }), 10)
  assert.equal(to({ to: 'latest' }), 100)
  assert.equal(to({ to: 'current' }), 50)
  assert.equal(to({ to: 'offset', offset: 60 }), 60)
  assert.equal(to({ to: 'offset', offset: 0 }), 10)
  assert.equal(to({ to: 'time', timestamp: 1 }), 70)
  assert.equal(to({ to: 'shift', by: -5 }), 45)
  assert.equal(to({ to: 'shift', by: 500 }), 100)
})

test('a partition without a committed offset is reset to the end, and cannot be shifted', () => {
  const never = { ...facts, committed: null, atTime: -1 }
  assert.deepEqual(planReset(never, { to: 'current' }), { topic: 'a', partition: 0, from: null, to: 100 })
  assert.equal(planReset(never, { to: 'time', timestamp: 1 }).to, 100)
  assert.throws(() => planReset(never, { to: 'shift', by: 1 }), UsageError)
})

test('a reset has exactly one goal', () => {
  assert.deepEqual(goalOf({ byDuration: 'PT1S' }, 5000), { to: 'time', timestamp: 4000 })
  assert.deepEqual(goalOf({ shiftBy: -3 }), { to: 'shift', by: -3 })
  assert.throws(() => goalOf({}), UsageError)
  assert.throws(() => goalOf({ toEarliest: true, toLatest: true }), UsageError)
})
