import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configurationOf } from '../../src/translate/configuration.ts'

const callback = (): void => undefined

test('both configurations are one; callbacks are apart', () => {
  const { properties, callbacks } = configurationOf(
    'producer',
    { 'metadata.broker.list': 'a:1', 'linger.ms': 5, dr_cb: true, event_cb: callback, resolve_cb: callback },
    { partitioner: 'murmur2', partitioner_cb: callback },
  )
  assert.deepEqual(properties, {
    'client.id': 'rdkafka',
    'metadata.broker.list': 'a:1',
    'linger.ms': '5',
    partitioner: 'murmur2',
  })
  assert.deepEqual([...callbacks.keys()], ['dr_cb', 'event_cb', 'resolve_cb', 'partitioner_cb'])
})

test("the topic's configuration wins, by whichever name", () => {
  const { properties } = configurationOf(
    'producer',
    { acks: 1, 'compression.type': 'gzip', 'message.timeout.ms': 1000 },
    { 'request.required.acks': -1, 'compression.codec': 'inherit', 'delivery.timeout.ms': 2000 },
  )
  assert.deepEqual(properties, {
    'client.id': 'rdkafka',
    'compression.type': 'gzip',
    'request.required.acks': '-1',
    'delivery.timeout.ms': '2000',
  })
})

test("properties of librdkafka's old consumer have no effect in a topic's configuration", () => {
  const { properties } = configurationOf(
    'consumer',
    { 'enable.auto.commit': true },
    { 'enable.auto.commit': false, 'auto.offset.reset': 'earliest' },
  )
  assert.deepEqual(properties, {
    'client.id': 'rdkafka',
    'enable.auto.commit': true,
    'auto.offset.reset': 'earliest',
  })
})

test('values as librdkafka takes them: numbers for booleans, too', () => {
  const { properties } = configurationOf('consumer', { 'enable.auto.commit': 0, 'group.id': undefined }, {})
  assert.deepEqual(properties, { 'client.id': 'rdkafka', 'enable.auto.commit': '0' })
})

test('what the client would refuse is refused at once', () => {
  const refused = { code: -186, errno: -186, origin: 'local' }
  assert.throws(() => configurationOf('producer', { foo: 'bar' }, {}), { ...refused, message: /Local: .*'foo'/ })
  assert.throws(() => configurationOf('producer', {}, { acks: 'most' }), refused)
})
