import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ShareQueue } from '../../../src/consumer/share/share-queue.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { lockedMessages, sourceOf } from './locked.ts'

function scene(most = 500) {
  const clock = new FakeClock()
  return { clock, source: sourceOf(), queue: new ShareQueue(clock, most) }
}

test('messages come in order, and count until they are acknowledged', () => {
  const { source, queue } = scene()
  queue.add(lockedMessages(source, 5, 2))
  assert.deepEqual([queue.waiting, queue.held, source.held], [2, 2, 2])
  const first = queue.take()
  assert.deepEqual([first?.offset, first?.state, queue.waiting, queue.held], [5, 'given', 1, 2])
  if (first !== null) queue.settle(first)
  assert.deepEqual([first?.state, queue.held, source.held], ['settled', 1, 1])
  assert.deepEqual([queue.take()?.offset, queue.take()], [6, null])
})

test('a message whose lock has ended is not delivered, and that is reported', async () => {
  const { clock, source, queue } = scene()
  const [early, late] = [lockedMessages(source, 0, 1, { lockedUntil: 100 }), lockedMessages(source, 1, 1)]
  queue.add([...early, ...late])
  let lost = 0
  for (const message of early) message.onLost = () => lost++
  await clock.advance(100)
  assert.equal(queue.take()?.offset, 1)
  assert.deepEqual([early[0]?.state, lost, queue.held], ['over', 1, 1])
})

test('a message that comes again ends the earlier delivery of it', () => {
  const { source, queue } = scene()
  queue.add(lockedMessages(source, 3, 1))
  const before = queue.take()
  queue.add(lockedMessages(source, 3, 1, { deliveryCount: 2 }))
  assert.deepEqual([before?.state, queue.held, queue.take()?.deliveryCount], ['over', 1, 2])
  // The same offset of another partition is another message.
  const other = sourceOf(1)
  queue.add(lockedMessages(other, 3, 1, { deliveryCount: 2 }))
  assert.equal(queue.held, 2)
})

test('what was put back comes next again', () => {
  const { source, queue } = scene()
  queue.add(lockedMessages(source, 0, 2))
  const first = queue.take()
  assert.ok(first)
  queue.putBack(first)
  assert.deepEqual([first.state, queue.waiting, queue.take()?.offset], ['waiting', 2, 0])
  queue.settle(first)
  queue.putBack(first)
  assert.equal(queue.waiting, 1, 'what is acknowledged does not come again')
})

test('the application may have so many messages: no more before it acknowledges some', () => {
  const { source, queue } = scene(2)
  assert.equal(queue.room, 2)
  queue.add(lockedMessages(source, 0, 2))
  assert.deepEqual([queue.room, queue.isExhausted], [0, false], 'they wait')
  const first = queue.take()
  queue.take()
  assert.deepEqual([queue.room, queue.isExhausted], [0, true])
  if (first !== null) queue.settle(first)
  assert.deepEqual([queue.room, queue.isExhausted], [1, false])
})

test('a lost session ends all its messages and no others', () => {
  const { source, queue } = scene()
  const other = sourceOf(1)
  queue.add([...lockedMessages(source, 0, 1), ...lockedMessages(other, 0, 1)])
  queue.lose(source)
  assert.deepEqual([source.held, other.held, queue.take()?.partition, queue.take()], [0, 1, 1, null])
})

test('locks are due for renewal when half of their time is left, if somebody still needs them', async () => {
  const { clock, source, queue } = scene()
  queue.lockMs = 1000
  queue.add(lockedMessages(source, 0, 3))
  const processed = queue.take()
  queue.take()
  assert.deepEqual(
    queue.due(() => true),
    [],
  )
  await clock.advance(500)
  const due = queue.due(message => message === processed)
  assert.deepEqual(
    due.map(({ offset }) => offset),
    [0, 2],
    'one that a handler has, and one that waits; not one that nobody processes',
  )
  assert.equal(queue.sweep(), 0)
  await clock.advance(500)
  assert.deepEqual([queue.sweep(), queue.held], [3, 0])
})

test('what is taken out at once is only what can still be released', () => {
  const { source, queue } = scene()
  const [first, second] = lockedMessages(source, 0, 2)
  assert.ok(first && second)
  queue.add([first, second])
  queue.end(first)
  assert.deepEqual(
    queue.takeAll(() => true),
    [second],
  )
  assert.equal(queue.waiting, 0)
})

test('what is not taken out stays in its order', () => {
  const { source, queue } = scene()
  const messages = lockedMessages(source, 0, 4)
  queue.add(messages)
  const offsets = queue.takeAll(({ offset }) => offset % 2 === 0).map(({ offset }) => offset)
  assert.deepEqual(offsets, [0, 2])
  assert.deepEqual([queue.take()?.offset, queue.take()?.offset, queue.take()], [1, 3, null])
})

test('the interval of checks follows the lock duration, within limits', () => {
  const { queue } = scene()
  for (const [lockMs, checkMs] of [
    [30_000, 1000],
    [1000, 125],
    [10, 10],
  ] as const) {
    queue.lockMs = lockMs
    assert.equal(queue.checkMs, checkMs)
  }
})
