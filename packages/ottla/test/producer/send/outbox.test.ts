import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Outbox } from '../../../src/producer/send/outbox.ts'
import { makeQueue } from '../queues.ts'

test('queues come out in the order in which they were listed, each once', () => {
  const outbox = new Outbox(1)
  const [a, b] = [makeQueue(0), makeQueue(1)]
  outbox.list(a)
  outbox.list(b)
  outbox.list(a)
  assert.equal(outbox.readyCount, 2)
  assert.deepEqual([outbox.next(), outbox.next(), outbox.next()], [a, b, null])
  outbox.list(a)
  assert.equal(outbox.next(), a)
})

test('a queue that did not fit comes first in the next request', () => {
  const outbox = new Outbox(1)
  const [a, b] = [makeQueue(0), makeQueue(1)]
  outbox.list(a)
  outbox.list(b)
  const first = outbox.next()
  assert.equal(first, a)
  outbox.relist(a)
  assert.deepEqual([outbox.next(), outbox.next()], [a, b])
})

test('a queue whose leader has changed belongs to the outbox that listed it last', () => {
  const [old, current] = [new Outbox(1), new Outbox(2)]
  const queue = makeQueue()
  old.list(queue)
  current.list(queue)
  assert.equal(old.next(), null)
  assert.equal(current.next(), queue)
})

test('eager queues are taken all at once, and can be added again afterwards', () => {
  const outbox = new Outbox(1)
  const queue = makeQueue()
  outbox.addEager(queue)
  outbox.addEager(queue)
  assert.deepEqual(outbox.takeEager(), [queue])
  assert.deepEqual(outbox.takeEager(), [])
  outbox.addEager(queue)
  assert.deepEqual(outbox.takeEager(), [queue])
})
