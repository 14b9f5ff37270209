/** OAUTHBEARER against Apache Kafka: unsecured tokens, and signed ones of an identity provider. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, Producer, type ClientConfig, type KafkaError } from 'ottla'
import { oauthScenarios } from '../behaviour/oauthbearer.ts'
import { fresh } from '../behaviour/world.ts'
import { Authority } from '../harness/certificates.ts'
import { IdentityProvider } from '../harness/identity-provider.ts'
import { startKafka, type KafkaCluster } from '../harness/kafka.ts'
import { unsecured } from '../harness/unsecured-token.ts'

const quiet = (): void => undefined
const HANDLER = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler'
const LOGIN = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required'

function start(listener: Readonly<Record<string, string>>): Promise<KafkaCluster> {
  const prefix = 'listener.name.sasl.'
  return startKafka({
    brokers: 1,
    sasl: { users: {} },
    config: {
      'sasl.enabled.mechanisms': 'OAUTHBEARER',
      [`${prefix}connections.max.reauth.ms`]: '600000',
      ...Object.fromEntries(Object.entries(listener).map(([key, value]) => [`${prefix}oauthbearer.${key}`, value])),
    },
  })
}

describe('unsecured tokens', () => {
  let kafka: KafkaCluster

  oauthScenarios(async () => {
    kafka = await start({ 'sasl.jaas.config': `${LOGIN} unsecuredLoginStringClaim_sub="broker";` })
    return {
      bootstrapServers: kafka.bootstrapServers,
      token: unsecured,
      badToken: { ...unsecured('alice', 3600), tokenValue: 'bm8.dG9rZW4.bGlrZS10aGF0' },
      close: () => kafka.close(),
    }
  })

  test('the client makes them itself when it is told to', async () => {
    const producer = new Producer(
      {
        'bootstrap.servers': kafka.bootstrapServers,
        'security.protocol': 'sasl_plaintext',
        'sasl.mechanisms': 'OAUTHBEARER',
        'enable.sasl.oauthbearer.unsecure.jwt': true,
        'sasl.oauthbearer.config': 'principal=alice scope=read,write lifeSeconds=60 extension_trace=7',
      },
      { logger: quiet },
    )
    assert.equal((await producer.send({ topic: fresh('oauth'), value: 'x' })).status, 'persisted')
    await producer.close()
  })
})

describe('an identity provider', () => {
  let provider: IdentityProvider
  let kafka: KafkaCluster
  const folder = mkdtempSync(join(tmpdir(), 'ottla-oidc-'))

  before(async () => {
    provider = await IdentityProvider.start()
    provider.client('alice', 'secret of alice')
    process.env['JAVA_TOOL_OPTIONS'] = `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${provider.url}/jwks`
    kafka = await start({
      'sasl.jaas.config': `${LOGIN};`,
      'sasl.server.callback.handler.class': HANDLER,
      'sasl.oauthbearer.jwks.endpoint.url': `${provider.url}/jwks`,
      'sasl.oauthbearer.expected.audience': 'kafka',
    })
    delete process.env['JAVA_TOOL_OPTIONS']
  })

  after(async () => {
    await kafka.close()
    await provider.close()
    rmSync(folder, { recursive: true })
  })

  function config(changes: Partial<ClientConfig>): ClientConfig {
    return {
      'bootstrap.servers': kafka.bootstrapServers,
      'security.protocol': 'sasl_plaintext',
      'sasl.mechanisms': 'OAUTHBEARER',
      'sasl.oauthbearer.method': 'oidc',
      'sasl.oauthbearer.token.endpoint.url': `${provider.url}/token`,
      'reconnect.backoff.max.ms': 100,
      ...changes,
    }
  }

  const alice = { 'sasl.oauthbearer.client.id': 'alice', 'sasl.oauthbearer.client.secret': 'secret of alice' }

  async function writes(changes: Partial<ClientConfig>): Promise<void> {
    const producer = new Producer(config(changes), { logger: quiet })
    const errors: string[] = []
    producer.on('error', ({ error }) => errors.push(error.message))
    const topic = fresh('oidc')
    const report = await producer.send({ topic, value: 'x' }).catch((error: unknown) => error as KafkaError)
    assert.deepEqual([errors, 'status' in report && report.status], [[], 'persisted'])
    await producer.close()
  }

  async function refusal(changes: Partial<ClientConfig>): Promise<string> {
    const producer = new Producer(config(changes), { logger: quiet })
    const error = await new Promise<KafkaError>(resolve => producer.on('error', event => resolve(event.error)))
    await producer.close(0)
    assert.equal(error.code, ErrorCode.ERR__AUTHENTICATION)
    return error.message
  }

  test('client credentials, with a scope', async () => {
    await writes({ ...alice, 'sasl.oauthbearer.scope': 'read write' })
    const { method, authorization, form } = provider.asked.at(-1) ?? {}
    assert.deepEqual([method, form], ['POST', { grant_type: 'client_credentials', scope: 'read write' }])
    assert.match(authorization ?? '', /^Basic /)
  })

  test('a provider in trouble is asked again, one that refuses is told', async () => {
    provider.troubles.push({ status: 503, body: 'busy' }, { status: 200, body: 'no JSON' })
    assert.match(await refusal(alice), /\/token answered something that is not a JSON object/)
    provider.troubles.push({ status: 503, body: 'busy' }, { status: 429, body: '{}' })
    await writes(alice)
    const wrong = await refusal({ ...alice, 'sasl.oauthbearer.client.secret': 'of no use' })
    assert.match(wrong, /\/token answered 401: invalid_client: who is that\?/)
    assert.ok(!wrong.includes('of no use'))
    provider.troubles.push({ status: 200, body: '{"access_token":"opaque"}' })
    assert.match(await refusal(alice), /neither the token nor the response says when it expires/)
  })

  test('tokens of somebody else are refused by the broker', async () => {
    const own = await IdentityProvider.start()
    own.client('alice', 'secret of alice')
    const message = await refusal({ ...alice, 'sasl.oauthbearer.token.endpoint.url': `${own.url}/token` })
    assert.match(message, /SASL OAUTHBEARER authentication failed/)
    await own.close()
  })

  for (const [algorithm, keys] of [
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ] as const) {
    test(`assertions that are signed by ${algorithm}, with keys as text and in files, and with a template`, async () => {
      const issuer = `issuer-${algorithm}`
      provider.trust(issuer, keys.publicKey.export({ type: 'spki', format: 'pem' }).toString())
      const passphrase = 'open it'
      const locked = keys.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
      const [keyFile, template] = [join(folder, `${algorithm}.pem`), join(folder, `${algorithm}.json`)]
      writeFileSync(keyFile, locked)
      writeFileSync(template, JSON.stringify({ header: { kid: '7' }, payload: { sub: 'alice', iss: issuer } }))
      const assertion: Partial<ClientConfig> = {
        'sasl.oauthbearer.grant.type': 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        'sasl.oauthbearer.assertion.algorithm': algorithm,
        'sasl.oauthbearer.assertion.claim.aud': 'the-provider',
        'sasl.oauthbearer.assertion.claim.jti.include': true,
      }
      const text = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      await writes({
        ...assertion,
        'sasl.oauthbearer.assertion.private.key.pem': text,
        'sasl.oauthbearer.assertion.claim.iss': issuer,
        'sasl.oauthbearer.assertion.claim.sub': 'alice',
      })
      await writes({
        ...assertion,
        'sasl.oauthbearer.assertion.private.key.file': keyFile,
        'sasl.oauthbearer.assertion.private.key.passphrase': passphrase,
        'sasl.oauthbearer.assertion.jwt.template.file': template,
      })
      const ready = join(folder, `${algorithm}.jwt`)
      writeFileSync(ready, `${provider.asked.at(-1)?.form['assertion']}\n`)
      // It says everything by itself.
      await writes({
        'sasl.oauthbearer.grant.type': 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        'sasl.oauthbearer.assertion.file': ready,
      })
      const message = await refusal({
        ...assertion,
        'sasl.oauthbearer.assertion.private.key.file': keyFile,
        'sasl.oauthbearer.assertion.private.key.passphrase': 'wrong',
      })
      assert.match(message, /private\.key cannot be read: is it PEM, and the passphrase right\?/)
    })
  }

  test("Azure's metadata service is asked as it wants to be", async () => {
    await writes({
      'sasl.oauthbearer.metadata.authentication.type': 'azure_imds',
      'sasl.oauthbearer.token.endpoint.url': `${provider.url}/metadata`,
      'sasl.oauthbearer.config': 'query=api-version=2025-04-07&resource=api://kafka&client_id=42',
    })
    assert.deepEqual(provider.asked.at(-1)?.form, {
      'api-version': '2025-04-07',
      resource: 'api://kafka',
      client_id: '42',
    })
  })

  test('a provider behind TLS is believed by the authorities that it is told', async () => {
    const authority = Authority.make('an authority of the test')
    const { key, cert } = authority.issue({ subject: '/CN=provider', names: 'IP:127.0.0.1' })
    const url = `${await provider.addTls({ key, cert })}/token`
    const settings = { ...alice, 'sasl.oauthbearer.token.endpoint.url': url }
    await writes({ ...settings, 'https.ca.pem': authority.cert })
    await writes({ ...settings, 'https.ca.location': authority.certFile })
    assert.match(await refusal(settings), /cannot be reached: .*certificate/)
  })
})
