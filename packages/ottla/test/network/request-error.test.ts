import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../../src/errors.ts'
import { HungUpError, isWrongProtocol, RequestError, unsent } from '../../src/network/request-error.ts'

test('a wrong protocol is found among the causes of an error', () => {
  const hungUp = new HungUpError(ErrorCode.ERR__TRANSPORT, 'connection closed', false)
  const outer = new KafkaError(ErrorCode.ERR__TIMED_OUT, 'no broker could be reached', {
    cause: new RequestError(ErrorCode.ERR__TRANSPORT, 'broker 1', false, hungUp),
  })
  assert.deepEqual([isWrongProtocol(hungUp), isWrongProtocol(outer)], [true, true])
})

test('other errors, and what is not an error, are not a wrong protocol', () => {
  const error = new RequestError(ErrorCode.ERR__TRANSPORT, 'connection closed', false, { code: 'ECONNRESET' })
  for (const other of [error, 'connection closed', null, undefined]) assert.equal(isWrongProtocol(other), false)
})

test('what was never written is unsent, whatever became of the connection that it waited for', () => {
  const hungUp = new HungUpError(ErrorCode.ERR__TRANSPORT, 'connection closed', true)
  const error = unsent(hungUp)
  assert.deepEqual([error.sent, error.code, error.message], [false, hungUp.code, hungUp.message])
  assert.equal(isWrongProtocol(error), true)
  assert.equal(unsent(error), error)
})
