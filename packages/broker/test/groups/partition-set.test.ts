import { test } from 'node:test'
import assert from 'node:assert/strict'
import { byTopic, keysOf, partitionKey, splitKey } from '../../src/groups/partition-set.ts'

test('a topic id may contain slashes', () => {
  const key = partitionKey('a/b', 12)
  assert.deepEqual(splitKey(key), { topicId: 'a/b', partition: 12 })
})

test('partitions are grouped by topic and sorted by number, not by text', () => {
  const keys = keysOf([
    { topicId: 't', partitions: [10, 2, 2] },
    { topicId: 'u', partitions: [] },
  ])
  assert.equal(keys.size, 2)
  assert.deepEqual(byTopic(keys), [{ topicId: 't', partitions: [2, 10] }])
})
