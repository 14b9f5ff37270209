import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as check from '../../src/admin/arguments.ts'
import { ErrorCode, KafkaError } from '../../src/errors.ts'

function refusal(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    assert.ok(error instanceof KafkaError && error.code === ErrorCode.ERR__INVALID_ARG)
    return error.message
  }
  return 'nothing'
}

test('producer ids are exact: bigints up to int64, numbers up to 2^53', () => {
  assert.equal(check.requireProducerId(2n ** 63n - 1n, 'id'), 2n ** 63n - 1n)
  assert.equal(check.requireProducerId(Number.MAX_SAFE_INTEGER, 'id'), 2n ** 53n - 1n)
  assert.match(
    refusal(() => check.requireProducerId(2 ** 53, 'id')),
    /only a bigint is exact/,
  )
  for (const wrong of [2n ** 63n, -1n, -1, 0.5, '1' as never]) {
    assert.match(
      refusal(() => check.requireProducerId(wrong, 'id')),
      /^id must be a bigint or an integer/,
    )
  }
})

test('the same partition twice is refused, the same number of two topics is not', () => {
  const a = { topic: 'a', partition: 0 }
  assert.equal(
    refusal(() => check.requirePartitions([a, { topic: 'b', partition: 0 }], 'partitions')),
    'nothing',
  )
  assert.equal(
    refusal(() => check.requirePartitions([a, { ...a }], 'partitions')),
    "partitions names 'a [0]' twice",
  )
})

test('the element that is wrong is named by its place', () => {
  const a = { topic: 'a', partition: 0 }
  assert.match(
    refusal(() => check.requirePartitions([a, null as never], 'partitions')),
    /^partitions\[1\] .*not null$/,
  )
  assert.match(
    refusal(() => check.requirePartitions([{ ...a, partition: 2 ** 31 }], 'p')),
    /^p\[0\]\.partition /,
  )
  assert.match(
    refusal(() => check.requireNames(['a', ''], 'topics')),
    /^topics\[1\] must not be empty/,
  )
})

test('lists must be arrays with something in them', () => {
  assert.match(
    refusal(() => check.requireItems('abc' as never, 'topics')),
    /must be an array, not 'abc'/,
  )
  assert.match(
    refusal(() => check.requireItems([], 'topics')),
    /empty/,
  )
})

test('a word that is not in the table is answered with the table', () => {
  const words = new Map([
    ['read', 3],
    ['write', 4],
  ])
  assert.equal(check.requireWord('write', words, 'operation'), 4)
  assert.equal(
    refusal(() => check.requireWord('eat', words, 'operation')),
    "operation must be one of read, write, not 'eat'",
  )
})
