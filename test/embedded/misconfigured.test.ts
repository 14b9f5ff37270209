import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { EmbeddedCluster, type EmbeddedClusterOptions } from '@ottla/broker'
import { Consumer, ErrorCode, KafkaError, Producer } from 'ottla'
import { misconfiguredScenarios, type MisconfiguredWorld } from '../behaviour/misconfigured.ts'
import { Authority } from '../harness/certificates.ts'

const onlyAlice = { sasl: { mechanisms: ['PLAIN'], users: { alice: 'secret' } } } satisfies EmbeddedClusterOptions

function wrongPassword({ bootstrapServers }: EmbeddedCluster) {
  return {
    'bootstrap.servers': bootstrapServers,
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': 'PLAIN',
    'sasl.username': 'alice',
    'sasl.password': 'wrong',
  } as const
}

misconfiguredScenarios(async (): Promise<MisconfiguredWorld> => {
  const authority = Authority.make('Here')
  const { cert, key } = authority.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })
  const passwords = await EmbeddedCluster.start(onlyAlice)
  const plain = await EmbeddedCluster.start()
  const secure = await EmbeddedCluster.start({ ...onlyAlice, tls: { cert, key } })
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
  await using cluster = await EmbeddedCluster.start(onlyAlice)
  const producer = new Producer({ ...wrongPassword(cluster), 'transactional.id': 't' }, { logger: () => undefined })
  try {
    await assert.rejects(producer.initTransactions(), { name: 'ERR__AUTHENTICATION' })
    producer.setSaslCredentials('alice', 'secret')
    await producer.initTransactions()
    await producer.transaction(tx => tx.send({ topic: 't', value: 'x' }))
  } finally {
    await producer.close()
  }
})

test('New credentials end the wait for the next attempt of clients that could not connect at all', async () => {
  await using cluster = await EmbeddedCluster.start(onlyAlice)
  cluster.createTopic('t', { partitions: 1 })
  const config = {
    ...wrongPassword(cluster),
    'reconnect.backoff.ms': 600_000,
    'reconnect.backoff.max.ms': 600_000,
  } as const
  const quiet = { logger: (): void => undefined }
  const reading = { ...config, 'group.id': 'g', 'auto.offset.reset': 'earliest' } as const
  await using classic = new Consumer({ ...reading, 'group.protocol': 'classic' }, quiet)
  await using modern = new Consumer({ ...reading, 'group.id': 'h', 'group.protocol': 'consumer' }, quiet)
  await using producer = new Producer({ ...config, 'message.timeout.ms': 10_000 }, quiet)
  const refused = [
    new Promise(resolve => classic.on('error', resolve)),
    new Promise(resolve => modern.on('error', resolve)),
    new Promise(resolve => producer.on('error', resolve)),
  ]
  for (const consumer of [classic, modern]) consumer.subscribe(['t'])
  const sent = producer.send({ topic: 't', value: 'x' })
  await Promise.all(refused)
  // Nothing tells that they have begun to wait.
  await setTimeout(1000)
  for (const client of [classic, modern, producer]) client.setSaslCredentials('alice', 'secret')
  assert.equal((await sent).status, 'persisted')
  for (const consumer of [classic, modern]) assert.equal(String((await consumer.readMessage(10_000)).value), 'x')
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

test('A broker that gives an address at which it cannot be reached is the reason, with where the address comes from', async () => {
  await using cluster = await EmbeddedCluster.start()
  const host = 'no-such-host.invalid'
  cluster.control(({ apiName, body }) => {
    if (apiName === 'Metadata') {
      const { topics } = body as { topics: readonly { name: string }[] | null }
      const partition = { partitionIndex: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1] }
      return {
        brokers: [{ nodeId: 1, host, port: 9092, rack: null }],
        clusterId: 'c',
        controllerId: 1,
        topics: (topics ?? []).map(({ name }) => ({
          errorCode: 0,
          name,
          topicId: 'MTExMTExMTExMTExMTExMQ',
          isInternal: false,
          partitions: [{ errorCode: 0, ...partition, offlineReplicas: [] }],
        })),
      }
    }
    if (apiName !== 'FindCoordinator') return undefined
    const { coordinatorKeys } = body as { coordinatorKeys: readonly string[] }
    const found = { nodeId: 1, host, port: 9092, errorCode: 0, errorMessage: null }
    return { coordinators: coordinatorKeys.map(key => ({ key, ...found })) }
  })
  const config = { 'bootstrap.servers': cluster.bootstrapServers }
  const quiet = { logger: () => undefined }
  const why = /no-such-host\.invalid: .*; broker 1 advertises this address \(advertised\.listeners\)/
  const saysWhy = (error: unknown): boolean => {
    assert.ok(error instanceof KafkaError && error.cause instanceof KafkaError)
    assert.match(error.message, why)
    return true
  }
  const producer = new Producer({ ...config, 'message.timeout.ms': 1000 }, quiet)
  const transactional = new Producer({ ...config, 'transactional.id': 't' }, quiet)
  const consumer = new Consumer({ ...config, 'group.id': 'g', 'group.protocol': 'consumer' }, quiet)
  const alone = new Consumer(config, quiet)
  try {
    await assert.rejects(producer.send({ topic: 't', value: 'x' }), saysWhy)
    await assert.rejects(transactional.initTransactions(1000), saysWhy)
    consumer.subscribe('t')
    await assert.rejects(consumer.readMessage(1000), saysWhy)
    assert.match(consumer.explain().join('\n'), why)
    await alone.assign([{ topic: 't', partition: 0, offset: 0 }])
    await assert.rejects(alone.readMessage(1000), saysWhy)
    assert.match(alone.explain().join('\n'), why)
  } finally {
    await Promise.all([producer.close(), transactional.close(0), consumer.close(), alone.close()])
  }
})
