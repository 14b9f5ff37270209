import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aclOperations, operationWords, patternTypeWords } from '../../src/admin/acl-words.ts'

test('a filter without a word matches anything, a rule must have one', () => {
  assert.equal(patternTypeWords.filterNumber(undefined), 1)
  assert.equal(patternTypeWords.filterNumber('match'), 2)
  assert.throws(() => patternTypeWords.number('any' as never), /resourcePatternType must be one of literal, prefixed/)
  assert.throws(() => operationWords.number(undefined as never), /operation must be one of/)
})

test('a number of a later Kafka has no word', () => {
  assert.equal(operationWords.word(3), 'read')
  assert.equal(operationWords.word(99), undefined)
})

test('authorized operations that were not requested are not an empty list', () => {
  assert.equal(aclOperations(-(2 ** 31)), undefined)
  assert.deepEqual(aclOperations(0), [])
  assert.deepEqual(aclOperations((1 << 3) | (1 << 8) | (1 << 30)), ['read', 'describe'])
})
