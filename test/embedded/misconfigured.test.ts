import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { ErrorCode, KafkaError, Producer } from 'ottla'
import { misconfiguredScenarios, type MisconfiguredWorld } from '../behaviour/misconfigured.ts'
import { Authority } from '../harness/certificates.ts'

misconfiguredScenarios(async (): Promise<MisconfiguredWorld> => {
  const authority = Authority.make('Here')
  const { cert, key } = authority.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })
  const sasl = { mechanisms: ['PLAIN' as const], users: { alice: 'secret' } }
  const passwords = await EmbeddedCluster.start({ sasl })
  const plain = await EmbeddedCluster.start()
  const secure = await EmbeddedCluster.start({ sasl, tls: { cert, key } })
  return {
    plainServers: plain.bootstrapServers,
    passwordServers: passwords.bootstrapServers,
    tlsServers: secure.bootstrapServers,
    authority: authority.certFile,
    user: 'alice',
    password: 'secret',
    certificateServers: null,
    controllers: null,
    close: async () => {
      await Promise.all([passwords.close(), plain.close(), secure.close()])
    },
  }
})

test('A producer whose password was wrong gets its transactional id when it is put right', async () => {
  await using cluster = await EmbeddedCluster.start({ sasl: { mechanisms: ['PLAIN'], users: { alice: 'secret' } } })
  const config = {
    'bootstrap.servers': cluster.bootstrapServers,
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': 'PLAIN',
    'sasl.username': 'alice',
    'sasl.password': 'wrong',
    'transactional.id': 't',
  } as const
  const producer = new Producer(config, { logger: () => undefined })
  try {
    await assert.rejects(producer.initTransactions(), { name: 'ERR__AUTHENTICATION' })
    producer.setSaslCredentials('alice', 'secret')
    await producer.initTransactions()
    await producer.transaction(tx => tx.send({ topic: 't', value: 'x' }))
  } finally {
    await producer.close()
  }
})

test('A topic that does not exist is the reason of messages that ran out of time before it was given up', async () => {
  await using cluster = await EmbeddedCluster.start({ autoCreateTopics: false })
  const config = { 'bootstrap.servers': cluster.bootstrapServers, 'message.timeout.ms': 1000 }
  const producer = new Producer(config, { logger: () => undefined })
  try {
    await assert.rejects(producer.send({ topic: 'none', value: 'x' }), error => {
      assert.ok(error instanceof KafkaError && error.cause instanceof KafkaError)
      assert.equal(error.cause.code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
      return true
    })
  } finally {
    await producer.close()
  }
})
