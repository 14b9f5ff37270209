import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WorkBudget } from '../../../src/consumer/run/work-budget.ts'

test('one partition may have half of all, and no more than its share once so much is used', () => {
  const budget = new WorkBudget(1000, () => 4)
  budget.take(499)
  assert.equal(budget.isOver(499), false)
  budget.take(1)
  assert.equal(budget.isOver(500), true)
  assert.equal(budget.isOver(249), false)
  budget.take(250)
  assert.equal(budget.isOver(250), true)
})

test('a partition continues when it has little, or all have', () => {
  const budget = new WorkBudget(1000, () => 4)
  budget.take(800)
  assert.equal(budget.isLow(126), false)
  assert.equal(budget.isLow(125), true)
  budget.giveBack(551)
  assert.equal(budget.isLow(249), true)
  assert.equal(budget.bytes, 249)
})
