import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RunningJobs } from '../../../src/consumer/read/running-jobs.ts'
import type { Job } from '../../../src/consumer/read/job-list.ts'
import { Cursor } from '../../../src/consumer/partition/cursor.ts'
import { StallWatch } from '../../../src/consumer/insight/stall-watch.ts'
import { FakeClock } from '../../base/fake-clock.ts'

interface Scene {
  readonly clock: FakeClock
  readonly cursors: Cursor[]
  readonly told: string[]
  readonly jobs: Job[]
  readonly watch: StallWatch
  isQueueFull: boolean
}

function scene(limitMs: number, count = 1): Scene {
  const clock = new FakeClock()
  const cursors = Array.from({ length: count }, (_, i) => new Cursor('t', i))
  const told: string[] = []
  const state = { isQueueFull: false }
  const jobs: Job[] = []
  const watch = new StallWatch(clock, limitMs, 300_000, {
    get cursors() {
      return cursors
    },
    isQueueFull: () => state.isQueueFull,
    longerThan: ms => jobs.filter(({ since }) => clock.now() - since > ms),
    onStalled: stalled =>
      told.push(
        stalled
          .map(({ cause, forMs }) => `${cause instanceof Cursor ? cause.name : `job ${cause.offset}`} ${forMs}`)
          .join(', '),
      ),
  })
  return Object.assign(state, { clock, cursors, told, jobs, watch })
}

test('a partition that is never fetched is reported once', async () => {
  const { clock, told } = scene(1000)
  await clock.advance(1000)
  assert.deepEqual(told, [])
  await clock.advance(10_000)
  assert.deepEqual(told, ['t [0] 1000'])
})

test('a partition that is fetched now and then is never reported', async () => {
  const { clock, cursors, told } = scene(1000)
  for (let i = 0; i < 20; i++) {
    await clock.advance(900)
    cursors[0]!.fetching.fetchedAt = clock.now()
  }
  assert.deepEqual(told, [])
})

test('one that is fetched again can stall again', async () => {
  const { clock, cursors, told } = scene(1000)
  await clock.advance(2000)
  cursors[0]!.fetching.fetchedAt = clock.now()
  await clock.advance(2000)
  assert.equal(told.length, 2)
})

test('paused partitions, those with waiting messages, and all when the queue is full, are left alone', async () => {
  const all = scene(1000, 3)
  const { clock, cursors, told } = all
  cursors[0]!.paused = true
  cursors[1]!.queued.messages = 5
  await clock.advance(5000)
  assert.deepEqual(told, ['t [2] 1000'])
  cursors[0]!.paused = false
  cursors[1]!.queued.messages = 0
  all.isQueueFull = true
  await clock.advance(5000)
  assert.equal(told.length, 1)
  all.isQueueFull = false
  await clock.advance(1500)
  assert.deepEqual(told[1], 't [0] 1000, t [1] 1000, t [2] 1000')
})

test('a new assignment of the same partition starts again', async () => {
  const { clock, cursors, told } = scene(1000)
  await clock.advance(800)
  cursors[0] = new Cursor('t', 0)
  await clock.advance(800)
  assert.deepEqual(told, [])
  await clock.advance(800)
  assert.equal(told.length, 1)
})

test('without a limit, and after the end, there is no timer', async () => {
  assert.equal(scene(0).clock.pendingTimers, 0)
  const { clock, watch, told } = scene(1000)
  watch.stop()
  assert.equal(clock.pendingTimers, 0)
  await clock.advance(5000)
  assert.deepEqual(told, [])
})

test('a message that is processed for too long is reported once, whether its partition is assigned or not', async () => {
  const { clock, cursors, told, jobs } = scene(1000)
  cursors[0]!.queued.messages = 1
  const runningJobs = new RunningJobs(clock, 300_000)
  jobs.push(runningJobs.begin({ job: null, onAwaitsEnd: () => undefined }, cursors[0]!, 7, 'handler'))
  await clock.advance(10_000)
  assert.deepEqual(told, ['job 7 1100'])
  jobs.push(runningJobs.begin({ job: null, onAwaitsEnd: () => undefined }, cursors[0]!, 8, 'handler'))
  await clock.advance(10_000)
  assert.deepEqual(told[1], 'job 8 1100')
})
