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
  before.begun()
  before.end()
  const partition = new PartitionWork(cursor)
  const task = partition.take(message(1), null, 1)
  partition.begun()
  // Forward, past what the second run has not done.
  cursor.moveTo(10)
  assert.equal(cursor.offsets.pending(), null)
  before.ended(late)
  assert.equal(cursor.offsets.pending(), null)
  partition.ended(task)
  assert.equal(cursor.offsets.pending()?.offset, 10)
})

test('messages that a paused partition has waiting do not keep the place of a move from being committed', () => {
  const cursor = new Cursor('t', 0)
  cursor.moveTo(0)
  const partition = new PartitionWork(cursor)
  const waiting = { cursor, offset: 0, leaderEpoch: 0, era: cursor.offsets.era } as unknown as FetchedMessage
  partition.take(waiting, null, 1)
  cursor.moveTo(10)
  assert.equal(cursor.offsets.pending()?.offset, 10)
})
