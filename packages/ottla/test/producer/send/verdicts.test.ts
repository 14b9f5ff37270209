import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { answerVerdict, requestVerdict } from '../../../src/producer/send/verdicts.ts'

test('with acks=all, a deposed leader leaves messages in doubt; with acks=1 it has refused them', () => {
  for (const code of [ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, ErrorCode.ERR_KAFKA_STORAGE_ERROR]) {
    assert.equal(answerVerdict(code, -1).inDoubt, true)
    assert.equal(answerVerdict(code, 1).inDoubt, false)
    assert.equal(answerVerdict(code, -1).retry, true)
  }
})

test('a timeout after the append is retried in doubt, a missing topic without counting as a retry', () => {
  assert.deepEqual(answerVerdict(ErrorCode.ERR_REQUEST_TIMED_OUT, -1), {
    retry: true,
    refresh: false,
    counts: true,
    inDoubt: true,
  })
  const missing = answerVerdict(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, -1)
  assert.deepEqual([missing.retry, missing.refresh, missing.counts, missing.inDoubt], [true, true, false, false])
})

test('an unknown code is final and certain, an unknown error of the broker final and in doubt', () => {
  assert.deepEqual(answerVerdict(9999, -1), { retry: false, refresh: false, counts: false, inDoubt: false })
  assert.deepEqual(answerVerdict(ErrorCode.ERR_UNKNOWN, -1), {
    retry: false,
    refresh: false,
    counts: false,
    inDoubt: true,
  })
})

test('a lost request is in doubt only if its bytes may have reached the broker', () => {
  for (const code of [ErrorCode.ERR__TRANSPORT, ErrorCode.ERR__TIMED_OUT, ErrorCode.ERR__AUTHENTICATION]) {
    const sent = requestVerdict(code, true)
    const unsent = requestVerdict(code, false)
    assert.deepEqual([sent.retry, sent.counts, sent.inDoubt], [true, true, true])
    assert.deepEqual([unsent.retry, unsent.counts, unsent.inDoubt], [true, false, false])
  }
})

test('a request that cannot be made is not retried; one is whose response, or connection, cannot be read', () => {
  assert.equal(requestVerdict(ErrorCode.ERR__INVALID_ARG, false).retry, false)
  assert.equal(requestVerdict(ErrorCode.ERR__INVALID_ARG, true).inDoubt, true)
  assert.equal(requestVerdict(ErrorCode.ERR__BAD_MSG, true).retry, true)
  const { retry, counts, inDoubt } = requestVerdict(ErrorCode.ERR__BAD_MSG, false)
  assert.deepEqual([retry, counts, inDoubt], [true, false, false])
})
