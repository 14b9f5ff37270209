/** SASL GSSAPI against Apache Kafka and a KDC of its own. */
import { spawnSync } from 'node:child_process'
import { after, before, beforeEach, test } from 'node:test'
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { SaslAuthenticate } from '@ottla/protocol'
import fc from 'fast-check'
import { AdminClient, Consumer, ErrorCode, Producer, type ClientConfig, KafkaError, type KerberosPackage } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { changed, changes, Corruptor } from '../harness/corruptor.ts'
import { startKafka, type KafkaCluster } from '../harness/kafka.ts'
import { Realm } from '../harness/kdc.ts'
import { kerberosPackage, modules } from '../harness/kerberos-package.ts'

const quiet = (): void => undefined
const SESSION_MS = 3000

let realm: Realm
let kafka: KafkaCluster
let kerberos: KerberosPackage
let alice: { readonly name: string; readonly keytab: string }

before(async () => {
  kerberos = kerberosPackage()
  realm = await Realm.start()
  const broker = realm.principal('kafka/127.0.0.1')
  alice = realm.principal('alice')
  process.env['JAVA_TOOL_OPTIONS'] = realm.javaFlags
  const login = `com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true keyTab="${broker.keytab}" principal="${broker.name}";`
  kafka = await startKafka({
    brokers: 1,
    sasl: { users: {} },
    config: {
      'sasl.enabled.mechanisms': 'GSSAPI',
      'sasl.kerberos.service.name': 'kafka',
      'listener.name.sasl.gssapi.sasl.jaas.config': login,
      'listener.name.sasl.connections.max.reauth.ms': String(SESSION_MS),
    },
  })
  delete process.env['JAVA_TOOL_OPTIONS']
})

after(async () => {
  await kafka.close()
  await realm.close()
})

beforeEach(() => realm.logOut())

function config(changes: Partial<ClientConfig> = {}): ClientConfig {
  return {
    'bootstrap.servers': kafka.bootstrapServers,
    'security.protocol': 'sasl_plaintext',
    'sasl.mechanisms': 'GSSAPI',
    'reconnect.backoff.max.ms': 500,
    ...changes,
  }
}

const withKeytab = (): Partial<ClientConfig> => ({
  'sasl.kerberos.keytab': alice.keytab,
  'sasl.kerberos.principal': alice.name,
})

async function roundTrip(producer: Producer, consumer: Consumer, topic: string, value: string): Promise<void> {
  const { partition, offset } = await producer.send({ topic, value })
  await consumer.assign([{ topic, partition, offset }])
  assert.equal(String((await consumer.readMessage(20_000)).value), value)
}

test('a key table: kinit fetches the ticket, messages pass, administration works', async () => {
  const settings = config(withKeytab())
  const options = { logger: quiet, kerberos }
  const admin = new AdminClient(settings, options)
  const producer = new Producer(settings, options)
  const consumer = new Consumer(settings, options)
  const topic = fresh('kerberos')
  const [created] = await admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 1 }])
  assert.equal(created?.error, undefined)
  await roundTrip(producer, consumer, topic, 'through Kerberos')
  await Promise.all([admin.close(), producer.close(), consumer.close()])
})

test('a ticket that somebody else has fetched is enough', async () => {
  realm.logIn(alice)
  const producer = new Producer(config(), { logger: quiet, kerberos })
  assert.equal((await producer.send({ topic: fresh('kerberos'), value: 'x' })).status, 'persisted')
  await producer.close()
})

test('without a ticket the program is told, and the client works when there is one', async () => {
  const producer = new Producer({ ...config(), 'message.timeout.ms': 60_000 }, { logger: quiet, kerberos })
  const told = new Promise<KafkaError>(resolve => producer.on('error', ({ error }) => resolve(error)))
  const sent = producer.send({ topic: fresh('kerberos'), value: 'patience' })
  const error = await told
  assert.equal(error.code, ErrorCode.ERR__AUTHENTICATION)
  assert.match(error.message, /SASL GSSAPI authentication failed: Kerberos cannot authenticate to kafka@127\.0\.0\.1: /)
  realm.logIn(alice)
  assert.equal((await sent).status, 'persisted')
  await producer.close()
})

test('an expired ticket is told, and the client works when there is a new one', async () => {
  realm.logIn(alice, '1s')
  while (realm.isLoggedIn()) await sleep(50)
  const producer = new Producer({ ...config(), 'message.timeout.ms': 60_000 }, { logger: quiet, kerberos })
  const told = new Promise<KafkaError>(resolve => producer.on('error', ({ error }) => resolve(error)))
  const sent = producer.send({ topic: fresh('kerberos'), value: 'patience' })
  const error = await told
  assert.equal(error.code, ErrorCode.ERR__AUTHENTICATION)
  assert.match(error.message, /Kerberos cannot authenticate to kafka@127\.0\.0\.1: .*expired/i)
  realm.logIn(alice)
  assert.equal((await sent).status, 'persisted')
  await producer.close()
})

