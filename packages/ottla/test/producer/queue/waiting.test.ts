import assert from 'node:assert/strict'
import { test } from 'node:test'
import { place } from '../../../src/producer/queue/waiting.ts'
import { makeQueue } from '../queues.ts'

test('a message is placed as bytes in a partition, and held where there is none', () => {
  const record = { key: null, value: 'x', headers: undefined, timestamp: 0 }
  const [assigned, unassigned] = [makeQueue(0), makeQueue(-1)]
  const bytes = place(assigned, { topic: 't' }, null, record, 5)
  const { head } = assigned
  assert.ok(head !== null)
  assert.deepEqual([head.queuedBytes, head.held], [bytes, null])
  place(unassigned, { topic: 't' }, null, record, 5)
  assert.equal(unassigned.head?.held?.length, 1)
})
