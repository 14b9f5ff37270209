import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstYoung, place } from '../../../src/producer/queue/waiting.ts'
import { makeBatch, makeQueue } from '../queues.ts'

test('the first young message is never the first of the batch, nor behind its last', () => {
  const batch = makeBatch(0, 4) // accepted at 0, 1, 2, 3
  assert.deepEqual(
    [-1, 0, 1, 2, 3, 99].map(since => firstYoung(batch, since)),
    [1, 1, 2, 3, 3, 3],
  )
})

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
