import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode } from '@ottla/protocol'
import { checkBatch, isRefusal, readBatch, type RecordRules } from '../../src/log/validation.ts'
import { batchBytes, batchOf } from '../batches.ts'

const rules: RecordRules = {
  maxMessageBytes: 10_000,
  needsKeys: false,
  oldestTimestamp: 1000,
  newestTimestamp: 1001,
  logAppendTime: null,
}

test('a request has exactly one batch for a partition', () => {
  const one = batchBytes(1)
  assert.equal(isRefusal(readBatch(one, 9)), false)
  for (const records of [null, Buffer.alloc(0), Buffer.concat([one, one])]) {
    const outcome = readBatch(records, 9)
    assert.equal(isRefusal(outcome) && outcome.errorCode, ErrorCode.ERR_INVALID_RECORD)
  }
  const cut = readBatch(Buffer.concat([one, Buffer.alloc(20, 0xff)]), 9)
  assert.equal(isRefusal(cut), true)
})

test('a batch may be as large as the topic allows', () => {
  const batch = batchOf(1)
  const check = (maxMessageBytes: number): number | undefined =>
    checkBatch(batch, { ...rules, maxMessageBytes })?.errorCode
  assert.equal(check(batch.sizeBytes), undefined)
  assert.equal(check(batch.sizeBytes - 1), ErrorCode.ERR_MSG_SIZE_TOO_LARGE)
})

test('every record outside the time range is named', () => {
  const refusal = checkBatch(batchOf(4, {}, 999), rules)
  assert.equal(refusal?.errorCode, ErrorCode.ERR_INVALID_TIMESTAMP)
  assert.deepEqual(
    refusal.records?.map(({ index }) => index),
    [0, 3],
  )
  assert.equal(checkBatch(batchOf(4, {}, 999), { ...rules, logAppendTime: 5 }), null, 'with LogAppendTime')
})

test('a producer id needs a sequence number', () => {
  const check = (baseSequence: number): number | undefined =>
    checkBatch(batchOf(1, { producerId: 1n, producerEpoch: 0, baseSequence }), rules)?.errorCode
  assert.equal(check(0), undefined)
  assert.equal(check(-1), ErrorCode.ERR_INVALID_RECORD)
})
