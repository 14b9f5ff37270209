import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { KafkaError } from '../../../src/errors.ts'
import { OFFSET_BEGINNING, OFFSET_STORED } from '../../../src/types.ts'

const BROKER = 1
const EPOCH = 4

function cursorAt(offset: number): Cursor {
  const cursor = new Cursor('t', 0)
  cursor.moveTo(offset)
  return cursor
}

test('the first position is not a move, every later one is', () => {
  const cursor = cursorAt(5)
  assert.deepEqual([cursor.state, cursor.position, cursor.offsets.era], ['active', 5, 0])
  cursor.moveTo(9)
  assert.deepEqual([cursor.position, cursor.fetchOffset, cursor.offsets.era], [9, 9, 1])
})

test('a logical offset is resolved by the group, or by the leader', () => {
  assert.equal(cursorAt(OFFSET_STORED).state, 'stored-query')
  assert.equal(cursorAt(OFFSET_BEGINNING).state, 'offset-query')
})

test('a response counts if it is from the broker that was asked, and for the last question', () => {
  const cursor = cursorAt(5)
  assert.equal(cursor.isAnsweredBy(BROKER), false, 'it has not been asked')
  cursor.ask(BROKER, EPOCH)
  assert.deepEqual([cursor.isAnsweredBy(BROKER), cursor.isAnsweredBy(2)], [true, false])
  cursor.fetched(8, EPOCH)
  assert.equal(cursor.isAnsweredBy(BROKER), true, 'the next answer is to what follows')
  assert.deepEqual([cursor.fetchOffset, cursor.fetchEpoch, cursor.validEpoch], [8, EPOCH, EPOCH])
})

for (const [what, ask] of [
  ['to be validated', (cursor: Cursor) => cursor.validate()],
  ['fetched once more', (cursor: Cursor) => cursor.rewind()],
] as const) {
  test(`what is ${what} has not moved, but responses to earlier questions no longer count`, () => {
    const cursor = cursorAt(5)
    cursor.ask(BROKER, EPOCH)
    cursor.fetched(8, EPOCH)
    ask(cursor)
    assert.equal(cursor.isAnsweredBy(BROKER), false)
    assert.deepEqual([cursor.position, cursor.offsets.era], [5, 0])
  })
}

test('a new leader has to confirm that it has what was read from the previous one', () => {
  const cursor = cursorAt(5)
  assert.equal(cursor.needsValidation(EPOCH), false, 'nothing was read')
  cursor.ask(BROKER, EPOCH)
  cursor.fetched(8, EPOCH)
  assert.deepEqual([cursor.needsValidation(EPOCH), cursor.needsValidation(EPOCH + 1)], [false, true])
  cursor.validate()
  cursor.validated(EPOCH + 1)
  assert.deepEqual([cursor.state, cursor.needsValidation(EPOCH + 1)], ['active', false])
})

test('a gap is passed, never backwards', () => {
  const cursor = cursorAt(5)
  cursor.passTo(9, EPOCH)
  assert.deepEqual([cursor.position, cursor.readEpoch], [9, EPOCH])
  cursor.passTo(7, EPOCH + 1)
  assert.deepEqual([cursor.position, cursor.readEpoch], [9, EPOCH])
})

test('a move ends what was waited for, and what was wrong', () => {
  const cursor = cursorAt(5)
  cursor.fetching.retryAt = 100
  cursor.fetching.failures = 3
  cursor.failed(KafkaError.of(6, 't [0]'))
  cursor.moveTo(9)
  assert.deepEqual([cursor.fetching.retryAt, cursor.fetching.failures, cursor.trouble], [0, 0, null])
})

test('a state is entered only from where the table of moves says', () => {
  const cursor = cursorAt(OFFSET_BEGINNING)
  assert.throws(() => cursor.validate(), /t \[0\] cannot go from offset-query to validating/)
})
