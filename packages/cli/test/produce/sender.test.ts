import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { ErrorCode, KafkaError, type DeliveryReport, type Producer } from 'ottla'
import type { ProduceOptions } from '../../src/produce/options.ts'
import { Sender } from '../../src/produce/sender.ts'

const options: ProduceOptions = { topic: 'orders', partition: -1, delimiter: '\\n', header: [], property: [], file: [] }
const message = { topic: 'orders', value: 'x' }

/** A sender whose producer throws, or reports, the errors given, one per message; undefined: delivered. */
function senderOf(
  outcomes: { thrown?: KafkaError; reported?: KafkaError }[],
  count?: number,
): { sender: Sender; stderr: PassThrough; flushes: () => number } {
  const stderr = new PassThrough()
  let flushes = 0
  const fake = {
    produce: (_: unknown, onReport: (report: DeliveryReport) => void) => {
      const { thrown, reported } = outcomes.shift() ?? {}
      if (thrown !== undefined) throw thrown
      onReport((reported === undefined ? {} : { error: reported }) as DeliveryReport) // only `error` is read
    },
    flush: () => Promise.resolve(++flushes),
  }
  const terminal = { stdin: new PassThrough(), stdout: new PassThrough(), stderr, stop: new AbortController().signal }
  const counted = count === undefined ? options : { ...options, count }
  // Sender calls nothing else of a producer.
  const sender = new Sender(fake as unknown as Producer, terminal, counted)
  return { sender, stderr, flushes: () => flushes }
}

test('without failures the status is 0', async () => {
  const { sender } = senderOf([])
  await sender.send(message)
  assert.equal(sender.failed, false)
  assert.equal(sender.finish(), 0)
})

test('a full queue is waited for, and the message sent again', async () => {
  const thrown = new KafkaError(ErrorCode.ERR__QUEUE_FULL, 'full')
  const { sender, flushes } = senderOf([{ thrown }, { thrown }, {}])
  await sender.send(message)
  assert.equal(flushes(), 2)
  assert.equal(sender.finish(), 0)
})

test('refused and undelivered messages are counted, and the first error shown', async () => {
  const thrown = new KafkaError(ErrorCode.ERR_MSG_SIZE_TOO_LARGE, 'too large')
  const reported = new KafkaError(ErrorCode.ERR__MSG_TIMED_OUT, 'timed out')
  const { sender, stderr } = senderOf([{}, { thrown }, { reported }])
  for (let i = 0; i < 3; i++) await sender.send(message)
  assert.equal(sender.failed, true)
  assert.equal(sender.finish(), 1)
  assert.match(String(stderr.read()), /2 of 3 messages were not delivered; first error: too large/)
})

test('--count messages fill the sender', async () => {
  const { sender } = senderOf([], 2)
  await sender.send(message)
  assert.equal(sender.full, false)
  await sender.send(message)
  assert.equal(sender.full, true)
})
