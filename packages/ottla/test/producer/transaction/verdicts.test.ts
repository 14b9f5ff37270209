import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../../../src/errors.ts'
import { gravest, transactionVerdict } from '../../../src/producer/transaction/verdicts.ts'

test('an unknown code makes the transaction fail, not the producer', () => {
  assert.equal(transactionVerdict(9999), 'abort')
  assert.equal(transactionVerdict(ErrorCode.ERR_NO_ERROR), 'ok')
})

test('the gravest code of several partitions counts, and not that others were not attempted', () => {
  const finding = (errorCode: number, culprit: string): { errorCode: number; culprit: string } => ({
    errorCode,
    culprit,
  })
  assert.equal(gravest([]).errorCode, ErrorCode.ERR_NO_ERROR)
  const none = finding(ErrorCode.ERR_OPERATION_NOT_ATTEMPTED, 'a')
  const missing = finding(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 'b')
  const forbidden = finding(ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, 'c')
  const fenced = finding(ErrorCode.ERR_PRODUCER_FENCED, 'd')
  assert.equal(gravest([none, missing]), missing)
  assert.equal(gravest([missing, none, forbidden, missing]), forbidden)
  assert.equal(gravest([forbidden, fenced, forbidden]), fenced)
})
