import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { batchesOf, FetchedMessage } from '../../../src/consumer/partition/message.ts'
import { batch } from '../batches.ts'

function messages(cursor: Cursor, ...offsets: number[]): FetchedMessage[] {
  return offsets.flatMap(offset => {
    const records = batch(offset, 2).records()
    const made: FetchedMessage[] = []
    while (records.next()) made.push(new FetchedMessage(records, cursor, cursor.offsets.era))
    return made
  })
}

test('a move of the position makes messages stale, the end of the assignment ends them too', () => {
  const cursor = new Cursor('t', 0)
  cursor.moveTo(0)
  const [message] = messages(cursor, 0)
  assert.ok(message)
  assert.deepEqual([message.isStale, message.isOver], [false, false])
  cursor.drop()
  assert.deepEqual([message.isStale, message.isOver], [false, true])
  const other = new Cursor('t', 0)
  other.moveTo(0)
  const [moved] = messages(other, 0)
  other.moveTo(7)
  assert.deepEqual([moved?.isStale, moved?.isOver], [true, true])
})

test('messages of one batch have that batch once', () => {
  const cursor = new Cursor('t', 0)
  const made = messages(cursor, 0, 2)
  assert.deepEqual(
    batchesOf(made).map(({ baseOffset }) => baseOffset),
    [0, 2],
  )
  assert.deepEqual(batchesOf([]), [])
})
