import { test } from 'node:test'
import assert from 'node:assert/strict'
import { patternProblem, topicPattern } from '../../src/groups/topic-pattern.ts'

test('a pattern has to match the whole name', () => {
  assert.ok(topicPattern('a|b').test('b'))
  assert.equal(topicPattern('a|b').test('ab'), false)
  assert.equal(topicPattern('order').test('orders'), false)
  assert.equal(topicPattern('Order').test('order'), false)
  assert.ok(topicPattern('(?i)Order').test('oRDER'))
})

test('a pattern cannot break out of its group', () => {
  assert.notEqual(patternProblem('a)|(?:b'), null)
  assert.notEqual(patternProblem('['), null)
  assert.equal(patternProblem('order.*'), null)
})
