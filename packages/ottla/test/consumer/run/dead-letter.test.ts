import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FetchedMessage } from '../../../src/consumer/partition/message.ts'
import { sendDeadLetter } from '../../../src/consumer/run/dead-letter.ts'

test('a dead letter is the message as it came, with where it came from and why behind its own headers', async () => {
  const own = { key: 'trace', value: Buffer.from('1') }
  const [key, value] = [Buffer.from('k'), Buffer.from('v')]
  const message = { topic: 't', partition: 3, offset: 5, timestamp: 1000, key, value, headers: [own] }
  const sent: unknown[] = []
  const producer = { send: (given: unknown) => Promise.resolve(sent.push(given)) }
  await sendDeadLetter(message as unknown as FetchedMessage, new Error('why'), 4, { topic: 'aside', producer })
  const headers = [
    own,
    { key: 'ottla.origin.topic', value: 't' },
    { key: 'ottla.origin.partition', value: '3' },
    { key: 'ottla.origin.offset', value: '5' },
    { key: 'ottla.origin.timestamp', value: '1000' },
    { key: 'ottla.error', value: 'Error: why' },
    { key: 'ottla.attempts', value: '4' },
  ]
  assert.deepEqual(sent, [{ topic: 'aside', key, value, headers }])
})
