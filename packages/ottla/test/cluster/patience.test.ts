import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Patience } from '../../src/cluster/patience.ts'
import { ErrorCode, KafkaError } from '../../src/errors.ts'
import { HungUpError, RequestError } from '../../src/network/request-error.ts'

const refused = new RequestError(ErrorCode.ERR__AUTHENTICATION, 'wrong password', false)
const hungUp = new HungUpError(ErrorCode.ERR__TRANSPORT, 'hung up', true)
const behind = new KafkaError(ErrorCode.ERR__TIMED_OUT, 'late', { cause: hungUp })
const nobody = new RequestError(ErrorCode.ERR__TRANSPORT, 'nobody listens there', false)

test('refused credentials are waited for a second, since they may not be known everywhere yet', () => {
  const patience = new Patience()
  assert.equal(patience.isOver(refused, true, false, 0), false)
  assert.equal(patience.isOver(refused, true, false, 999), false)
  assert.equal(patience.isOver(nobody, true, false, 1000), true, 'that another is not there is no reason to go on')
})

test('whoever does not speak alike is waited for two seconds, and for good once there was a cluster', () => {
  const patience = new Patience()
  assert.equal(patience.isOver(hungUp, false, false, 0), false)
  assert.equal(patience.isOver(behind, false, false, 1999), false)
  assert.equal(patience.isOver(behind, false, false, 2000), true)
  const experienced = new Patience()
  assert.equal(experienced.isOver(hungUp, false, true, 0), false)
  assert.equal(experienced.isOver(hungUp, false, true, 60_000), false)
})

test('somebody who is not there may come, and begins the time anew', () => {
  const patience = new Patience()
  assert.equal(patience.isOver(hungUp, false, false, 0), false)
  assert.equal(patience.isOver(nobody, false, false, 3000), false)
  assert.equal(patience.isOver(hungUp, false, false, 3500), false)
  assert.equal(patience.isOver(hungUp, false, false, 5500), true)
})