test('a key table that is not there, and a service that nobody knows, are told', async () => {
  for (const [changes, expected] of [
    [{ 'sasl.kerberos.keytab': '/nowhere/at.all', 'sasl.kerberos.principal': alice.name }, /kinit\.cmd failed/],
    [{ 'sasl.kerberos.principal': 'nobody', 'sasl.kerberos.keytab': alice.keytab }, /kinit\.cmd failed/],
    [{ ...withKeytab(), 'sasl.kerberos.service.name': 'zookeeper' }, /zookeeper@127\.0\.0\.1: .*not found/],
  ] as const) {
    realm.logOut()
    const producer = new Producer(config(changes), { logger: quiet, kerberos })
    const error = await new Promise<KafkaError>(resolve => producer.on('error', ({ error: each }) => resolve(each)))
    assert.equal(error.code, ErrorCode.ERR__AUTHENTICATION)
    assert.match(error.message, expected)
    await producer.close(0)
  }
})

test('tokens that are changed on the way end in ERR__AUTHENTICATION or no answer, and the client gets in when they are left alone', async () => {
  const corruptor = await Corruptor.start(Number(kafka.bootstrapServers.split(':')[1]))
  after(() => corruptor.close())
  realm.logIn(alice)
  await fc.assert(
    fc.asyncProperty(changes, async wanted => {
      corruptor.harm = (answer, key) => (key === SaslAuthenticate.key ? changed(answer, wanted) : answer)
      const soon = { 'socket.timeout.ms': 1000, 'reconnect.backoff.ms': 5, 'reconnect.backoff.max.ms': 20 }
      const settings = config({ 'bootstrap.servers': corruptor.address, ...soon })
      const producer = new Producer(settings, { logger: quiet, kerberos })
      try {
        await producer.getMetadata({ timeoutMs: 100 }).catch((error: unknown) => {
          assert.ok(error instanceof KafkaError, String(error))
        })
        corruptor.harm = answer => answer
        await producer.getMetadata({ timeoutMs: 20_000 })
      } finally {
        await producer.close(0)
      }
    }),
    { numRuns: 15, seed: 8, endOnFailure: true },
  )
})

test('sessions are renewed under load, and nothing is lost', async () => {
  const settings = config({ ...withKeytab(), 'statistics.interval.ms': 500 })
  const producer = new Producer({ ...settings, 'linger.ms': 1 }, { logger: quiet, kerberos })
  const consumer = new Consumer(settings, { logger: quiet, kerberos })
  const errors: string[] = []
  producer.on('error', ({ error }) => errors.push(error.message))
  consumer.on('error', ({ error }) => errors.push(error.message))
  let connects = 0
  producer.on('stats', ({ json }) => {
    const { brokers } = JSON.parse(json) as { brokers: Record<string, { disconnects: number }> }
    connects = Object.values(brokers).reduce((sum, { disconnects }) => sum + disconnects, 0)
  })
  const topic = fresh('kerberos')
  await producer.send({ topic, partition: 0, value: 'first' })
  await consumer.assign([{ topic, partition: 0, offset: 0 }])
  const seen: string[] = []
  const ends = Date.now() + SESSION_MS * 3
  let sent = 1
  while (Date.now() < ends) {
    await producer.send({ topic, partition: 0, value: String(sent++) })
    seen.push(String((await consumer.readMessage(20_000)).value))
  }
  while (seen.length < sent) seen.push(String((await consumer.readMessage(20_000)).value))
  assert.deepEqual(
    seen.slice(1),
    Array.from({ length: sent - 1 }, (_, i) => String(i + 1)),
  )
  assert.deepEqual([errors, connects], [[], 0])
  await Promise.all([producer.close(), consumer.close()])
})

test('the package is found by its name, and its absence says what to do', () => {
  realm.logIn(alice)
  const program = `
    import { Producer } from 'ottla'
    const producer = new Producer(${JSON.stringify(config())})
    console.log((await producer.send({ topic: '${fresh('kerberos')}', value: 'x' })).status)
    await producer.close()`
  const run = (environment: Record<string, string>): { stdout: string; stderr: string } =>
    spawnSync(
      process.execPath,
      ['--conditions=@ottla/source', '--import', 'tsx', '--input-type=module', '-e', program],
      {
        cwd: fileURLToPath(new URL('../../', import.meta.url)),
        encoding: 'utf8',
        env: { ...process.env, ...environment },
      },
    )
  assert.equal(run({ NODE_PATH: modules }).stdout, 'persisted\n')
  assert.match(run({}).stderr, /sasl\.mechanisms=GSSAPI needs the package kerberos.*npm install kerberos/)
})
