import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { ErrorCode, KafkaError } from '../src/errors.ts'
import { RequestError } from '../src/network/request-error.ts'

test('the text of a code stands in for a detail that is missing or empty', () => {
  const texts = [undefined, null, ''].map(detail => KafkaError.of(ErrorCode.ERR__TIMED_OUT, 'orders', detail).message)
  assert.equal(new Set(texts).size, 1)
  assert.match(texts[0] ?? '', /^orders: ./)
  assert.equal(KafkaError.of(ErrorCode.ERR__TIMED_OUT, 'orders', 'a detail').message, 'orders: a detail')
})

test('whether it is retriable follows from the code, unless it is said', () => {
  assert.equal(new KafkaError(ErrorCode.ERR__TRANSPORT, '').isRetriable, true)
  assert.equal(new KafkaError(ErrorCode.ERR__TRANSPORT, '', { retriable: false }).isRetriable, false)
  assert.equal(new KafkaError(ErrorCode.ERR__INVALID_ARG, '').isRetriable, false)
})

test('errors of another copy of the library are recognised, except as a subclass', () => {
  const foreign = Object.assign(new Error('x'), { [Symbol.for('ottla.KafkaError')]: true })
  assert.ok(foreign instanceof KafkaError)
  assert.equal(foreign instanceof RequestError, false)
  assert.equal(new Error('x') instanceof KafkaError, false)
  assert.equal((null as unknown) instanceof KafkaError, false)
})

test('a report is there, but not printed with the error', () => {
  const report = { topic: 'orders', partition: 0, offset: -1, timestamp: 0, value: 'a secret' }
  const error = new KafkaError(ErrorCode.ERR__MSG_TIMED_OUT, 'orders [0]', { report: report as never })
  assert.equal(error.report, report)
  assert.doesNotMatch(inspect(error) + JSON.stringify(error), /secret/)
  assert.equal('report' in new KafkaError(ErrorCode.ERR__MSG_TIMED_OUT, ''), false)
})
