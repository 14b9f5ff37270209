import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { embeddedOptions, parseUsers, type BrokerOptions } from '../../src/broker/options.ts'
import { parseTopic } from '../../src/broker/topics.ts'
import { UsageError } from '../../src/terminal/terminal.ts'

const none: BrokerOptions = {
  ...{ listener: [], advertised: [], sasl: [], rack: [], topic: [], config: [], acl: [], superUser: [] },
}
const likeKafka = { groupMinSessionTimeoutMs: 6000, compactEveryMs: 15_000 }

test('users come from USER:PASSWORD, the last of a name counts', () => {
  assert.deepEqual(parseUsers(['alice:a', 'bob:b:c', 'alice:d']), { alice: 'd', bob: 'b:c' })
  assert.throws(() => parseUsers(['alice']), UsageError)
})

test('without options there is one broker on port 9092', () => {
  assert.deepEqual(embeddedOptions(none), { ...likeKafka, port: 9092 })
})

test('listeners replace port and host, and advertise what they are told to', () => {
  const listener = ['INTERNAL=PLAINTEXT://:9092', 'SASL_SSL://[::1]:9093']
  const { listeners } = embeddedOptions({ ...none, listener, advertised: ['kafka', 'SASL_SSL=kafka.example:19093'] })
  assert.deepEqual(listeners, [
    { name: 'INTERNAL', protocol: 'PLAINTEXT', host: '0.0.0.0', port: 9092, advertisedHost: 'kafka' },
    {
      name: 'SASL_SSL',
      protocol: 'SASL_SSL',
      host: '::1',
      port: 9093,
      advertisedHost: 'kafka.example',
      advertisedPort: 19_093,
    },
  ])
  assert.throws(() => embeddedOptions({ ...none, listener, port: 1 }), /--listener replaces --port and --host/)
  assert.throws(() => embeddedOptions({ ...none, listener, advertised: ['X=kafka'] }), /there is no listener X/)
  assert.throws(() => embeddedOptions({ ...none, listener, advertised: ['kafka:1'] }), /needs the name of a listener/)
  assert.throws(() => embeddedOptions({ ...none, listener: ['A=HTTP://:1'] }), /HTTP is none of PLAINTEXT/)
  assert.throws(() => embeddedOptions({ ...none, listener: ['A'] }), /write it as NAME=PROTOCOL:\/\/HOST:PORT/)
})

test('without listeners a host can be advertised', () => {
  const options = embeddedOptions({ ...none, host: '0.0.0.0', advertised: ['kafka'] })
  assert.deepEqual(options, { ...likeKafka, port: 9092, host: '0.0.0.0', advertisedHost: 'kafka' })
  assert.throws(() => embeddedOptions({ ...none, advertised: ['kafka:9092'] }), /takes a host only/)
})

test('TLS needs certificate and key, and files that can be read', () => {
  assert.throws(() => embeddedOptions({ ...none, tlsCert: 'cert.pem' }), /belong together/)
  assert.throws(() => embeddedOptions({ ...none, tlsClientAuth: 'required' }), /need --tls-cert and --tls-key/)
  assert.throws(() => embeddedOptions({ ...none, tlsCert: '/missing', tlsKey: '/missing' }), /--tls-cert \/missing/)
})

test('settings of Kafka come from a file or one by one, and the latter win', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ottla-properties-'))
  try {
    const file = join(folder, 'server.properties')
    writeFileSync(file, 'node.id=0\nlisteners=PLAINTEXT://:39092\nlog.retention.ms=1000\nnum.partitions=2\n')
    const options = embeddedOptions({ ...none, properties: file, config: ['log.retention.ms=5', 'group.max.size=9'] })
    assert.deepEqual(options, {
      ...likeKafka,
      firstBrokerId: 0,
      defaultPartitions: 2,
      groupMaxSize: 9,
      listeners: [{ name: 'PLAINTEXT', protocol: 'PLAINTEXT', host: '0.0.0.0', port: 39_092 }],
      configs: { 'log.retention.ms': '5' },
    })
    assert.throws(() => embeddedOptions({ ...none, properties: file, port: 1 }), /use --listener/)
  } finally {
    rmSync(folder, { recursive: true })
  }
  assert.throws(
    () => embeddedOptions({ ...none, config: ['no.such=1'] }),
    /--config: there is no broker setting no\.such/,
  )
  assert.throws(() => embeddedOptions({ ...none, config: ['x'] }), /KEY=VALUE/)
})

test('topics have partitions and settings', () => {
  assert.deepEqual(parseTopic('orders:6'), { name: 'orders', partitions: 6 })
  assert.deepEqual(parseTopic('a.b-c_d:1:cleanup.policy=compact,delete,segment.ms=100'), {
    name: 'a.b-c_d',
    partitions: 1,
    configs: { 'cleanup.policy': 'compact,delete', 'segment.ms': '100' },
  })
  assert.throws(() => parseTopic('orders'), /NAME:PARTITIONS/)
})

test('ACLs turn the authorizer on; super users alone do, too', () => {
  const acl = [
    'allow alice read,describe topic orders*',
    'deny * write group g 10.0.0.1',
    'allow User:bob alter cluster',
  ]
  const { acls = [], superUsers } = embeddedOptions({ ...none, acl, superUser: ['admin'] })
  assert.deepEqual(superUsers, ['admin'])
  assert.deepEqual(
    acls.map(({ principal, permissionType, operation, resourceType, resourcePatternType, name, host }) =>
      [principal, permissionType, operation, resourceType, resourcePatternType, name, host].join(' '),
    ),
    [
      'User:alice allow read topic prefixed orders *',
      'User:alice allow describe topic prefixed orders *',
      'User:* deny write group literal g 10.0.0.1',
      'User:bob allow alter cluster literal kafka-cluster *',
    ],
  )
  assert.deepEqual(embeddedOptions({ ...none, superUser: ['admin'] }).acls, [])
  assert.throws(
    () => embeddedOptions({ ...none, acl: ['permit alice read topic t'] }),
    /allow USER OPERATIONS TYPE NAME/,
  )
  assert.throws(() => embeddedOptions({ ...none, acl: ['allow alice fly topic t'] }), /fly is none of/)
  assert.throws(() => embeddedOptions({ ...none, acl: ['allow alice read topic'] }), /name of the topic is missing/)
})
