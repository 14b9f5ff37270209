import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, KafkaError } from 'ottla'
import { explain, messageOf } from '../../src/client/explain.ts'

test('a Kafka error is one line with its message, its name and a hint', () => {
  const error = new KafkaError(ErrorCode.ERR__RESOLVE, 'cannot resolve nowhere')
  assert.equal(explain(error), 'cannot resolve nowhere (ERR__RESOLVE); check the host name given with -b')
})

test('an error without a hint ends with its name', () => {
  assert.equal(explain(new KafkaError(ErrorCode.ERR__FATAL, 'fenced')), 'fenced (ERR__FATAL)')
})

test('line breaks in a message become spaces', () => {
  assert.equal(explain(new Error('first\n  second\r\nthird')), 'first second third')
})

test('a thrown value that is not an Error is shown as text', () => {
  assert.equal(messageOf('plain'), 'plain')
  assert.equal(explain(undefined), 'undefined')
})
