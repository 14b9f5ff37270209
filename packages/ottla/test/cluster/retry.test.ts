import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { actionFor, isRetriable } from '../../src/cluster/retry.ts'

test('what moved is looked up again before the retry', () => {
  const { ERR_NOT_LEADER_FOR_PARTITION, ERR_NOT_CONTROLLER, ERR_NOT_COORDINATOR, ERR__TRANSPORT } = ErrorCode
  assert.equal(actionFor(ERR_NOT_LEADER_FOR_PARTITION), 'refresh-metadata')
  assert.equal(actionFor(ERR_NOT_CONTROLLER), 'refresh-metadata')
  assert.equal(actionFor(ERR_NOT_COORDINATOR), 'refresh-coordinator')
  assert.equal(actionFor(ERR__TRANSPORT), 'refresh-metadata')
})

test('success, refusals and codes of a later Kafka are not retried', () => {
  const { ERR_NO_ERROR, ERR_TOPIC_AUTHORIZATION_FAILED, ERR_MSG_SIZE_TOO_LARGE } = ErrorCode
  assert.equal(actionFor(ERR_NO_ERROR), 'none')
  for (const code of [ERR_NO_ERROR, ERR_TOPIC_AUTHORIZATION_FAILED, ERR_MSG_SIZE_TOO_LARGE, 32_000]) {
    assert.equal(isRetriable(code), false, String(code))
  }
  assert.equal(isRetriable(ErrorCode.ERR_REQUEST_TIMED_OUT), true)
})
