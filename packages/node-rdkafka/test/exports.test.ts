import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as rdkafka from '../src/index.ts'

test('it exports what node-rdkafka exports', () => {
  const names = ['AdminClient', 'CODES', 'Consumer', 'HighLevelProducer', 'KafkaConsumer', 'Producer', 'Topic']
  const others = ['createReadStream', 'createWriteStream', 'features', 'librdkafkaVersion']
  assert.deepEqual(Object.keys(rdkafka).sort(), [...names, ...others].sort())
})

test('the codes of errors, by all their names', () => {
  const { ERRORS } = rdkafka.CODES
  assert.deepEqual(
    [ERRORS.ERR__QUEUE_FULL, ERRORS.ERR__ASSIGN_PARTITIONS, ERRORS.ERR_NO_ERROR, ERRORS.ERR_UNKNOWN_TOPIC_OR_PART],
    [-184, -175, 0, 3],
  )
  assert.deepEqual(
    [
      ERRORS.ERR_GROUP_LOAD_IN_PROGRESS,
      ERRORS.ERR_GROUP_COORDINATOR_NOT_AVAILABLE,
      ERRORS.ERR_NOT_COORDINATOR_FOR_GROUP,
    ],
    [14, 15, 16],
  )
})

test('topics are names, with logical offsets', () => {
  const { Topic } = rdkafka
  assert.equal(Topic('orders'), 'orders')
  assert.deepEqual(
    { ...Topic },
    {
      OFFSET_BEGINNING: -2,
      OFFSET_END: -1,
      OFFSET_STORED: -1000,
      OFFSET_INVALID: -1001,
      PARTITION_UA: -1,
    },
  )
})

test('features and a version', () => {
  for (const feature of ['gzip', 'snappy', 'lz4', 'zstd', 'ssl', 'sasl_scram'])
    assert.ok(rdkafka.features.includes(feature))
  assert.match(rdkafka.librdkafkaVersion, /^2\.\d+\.\d+$/)
})

test('classes can be called, and inherited from', () => {
  const conf = { 'metadata.broker.list': 'localhost:9092', 'group.id': 'g' }
  assert.ok(rdkafka.Producer(conf) instanceof rdkafka.Producer)
  assert.ok(rdkafka.KafkaConsumer(conf) instanceof rdkafka.KafkaConsumer)
  class Mine extends rdkafka.KafkaConsumer {
    override subscription(): string[] {
      return ['mine']
    }
  }
  const mine = new Mine(conf, {})
  assert.ok(mine instanceof Mine && mine instanceof rdkafka.KafkaConsumer)
  assert.deepEqual(mine.subscription(), ['mine'])
})
