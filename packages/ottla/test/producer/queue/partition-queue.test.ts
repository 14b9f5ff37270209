import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fill, makeObserver, makeQueue, order } from '../queues.ts'

test('a batch is closed when it has as many messages as it may, and the next one opens', () => {
  const observer = makeObserver()
  const queue = makeQueue(0, { maxBytes: 1_000_000, maxMessages: 2 }, observer)
  fill(queue, 3)
  assert.deepEqual(order(queue.batches()), [0, 2])
  assert.deepEqual([observer.opened.length, observer.full.length, queue.isGrowing], [2, 1, true])
})

test('a batch that a message would make too large is closed before the message', () => {
  const queue = makeQueue(0, { maxBytes: 200, maxMessages: 10 })
  fill(queue, 1)
  queue.append({ topic: 't' }, null, null, 'x'.repeat(150), undefined, 0, 0, 160)
  assert.deepEqual(order(queue.batches()), [0, 1])
})

test('an append that throws leaves no batch behind', () => {
  const queue = makeQueue()
  assert.throws(() => queue.append({ topic: 't' }, null, null, 'x', undefined, NaN, 0, 10), RangeError)
  assert.equal(queue.isEmpty, true)
  assert.equal(queue.nextMsgid, 0)
})

test('the open batch is ready once its linger is over, a closed one at once', () => {
  const queue = makeQueue()
  fill(queue, 1)
  assert.equal(queue.isReady(0), false)
  queue.endLinger()
  assert.equal(queue.isReady(0), true)
  const other = makeQueue(0, { maxBytes: 1_000_000, maxMessages: 1 })
  fill(other, 1)
  assert.equal(other.isReady(0), true)
})

test('a batch to be retried comes before all younger ones, after its backoff, and alone', () => {
  const queue = makeQueue(0, { maxBytes: 1_000_000, maxMessages: 1 })
  fill(queue, 3)
  const [first, second] = [queue.take(1), queue.take(1)]
  assert.ok(first !== null && second !== null)
  queue.retry(second, 50)
  queue.retry(first, 100)
  assert.deepEqual(order(queue.batches()), [0, 1, 2])
  assert.equal(queue.isReady(99), false)
  assert.equal(queue.isReady(100), true)
  assert.equal(queue.take(1), first)
  assert.equal(queue.isReady(100), false, 'one retry at a time')
  queue.settle()
  assert.equal(queue.isReady(100), true)
})

test('a batch set aside lets those behind it go first, and is taken out once they tell that it is in the log', () => {
  const queue = makeQueue(0, { maxBytes: 1_000_000, maxMessages: 1 })
  fill(queue, 3)
  const [first, second] = [queue.take(1), queue.take(1)]
  assert.ok(first !== null && second !== null)
  queue.retry(first, 0)
  queue.retry(second, 0)
  assert.equal(queue.take(1), first)
  queue.setAside(first)
  assert.deepEqual([queue.oldest, queue.head], [first, second])
  assert.deepEqual(order(queue.takeSetAside()), [0])
  assert.deepEqual(order(queue.takeSetAside()), [])
  assert.deepEqual(order(queue.batches()), [1, 2])
})

test('a batch set aside is retried in its order again after another retry', () => {
  const queue = makeQueue(0, { maxBytes: 1_000_000, maxMessages: 1 })
  fill(queue, 2)
  const [first, second] = [queue.take(1), queue.take(1)]
  assert.ok(first !== null && second !== null)
  queue.setAside(first)
  queue.retry(second, 0)
  assert.deepEqual([first.isSetAside, queue.head], [false, first])
  assert.deepEqual(order(queue.takeSetAside()), [])
})

test('draining takes everything, oldest first, and closes the open batch', () => {
  const queue = makeQueue(0, { maxBytes: 1_000_000, maxMessages: 1 })
  fill(queue, 2)
  const first = queue.take(1)
  assert.ok(first !== null)
  queue.retry(first, 0)
  assert.deepEqual(order(queue.drain()), [0, 1])
  assert.deepEqual([queue.isEmpty, queue.isGrowing, queue.head], [true, false, null])
})

test('batches are taken from the front while a condition holds', () => {
  const queue = makeQueue(0, { maxBytes: 1_000_000, maxMessages: 1 })
  fill(queue, 3)
  assert.deepEqual(order(queue.takeWhile(batch => batch.baseMsgid < 2)), [0, 1])
  assert.deepEqual(order(queue.takeWhile(() => true)), [2])
  assert.equal(queue.isEmpty, true)
})

test('a message without a partition is held with copies of its bytes', () => {
  const queue = makeQueue(-1)
  const value = Buffer.from('before')
  queue.hold({ topic: 't', value }, null, { key: null, value, headers: undefined, timestamp: 0 }, 0, 10)
  value.write('after!')
  assert.equal(String(queue.head?.held?.[0]?.value), 'before')
  assert.equal(queue.name, 't')
})
