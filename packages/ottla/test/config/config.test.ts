import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import {
  maskedConfig,
  parseProperties,
  resolveConfig,
  validateConfig,
  type ProducerConfig,
} from '../../src/config/resolve.ts'
import { aliases, properties } from '../../src/config/table.ts'
import type { Property } from '../../src/config/property.ts'
import type { KafkaError } from '../../src/errors.ts'

interface Fact {
  readonly scope: string
  readonly name: string
  readonly side: string
  readonly range: string
  readonly fallback: string
  readonly alias: string
}

const facts: Fact[] = readFileSync(new URL('../../../../spec/librdkafka-properties.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map(line => {
    const [scope = '', name = '', side = '', range = '', fallback = '', , , alias = ''] = line.split('\t')
    return { scope, name, side, range, fallback, alias }
  })

// Declared a second time for topics in librdkafka, where the global row is the one that counts here.
const globalRowCounts = new Set([
  'opaque',
  'compression.codec',
  'compression.type',
  'enable.auto.commit',
  'auto.commit.interval.ms',
  'offset.store.method',
])

function refused(config: Record<string, unknown>, kind: 'producer' | 'consumer' = 'producer'): string {
  let message = ''
  assert.throws(
    () => resolveConfig(kind, config),
    (error: KafkaError) => {
      assert.equal(error.name, 'ERR__INVALID_ARG')
      message = error.message
      return true
    },
  )
  return message
}

test('all 199 rows of librdkafka are declared, with its scope, range and default', () => {
  assert.equal(facts.length, 199)
  for (const fact of facts) {
    if (fact.scope === 'topic' && globalRowCounts.has(fact.name)) continue
    const target: string = fact.alias === '' ? fact.name : fact.alias
    if (fact.alias !== '') assert.equal((aliases as Record<string, string>)[fact.name], target, fact.name)
    const property = (properties as Record<string, Property>)[target]
    assert.ok(property, `${fact.name} is not declared`)
    assert.equal(property.scope, fact.side, `scope of ${fact.name}`)
    if (property.kind === 'int' || property.kind === 'float') {
      assert.equal(`${property.min} .. ${property.max}`, fact.range, `range of ${fact.name}`)
      assert.equal(String(property.default), fact.fallback, `default of ${fact.name}`)
    } else if (property.kind === 'choice') {
      assert.equal(property.values.join(', '), fact.range, `values of ${fact.name}`)
      assert.equal(property.default, fact.fallback, `default of ${fact.name}`)
    } else if (property.kind === 'bool') {
      assert.equal(String(property.default), fact.fallback, `default of ${fact.name}`)
    }
  }
})

test('the keys of our own begin with ottla.', () => {
  const known = new Set(facts.map(fact => fact.name))
  for (const name of Object.keys(properties)) assert.ok(known.has(name) || name.startsWith('ottla.'), name)
})

test('values may be native or text, enum values in any case, and aliases work', () => {
  const { settings, warnings } = resolveConfig('producer', {
    'bootstrap.servers': 'a:1,[::1]:2, PLAINTEXT://b',
    'linger.ms': '0.5',
    acks: 'all',
    'compression.type': 'LZ4',
    'socket.keepalive.enable': 'true',
    retries: 3,
  })
  assert.deepEqual(settings['metadata.broker.list'], [
    { host: 'a', port: 1 },
    { host: '::1', port: 2 },
    { host: 'b', port: 9092 },
  ])
  assert.equal(settings['queue.buffering.max.ms'], 0.5)
  assert.equal(settings['linger.ms'], 0.5)
  assert.equal(settings['request.required.acks'], -1)
  assert.equal(settings['compression.codec'], 'lz4')
  assert.equal(settings['socket.keepalive.enable'], true)
  assert.equal(settings['retries'], 3)
  assert.deepEqual(warnings, [])
})

test('an unknown key is refused with the one that was probably intended', () => {
  assert.match(refused({ 'bootstrap.server': 'a' }), /'bootstrap.server'; did you mean 'bootstrap.servers'\?/)
  assert.match(refused({ 'utter.nonsense.of.mine.here': 1 }), /^there is no property/)
})

test('a value out of range names key, value and what is allowed', () => {
  assert.match(refused({ 'linger.ms': -1 }), /linger.ms=-1 is not valid: it takes a number from 0 to 900000/)
  assert.match(refused({ acks: 'most' }), /acks=most is not valid.* or all/)
  assert.match(refused({ acks: 2 }), /acks=2/)
  assert.match(refused({ 'batch.size': 1.5 }), /an integer from 1/)
  assert.match(refused({ 'socket.keepalive.enable': 'maybe' }), /true or false/)
  assert.match(refused({ 'security.protocol': 'tls' }), /one of plaintext, ssl, sasl_plaintext, sasl_ssl/)
  assert.match(refused({ debug: 'everything' }), /words out of generic/)
  assert.match(refused({ 'bootstrap.servers': 'host:0' }), /'host:0' is not an address/)
  assert.match(refused({ partitioner: 'dice' }), /partitioner=dice is not valid/)
  assert.match(refused({ dr_cb: () => undefined }), /use the second argument of `produce`/)
})

