import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientContext } from '../../../src/cluster/context.ts'
import { PollWatch } from '../../../src/consumer/group/poll-watch.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const LIMIT_MS = 10_000

function scene() {
  const clock = new FakeClock()
  const state = { polls: 0, isPolling: false, isCalling: false, workingSince: Infinity, isMember: true }
  const exceeded: number[] = []
  const context = { clock, settings: { 'max.poll.interval.ms': LIMIT_MS } } as unknown as ClientContext
  const watch = new PollWatch(context, {
    polls: () => state.polls,
    isPolling: () => state.isPolling,
    isCalling: () => state.isCalling,
    workingSince: () => state.workingSince,
    isMember: () => state.isMember,
    onExceeded: limitMs => exceeded.push(limitMs),
  })
  watch.start()
  return Object.assign(state, { clock, watch, exceeded })
}

test('an application that does not poll is reported once, and again after it has polled', async () => {
  const scenery = scene()
  const { clock, watch, exceeded } = scenery
  // The first look takes the state before as a poll.
  await clock.advance(1000 + LIMIT_MS)
  assert.deepEqual(exceeded, [])
  await clock.advance(1000)
  assert.deepEqual(exceeded, [LIMIT_MS])
  await clock.advance(LIMIT_MS * 3)
  assert.equal(exceeded.length, 1)
  scenery.polls++
  await clock.advance(LIMIT_MS + 3000)
  assert.equal(exceeded.length, 2)
  watch.stop()
  assert.equal(clock.pendingTimers, 0)
})

test('a call that waits, and a rebalance callback, are no silence', async () => {
  for (const field of ['isPolling', 'isCalling'] as const) {
    const scenery = scene()
    scenery[field] = true
    await scenery.clock.advance(LIMIT_MS * 5)
    assert.deepEqual(scenery.exceeded, [], field)
    scenery.watch.stop()
  }
})

test('a message that takes too long counts although a run polls all the time', async () => {
  const scenery = scene()
  const { clock, watch, exceeded } = scenery
  scenery.isPolling = true
  await clock.advance(5000)
  scenery.workingSince = clock.now()
  await clock.advance(LIMIT_MS)
  assert.deepEqual(exceeded, [])
  await clock.advance(1000)
  assert.deepEqual(exceeded, [LIMIT_MS])
  // The next message that takes too long is reported, too.
  scenery.workingSince = clock.now()
  await clock.advance(LIMIT_MS + 1000)
  assert.equal(exceeded.length, 2)
  watch.stop()
})

test('outside a group nobody has to poll', async () => {
  const scenery = scene()
  scenery.isMember = false
  await scenery.clock.advance(LIMIT_MS * 5)
  assert.deepEqual(scenery.exceeded, [])
  scenery.watch.stop()
})
