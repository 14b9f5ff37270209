import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foreignHint, foreignNames } from '../../src/config/foreign-names.ts'
import { lookUp } from '../../src/config/names.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { aliases, properties } from '../../src/config/table.ts'

test('the properties that a hint names exist', () => {
  assert.ok(foreignNames.length > 80)
  for (const name of foreignNames) {
    for (const [, property = ''] of (foreignHint(name) ?? '').matchAll(/'([a-z]+\.[a-z.]+)'/g))
      assert.ok(lookUp(property) !== null, `${name}: ${property}`)
  }
})

test('no hint is for a property of this library, nor for what every object has', () => {
  for (const name of [...Object.keys(properties), ...Object.keys(aliases), 'constructor', 'toString']) {
    assert.equal(foreignHint(name), null, name)
  }
})

/** A name of another client, and what the error has to mention. */
const meant: Readonly<Record<string, string>> = {
  brokers: 'bootstrap.servers',
  clientId: 'client.id',
  groupId: 'group.id',
  groupInstanceId: 'group.instance.id',
  transactionalId: 'transactional.id',
  allowAutoTopicCreation: 'allow.auto.create.topics',
  fromBeginning: 'auto.offset.reset',
  logLevel: 'log_level',
  ssl: 'security.protocol',
  sasl: 'sasl.mechanism',
  connectionTimeout: 'socket.connection.setup.timeout.ms',
  requestTimeout: 'socket.timeout.ms',
  sessionTimeout: 'session.timeout.ms',
  heartbeatInterval: 'heartbeat.interval.ms',
  maxInFlightRequests: 'max.in.flight',
  compression: 'compression.type',
  'key.serializer': "option 'key'",
  'max.request.size': 'message.max.bytes',
  'fetch.max.wait.ms': 'fetch.wait.max.ms',
  'sasl.jaas.config': 'sasl.username',
  'ssl.truststore.location': 'ssl.ca.location',
  // Not another client's: misspelt.
  'bootstrap.server': 'bootstrap.servers',
  'linger.mss': 'linger.ms',
  bootstrapservers: 'bootstrap.servers',
  'group-id': 'group.id',
}

test('an unknown name leads to what is meant', () => {
  for (const [name, here] of Object.entries(meant)) {
    assert.throws(() => resolveConfig('consumer', { [name]: 'x' }), new RegExp(here.replaceAll('.', '\\.')), name)
  }
})
