import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchEntries, type ReportSink } from '../../../src/producer/queue/entries.ts'

const sink = (): void => undefined
const other = (): void => undefined

function entriesOf(...messages: [sink: ReportSink, now: number][]): BatchEntries {
  const entries = new BatchEntries()
  for (const [each, now] of messages) entries.add({ topic: 't' }, each, now)
  return entries
}

test('a sink that all messages share is the common one', () => {
  const entries = entriesOf([sink, 0], [sink, 0], [sink, 1])
  assert.equal(entries.commonSink, sink)
  assert.equal(entries.sinkOf(2), sink)
})

test('a different sink in the middle leaves the earlier ones as they were', () => {
  const entries = entriesOf([sink, 0], [sink, 0], [other, 0], [null, 0], [sink, 0])
  assert.equal(entries.commonSink, null)
  assert.deepEqual(
    [0, 1, 2, 3, 4].map(i => entries.sinkOf(i)),
    [sink, sink, other, null, sink],
  )
})

test('each message has the time of its acceptance, in whatever order it is asked for', () => {
  const entries = entriesOf([null, 10], [null, 10], [null, 20], [null, 30], [null, 30])
  assert.deepEqual(
    [0, 1, 2, 3, 4].map(i => entries.acceptedAt(i)),
    [10, 10, 20, 30, 30],
  )
  assert.deepEqual(
    [4, 0, 3, 1, 2].map(i => entries.acceptedAt(i)),
    [30, 10, 30, 10, 20],
  )
  assert.deepEqual([entries.firstAt, entries.lastAt], [10, 30])
})

test('messages accepted by a time are counted from the first one on', () => {
  const entries = entriesOf([null, 10], [null, 10], [null, 20], [null, 30], [null, 30])
  assert.deepEqual(
    [9, 10, 15, 20, 29, 30, 99].map(at => entries.acceptedBy(at)),
    [0, 2, 2, 3, 3, 5, 5],
  )
  assert.equal(new BatchEntries().acceptedBy(5), 0)
})

test('empty entries have no last time', () => {
  assert.ok(Number.isNaN(new BatchEntries().lastAt))
})
