import { test } from 'node:test'
import assert from 'node:assert/strict'
import { SaslRefused } from '../../../src/security/sasl/exchange.ts'
import { OAuthBearerExchange, unsecuredTokens, type ValidateToken } from '../../../src/security/sasl/oauthbearer.ts'

const NOW = 1_000_000
const SEPARATOR = '\x01'

function token(payload: unknown, header: unknown = { alg: 'none' }, signature = ''): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(payload)}.${signature}`
}

function first(bearer: string, header = 'n,,'): Buffer {
  return Buffer.from(`${header}${SEPARATOR}auth=Bearer ${bearer}${SEPARATOR}${SEPARATOR}`)
}

const validate: ValidateToken = text => {
  if (text !== 'good') throw new Error('bad')
  return { principal: 'alice', expiresAt: 5 }
}

test('a valid token logs its principal in, and nobody else', async () => {
  const { identity } = await new OAuthBearerExchange(validate).step(first('good', 'n,a=alice,'))
  assert.deepEqual(identity, { name: 'alice', expiresAt: 5, isToken: false })
  await assert.rejects(new OAuthBearerExchange(validate).step(first('good', 'n,a=bob,')), /authorization id/)
})

test('a failure is data first, and an error once the client has confirmed it', async () => {
  const exchange = new OAuthBearerExchange(validate)
  const { answer, identity } = await exchange.step(first('wrong'))
  assert.deepEqual([String(answer), identity], ['{"status":"invalid_token"}', null])
  await assert.rejects(exchange.step(Buffer.from(SEPARATOR)), /invalid_token/)
  await assert.rejects(exchange.step(first('good')), /Invalid OAUTHBEARER client message/)
})

test('malformed first messages are refused', async () => {
  for (const message of [
    '',
    'n,,',
    `p=x,,${SEPARATOR}auth=Bearer good${SEPARATOR}${SEPARATOR}`,
    `n,,${SEPARATOR}${SEPARATOR}`,
  ]) {
    await assert.rejects(new OAuthBearerExchange(validate).step(Buffer.from(message)), SaslRefused, message)
  }
  await assert.rejects(new OAuthBearerExchange(validate).step(first('with space')), SaslRefused)
})

test('unsecured tokens need a subject and an expiry, and no signature', () => {
  const check = unsecuredTokens(() => NOW)
  const payload = { sub: 'alice', exp: 1001 }
  assert.deepEqual(check(token(payload)), { principal: 'alice', expiresAt: 1_001_000 })
  for (const wrong of [
    token(payload, { alg: 'RS256' }),
    token(payload, { alg: 'none' }, 'sig'),
    `${token(payload)}.more`,
    token({ exp: 1001 }),
    token({ sub: '', exp: 1001 }),
    token({ sub: 'alice' }),
    token({ sub: 'alice', exp: 1000 }),
    token({ ...payload, nbf: 1001 }),
    token(null),
    'nonsense',
  ]) {
    assert.throws(() => check(wrong), wrong)
  }
})
