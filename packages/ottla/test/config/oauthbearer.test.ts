import { test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, Producer, type ClientConfig, type KafkaError } from '../../src/index.ts'
import { maskedConfig, resolveConfig } from '../../src/config/resolve.ts'

const base: ClientConfig = {
  'bootstrap.servers': 'localhost',
  'security.protocol': 'sasl_plaintext',
  'sasl.mechanisms': 'OAUTHBEARER',
}
const oidc: ClientConfig = {
  ...base,
  'sasl.oauthbearer.method': 'oidc',
  'sasl.oauthbearer.token.endpoint.url': 'https://id.example.com/token',
}
const secret: ClientConfig = {
  ...oidc,
  'sasl.oauthbearer.client.id': 'alice',
  'sasl.oauthbearer.client.secret': 'open sesame',
}
const assertion: ClientConfig = {
  ...oidc,
  'sasl.oauthbearer.grant.type': 'urn:ietf:params:oauth:grant-type:jwt-bearer',
}
const azure: ClientConfig = {
  ...base,
  'sasl.oauthbearer.method': 'oidc',
  'sasl.oauthbearer.metadata.authentication.type': 'azure_imds',
}

function refused(config: Partial<ClientConfig>, why: RegExp): void {
  assert.throws(
    () => resolveConfig('producer', config),
    (error: KafkaError) => {
      assert.equal(error.code, ErrorCode.ERR__INVALID_ARG)
      assert.match(error.message, why)
      return true
    },
  )
}

test('complete settings of OAUTHBEARER are accepted', () => {
  const key = { 'sasl.oauthbearer.assertion.private.key.file': 'key.pem' } as const
  const good: ClientConfig[] = [
    base,
    secret,
    { ...assertion, ...key, 'sasl.oauthbearer.assertion.claim.exp.seconds': 60 },
    { ...assertion, 'sasl.oauthbearer.assertion.file': 'ready.jwt' },
    { ...azure, 'sasl.oauthbearer.config': 'query=resource=api://kafka' },
    { ...azure, 'sasl.oauthbearer.token.endpoint.url': 'http://127.0.0.1/token' },
    { ...base, 'sasl.oauthbearer.method': 'oidc', 'sasl.oauthbearer.metadata.authentication.type': 'aws_iam' },
    // As in librdkafka, settings without use are not checked.
    { ...oidc, 'sasl.mechanisms': 'PLAIN' },
    { ...base, 'sasl.oauthbearer.client.id': 'alice' },
  ]
  for (const config of good) assert.ok(resolveConfig('producer', config))
})

test('a missing property of OIDC is named', () => {
  refused({ ...base, 'sasl.oauthbearer.method': 'oidc' }, /oidc needs sasl\.oauthbearer\.token\.endpoint\.url/)
  refused(oidc, /needs sasl\.oauthbearer\.client\.id/)
  refused({ ...oidc, 'sasl.oauthbearer.client.id': 'alice' }, /needs sasl\.oauthbearer\.client\.secret/)
  refused(assertion, /jwt-bearer needs .*private\.key\.file.*private\.key\.pem or .*assertion\.file/)
  refused(azure, /azure_imds needs query=/)
  refused({ ...azure, 'sasl.oauthbearer.config': 'resource=api://kafka' }, /azure_imds needs query=/)
})

