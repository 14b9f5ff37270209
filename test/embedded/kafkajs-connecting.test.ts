/** How clients of @ottla/kafkajs connect: SASL, TLS, sockets of one's own; and access rules, which need users. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  KafkaJSNonRetriableError,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
  ResourcePatternTypes,
  type AclEntry,
  type AclFilter,
  type Admin,
  type ISocketFactoryArgs,
  type KafkaConfig,
  type Mechanism,
  type RequestTimeoutEvent,
  type SASLOptions,
} from '@ottla/kafkajs'
import { anything, disconnecting, nextEvent, quietKafka, rejects, until } from '../behaviour/kafkajs/facade-world.ts'
import { fresh, passwords } from '../behaviour/world.ts'
import { Authority } from '../harness/certificates.ts'
import { closing } from '../harness/closing.ts'
import { unsecured } from '../harness/unsecured-token.ts'

const once = { retry: { retries: 0 } }
const authority = Authority.make('Facade')
const broker = authority.issue({ subject: '/CN=broker', names: 'IP:127.0.0.1' })

interface Clusters {
  readonly sasl: EmbeddedCluster
  readonly tokens: EmbeddedCluster
  readonly tls: EmbeddedCluster
}

let clusters: Clusters
before(async () => {
  const sasl = { mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const, users: passwords }
  clusters = {
    sasl: await EmbeddedCluster.start({ sasl, acls: [], superUsers: ['admin'] }),
    tokens: await EmbeddedCluster.start({ sasl: { mechanisms: ['OAUTHBEARER'] } }),
    tls: await EmbeddedCluster.start({ tls: { key: broker.key, cert: broker.cert, ca: authority.cert } }),
  }
})
after(async () => {
  await Promise.all([clusters.sasl, clusters.tokens, clusters.tls].map(cluster => cluster.close()))
})

function adminOf(cluster: EmbeddedCluster, config: Partial<KafkaConfig> = {}): Admin {
  return disconnecting(quietKafka({ brokers: cluster.bootstrapServers.split(','), ...config }).admin(once))
}

async function connected(user: string): Promise<Admin> {
  const admin = adminOf(clusters.sasl, {
    sasl: { mechanism: 'plain', username: user, password: passwords[user] ?? '' },
  })
  await admin.connect()
  return admin
}

const passwordMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512', 'PLAIN'] as const
for (const mechanism of passwordMechanisms) {
  test(`a password, by ${mechanism}`, async () => {
    const right = adminOf(clusters.sasl, {
      sasl: anything<SASLOptions>({ mechanism, username: 'admin', password: passwords['admin'] }),
    })
    await right.connect()
    assert.deepEqual(await right.listTopics(), [])
    const wrong = adminOf(clusters.sasl, {
      sasl: anything<SASLOptions>({ mechanism, username: 'admin', password: 'x' }),
    })
    await rejects(wrong.connect(), error => {
      assert.ok(error instanceof KafkaJSSASLAuthenticationError && !error.retriable)
      const name = mechanism.toUpperCase().replace('SCRAM-SHA-', 'SCRAM SHA')
      assert.ok(error.message.includes(`SASL ${name} authentication failed`), error.message)
      return true
    })
  })
}

test('an authentication provider makes the tokens, with the broker’s answers', async () => {
  const seen: string[] = []
  const provider = (password: string): Mechanism => ({
    mechanism: 'plain',
    authenticationProvider: ({ host, port, logger, saslAuthenticate }) => ({
      authenticate: async () => {
        logger.debug('authenticating')
        const parsed = await saslAuthenticate({
          request: { encode: () => Buffer.from(`\0admin\0${password}`) },
          response: { decode: raw => Promise.resolve(raw), parse: raw => Promise.resolve(raw.length) },
        })
        seen.push(`${host}:${port} ${String(parsed)}`)
      },
    }),
  })
  const admin = adminOf(clusters.sasl, { sasl: anything(provider(passwords['admin'] ?? '')) })
  await admin.connect()
  await admin.listTopics()
  assert.ok(seen.every(each => each.startsWith(clusters.sasl.bootstrapServers)))
  assert.ok(seen.length > 0)
  const refused = adminOf(clusters.sasl, { sasl: anything(provider('x')) })
  await rejects(refused.connect(), error => error instanceof KafkaJSSASLAuthenticationError)
})

test('tokens, by oauthbearer', async () => {
  let asked = 0
  const oauthBearerProvider = (): Promise<{ value: string }> => {
    asked++
    return Promise.resolve({ value: unsecured('alice', 3600).tokenValue })
  }
  const admin = adminOf(clusters.tokens, { sasl: { mechanism: 'oauthbearer', oauthBearerProvider } })
  await admin.connect()
  assert.deepEqual(await admin.listTopics(), [])
  assert.ok(asked > 0)
  const bad = adminOf(clusters.tokens, {
    sasl: {
      mechanism: 'oauthbearer',
      oauthBearerProvider: () => Promise.resolve({ value: 'bm8.dG9rZW4.bGlrZS10aGF0' }),
    },
  })
  await rejects(bad.connect(), error => error instanceof Error)
})

test('what is no SASL configuration is said by connect', async () => {
  const isRefused = (error: unknown): boolean => error instanceof KafkaJSNonRetriableError
  for (const sasl of [{ mechanism: 'kerberos' }, { mechanism: 'plain', username: 'u' }, {}, { mechanism: 'aws' }]) {
    await rejects(adminOf(clusters.sasl, { sasl: anything(sasl) }).connect(), isRefused)
  }
})

test('TLS, by certificates and by options of tls.connect that have no property here', async () => {
  for (const ssl of [
    { ca: [authority.cert] },
    { ca: authority.cert, minVersion: 'TLSv1.2' as const },
    { rejectUnauthorized: false },
  ]) {
    const admin = adminOf(clusters.tls, { ssl })
    await admin.connect()
    assert.equal((await admin.describeCluster()).brokers.length, 1)
  }
  await rejects(
    adminOf(clusters.tls, { ssl: true, connectionTimeout: 2000 }).connect(),
    error => error instanceof Error,
  )
  await rejects(
    adminOf(clusters.tls, { connectionTimeout: 500, authenticationTimeout: 500 }).connect(),
    error => error instanceof Error,
  )
})

test('a socket factory makes the sockets', async () => {
  const seen: ISocketFactoryArgs[] = []
  const socketFactory = (args: ISocketFactoryArgs) => {
    seen.push(args)
    const { host, port, onConnect } = args
    return connect({ host, port }, onConnect)
  }
  const sasl = { mechanism: 'plain' as const, username: 'admin', password: passwords['admin'] ?? '' }
  const admin = adminOf(clusters.sasl, { sasl, socketFactory })
  await admin.connect()
  await admin.listTopics()
  const [first] = seen
  assert.equal(`${first?.host}:${first?.port}`, clusters.sasl.bootstrapServers)
})

test('a request without an answer is an event, and an error of its own', async () => {
  const cluster = await EmbeddedCluster.start()
  closing(cluster)
  const admin = adminOf(cluster, { requestTimeout: 300 })
  await admin.connect()
  const timeout = nextEvent<RequestTimeoutEvent>(admin, admin.events.REQUEST_TIMEOUT)
  cluster.pauseBroker(1)
  try {
    await rejects(admin.describeCluster(), error => error instanceof KafkaJSRequestTimeoutError && error.retriable)
    const { broker: name, apiName, clientId, correlationId, sentAt } = (await timeout).payload
    assert.deepEqual([name, clientId, typeof apiName], [cluster.bootstrapServers, 'kafkajs', 'string'])
    assert.ok(correlationId >= 0 && sentAt > 0)
  } finally {
    cluster.resumeBroker(1)
  }
})

const ofTopic = (resourceName: string, entry: Partial<AclEntry> = {}): AclEntry => ({
  resourceType: AclResourceTypes.TOPIC,
  resourceName,
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal: 'User:alice',
  host: '*',
  operation: AclOperationTypes.ALL,
  permissionType: AclPermissionTypes.ALLOW,
  ...entry,
})

test('access rules are created, found, obeyed and deleted', async () => {
  const admin = await connected('admin')
  const topic = fresh('ruled')
  await admin.createTopics({ topics: [{ topic }] })
  const denied = { principal: 'User:bob', permissionType: AclPermissionTypes.DENY }
  assert.equal(await admin.createAcls({ acl: [ofTopic(topic), ofTopic(topic, denied)] }), true)

  const [alice, bob] = [await connected('alice'), await connected('bob')]
  await until('alice may', () =>
    alice.fetchTopicMetadata({ topics: [topic] }).then(
      () => true,
      () => false,
    ),
  )
  await rejects(bob.fetchTopicMetadata({ topics: [topic] }), error => {
    assert.ok(error instanceof KafkaJSProtocolError)
    assert.equal(error.type, 'TOPIC_AUTHORIZATION_FAILED')
    return true
  })

  const filter: AclFilter = {
    resourceName: topic,
    resourceType: AclResourceTypes.TOPIC,
    host: '*',
    permissionType: AclPermissionTypes.ALLOW,
    operation: AclOperationTypes.ANY,
    resourcePatternType: ResourcePatternTypes.LITERAL,
  }
  const { resourceType, resourceName, resourcePatternType, ...acl } = ofTopic(topic)
  assert.deepEqual(await admin.describeAcls(filter), {
    throttleTime: 0,
    errorCode: 0,
    resources: [{ resourceType, resourceName, resourcePatternType, acls: [acl] }],
  })
  const fine = { errorCode: 0, errorMessage: null }
  assert.deepEqual(await admin.deleteAcls({ filters: [filter] }), {
    throttleTime: 0,
    filterResponses: [{ ...fine, matchingAcls: [{ ...fine, ...ofTopic(topic) }] }],
  })
  assert.deepEqual((await admin.describeAcls(filter)).resources, [])
  const everything = { ...filter, permissionType: AclPermissionTypes.ANY }
  assert.deepEqual(
    (await admin.describeAcls(everything)).resources[0]?.acls.map(({ principal }) => principal),
    ['User:bob'],
  )
  await rejects(bob.createAcls({ acl: [ofTopic(topic)] }), {
    name: 'KafkaJSProtocolError',
    type: 'CLUSTER_AUTHORIZATION_FAILED',
  })
})

test('a producer goes on after a topic that it may not write to', async () => {
  const admin = await connected('admin')
  const [allowed, forbidden] = [fresh('allowed'), fresh('forbidden')]
  await admin.createTopics({ topics: [allowed, forbidden].map(topic => ({ topic, numPartitions: 1 })) })
  await admin.createAcls({ acl: [ofTopic(allowed, { principal: 'User:bob' })] })
  const sasl = { mechanism: 'plain' as const, username: 'bob', password: passwords['bob'] ?? '' }
  const kafka = quietKafka({ brokers: clusters.sasl.bootstrapServers.split(','), sasl })
  const producer = disconnecting(kafka.producer(once))
  await producer.connect()
  await producer.send({ topic: allowed, messages: [{ value: 'hello' }] })
  await rejects(producer.send({ topic: forbidden, messages: [{ value: 'whoops' }] }), {
    type: 'TOPIC_AUTHORIZATION_FAILED',
  })
  await producer.send({ topic: allowed, messages: [{ value: 'world' }] })
  assert.equal((await admin.fetchTopicOffsets(allowed))[0]?.high, '2')
})

test('what is no access rule is refused', async () => {
  const admin = await connected('admin')
  const refusal = { name: 'KafkaJSNonRetriableError' }
  const changes: Partial<Record<keyof AclEntry, unknown>>[] = [
    { principal: 123 },
    { host: 123 },
    { resourceName: 123 },
    { resourceType: 123 },
    { resourcePatternType: 123 },
    { permissionType: 123 },
    { operation: 123 },
  ]
  for (const change of changes) {
    const entry = anything<AclEntry>({ ...ofTopic('t'), ...change })
    await rejects(admin.createAcls({ acl: [entry] }), refusal)
    await rejects(admin.describeAcls(entry), refusal)
    await rejects(admin.deleteAcls({ filters: [entry] }), refusal)
  }
  for (const list of [null, 'acl', []]) {
    await rejects(admin.createAcls({ acl: anything(list) }), refusal)
    await rejects(admin.deleteAcls({ filters: anything(list) }), refusal)
  }
})
