import assert from 'node:assert/strict'
import { test } from 'node:test'
import { without } from '../../../src/consumer/group/partitions.ts'

test('partitions are told apart by topic and number together', () => {
  const list = [
    { topic: 'a', partition: 1 },
    { topic: 'a', partition: 11 },
    { topic: 'a1', partition: 1 },
  ]
  assert.deepEqual(without(list, [{ topic: 'a', partition: 1 }]), list.slice(1))
  assert.deepEqual(without(list, []), list)
  assert.deepEqual(without(list, list), [])
})
