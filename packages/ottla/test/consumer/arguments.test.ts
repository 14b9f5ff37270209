import assert from 'node:assert/strict'
import { test } from 'node:test'
import { behind, checkOffsets, checkPartitions, checkTimes } from '../../src/consumer/arguments.ts'
import { ErrorCode } from '../../src/errors.ts'
import { OFFSET_END } from '../../src/types.ts'

// As an application without types passes it.
const anything = (value: unknown): never => value as never

const refused = (message: string): { code: number; message: string } => ({ code: ErrorCode.ERR__INVALID_ARG, message })

test('a list of partitions is refused by the entry that is wrong', () => {
  const t = { topic: 't', partition: 0 }
  for (const [given, message] of [
    [t, 'seek takes a list of partitions, not an object; put it into [ ]'],
    ['t', 'seek takes a list of partitions, not a string'],
    [null, 'seek takes a list of partitions, not null'],
    [[t, null], 'seek takes a list of { topic, partition } objects, and null is not one'],
    [[t, [t]], 'seek: a topic must be a non-empty string, not undefined'],
    [[{ ...t, topic: '' }], 'seek: a topic must be a non-empty string, not an empty one'],
    [[{ ...t, partition: '0' }], 'seek: the partition of t must be a whole number, 0 or more, not a string'],
    [[{ ...t, partition: -1 }], 'seek: the partition of t must be a whole number, 0 or more, not -1'],
    [[{ ...t, partition: 0.5 }], 'seek: the partition of t must be a whole number, 0 or more, not 0.5'],
    [[t, { ...t, partition: 1 }, t], 'seek: t [0] is listed twice'],
  ] as const) {
    assert.throws(() => checkPartitions(anything(given), 'seek'), refused(message))
  }
})

test('the same number of different topics is no duplicate', () => {
  checkPartitions(
    [
      { topic: 'a', partition: 1 },
      { topic: 'b', partition: 1 },
      { topic: 'b', partition: 11 },
    ],
    'pause',
  )
})

test('logical offsets are offsets, and times; text and fractions are neither', () => {
  const at = (offset: unknown): never => anything([{ topic: 't', partition: 2, offset }])
  checkOffsets(at(0), 'assign')
  checkOffsets(at(OFFSET_END), 'assign')
  checkTimes(at(OFFSET_END), 'offsetsForTimes')
  checkTimes(at(1_700_000_000_000), 'offsetsForTimes')
  for (const offset of ['5', 1.5, undefined, NaN]) {
    assert.throws(() => checkOffsets(at(offset), 'assign'), { message: /^assign: the offset of t \[2\] / })
    assert.throws(() => checkTimes(at(offset), 'offsetsForTimes'), {
      message: /must be a whole number of milliseconds/,
    })
  }
})

test('the offset behind a message has its leader epoch, if that is known', () => {
  const message = { topic: 't', partition: 0, offset: 7 }
  assert.deepEqual(behind(message), { topic: 't', partition: 0, offset: 8 })
  assert.deepEqual(behind({ ...message, leaderEpoch: -1 }), { topic: 't', partition: 0, offset: 8 })
  assert.deepEqual(behind({ ...message, leaderEpoch: 0 }), { topic: 't', partition: 0, offset: 8, leaderEpoch: 0 })
})
