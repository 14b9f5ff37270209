import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Mailbox } from '../../../src/consumer/read/mailbox.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import type { Statistics } from '../../../src/statistics.ts'
import type { Event, StatsEvent } from '../../../src/types.ts'
import { FakeClock } from '../../base/fake-clock.ts'

const failure = (message: string): { type: 'error'; error: KafkaError } => ({
  type: 'error',
  error: new KafkaError(ErrorCode.ERR__TRANSPORT, message),
})

/** Whoever tests the events does not look into them. */
const stats = (json: string): StatsEvent => ({ type: 'stats', json, statistics: {} as Statistics })

function taken(mailbox: Mailbox): string[] {
  const found: string[] = []
  for (let event = mailbox.take(); event !== undefined; event = mailbox.take()) {
    found.push(event.type === 'error' ? event.error.message : event.type === 'stats' ? event.json : event.type)
  }
  return found
}

test('an error that waits already is one event; after it was taken it can come again', () => {
  const mailbox = new Mailbox(new FakeClock())
  mailbox.post(failure('a'))
  mailbox.post(failure('b'))
  mailbox.post(failure('a'))
  assert.deepEqual(taken(mailbox), ['a', 'b'])
  mailbox.post(failure('a'))
  assert.deepEqual(taken(mailbox), ['a'])
})

test('of several statistics the newest waits, in the place of the first', () => {
  const mailbox = new Mailbox(new FakeClock())
  mailbox.post(stats('old'))
  mailbox.post(failure('a'))
  mailbox.post(stats('new'))
  assert.deepEqual(taken(mailbox), ['new', 'a'])
  mailbox.post(stats('newer'))
  assert.deepEqual(taken(mailbox), ['newer'])
})

test('events do not pile up when nobody takes them: the oldest go', () => {
  const mailbox = new Mailbox(new FakeClock())
  for (let i = 0; i < 1500; i++) mailbox.post(failure(String(i)))
  assert.equal(mailbox.length, 1000)
  assert.deepEqual(taken(mailbox)[0], '500')
})

test('log lines, delivery reports and results of acknowledgements do not come by poll', () => {
  const mailbox = new Mailbox(new FakeClock())
  for (const type of ['log', 'delivery', 'acknowledged']) mailbox.onEvent({ type } as Event)
  assert.equal(mailbox.isEmpty, true)
  assert.equal(mailbox.attention, false)
  mailbox.onEvent(failure('a'))
  assert.deepEqual([mailbox.length, mailbox.attention], [1, true])
})

test('a wait ends with a wake-up, an event, its time or its signal, and leaves no timer', async () => {
  const clock = new FakeClock()
  const mailbox = new Mailbox(clock)
  const woken = mailbox.wait(1000, undefined)
  mailbox.wake()
  await woken
  const posted = mailbox.wait(Infinity, undefined)
  mailbox.post(failure('a'))
  await posted
  const timed = mailbox.wait(1000, undefined)
  await clock.advance(1000)
  await timed
  const abort = new AbortController()
  const aborted = mailbox.wait(1000, abort.signal)
  abort.abort(new Error('enough'))
  await assert.rejects(aborted, { message: 'enough' })
  await assert.rejects(mailbox.wait(1000, abort.signal), { message: 'enough' })
  assert.equal(clock.pendingTimers, 0)
})
