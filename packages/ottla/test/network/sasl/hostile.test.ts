/** Answers of brokers that do not follow the protocol: refused with ERR__AUTHENTICATION, and never believed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { ScramMechanism } from '../../../src/network/sasl/scram.ts'

const NONCE = 'clientNonce'
const salt = Buffer.from('salt').toString('base64')

const mechanism = new ScramMechanism('SCRAM-SHA-256', () => ({ username: 'alice', password: 'tr0ub4dor' }), {
  nonce: () => NONCE,
})

/** What went wrong, or what the client says next; null when it believes the broker. */
async function converse(...answers: readonly (string | Uint8Array)[]): Promise<KafkaError | Buffer | null> {
  const exchange = mechanism.exchange()
  let said: Buffer | null = await exchange.start()
  try {
    for (const answer of answers) {
      if (said === null) return null
      said = await exchange.next(Buffer.from(answer))
    }
    return said
  } catch (error) {
    assert.ok(error instanceof KafkaError, String(error))
    assert.equal(error.code, ErrorCode.ERR__AUTHENTICATION)
    assert.doesNotMatch(error.message, /tr0ub4dor|[\x00-\x1f]/, 'neither the password nor what the broker sent')
    return error
  }
}

const good = `r=${NONCE}more,s=${salt},i=4096`

test('first messages of SCRAM that break its rules are refused before any work is done for them', async () => {
  const corpus = [
    '',
    'e=other-error',
    'e=\u001b[31mred',
    `r=${NONCE},s=${salt},i=4096`,
    `r=other,s=${salt},i=4096`,
    `r=${NONCE}more,s=,i=4096`,
    `r=${NONCE}more,s=${salt},i=0`,
    `r=${NONCE}more,s=${salt},i=-1`,
    `r=${NONCE}more,s=${salt},i=1`,
    `r=${NONCE}more,s=${salt},i=4294967296`,
    `r=${NONCE}more,s=${salt},i=999999999`,
    `r=${NONCE}more,s=${salt},i=4096e9`,
    `m=extension,${good}`,
    good.replace(',', ',,'),
    `${good}\u0000`.replace('i=4096', 'i='),
    `r=${NONCE}${'x'.repeat(100_000)}`,
    Buffer.from([0xff, 0xfe, 0x00]),
  ]
  for (const answer of corpus) assert.ok((await converse(answer)) instanceof KafkaError, String(answer).slice(0, 80))
})

test('no answer at random is believed, and none raises anything but ERR__AUTHENTICATION', async () => {
  const piece = fc.constantFrom('r=', 's=', 'i=', 'v=', 'e=', ',', '=', NONCE, salt, '4096', 'AAAA', 'more', '\n')
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.array(piece, { maxLength: 12 }).map(pieces => Buffer.from(pieces.join(''))),
  )
  await fc.assert(
    fc.asyncProperty(message, message, async (first, last) => {
      assert.notEqual(await converse(first, last), null)
      assert.notEqual(await converse(good, last), null)
    }),
    { numRuns: 300 },
  )
})
