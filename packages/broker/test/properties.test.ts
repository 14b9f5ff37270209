import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { EmbeddedCluster, brokerProperties } from '../src/index.ts'

const fixture = (name: string): string => fileURLToPath(new URL(`../../../test/fixtures/tls/${name}`, import.meta.url))

test("a broker's server.properties becomes options", () => {
  const options = brokerProperties(`
    # a comment
    process.roles=broker,controller
    node.id=0
    controller.quorum.voters=0@localhost:9093
    controller.listener.names=CONTROLLER
    listeners=INTERNAL://:29092,OUTSIDE://0.0.0.0:39092,CONTROLLER://:9093
    advertised.listeners=INTERNAL://kafka:29092,\\
        OUTSIDE://localhost:39092
    listener.security.protocol.map=INTERNAL:PLAINTEXT,OUTSIDE:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
    inter.broker.listener.name=INTERNAL
    sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
    listener.name.outside.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
        username="admin" password="x" user_admin="x" user_alice="a=b c";
    authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
    super.users=User:admin;User:root
    allow.everyone.if.no.acl.found=true
    log.dirs=/var/lib/kafka
    num.partitions=3
    log.retention.hours=1
    log.cleaner.backoff.ms=500
  `)
  assert.deepEqual(options, {
    firstBrokerId: 0,
    defaultPartitions: 3,
    compactEveryMs: 500,
    acls: [],
    superUsers: ['User:admin', 'User:root'],
    allowEveryoneIfNoAclFound: true,
    listeners: [
      {
        ...{ name: 'INTERNAL', protocol: 'PLAINTEXT', host: '0.0.0.0', port: 29_092 },
        ...{ advertisedHost: 'kafka', advertisedPort: 29_092 },
      },
      {
        ...{ name: 'OUTSIDE', protocol: 'SASL_PLAINTEXT', host: '0.0.0.0', port: 39_092 },
        ...{ advertisedHost: 'localhost', advertisedPort: 39_092 },
        sasl: { mechanisms: ['PLAIN', 'SCRAM-SHA-512'], users: { admin: 'x', alice: 'a=b c' } },
      },
    ],
    configs: { 'log.retention.hours': '1' },
  })
})

test('TLS comes from PEM files and texts', async () => {
  const options = brokerProperties({
    listeners: 'SSL://127.0.0.1:0',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.key': readFileSync(fixture('server-key.pem'), 'utf8'),
    'ssl.keystore.certificate.chain': readFileSync(fixture('server-cert.pem'), 'utf8'),
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': fixture('client-cert.pem'),
    'ssl.client.auth': 'required',
  })
  await using cluster = await EmbeddedCluster.start(options)
  assert.match(cluster.listener('SSL'), /^127\.0\.0\.1:\d+$/)
})

test('settings that are unknown or not valid are refused by name', () => {
  const refused = (properties: Record<string, string>, why: RegExp): void => {
    assert.throws(() => brokerProperties(properties), why)
  }
  refused({ 'no.such.setting': '1' }, /no broker setting no\.such\.setting/)
  refused({ 'node.id': 'x' }, /node\.id is x/)
  refused({ 'message.max.bytes': 'x' }, /message\.max\.bytes is x/)
  refused({ listeners: 'nonsense' }, /listener nonsense: write it as NAME:\/\/HOST:PORT/)
  refused({ listeners: 'A://:1' }, /no protocol for listener A/)
  refused({ listeners: 'SASL_PLAINTEXT://:1', 'sasl.enabled.mechanisms': 'GSSAPI' }, /GSSAPI, which is none of/)
  refused({ listeners: 'SSL://:1' }, /listener SSL needs ssl\.keystore\.location/)
  refused({ listeners: 'SSL://:1', 'ssl.keystore.type': 'JKS' }, /ssl\.keystore\.type is JKS/)
  refused(
    { listeners: 'SSL://:1', 'ssl.keystore.location': '/missing' },
    /ssl\.keystore\.location \/missing cannot be read/,
  )
})
