import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchReader, BatchWriter, ErrorCode } from '@ottla/protocol'
import { Translation } from '../../src/replay/compare.ts'

test('what is the same but for ids and addresses does not differ', () => {
  const translation = new Translation()
  const recorded = {
    brokers: [{ nodeId: 1 }],
    clusterId: 'a',
    topics: [{ name: 'orders', topicId: 'one', errorCode: 0 }],
  }
  const now = { brokers: [], clusterId: 'b', topics: [{ name: 'orders', topicId: 'two', errorCode: 0 }] }
  assert.deepEqual(translation.differences(recorded, now), [])
})

test('errors, offsets and numbers of records that differ are named with their place', () => {
  const partition = { partitionIndex: 3, errorCode: 0, offset: 7, records: null }
  const recorded = { topics: [{ name: 'orders', partitions: [partition] }] }
  const records = batch(1n)
  const changed = { ...partition, errorCode: ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, offset: 8, records }
  const now = { topics: [{ name: 'orders', partitions: [changed] }] }
  assert.deepEqual(new Translation().differences(recorded, now), [
    'topics[orders].partitions[3].errorCode: ERR_NO_ERROR recorded, ERR_NOT_LEADER_FOR_PARTITION now',
    'topics[orders].partitions[3].offset: 7 recorded, 8 now',
    'topics[orders].partitions[3].records (number): 0 recorded, 1 now',
  ])
})

test('elements of lists are matched by their names, whatever their order; missing and additional ones are named', () => {
  const recorded = { topics: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] }
  assert.deepEqual(new Translation().differences(recorded, { topics: [{ name: 'd' }, { name: 'b' }, { name: 'a' }] }), [
    'topics[c]: recorded, not there now',
    'topics[d]: not recorded, there now',
  ])
})

test('later requests name what they mean by the ids of today', () => {
  const translation = new Translation()
  translation.differences(
    { topics: [{ name: 'orders', topicId: 'one' }], memberId: 'm-1', generationId: 4 },
    { topics: [{ name: 'orders', topicId: 'two' }], memberId: 'm-2', generationId: 1 },
  )
  const request = {
    memberId: 'm-1',
    generationIdOrMemberEpoch: 4,
    topics: [{ topicId: 'one', partitions: [{ partition: 0, currentLeaderEpoch: 5 }] }],
  }
  assert.deepEqual(translation.request(request), {
    memberId: 'm-2',
    generationIdOrMemberEpoch: 1,
    topics: [{ topicId: 'two', partitions: [{ partition: 0, currentLeaderEpoch: -1 }] }],
  })
  assert.deepEqual(
    translation.differences(
      { responses: [{ topicId: 'one', errorCode: 0 }] },
      { responses: [{ topicId: 'two', errorCode: 0 }] },
    ),
    [],
  )
})

test('epochs and generations are those of one producer or member, though others have the same number', () => {
  const translation = new Translation()
  translation.differences({ producerId: 1n, producerEpoch: 0 }, { producerId: 11n, producerEpoch: 5 })
  translation.differences({ producerId: 2n, producerEpoch: 0 }, { producerId: 12n, producerEpoch: 0 })
  const added = { v3AndBelowProducerId: 1n, v3AndBelowProducerEpoch: 0 }
  assert.deepEqual(translation.request(added), { v3AndBelowProducerId: 11n, v3AndBelowProducerEpoch: 5 })
  assert.deepEqual(translation.request({ producerId: 2n, producerEpoch: 0 }), { producerId: 12n, producerEpoch: 0 })
  translation.differences({ memberId: 'a', generationId: 1 }, { memberId: 'A', generationId: 7 })
  translation.differences({ memberId: 'b', generationId: 1 }, { memberId: 'B', generationId: 8 })
  assert.deepEqual(translation.request({ memberId: 'a', generationIdOrMemberEpoch: 1 }), {
    memberId: 'A',
    generationIdOrMemberEpoch: 7,
  })
})

test('what says that there is no id is not translated, though there is one today', () => {
  const translation = new Translation()
  const failed = { errorCode: 14, producerId: -1n, producerEpoch: -1, memberId: '', sessionId: 0 }
  translation.differences(failed, { errorCode: 14, producerId: 77n, producerEpoch: 2, memberId: 'm', sessionId: 9 })
  const request = { producerId: -1n, producerEpoch: -1, memberId: '', sessionId: 0 }
  assert.deepEqual(translation.request(request), request)
})

function batch(producerId: bigint): Buffer {
  const writer = new BatchWriter()
  writer.append(null, 'value', null, 1)
  return Buffer.from(writer.seal({ producerId, producerEpoch: 0, baseSequence: 0 }))
}

test('batches carry the producer id of today, with a checksum that is right', () => {
  const translation = new Translation()
  translation.differences({ producerId: 1000n, producerEpoch: 0 }, { producerId: 77n, producerEpoch: 2 })
  const records = batch(1000n)
  const before = Buffer.from(records)
  const { topicData } = translation.request({ topicData: [{ partitionData: [{ records }] }] }) as {
    topicData: { partitionData: { records: Buffer }[] }[]
  }
  assert.deepEqual(records, before, 'the recording itself is not changed')
  const translated = new BatchReader(topicData[0]?.partitionData[0]?.records ?? Buffer.alloc(0)).next()
  assert.deepEqual([translated?.producerId, translated?.producerEpoch], [77n, 2])
  assert.equal(translated?.isCrcValid(), true)
})
