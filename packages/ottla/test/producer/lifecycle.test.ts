import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { Lifecycle } from '../../src/producer/lifecycle.ts'

test('a restricted producer refuses messages with the reason, and accepts pending ones if it may', () => {
  const lifecycle = new Lifecycle('p')
  lifecycle.restrict('no transaction has been begun', false)
  assert.deepEqual([lifecycle.isOpen, lifecycle.acceptsPending], [false, false])
  assert.equal(lifecycle.refusal().code, ErrorCode.ERR__STATE)
  assert.match(lifecycle.refusal().message, /^p: no transaction has been begun$/)
  lifecycle.restrict('it is being committed', true)
  assert.deepEqual([lifecycle.isOpen, lifecycle.acceptsPending], [false, true])
  lifecycle.restrict(null, false)
  assert.deepEqual([lifecycle.isOpen, lifecycle.acceptsPending], [true, true])
})

test('the first fatal error counts, and nothing lifts it', () => {
  const lifecycle = new Lifecycle('p')
  assert.equal(lifecycle.kill(ErrorCode.ERR__FENCED, 'fenced'), true)
  assert.equal(lifecycle.kill(ErrorCode.ERR__FATAL, 'later'), false)
  lifecycle.restrict(null, true)
  assert.deepEqual([lifecycle.isOpen, lifecycle.acceptsPending], [false, false])
  const refusal = lifecycle.refusal()
  assert.deepEqual([refusal.code, refusal.isFatal, refusal.cause], [ErrorCode.ERR__FATAL, true, lifecycle.fatal])
  assert.match(refusal.message, /ERR__FENCED: fenced/)
})

test('a closed producer says so, even after a fatal error', () => {
  const lifecycle = new Lifecycle('p')
  lifecycle.kill(ErrorCode.ERR__FENCED, 'fenced')
  lifecycle.enter('closing')
  assert.match(lifecycle.refusal().message, /being closed/)
  lifecycle.enter('closed')
  assert.match(lifecycle.refusal().message, /p is closed/)
  assert.throws(() => lifecycle.enter('closing'), /not a legal move/)
})