test('settings that exclude each other are refused', () => {
  refused({ ...secret, 'enable.sasl.oauthbearer.unsecure.jwt': true }, /unsecure\.jwt and .*oidc cannot both/)
  refused(
    { ...secret, 'https.ca.location': '/ca.pem', 'https.ca.pem': 'PEM' },
    /https\.ca\.location and https\.ca\.pem/,
  )
  refused({ ...secret, 'sasl.oauthbearer.sub.claim.name': ' ' }, /sub\.claim\.name is empty/)
  refused(
    {
      ...assertion,
      'sasl.oauthbearer.assertion.private.key.file': 'key.pem',
      'sasl.oauthbearer.assertion.private.key.pem': 'PEM',
    },
    /private\.key\.file and .*private\.key\.pem cannot both/,
  )
  const besides: Partial<ClientConfig>[] = [
    { 'sasl.oauthbearer.assertion.private.key.file': 'key.pem' },
    { 'sasl.oauthbearer.assertion.private.key.pem': 'PEM' },
    { 'sasl.oauthbearer.assertion.private.key.passphrase': 'x' },
    { 'sasl.oauthbearer.assertion.jwt.template.file': 'template.json' },
    { 'sasl.oauthbearer.assertion.claim.sub': 'alice' },
    { 'sasl.oauthbearer.assertion.claim.aud': 'kafka' },
    { 'sasl.oauthbearer.assertion.claim.iss': 'me' },
    { 'sasl.oauthbearer.assertion.claim.jti.include': true },
    { 'sasl.oauthbearer.assertion.claim.exp.seconds': 60 },
    { 'sasl.oauthbearer.assertion.claim.nbf.seconds': 60 },
  ]
  for (const each of besides) {
    const [name = ''] = Object.keys(each)
    const both = { ...assertion, ...each, 'sasl.oauthbearer.assertion.file': 'ready.jwt' }
    refused(both, new RegExp(`assertion\\.file and ${name.replaceAll('.', '\\.')} cannot both`))
  }
})

test('an invalid endpoint is refused, and not shown', () => {
  for (const url of ['id.example.com/token', 'ftp://alice:sesame@id.example.com', 'file:///etc/token']) {
    const config = { ...secret, 'sasl.oauthbearer.token.endpoint.url': url }
    refused(config, /^sasl\.oauthbearer\.token\.endpoint\.url is not an https or http URL$/)
  }
})

test('the option of the constructor is checked, and the lack of any source of tokens is reported', () => {
  const logger = (): void => undefined
  const oauthBearerToken = (): never => assert.fail('nobody asks')
  const unsecured = { ...base, 'enable.sasl.oauthbearer.unsecure.jwt': true, 'sasl.oauthbearer.config': 'principal=a' }
  const wrong: [() => Producer, RegExp][] = [
    [() => new Producer(unsecured, { logger, oauthBearerToken }), /option oauthBearerToken cannot both/],
    // JavaScript can pass anything.
    [() => new Producer(base, { logger, oauthBearerToken: 'token' as never }), /oauthBearerToken must be a function/],
    [
      () =>
        new Producer(
          {
            ...base,
            'sasl.oauthbearer.method': 'oidc',
            'sasl.oauthbearer.metadata.authentication.type': 'aws_iam',
          },
          { logger },
        ),
      /aws_iam is not built in: .*mskIamTokens/,
    ],
    [() => new Producer({ ...unsecured, 'sasl.oauthbearer.config': 'scope=a' }, { logger }), /principal is missing/],
    [
      () => new Producer({ ...secret, 'sasl.oauthbearer.extensions': 'tenant' }, { logger }),
      /extensions has a part that is not key=value/,
    ],
  ]
  for (const [make, why] of wrong) {
    assert.throws(make, (error: KafkaError) => error.code === ErrorCode.ERR__INVALID_ARG && why.test(error.message))
  }
})

test('secrets of OAUTHBEARER are masked', () => {
  const secrets: Partial<ClientConfig> = {
    'sasl.oauthbearer.config': 'open sesame',
    'sasl.oauthbearer.client.secret': 'open sesame',
    'sasl.oauthbearer.assertion.private.key.pem': 'open sesame',
    'sasl.oauthbearer.assertion.private.key.passphrase': 'open sesame',
  }
  const { settings } = resolveConfig('producer', { ...base, ...secrets })
  assert.ok(!JSON.stringify(maskedConfig(settings)).includes('sesame'))
})
