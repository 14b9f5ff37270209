import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { asError, deadLetterFailed, textOf } from '../../../src/consumer/run/failure.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'

test('an error is passed on as it is, also one of another realm', () => {
  const errors = [new RangeError('why'), runInNewContext('new Error("why")') as Error]
  for (const error of errors) assert.equal(asError(error, 'the handler'), error)
})

test('anything else becomes the cause of an error that says so', () => {
  for (const [thrown, kind] of [
    ['text', 'a string'],
    [undefined, 'undefined'],
    [null, 'null'],
    [{ status: 404 }, 'an object'],
    [7n, 'a bigint'],
  ] as const) {
    const error = asError(thrown, 'the handler of t [0] at offset 5')
    assert.ok(error instanceof KafkaError)
    assert.equal(error.code, ErrorCode.ERR__APPLICATION)
    assert.equal(
      error.message,
      `the handler of t [0] at offset 5 threw ${kind} instead of an Error (see the cause): throw an Error to say why`,
    )
    assert.ok('cause' in error && error.cause === thrown)
    assert.deepEqual(Object.keys(error).includes('cause'), false)
  }
})

test('a header has what was thrown as text, whatever it is', () => {
  const loop: Record<string, unknown> = {}
  loop['self'] = loop
  for (const [thrown, text] of [
    [new RangeError('why'), 'RangeError: why'],
    [new KafkaError(ErrorCode.ERR__TIMED_OUT, 'too late'), 'too late'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [{ status: 404 }, '{"status":404}'],
    [loop, '[object Object]'],
  ] as const) {
    assert.equal(textOf(thrown), text)
  }
})

test('a failed dead letter names both failures, and has both errors', () => {
  const [failure, sendFailure] = [new Error('no such user'), new Error('no room')]
  const error = deadLetterFailed('the handler of t [0] at offset 5', 'aside', failure, sendFailure)
  assert.equal(
    error.message,
    'the handler of t [0] at offset 5 failed (no such user), ' +
      'and the message could not be sent to the dead-letter topic aside: no room',
  )
  assert.deepEqual((error.cause as AggregateError).errors, [failure, sendFailure])
})