test('two names of one property with different values contradict each other', () => {
  assert.match(refused({ 'linger.ms': 1, 'queue.buffering.max.ms': 2 }), /names of the same property/)
  assert.equal(resolveConfig('producer', { 'linger.ms': 1, 'queue.buffering.max.ms': '1' }).settings['linger.ms'], 1)
})

test('settings that contradict each other are refused', () => {
  assert.match(refused({ 'message.timeout.ms': 10, 'linger.ms': 20 }), /linger.ms must be below message.timeout.ms/)
  assert.match(refused({ 'max.poll.interval.ms': 1000 }, 'consumer'), /session.timeout.ms/)
  assert.match(
    refused({ 'session.timeout.ms': 1000, 'heartbeat.interval.ms': 1000 }, 'consumer'),
    /heartbeat.interval.ms/,
  )
  assert.match(
    refused({ 'receive.message.max.bytes': 2000, 'fetch.max.bytes': 1_000_000 }, 'consumer'),
    /receive.message.max.bytes/,
  )
  assert.match(refused({ 'enable.idempotence': true, acks: 1 }), /acks=all/)
  assert.match(refused({ 'enable.idempotence': true, 'max.in.flight': 6 }), /max.in.flight/)
  assert.match(refused({ 'transactional.id': 'x', 'message.timeout.ms': 70_000 }), /transaction.timeout.ms/)
})

test('defaults depend on other settings', () => {
  const consumer = resolveConfig('consumer', {
    'fetch.max.bytes': 200_000_000,
    'auto.offset.reset': 'smallest',
  }).settings
  assert.equal(consumer['receive.message.max.bytes'], 200_000_512)
  assert.equal(consumer['auto.offset.reset'], 'earliest')
  const producer = resolveConfig('producer', { 'linger.ms': 50, 'topic.metadata.refresh.interval.ms': 1000 }).settings
  assert.equal(producer['sticky.partitioning.linger.ms'], 100)
  assert.equal(producer['metadata.max.age.ms'], 3000)
  assert.equal(resolveConfig('producer', { 'enable.idempotence': 'true' }).settings['max.in.flight'], 5)
})

test('a property without effect is accepted with a warning', () => {
  const warnings = (config: Record<string, unknown>): readonly string[] => resolveConfig('producer', config).warnings
  assert.match(String(warnings({ 'socket.blocking.max.ms': 5 })), /C library/)
  assert.match(String(warnings({ 'group.id': 'g' })), /consumer property/)
})

test('secrets are masked in every message', () => {
  const shown = maskedConfig({ 'sasl.password': 'hush', 'client.id': 'me', 'no.such.key': 'hush' })
  assert.deepEqual(shown, { 'sasl.password': '[redacted]', 'client.id': 'me', 'no.such.key': '[redacted]' })
  assert.doesNotMatch(refused({ 'sasl.password': { hush: 1 } }), /hush/)
})

test('a properties file can be read', () => {
  const text = '# comment\nbootstrap.servers = a:1\n\nsasl.password=p=q\n'
  assert.deepEqual(parseProperties(text), { 'bootstrap.servers': 'a:1', 'sasl.password': 'p=q' })
  assert.throws(() => parseProperties('nonsense'), /line 1/)
})

test('the types know keys and values', () => {
  const config: Partial<ProducerConfig> = {
    acks: 'all',
    'security.protocol': 'SASL_PLAINTEXT',
    'linger.ms': '5',
  }
  assert.ok(config)
  // @ts-expect-error a key that does not exist
  const unknown: Partial<ProducerConfig> = { 'bootstrap.server': 'a' }
  // @ts-expect-error a word that acks does not know
  const word: Partial<ProducerConfig> = { acks: 'most' }
  assert.notEqual(unknown, word)
})

test('auto.offset.reset is refused when it is neither', () => {
  const config = (value: string): Record<string, unknown> => ({
    'bootstrap.servers': 'a:1',
    'auto.offset.reset': value,
  })
  assert.throws(() => resolveConfig('consumer', config('by_duration:soon')), /ISO 8601 duration/)
  assert.throws(() => resolveConfig('consumer', config('sooner')), /one of .*by_duration:…/)
  const { settings } = resolveConfig('consumer', config('BY_DURATION:PT5M'))
  assert.equal(settings['auto.offset.reset'], 'by_duration:PT5M')
})

test('a configuration is checked without a client: warnings, or the error that a constructor would throw', () => {
  assert.deepEqual(validateConfig('producer', { 'bootstrap.servers': 'a:1', 'linger.ms': 5 }), [])
  assert.match(validateConfig('consumer', { 'linger.ms': 5 }).join(), /linger\.ms is a producer property/)
  assert.throws(() => validateConfig('admin', { 'socket.timeout.ms': 'soon' }), /socket\.timeout\.ms=soon is not valid/)
})
