import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LockWatch } from '../../../src/consumer/share/lock-watch.ts'
import { ShareQueue } from '../../../src/consumer/share/share-queue.ts'
import { FakeClock } from '../../base/fake-clock.ts'
import { lockedMessages, sourceOf } from './locked.ts'

function scene(isProcessing: boolean) {
  const clock = new FakeClock()
  const queue = new ShareQueue(clock, 500)
  queue.lockMs = 1000
  const renewed: number[] = []
  let ended = 0
  const watch = new LockWatch(clock, queue, {
    isProcessing: () => isProcessing,
    renew: message => renewed.push(message.offset),
    onEnded: () => (ended += 1),
  })
  queue.add(lockedMessages(sourceOf(), 0, 1, { lockedUntil: 1000 }))
  queue.take()
  return { clock, queue, watch, renewed, ended: () => ended }
}

test('the lock of a message that is being processed is renewed before it ends', async () => {
  const { clock, watch, renewed, ended } = scene(true)
  watch.start()
  await clock.advance(499)
  assert.deepEqual(renewed, [])
  await clock.advance(1)
  assert.deepEqual([renewed, ended()], [[0], 0])
  watch.stop()
  await clock.advance(10_000)
  assert.deepEqual([renewed, clock.pendingTimers], [[0], 0])
})

test('a lock that nobody needs ends, which makes room', async () => {
  const { clock, queue, watch, renewed, ended } = scene(false)
  watch.start()
  await clock.advance(1000)
  assert.deepEqual([renewed, ended(), queue.held], [[], 1, 0])
  await clock.advance(1000)
  assert.equal(ended(), 1, 'once')
  watch.stop()
})

test('a new lock duration counts from when it is known', async () => {
  const { clock, queue, watch, renewed } = scene(true)
  queue.lockMs = 100_000
  watch.start()
  queue.lockMs = 160
  watch.adjust()
  await clock.advance(900)
  assert.deepEqual(renewed, [])
  await clock.advance(30)
  assert.deepEqual(renewed, [0])
  watch.stop()
})
