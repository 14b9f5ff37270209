import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailFast } from '../../src/cluster/fail-fast.ts'
import { ErrorCode, KafkaError } from '../../src/errors.ts'
import { HungUpError, RequestError } from '../../src/network/request-error.ts'

const refused = new RequestError(ErrorCode.ERR__AUTHENTICATION, 'wrong password', false)
const hungUp = new HungUpError(ErrorCode.ERR__TRANSPORT, 'hung up', true)
const behind = new KafkaError(ErrorCode.ERR__TIMED_OUT, 'late', { cause: hungUp })
const nobody = new RequestError(ErrorCode.ERR__TRANSPORT, 'nobody listens there', false)

test('refused credentials are retried for a second, since they may not be known everywhere yet', () => {
  const failFast = new FailFast()
  assert.equal(failFast.shouldGiveUp(refused, true, false, 0), false)
  assert.equal(failFast.shouldGiveUp(refused, true, false, 999), false)
  assert.equal(
    failFast.shouldGiveUp(nobody, true, false, 1000),
    true,
    'another unreachable broker is no reason to carry on',
  )
})

test('a wrong protocol is retried for two seconds, and forever once there was a cluster', () => {
  const failFast = new FailFast()
  assert.equal(failFast.shouldGiveUp(hungUp, false, false, 0), false)
  assert.equal(failFast.shouldGiveUp(behind, false, false, 1999), false)
  assert.equal(failFast.shouldGiveUp(behind, false, false, 2000), true)
  const experienced = new FailFast()
  assert.equal(experienced.shouldGiveUp(hungUp, false, true, 0), false)
  assert.equal(experienced.shouldGiveUp(hungUp, false, true, 60_000), false)
})

test('a broker that cannot be reached may come up, and restarts the time', () => {
  const failFast = new FailFast()
  assert.equal(failFast.shouldGiveUp(hungUp, false, false, 0), false)
  assert.equal(failFast.shouldGiveUp(nobody, false, false, 3000), false)
  assert.equal(failFast.shouldGiveUp(hungUp, false, false, 3500), false)
  assert.equal(failFast.shouldGiveUp(hungUp, false, false, 5500), true)
})
