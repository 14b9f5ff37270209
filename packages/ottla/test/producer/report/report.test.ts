import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { expiry, failure } from '../../../src/producer/report/outcomes.ts'
import { makeReport, type Settled } from '../../../src/producer/report/report.ts'
import { makeBatch, makeQueue } from '../queues.ts'

function settled(changes: Partial<Settled['outcome']>): Settled {
  const { entries } = makeBatch(0, 3) // accepted at 0, 1, 2
  const outcome = {
    status: 'persisted' as const,
    baseOffset: 100,
    logAppendTime: -1,
    logStartOffset: 40,
    error: null,
    recordErrors: null,
    ...changes,
  }
  return { topic: 't', partition: 0, entries, from: 0, end: 3, wallOffset: 1000, settledAt: 10, outcome }
}

test('offsets count from the batch, times are of the acceptance unless the broker sets them', () => {
  const report = makeReport(settled({}), 2)
  assert.deepEqual([report.offset, report.timestamp, report.latencyMs], [102, 1002, 8])
  assert.equal(makeReport(settled({ logAppendTime: 7 }), 2).timestamp, 7)
  assert.equal(makeReport(settled({ baseOffset: -1 }), 2).offset, -1)
  assert.equal(report.logStartOffset, 40)
})

test('the error of a single record goes before that of its batch, and a failed message has no offset', () => {
  const [own, common] = [new KafkaError(ErrorCode.ERR_INVALID_RECORD, 'own'), new KafkaError(-1, 'common')]
  const outcome = settled({ status: 'not-persisted', error: common, recordErrors: new Map([[1, own]]) })
  assert.deepEqual([makeReport(outcome, 0).error, makeReport(outcome, 1).error], [common, own])
  assert.equal(makeReport(outcome, 1).offset, -1)
})

test('messages that time out name the last error and have it as their cause', () => {
  const last = new KafkaError(ErrorCode.ERR__TRANSPORT, 'gone')
  const error = expiry(makeQueue(3), 500, last)
  assert.deepEqual([error.code, error.cause], [ErrorCode.ERR__MSG_TIMED_OUT, last])
  assert.equal(error.message, 't [3]: not delivered within 500 ms (message.timeout.ms); last error: gone')
  assert.equal(expiry(makeQueue(3), 500, null).cause, undefined)
})

test('a batch that is given up has the status of its doubt', () => {
  const batch = makeBatch(0)
  batch.doubt = 'possibly-persisted'
  assert.equal(failure(batch, new KafkaError(-1, 'x')).status, 'possibly-persisted')
})
