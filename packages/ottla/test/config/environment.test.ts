import assert from 'node:assert/strict'
import { test } from 'node:test'
import { envConfig } from '../../src/config/environment.ts'
import { aliases, properties } from '../../src/config/table.ts'
import { ErrorCode, type KafkaError } from '../../src/errors.ts'
import { Producer } from '../../src/producer/producer.ts'

function refusal(env: Record<string, string>, prefix?: string): string {
  let message = ''
  assert.throws(
    () => envConfig(env, prefix),
    (error: KafkaError) => {
      assert.equal(error.code, ErrorCode.ERR__INVALID_ARG)
      message = error.message
      return true
    },
  )
  return message
}

test('a variable is the property of its name, with a value of its type', () => {
  const env = {
    KAFKA_BOOTSTRAP_SERVERS: 'a:1,b:2',
    KAFKA_LINGER_MS: '0.5',
    KAFKA_ENABLE_IDEMPOTENCE: 'true',
    KAFKA_ACKS: 'all',
    KAFKA_COMPRESSION_TYPE: 'LZ4',
    KAFKA_LOG_LEVEL: '3',
    KAFKA_DEBUG: 'broker,msg',
    KAFKA_SASL_PASSWORD: 'p=q',
    PATH: '/bin',
    KAFKA_: '',
  }
  assert.deepEqual(envConfig(env), {
    'bootstrap.servers': 'a:1,b:2',
    'linger.ms': 0.5,
    'enable.idempotence': true,
    acks: -1,
    'compression.type': 'lz4',
    log_level: 3,
    debug: 'broker,msg',
    'sasl.password': 'p=q',
  })
})

test('every property has a variable of its own', () => {
  const keys = [...Object.keys(properties), ...Object.keys(aliases)]
  const variables = new Set(keys.map(key => key.replaceAll(/[.-]/g, '_').toUpperCase()))
  assert.equal(variables.size, keys.length)
})

test('the prefix is what the application says, and may be empty', () => {
  assert.deepEqual(envConfig({ SHOP_KAFKA_GROUP_ID: 'shop', KAFKA_GROUP_ID: 'x' }, 'SHOP_KAFKA_'), {
    'group.id': 'shop',
  })
  assert.deepEqual(envConfig({ GROUP_ID: 'shop' }, ''), { 'group.id': 'shop' })
  assert.match(refusal({ A_LINGER_M: '1' }, 'A_'), /A_LINGER_M is no property; did you mean A_LINGER_MS\?/)
})

test('empty variables count as unset', () => {
  assert.deepEqual(envConfig({ KAFKA_GROUP_ID: '', KAFKA_CLIENT_ID: ' ', KAFKA_ACKS: undefined }), {})
})

test('what Kafka’s scripts and Kubernetes set is left out', () => {
  const env = {
    KAFKA_HOME: '/opt/kafka',
    KAFKA_HEAP_OPTS: '-Xmx1g',
    KAFKA_LOG4J_OPTS: 'x',
    KAFKA_SERVICE_HOST: '10.0.0.1',
    KAFKA_SERVICE_PORT: '9092',
    KAFKA_SERVICE_PORT_TCP_CLIENT: '9092',
    KAFKA_PORT: 'tcp://10.0.0.1:9092',
    KAFKA_PORT_9092_TCP: 'tcp://10.0.0.1:9092',
    KAFKA_PORT_9092_TCP_ADDR: '10.0.0.1',
  }
  assert.deepEqual(envConfig(env), {})
})

test('a variable that is no property is refused with the one that may be meant, and without its value', () => {
  const unknown = refusal({ KAFKA_BOOTSTRAP_SERVER: 'hunter2' })
  assert.match(unknown, /^KAFKA_BOOTSTRAP_SERVER is no property; did you mean KAFKA_BOOTSTRAP_SERVERS\?/)
  assert.match(unknown, /envConfig\(env, 'KAFKA_', \{ ignore: \['KAFKA_BOOTSTRAP_SERVER'\] \}\)/)
  assert.match(refusal({ KAFKA_BROKERS: 'a:1' }), /KafkaJS's name; here it is 'bootstrap.servers'/)
  assert.match(refusal({ KAFKA_BUFFER_MEMORY: '1' }), /Java client's; here it is 'queue.buffering.max.kbytes'/)
  for (const text of [unknown, refusal({ KAFKA_SASL_PASSWORT: 'hunter2' })]) assert.doesNotMatch(text, /hunter2/)
})

test('the application’s own variables are named', () => {
  assert.deepEqual(envConfig({ KAFKA_TOPIC: 'orders', KAFKA_GROUP_ID: 'g' }, 'KAFKA_', { ignore: ['KAFKA_TOPIC'] }), {
    'group.id': 'g',
  })
})

test('a wrong value names the variable, and no secret', () => {
  assert.match(refusal({ KAFKA_LINGER_MS: 'soon' }), /^KAFKA_LINGER_MS=soon is not valid: it takes a number from 0/)
  assert.match(refusal({ KAFKA_SECURITY_PROTOCOL: 'tls' }), /^KAFKA_SECURITY_PROTOCOL=tls .*one of plaintext, ssl/)
  assert.match(refusal({ KAFKA_BOOTSTRAP_SERVERS: 'a:0' }), /^KAFKA_BOOTSTRAP_SERVERS: 'a:0' is not an address/)
  assert.match(refusal({ KAFKA_DR_CB: 'x' }), /^KAFKA_DR_CB cannot be set here; use the second argument of `produce`/)
  const url = refusal({ KAFKA_BOOTSTRAP_SERVERS: 'kafka://alice:hunter2@host:9092' })
  assert.match(url, /kafka:\/\/\[redacted\]@host:9092/)
  assert.doesNotMatch(url, /hunter2/)
})

test('two names of one property with different values contradict each other', () => {
  const both = { KAFKA_LINGER_MS: '1', KAFKA_QUEUE_BUFFERING_MAX_MS: '2' }
  assert.match(refusal(both), /KAFKA_LINGER_MS and KAFKA_QUEUE_BUFFERING_MAX_MS are names of the same property/)
  assert.deepEqual(envConfig({ ...both, KAFKA_QUEUE_BUFFERING_MAX_MS: '1' }), {
    'linger.ms': 1,
    'queue.buffering.max.ms': 1,
  })
})

test('the constructors take it, and miss the brokers if it does not name them', async () => {
  const producer = new Producer(envConfig({ KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' }), { logger: () => undefined })
  await producer.close(0)
  assert.throws(() => new Producer(envConfig({})), /bootstrap\.servers is not set/)
})
