import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, Producer, mskIamTokens, type OAuthBearerToken, type ProducerConfig } from '../../../../src/index.ts'
import { OAuthBearerMechanism } from '../../../../src/network/sasl/oauthbearer.ts'
import { checkToken } from '../../../../src/network/sasl/oauth/token.ts'
import { unsecuredClaims, unsecuredToken } from '../../../../src/network/sasl/oauth/unsecured.ts'

const NOW = 1_700_000_000_000
const code = ErrorCode.ERR__INVALID_ARG
const quiet = (): void => undefined

function refusal(config: Partial<ProducerConfig>): string {
  const base = {
    'bootstrap.servers': '127.0.0.1:1',
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': 'OAUTHBEARER',
  } as const
  try {
    void new Producer({ ...base, ...config }, { logger: quiet }).close()
    return ''
  } catch (error) {
    assert.equal((error as { code: number }).code, code)
    return (error as Error).message
  }
}

const parts = (token: OAuthBearerToken): unknown[] =>
  token.tokenValue
    .split('.')
    .slice(0, 2)
    .map(part => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown)

test("unsecured tokens are made of librdkafka's parameters", () => {
  const plain = unsecuredToken(unsecuredClaims('principal=alice'), NOW)
  assert.deepEqual(parts(plain), [{ alg: 'none' }, { sub: 'alice', iat: NOW / 1000, exp: NOW / 1000 + 3600 }])
  assert.deepEqual([plain.principal, plain.expiration, plain.extensions], ['alice', NOW + 3_600_000, {}])
  const config =
    'principalClaimName=who principal=fubar scopeClaimName=what scope=role1,role2 lifeSeconds=60 extension_trace=123'
  const full = unsecuredToken(unsecuredClaims(config), NOW)
  assert.deepEqual(parts(full)[1], { who: 'fubar', what: ['role1', 'role2'], iat: NOW / 1000, exp: NOW / 1000 + 60 })
  assert.deepEqual(full.extensions, { trace: '123' })
})

test('invalid parameters are named', () => {
  for (const [config, expected] of [
    ['', /principal is missing/],
    ['principal=', /principal is empty/],
    ['principal=a lifeSeconds=soon', /lifeSeconds must be 1 or more/],
    ['principal=a colour=red', /colour is not valid: it takes principal, /],
    ['principal=a nonsense', /a part that is not key=value/],
    ['principal=a scopeClaimName=sub', /are the same/],
  ] as const) {
    assert.throws(() => unsecuredClaims(config), { code, message: expected })
  }
})

test('tokens that no broker would accept are refused, and no message contains them', () => {
  const good: OAuthBearerToken = { tokenValue: 'a.b-c_~+/=', expiration: NOW + 1, principal: 'alice' }
  assert.equal(checkToken({ ...good, extensions: { a: 'x y' } }, NOW).principal, 'alice')
  for (const [changes, expected] of [
    [{ tokenValue: 'secret token' }, /characters of RFC 6750/],
    [{ tokenValue: '' }, /characters of RFC 6750/],
    [{ expiration: NaN }, /expiration must be a time/],
    [{ expiration: NOW }, /it expired at 2023-11-14T22:13:20\.000Z/],
    [{ principal: '' }, /principal must be a name/],
    [{ extensions: { auth: 'x' } }, /'auth' is not a name of an extension/],
    [{ extensions: { 'a-b': 'x' } }, /'a-b' is not a name of an extension/],
    [{ extensions: { a: 'x\x01' } }, /characters that cannot be sent/],
  ] as const) {
    assert.throws(
      () => checkToken({ ...good, ...changes }, NOW),
      (error: Error) => {
        assert.match(error.message, expected)
        assert.ok(!error.message.includes('secret'))
        return true
      },
    )
  }
})

test('settings that cannot work are refused by the constructor', () => {
  const oidc: Partial<ProducerConfig> = { 'sasl.oauthbearer.method': 'oidc' }
  const url: Partial<ProducerConfig> = { ...oidc, 'sasl.oauthbearer.token.endpoint.url': 'https://provider/token' }
  const id: Partial<ProducerConfig> = { ...url, 'sasl.oauthbearer.client.id': 'a' }
  assert.match(refusal(oidc), /needs sasl\.oauthbearer\.token\.endpoint\.url/)
  assert.match(refusal({ ...oidc, 'sasl.oauthbearer.token.endpoint.url': 'nowhere' }), /is not an https or http URL/)
  assert.match(refusal({ ...oidc, 'sasl.oauthbearer.token.endpoint.url': 'ftp://x' }), /is not an https or http URL/)
  assert.match(refusal(url), /needs sasl\.oauthbearer\.client\.id/)
  assert.match(refusal(id), /needs sasl\.oauthbearer\.client\.secret/)
  const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  assert.match(refusal({ ...url, 'sasl.oauthbearer.grant.type': grant }), /jwt-bearer needs .*assertion\.file/)
  const both = { ...id, 'sasl.oauthbearer.client.secret': 'b', 'enable.sasl.oauthbearer.unsecure.jwt': true } as const
  assert.match(refusal(both), /cannot both be set/)
  assert.match(refusal({ 'enable.sasl.oauthbearer.unsecure.jwt': true }), /principal is missing/)
  assert.match(refusal({ ...oidc, 'sasl.oauthbearer.metadata.authentication.type': 'aws_iam' }), /mskIamTokens/)
  assert.match(
    refusal({ ...both, 'enable.sasl.oauthbearer.unsecure.jwt': false, 'sasl.oauthbearer.extensions': 'x' }),
    /sasl\.oauthbearer\.extensions has a part/,
  )
  assert.equal(refusal({}), '')
})

test('the exchange answers a refusal, so that the broker can end it', async () => {
  const tokens = {
    get: () => Promise.resolve({ tokenValue: 'abc', expiration: NOW, principal: 'a', extensions: { x: '1', y: '2' } }),
  }
  const exchange = new OAuthBearerMechanism(tokens as unknown as OAuthBearerMechanism['tokens']).exchange()
  assert.equal((await exchange.start()).toString(), 'n,,\x01auth=Bearer abc\x01x=1\x01y=2\x01\x01')
  assert.equal((await exchange.next(Buffer.from('{"status":"invalid_token"}')))?.toString(), '\x01')
  assert.throws(() => void exchange.next(Buffer.from('again')), { message: '{"status":"invalid_token"}' })
  assert.equal(await exchange.next(Buffer.alloc(0)), null)
})

test('tokens for Amazon MSK are those of the library that AWS publishes', async () => {
  const signer = {
    generateAuthToken: ({ region }: { readonly region: string }) =>
      Promise.resolve({ token: `signed-for-${region}`, expiryTime: NOW }),
  }
  const make = mskIamTokens({ region: 'eu-west-1' }, signer)
  assert.deepEqual(await make('', new AbortController().signal), {
    tokenValue: 'signed-for-eu-west-1',
    expiration: NOW,
    principal: 'aws-iam',
  })
  assert.throws(() => mskIamTokens({ region: 'eu-west-1' }), {
    code,
    message: /npm install aws-msk-iam-sasl-signer-js/,
  })
})
