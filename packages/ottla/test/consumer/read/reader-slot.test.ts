import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Mailbox } from '../../../src/consumer/read/mailbox.ts'
import { ReaderSlot, underWay } from '../../../src/consumer/read/reader-slot.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { FakeClock } from '../../base/fake-clock.ts'

function slotOf(): { slot: ReaderSlot; mailbox: Mailbox } {
  const mailbox = new Mailbox(new FakeClock())
  return { slot: new ReaderSlot(mailbox, () => underWay('poll')), mailbox }
}

test('a second reader is refused until the first has left, which may take the slot twice', () => {
  const { slot } = slotOf()
  const [first, second] = [{}, {}]
  slot.acquire(first)
  slot.acquire(first)
  assert.throws(() => slot.acquire(second), { code: ErrorCode.ERR__STATE, message: 'another poll is under way' })
  slot.release(second)
  assert.equal(slot.has(first), true, 'only the holder can release it')
  slot.release(first)
  slot.acquire(second)
  assert.equal(slot.has(second), true)
})

test('leaving ends the wait of the holder', async () => {
  const { slot, mailbox } = slotOf()
  const holder = {}
  slot.acquire(holder)
  const waiting = mailbox.wait(Infinity, undefined)
  slot.release(holder)
  await waiting
})

test('a single call has the slot for as long as it takes, also when it fails', async () => {
  const { slot } = slotOf()
  const failing = slot.exclusively(() => Promise.reject(new Error('no')))
  assert.deepEqual([slot.isTaken, slot.isWaiting], [true, true])
  await assert.rejects(failing, { message: 'no' })
  assert.deepEqual([slot.isTaken, slot.isWaiting], [false, false])
})

test('a refusal lets the event loop turn first', async () => {
  const { slot } = slotOf()
  let hasTurned = false
  setImmediate(() => (hasTurned = true))
  await assert.rejects(slot.refuse(null), { code: ErrorCode.ERR__STATE })
  assert.equal(hasTurned, true)
  const closed = new KafkaError(ErrorCode.ERR__STATE, 'closed')
  await assert.rejects(slot.refuse(closed), closed)
})
