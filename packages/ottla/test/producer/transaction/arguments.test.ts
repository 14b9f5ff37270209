import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkGroup, checkOffsets } from '../../../src/producer/transaction/arguments.ts'
import { KafkaError } from '../../../src/errors.ts'
import { OFFSET_INVALID, OFFSET_STORED, type TopicPartitionOffset } from '../../../src/types.ts'

test('logical offsets are skipped, others kept', () => {
  const offsets = [0, OFFSET_INVALID, OFFSET_STORED, 5].map((offset, partition) => ({ topic: 't', partition, offset }))
  assert.deepEqual(
    checkOffsets(offsets).map(({ offset }) => offset),
    [0, 5],
  )
})

test('wrong offsets are refused by their index and field', () => {
  for (const [offsets, text] of [
    ['t', /offsets must be an array, not a string/],
    [[null], /offsets\[0\] must be \{ topic, partition, offset \}, not null/],
    [[{ topic: '', partition: 0, offset: 0 }], /offsets\[0\]\.topic must be .* not an empty string/],
    [[{ topic: 't', partition: -1, offset: 0 }], /offsets\[0\]\.partition must be .* not -1/],
    [[{ topic: 't', partition: 0, offset: '5' }], /offsets\[0\]\.offset must be .* not a string/],
  ] as const) {
    // JavaScript can pass anything.
    assert.throws(
      () => checkOffsets(offsets as unknown as TopicPartitionOffset[]),
      (error: KafkaError) => text.test(error.message),
    )
  }
})

test('a group without its id or members is refused', () => {
  checkGroup({ groupId: 'g', generationId: -1, memberId: '' })
  for (const group of [undefined, {}, { groupId: '', generationId: 1, memberId: 'm' }, { groupId: 'g', memberId: 'm' }])
    assert.throws(() => checkGroup(group as never), KafkaError)
})
