import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test } from 'node:test'
import { decodingOf } from '../../../src/consumer/read/decoding.ts'
import { decodeLocked, lockedMessage } from '../../../src/consumer/share/message.ts'
import { ErrorCode } from '../../../src/errors.ts'
import { lockedMessages, sourceOf } from './locked.ts'

test('JSON and console.log show the message with its delivery count, and nothing internal', () => {
  const [message] = lockedMessages(sourceOf(3), 7, 1, { deliveryCount: 2 })
  assert.ok(message)
  const shown = JSON.parse(JSON.stringify(message)) as Record<string, unknown>
  assert.deepEqual([shown['topic'], shown['partition'], shown['offset'], shown['deliveryCount']], ['t', 3, 7, 2])
  assert.equal('lockedUntil' in shown || 'source' in shown, false)
  assert.doesNotMatch(inspect(message), /lockedUntil|pending/)
})

test('a deserialized message can be acknowledged: its origin is known', () => {
  const [message] = lockedMessages(sourceOf(), 7, 1)
  const decoding = decodingOf({ value: (bytes: Buffer) => String(bytes).toUpperCase() })
  assert.ok(message && decoding)
  const made = decodeLocked(message, decoding)
  assert.ok(!(made instanceof Promise))
  assert.deepEqual([made.value, made.deliveryCount, lockedMessage(made)], ['V7', 1, message])
  assert.equal(lockedMessage({ ...made }), undefined, 'a copy is another object')
})

test('a message that cannot be deserialized is the raw message of the error', () => {
  const [message] = lockedMessages(sourceOf(), 7, 1)
  const value = (): never => {
    throw new Error('not JSON')
  }
  const decoding = decodingOf({ value })
  assert.ok(message && decoding)
  assert.throws(() => decodeLocked(message, decoding), {
    code: ErrorCode.ERR__VALUE_DESERIALIZATION,
    message: /^the value of t \[0\] at offset 7 cannot be deserialized: not JSON/,
    rawMessage: message,
  })
})
