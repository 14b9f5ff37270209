import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import type { FetchedMessage } from '../../../src/consumer/partition/message.ts'
import { PartitionWork } from '../../../src/consumer/run/partition-work.ts'

test('a handler that outlasts its run does not affect the next run', () => {
  const cursor = new Cursor('t', 0)
  cursor.moveTo(0)
  const message = (offset: number): FetchedMessage =>
    ({ cursor, offset, leaderEpoch: 0, era: cursor.offsets.era }) as unknown as FetchedMessage
  const before = new PartitionWork(cursor)
  const late = before.take(message(0), null, 1)
  before.end()
  const partition = new PartitionWork(cursor)
  const task = partition.take(message(1), null, 1)
  // Forward, past what the second run has not done.
  cursor.moveTo(10)
  assert.equal(cursor.offsets.pending(), null)
  before.giveBack(late)
  assert.equal(cursor.offsets.pending(), null)
  partition.giveBack(task)
  assert.equal(cursor.offsets.pending()?.offset, 10)
})
