import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FetchQueue } from '../../../src/consumer/fetch/fetch-queue.ts'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { MessageBatch, recordBatches } from '../../../src/consumer/read/message-batch.ts'
import { ErrorCode } from '../../../src/errors.ts'
import { batch } from '../batches.ts'

/** The messages from offset 0 on, in record batches of these sizes, of which at most `most` are taken. */
function takenBatch(sizes: readonly number[], most = 100): MessageBatch {
  const observer = {
    onReady: () => undefined,
    onRoom: () => undefined,
    onEnd: () => undefined,
    onGap: () => undefined,
    onCorrupt: () => undefined,
  }
  const queue = new FetchQueue({ maxBytes: 1e6, minMessages: 1e5, checkCrcs: true, maxBatchBytes: 1e6 }, observer)
  const cursor = new Cursor('t', 0)
  cursor.moveTo(0)
  let next = 0
  const batches = sizes.map(size => batch((next += size) - size, size))
  queue.push(cursor, batches, null)
  const taken = queue.takeBatch(most, 1e6)
  assert.ok(taken)
  return new MessageBatch(taken, null)
}

const offsets = (messages: Iterable<{ offset: number }>): number[] => [...messages].map(({ offset }) => offset)

test('a batch can be iterated again, from its first message', () => {
  const taken = takenBatch([2, 3])
  assert.deepEqual([taken.length, taken.firstOffset, taken.lastOffset], [5, 0, 4])
  for (let round = 0; round < 3; round++) assert.deepEqual(offsets(taken), [0, 1, 2, 3, 4], `round ${round}`)
  assert.deepEqual(offsets(taken.messages), [0, 1, 2, 3, 4])
  assert.equal(taken.messages, taken.messages, 'they are kept')
})

test('a record batch that had to be cut is the end of the batch', () => {
  const taken = takenBatch([2, 3], 4)
  assert.deepEqual([offsets(taken), taken.lastOffset], [[0, 1, 2, 3], 3])
  assert.deepEqual(
    recordBatches(taken.taken).map(({ baseOffset }) => baseOffset),
    [0, 2],
  )
})

test('without markProcessed the whole batch is done; with it, up to the furthest message', () => {
  const taken = takenBatch([5])
  assert.equal(taken.nextOffset, 5)
  taken.markProcessed(null)
  assert.equal(taken.nextOffset, null)
  const at = (offset: number) => ({ topic: 't', partition: 0, offset })
  taken.markProcessed(at(3))
  taken.markProcessed(at(1))
  taken.markProcessed(null)
  assert.equal(taken.nextOffset, 4)
  taken.markProcessed(at(4))
  assert.equal(taken.nextOffset, 5)
})

test('a message of another batch is refused', () => {
  const taken = takenBatch([5])
  for (const other of [
    { topic: 't', partition: 0, offset: 5 },
    { topic: 't', partition: 1, offset: 3 },
    { topic: 'u', partition: 0, offset: 3 },
  ]) {
    assert.throws(() => taken.markProcessed(other), {
      code: ErrorCode.ERR__INVALID_ARG,
      message: /^markProcessed: message . \[\d\] at offset \d does not belong to this batch$/,
    })
  }
  assert.equal(taken.nextOffset, 5)
})
