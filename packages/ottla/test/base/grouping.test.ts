import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupBy, groupByTopic } from '../../src/base/grouping.ts'

test('groups come in the order of their first item, values in the order of the items', () => {
  const groups = groupBy(
    ['pear', 'apple', 'plum', 'avocado'],
    name => name[0],
    name => name.length,
  )
  assert.deepEqual(
    [...groups],
    [
      ['p', [4, 4]],
      ['a', [5, 7]],
    ],
  )
})

test('partitions are grouped by topic', () => {
  const partitions = [
    { topic: 'b', partition: 1 },
    { topic: 'a', partition: 0 },
    { topic: 'b', partition: 0 },
  ]
  assert.deepEqual(
    groupByTopic(partitions, p => p.partition),
    [
      { name: 'b', partitions: [1, 0] },
      { name: 'a', partitions: [0] },
    ],
  )
})
