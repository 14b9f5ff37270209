import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byTopicAndPartition, timeText } from '../../src/admin/display.ts'

test('a time is ISO 8601, an unknown one empty, and one beyond the calendar a number', () => {
  assert.equal(timeText(0), '1970-01-01T00:00:00.000Z')
  assert.equal(timeText(null), '')
  assert.equal(timeText(-1), '')
  assert.equal(timeText(8.64e15), '+275760-09-13T00:00:00.000Z')
  assert.equal(timeText(1_700_000_000_000_000_000), '1700000000000000000')
})

test('partitions are sorted by topic, then by number', () => {
  const partitions = ['b:0', 'a:10', 'a:9'].map(text => {
    const [topic = '', partition] = text.split(':')
    return { topic, partition: Number(partition) }
  })
  const sorted = partitions.toSorted(byTopicAndPartition).map(({ topic, partition }) => `${topic}:${partition}`)
  assert.deepEqual(sorted, ['a:9', 'a:10', 'b:0'])
})
