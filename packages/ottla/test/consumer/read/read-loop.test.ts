import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadline } from '../../../src/base/clock.ts'
import { LoopYield } from '../../../src/consumer/read/loop-yield.ts'
import { RunningJobs } from '../../../src/consumer/read/running-jobs.ts'
import { IdleTime } from '../../../src/observe/statistics/pushed.ts'
import { Mailbox } from '../../../src/consumer/read/mailbox.ts'
import { ReadLoop } from '../../../src/consumer/read/read-loop.ts'
import { ReaderSlot, underWay } from '../../../src/consumer/read/reader-slot.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { FakeClock } from '../../base/fake-clock.ts'

function scene() {
  const clock = new FakeClock()
  const mailbox = new Mailbox(clock)
  const slot = new ReaderSlot(mailbox, () => underWay('poll'))
  const state = { isClosing: false, callbacks: 0 }
  const ran: string[] = []
  const host = {
    isClosing: () => state.isClosing,
    hasCallbacks: () => state.callbacks > 0,
    runCallbacks: () => {
      ran.push('callbacks')
      state.callbacks = 0
      return Promise.resolve()
    },
    runningJobs: new RunningJobs(clock, 1000),
    idle: new IdleTime(),
  }
  const loopYield = new LoopYield(clock)
  const loop = new ReadLoop(clock, mailbox, loopYield, slot, host, null)
  const messages: string[] = []
  const take = (): string | null => messages.shift() ?? null
  const holder = {}
  slot.acquire(holder)
  const poll = (ms: number, signal?: AbortSignal): Promise<unknown> =>
    loop.next(holder, take, Deadline.after(clock, ms), signal, false)
  return Object.assign(state, { clock, mailbox, slot, loop, loopYield, messages, take, holder, poll, ran, host })
}

const error = (code: number): { type: 'error'; error: KafkaError } => ({
  type: 'error',
  error: KafkaError.of(code, 't'),
})

test('waiting counts as idle, unless messages are being processed meanwhile', async () => {
  const { clock, host, poll, mailbox } = scene()
  const place = { topic: 't', partition: 0, name: 't [0]' }
  const waiting = poll(300)
  await clock.advance(100)
  assert.equal(host.idle.take(clock.now()), 100, 'a wait that goes on counts')
  await clock.advance(200)
  assert.equal(await waiting, null)
  assert.equal(host.idle.take(clock.now()), 200)
  const holder = { job: null, onAwaitsEnd: () => undefined }
  const job = host.runningJobs.begin(holder, place, 5, 'handler')
  const busy = poll(300)
  await clock.advance(100)
  host.runningJobs.end(job)
  mailbox.wake()
  await clock.advance(200)
  assert.equal(await busy, null)
  assert.equal(host.idle.take(clock.now()), 200, 'from the end of the handler on')
  const given = new AbortController()
  const aborted = assert.rejects(poll(300, given.signal))
  await clock.advance(50)
  given.abort()
  await aborted
  await clock.advance(50)
  assert.equal(host.idle.take(clock.now()), 50)
})

test('rebalances come first, then events, then messages', async () => {
  const all = scene()
  all.messages.push('message')
  const event = error(ErrorCode.ERR__TRANSPORT)
  all.mailbox.post(event)
  all.callbacks = 1
  assert.deepEqual([await all.poll(0), all.ran], [event, ['callbacks']])
  assert.equal(await all.poll(0), 'message')
  assert.equal(await all.poll(0), null)
})

for (const meanwhile of ['the event loop turns', 'a rebalance callback runs'] as const) {
  test(`a reader does not wait when the consumer is closed while ${meanwhile}`, async () => {
    for (const call of ['awaitNext', 'poll'] as const) {
      const all = scene()
      if (meanwhile === 'the event loop turns') {
        await all.clock.advance(1000)
        all.loopYield.count(1000)
        assert.equal(all.loopYield.isDue, true)
      } else {
        all.callbacks = 1
        all.mailbox.interrupt()
      }
      const reading = call === 'poll' ? all.poll(60_000) : all.loop.awaitNext(all.holder, all.take)
      // All that close does before the reader goes on.
      all.isClosing = true
      all.mailbox.interrupt()
      all.mailbox.wake()
      assert.equal(await reading, null)
    }
  })
}

test('a poll waits for what comes, at most until its deadline, its signal or the end', async () => {
  const all = scene()
  const waiting = all.poll(1000)
  await all.clock.advance(500)
  all.messages.push('late')
  all.mailbox.wake()
  assert.equal(await waiting, 'late')
  const timed = all.poll(1000)
  await all.clock.advance(1000)
  assert.equal(await timed, null)
  const abort = new AbortController()
  const aborted = all.poll(1000, abort.signal)
  abort.abort(new Error('enough'))
  await assert.rejects(aborted, { message: 'enough' })
  const closed = all.poll(-1)
  all.isClosing = true
  all.mailbox.interrupt()
  assert.equal(await closed, null)
  assert.equal(all.clock.pendingTimers, 0)
})

test('a poll without a timeout lets the event loop turn once, so that messages can arrive', async () => {
  const all = scene()
  setImmediate(() => all.messages.push('arrived'))
  assert.equal(await all.poll(0), 'arrived')
})

test('an iterator passes over events, but for errors that readers reject with', async () => {
  const all = scene()
  all.mailbox.post(error(ErrorCode.ERR__TRANSPORT))
  all.messages.push('message')
  assert.equal(await all.loop.awaitNext(all.holder, all.take), 'message')
  all.mailbox.post(error(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED))
  await assert.rejects(all.loop.awaitNext(all.holder, all.take), { code: ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED })
})

test('a reader that has left takes nothing, and the next one gets the error that it would have had', async () => {
  const all = scene()
  const waiting = all.loop.awaitNext(all.holder, all.take)
  await all.clock.advance(0)
  all.messages.push('message')
  all.mailbox.post(error(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED))
  all.slot.release(all.holder)
  assert.equal(await waiting, null)
  const next = {}
  all.slot.acquire(next)
  await assert.rejects(all.loop.awaitNext(next, all.take), { code: ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED })
  assert.equal(await all.loop.awaitNext(next, all.take), 'message')
})

test('a wait for a fuller batch ends when it is full, or something else comes', async () => {
  const all = scene()
  let isFull = false
  let hasEnded = false
  const linger = (): Promise<void> =>
    all.loop
      .linger(all.holder, 1000, () => isFull)
      .then(() => {
        hasEnded = true
      })
  const full = linger()
  await all.clock.advance(100)
  assert.equal(hasEnded, false)
  isFull = true
  all.mailbox.wake()
  await full
  isFull = false
  const timed = linger()
  await all.clock.advance(1000)
  await timed
  const interrupted = linger()
  all.mailbox.interrupt()
  await interrupted
})
