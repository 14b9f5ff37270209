/** Connections over TLS, with and without SASL on top, and what is told when they cannot be made. */
import { readFileSync } from 'node:fs'
import { EmbeddedCluster } from '@ottla/broker'
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, Producer, type KafkaError, type ProducerConfig } from 'ottla'

const fixtures = new URL('../fixtures/tls/', import.meta.url)
const cert = readFileSync(new URL('server-cert.pem', fixtures), 'utf8')
const key = readFileSync(new URL('server-key.pem', fixtures), 'utf8')
const otherCert = readFileSync(new URL('other-cert.pem', fixtures), 'utf8')

let cluster: EmbeddedCluster

before(async () => {
  cluster = await EmbeddedCluster.start({
    tls: { key, cert },
    sasl: { mechanisms: ['PLAIN'], users: { alice: 'secret' } },
  })
})

after(() => cluster.close())

function settings(config: ProducerConfig): ProducerConfig {
  return {
    'bootstrap.servers': cluster.bootstrapServers,
    'security.protocol': 'SASL_SSL',
    'sasl.mechanisms': 'PLAIN',
    'sasl.username': 'alice',
    'sasl.password': 'secret',
    ...config,
  }
}

async function firstError(config: ProducerConfig): Promise<KafkaError> {
  const producer = new Producer(settings(config), { logger: () => undefined })
  const error = await new Promise<KafkaError>(resolve => producer.on('error', event => resolve(event.error)))
  await producer.close(0)
  return error
}

test('messages go over TLS, authenticated by SASL within', async () => {
  for (const config of [{ 'ssl.ca.pem': cert }, { 'ssl.ca.location': new URL('server-cert.pem', fixtures).pathname }]) {
    const producer = new Producer(settings(config))
    assert.equal((await producer.send({ topic: 'secret', value: 'x' })).status, 'persisted')
    await producer.close()
  }
})

test('a certificate of an unknown authority is refused with ERR__SSL, unless verification is off', async () => {
  const error = await firstError({ 'ssl.ca.pem': otherCert })
  assert.equal(error.code, ErrorCode.ERR__SSL, error.message)
  assert.match(error.message, /TLS with 127\.0\.0\.1:\d+ failed: .* is of no authority that is trusted/)
  const trusting = new Producer(settings({ 'ssl.ca.pem': otherCert, 'enable.ssl.certificate.verification': false }))
  assert.equal((await trusting.send({ topic: 'secret', value: 'x' })).status, 'persisted')
  await trusting.close()
})

test('speaking in clear to a TLS listener is told as an error and recovered from by nobody', async () => {
  const error = await firstError({ 'security.protocol': 'sasl_plaintext' })
  assert.ok(error.code === ErrorCode.ERR__TRANSPORT || error.code === ErrorCode.ERR__BAD_MSG, error.name)
})

test('a file that cannot be read is refused by the constructor', () => {
  assert.throws(
    () => new Producer(settings({ 'ssl.ca.location': '/no/such/file.pem' })),
    (error: KafkaError) => {
      assert.equal(error.code, ErrorCode.ERR__INVALID_ARG)
      assert.match(error.message, /ssl\.ca\.location=\/no\/such\/file\.pem cannot be read/)
      return true
    },
  )
})
