/** Answers of brokers that violate the protocol: refused with ERR__AUTHENTICATION, and never taken for success. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../../../src/base/clock.ts'
import { ErrorCode, KafkaError } from '../../../src/errors.ts'
import { GssapiMechanism } from '../../../src/network/sasl/gssapi.ts'
import type { KerberosPackage } from '../../../src/network/sasl/kerberos-package.ts'
import type { SaslExchange } from '../../../src/network/sasl/mechanism.ts'
import { TokenSource } from '../../../src/network/sasl/oauth/token-source.ts'
import { OAuthBearerMechanism } from '../../../src/network/sasl/oauthbearer.ts'
import { ScramMechanism } from '../../../src/network/sasl/scram.ts'

const NONCE = 'clientNonce'
const salt = Buffer.from('salt').toString('base64')

const mechanism = new ScramMechanism('SCRAM-SHA-256', () => ({ username: 'alice', password: 'tr0ub4dor' }), {
  nonce: () => NONCE,
})

const converse = (...answers: readonly (string | Uint8Array)[]): ReturnType<typeof talk> =>
  talk(mechanism.exchange(), answers)

/** The error, or the client's next message; null if it accepts the broker. */
async function talk(
  exchange: SaslExchange,
  answers: readonly (string | Uint8Array)[],
): Promise<KafkaError | Buffer | null> {
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

test('invalid first messages of SCRAM are refused before any work is done for them', async () => {
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

test('random answers are not accepted, and raise nothing but ERR__AUTHENTICATION', async () => {
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

test('a refusal of OAUTHBEARER is reported without control characters, and never taken for success', async () => {
  const token = { tokenValue: 'tr0ub4dor', expiration: Date.now() + 3_600_000, principal: 'alice' }
  const host = { request: () => true, onToken: () => undefined, raise: () => undefined }
  const tokens = new TokenSource(systemClock, () => token, '', host)
  const oauth = new OAuthBearerMechanism(tokens)
  const told = await talk(oauth.exchange(), ['{"status":"invalid_token"}', ' '])
  assert.equal(told instanceof KafkaError && told.message, '{"status":"invalid_token"}')
  const endless = await talk(oauth.exchange(), ['\u001b[31m\n'.repeat(1e6), ' '])
  assert.ok(endless instanceof KafkaError && endless.message.length <= 500)
  const challenge = fc.uint8Array({ minLength: 1, maxLength: 300 })
  await fc.assert(
    fc.asyncProperty(challenge, challenge, async (first, last) => {
      assert.deepEqual(await talk(oauth.exchange(), [first]), Buffer.from('\x01'))
      assert.ok((await talk(oauth.exchange(), [first, last])) instanceof KafkaError)
    }),
    { numRuns: 300 },
  )
  oauth.close()
})

test('whatever the broker offers inside GSSAPI, the client accepts no security layer or ends with ERR__AUTHENTICATION', async () => {
  const answer = fc.uint8Array({ maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(fc.array(answer, { maxLength: 4 }), answer, fc.nat(3), async (challenges, offer, rounds) => {
      const choices: string[] = []
      const exchange = new GssapiMechanism(contextOf(rounds, offer, choices), 'kafka', null).exchange('broker')
      const end = await talk(exchange, challenges)
      assert.ok(choices.every(choice => choice === NO_LAYER))
      if (end === null) assert.equal((offer[0] ?? 0) & 1, 1, 'believed before an offer was seen')
    }),
    { numRuns: 300 },
  )
})

const NO_LAYER = Buffer.from([1, 0, 0, 0]).toString('base64')

/** A context that is complete after `rounds` tokens of the broker, and unwraps all to `offer`; `choices`: what is wrapped. */
function contextOf(rounds: number, offer: Uint8Array, choices: string[]): KerberosPackage {
  let left = rounds
  return {
    initializeClient: () =>
      Promise.resolve({
        get contextComplete() {
          return left < 0
        },
        step: () => (left-- < 0 ? Promise.reject(new Error('the context is complete')) : Promise.resolve('dG9rZW4=')),
        unwrap: () => Promise.resolve(Buffer.from(offer).toString('base64')),
        wrap: data => {
          choices.push(data)
          return Promise.resolve(data)
        },
      }),
  }
}
