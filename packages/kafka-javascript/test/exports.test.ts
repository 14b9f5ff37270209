import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as confluent from '../src/index.ts'

const rdkafkaNames = [
  'AclOperationTypes',
  'AdminClient',
  'CODES',
  'Consumer',
  'ConsumerGroupStates',
  'ConsumerGroupTypes',
  'HighLevelProducer',
  'IsolationLevel',
  'KafkaConsumer',
  'OffsetSpec',
  'Producer',
  'Topic',
  'createReadStream',
  'createWriteStream',
  'features',
  'librdkafkaVersion',
]

const kafkajsNames = [
  'AclOperationTypes',
  'CompressionTypes',
  'ConsumerGroupStates',
  'ConsumerGroupTypes',
  'ErrorCodes',
  'IsolationLevel',
  'Kafka',
  'KafkaJSAggregateError',
  'KafkaJSConnectionError',
  'KafkaJSCreateTopicError',
  'KafkaJSDeleteGroupsError',
  'KafkaJSDeleteTopicRecordsError',
  'KafkaJSError',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSNotImplemented',
  'KafkaJSOffsetOutOfRange',
  'KafkaJSPartialMessageError',
  'KafkaJSProtocolError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSSASLAuthenticationError',
  'KafkaJSTimeout',
  'PartitionAssigners',
  'PartitionAssignors',
  'isKafkaJSError',
  'isRebalancing',
  'logLevel',
]

test("it exports what Confluent's package exports", () => {
  assert.deepEqual(Object.keys(confluent).sort(), [...rdkafkaNames, 'KafkaJS', 'RdKafka'].sort())
  assert.deepEqual(Object.keys(confluent.RdKafka).sort(), rdkafkaNames)
  assert.deepEqual(Object.keys(confluent.KafkaJS).sort(), kafkajsNames)
})

test('enums are plain objects of names', () => {
  const { CompressionTypes, ConsumerGroupStates, logLevel, PartitionAssignors } = confluent.KafkaJS
  assert.equal(CompressionTypes.SNAPPY, 'snappy')
  assert.equal(ConsumerGroupStates.STABLE, 3)
  assert.deepEqual({ ...logLevel }, { NOTHING: 0, ERROR: 1, WARN: 2, INFO: 3, DEBUG: 4 })
  assert.equal(PartitionAssignors, confluent.KafkaJS.PartitionAssigners)
  assert.equal(confluent.RdKafka.AdminClient.OffsetSpec, confluent.OffsetSpec)
})

test('errors have codes, their names, and what follows from them', () => {
  const { ErrorCodes, isRebalancing, KafkaJSError, KafkaJSProtocolError, KafkaJSTimeout } = confluent.KafkaJS
  const error = new KafkaJSTimeout('too late', { code: ErrorCodes.ERR__TIMED_OUT, retriable: true })
  assert.ok(error instanceof KafkaJSError)
  const { name, message, code, type, retriable, fatal, abortable } = error
  assert.deepEqual(
    { name, message, code, type, retriable, fatal, abortable },
    {
      name: 'KafkaJSTimeout',
      message: 'too late',
      code: -185,
      type: 'ERR__TIMED_OUT',
      retriable: true,
      fatal: false,
      abortable: false,
    },
  )
  const rebalance = new KafkaJSProtocolError('again', { code: ErrorCodes.ERR_REBALANCE_IN_PROGRESS })
  assert.equal(isRebalancing(rebalance), true)
  assert.equal(isRebalancing(error), false)
})
