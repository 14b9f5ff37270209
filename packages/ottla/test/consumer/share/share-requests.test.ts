import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsumerSettings } from '../../../src/config/resolve.ts'
import { AUTO_RENEW, acknowledgeTypes } from '../../../src/consumer/share/acknowledgements.ts'
import {
  acknowledgeBody,
  fetchBody,
  FIRST_WITH_RENEWAL,
  refusedAcknowledgements,
  refusedWithFetch,
} from '../../../src/consumer/share/share-requests.ts'
import { ShareSession } from '../../../src/consumer/share/share-session.ts'
import { sourceOf } from './locked.ts'

const identity = { groupId: 'g', memberId: 'm' }
const settings = { 'fetch.min.bytes': 1, 'fetch.max.bytes': 100 } as ConsumerSettings
const OLD = FIRST_WITH_RENEWAL - 1

test('a strict record limit goes only to brokers that know it', () => {
  const bodyOf = (isStrict: boolean): ReturnType<typeof fetchBody> =>
    fetchBody(identity, new ShareSession().fetch([], []), settings, 500, 10, isStrict)
  assert.equal(bodyOf(true)(FIRST_WITH_RENEWAL).shareAcquireMode, 1)
  assert.equal(bodyOf(false)(FIRST_WITH_RENEWAL).shareAcquireMode, undefined)
  assert.equal(bodyOf(true)(OLD).shareAcquireMode, undefined)
  const { maxRecords, batchSize, maxWaitMs } = bodyOf(true)(OLD)
  assert.deepEqual([maxRecords, batchSize, maxWaitMs], [10, 10, 500])
})

test('a request that renews says so, whoever asked for the renewal', () => {
  const session = new ShareSession()
  for (const [type, isRenewAck] of [
    [acknowledgeTypes.renew, true],
    [AUTO_RENEW, true],
    [acknowledgeTypes.accept, false],
  ] as const) {
    const sent = [{ source: sourceOf(), types: new Map([[1, type]]) }]
    const body = acknowledgeBody(identity, session.acknowledge([], false), sent)
    assert.equal(body(FIRST_WITH_RENEWAL).isRenewAck, isRenewAck)
    assert.equal('isRenewAck' in body(OLD), false)
  }
})

test('refusals are found by partition, with code and message', () => {
  const fetched = [
    { partitionIndex: 0, errorCode: 0, acknowledgeErrorCode: 0, acknowledgeErrorMessage: null },
    // That it could not be fetched says nothing about its acknowledgements.
    { partitionIndex: 1, errorCode: 6, acknowledgeErrorCode: 0, acknowledgeErrorMessage: null },
    { partitionIndex: 2, errorCode: 0, acknowledgeErrorCode: 121, acknowledgeErrorMessage: 'why' },
  ]
  const response = { responses: [{ topicId: 'id', partitions: fetched }] }
  assert.deepEqual([...refusedWithFetch(response as never)], [['id:2', [121, 'why']]])
  const acknowledged = [
    { partitionIndex: 0, errorCode: 0, errorMessage: null },
    { partitionIndex: 3, errorCode: 121, errorMessage: null },
  ]
  const answer = { responses: [{ topicId: 'id', partitions: acknowledged }] }
  assert.deepEqual([...refusedAcknowledgements(answer as never)], [['id:3', [121, null]]])
})
