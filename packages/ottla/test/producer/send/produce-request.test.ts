import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, ZERO_UUID, type Decoded, type ProduceResponse } from '@ottla/protocol'
import { answersOf, highestVersion, recordErrors, requestBody } from '../../../src/producer/send/produce-request.ts'
import type { PartitionAnswer, Shipment } from '../../../src/producer/send/produce-request.ts'
import { makeBatch, makeQueue } from '../queues.ts'

function shipment(partition: number, topicId = 'id-of-t'): Shipment {
  return { queue: makeQueue(partition), batch: makeBatch(0), records: Buffer.from(`records ${partition}`), topicId }
}

function answer(index: number, changes: Partial<PartitionAnswer> = {}): PartitionAnswer {
  return {
    index,
    errorCode: 0,
    baseOffset: 0,
    logAppendTimeMs: -1,
    logStartOffset: 0,
    recordErrors: [],
    errorMessage: null,
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    ...changes,
  }
}

function response(...responses: Decoded<ProduceResponse>['responses']): Decoded<ProduceResponse> {
  return { responses, throttleTimeMs: 0, nodeEndpoints: [] }
}

test('partitions of a topic share its entry, named by the id from version 13 on', () => {
  const shipments = [shipment(0), shipment(2)]
  const [old, ...others] = requestBody(shipments, -1, 1000, null, 12).topicData
  assert.deepEqual([old?.name, old?.topicId, others.length], ['t', undefined, 0])
  assert.deepEqual(
    old?.partitionData.map(({ index }) => index),
    [0, 2],
  )
  const [current] = requestBody(shipments, -1, 1000, null, 13).topicData
  assert.deepEqual([current?.name, current?.topicId], [undefined, 'id-of-t'])
})

test('one topic without an id keeps the whole request to a version with names', () => {
  assert.equal(highestVersion([shipment(0)], ZERO_UUID, undefined), undefined)
  assert.equal(highestVersion([shipment(0), shipment(1, ZERO_UUID)], ZERO_UUID, undefined), 12)
  assert.equal(highestVersion([shipment(0, ZERO_UUID)], ZERO_UUID, 11), 11)
})

test('answers are found by name or id, in any order, and a missing one is null', () => {
  const shipments = [shipment(0), shipment(1), shipment(2)]
  const byName = response({ name: 't', topicId: ZERO_UUID, partitionResponses: [answer(2), answer(0)] })
  assert.deepEqual(
    answersOf(shipments, byName).map(each => each?.index ?? null),
    [0, null, 2],
  )
  const byId = response(
    { name: '', topicId: 'id-of-t', partitionResponses: [answer(1)] },
    { name: '', topicId: 'another', partitionResponses: [answer(0)] },
  )
  assert.deepEqual(
    answersOf(shipments, byId).map(each => each?.index ?? null),
    [null, 1, null],
  )
})

test('a single bad record has the code of its partition, several have a code of their own', () => {
  const bad = (batchIndex: number): PartitionAnswer['recordErrors'][number] => ({
    batchIndex,
    batchIndexErrorMessage: batchIndex === 1 ? 'no key' : null,
  })
  const code = ErrorCode.ERR_INVALID_TIMESTAMP
  assert.equal(recordErrors(answer(0, { errorCode: code }), 't [0]'), null)
  const one = recordErrors(answer(0, { errorCode: code, recordErrors: [bad(1)] }), 't [0]')
  assert.deepEqual([one?.get(1)?.code, one?.get(1)?.message], [code, 't [0]: no key'])
  const two = recordErrors(answer(0, { errorCode: code, errorMessage: 'why', recordErrors: [bad(1), bad(3)] }), 't [0]')
  assert.deepEqual([two?.get(3)?.code, two?.get(3)?.message], [ErrorCode.ERR_INVALID_RECORD, 't [0]: why'])
})
