/** The package exports what kafkajs exports: the same names, enums with the same values, errors with the same fields. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode, KafkaError } from 'ottla'
import * as ours from '../src/index.ts'
import { protocolError, protocolType } from '../src/translate/protocol-errors.ts'
import { original, originalCodes, originalErrors } from './kafkajs.ts'

const exported = ours as unknown as Readonly<Record<string, unknown>>

const enums = [
  'logLevel',
  'CompressionTypes',
  'ConfigResourceTypes',
  'ConfigSource',
  'AclResourceTypes',
  'AclOperationTypes',
  'AclPermissionTypes',
  'ResourcePatternTypes',
]

test('every export of kafkajs is there', () => {
  const missing = Object.keys(original).filter(name => exported[name] === undefined)
  assert.deepEqual(missing, [])
})

for (const name of enums) {
  test(`${name} has the same members`, () => {
    assert.deepEqual({ ...(exported[name] as object) }, { ...(original[name] as object) })
  })
}

test('the registry of codecs has the same keys', () => {
  assert.deepEqual(Object.keys(ours.CompressionCodecs), Object.keys(original['CompressionCodecs'] as object))
})

test('clients have the same methods and events', () => {
  const options = { brokers: ['127.0.0.1:1'], logLevel: 0 }
  const theirs = new (original['Kafka'] as typeof ours.Kafka)({ ...options, logCreator: () => () => undefined })
  const own = new ours.Kafka(options)
  const pairs: (readonly [object, object])[] = [
    [own.producer(), theirs.producer({ createPartitioner: ours.Partitioners.DefaultPartitioner })],
    [own.consumer({ groupId: 'g' }), theirs.consumer({ groupId: 'g' })],
    [own.admin(), theirs.admin()],
  ]
  for (const [mine, other] of pairs) {
    assert.deepEqual(Object.keys(mine).sort(), Object.keys(other).sort())
    assert.deepEqual((mine as { events: unknown }).events, (other as { events: unknown }).events)
  }
  assert.deepEqual(Object.keys(own.logger()).sort(), Object.keys(theirs.logger()).sort())
})

/** Constructor arguments that fill all fields. */
const everything = {
  retriable: false,
  topic: 'topic',
  partition: 3,
  partitionId: 3,
  broker: 'host:1',
  code: 'ECONNREFUSED',
  host: 'host',
  port: 1,
  retryCount: 2,
  retryTime: 600,
  clientId: 'client',
  correlationId: 7,
  createdAt: 1,
  sentAt: 2,
  pendingDuration: 3,
  unknownPartitions: [],
  apiKey: 1,
  apiName: 'Fetch',
  memberId: 'member',
}

const failure = Object.assign(new Error('text'), { type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3, retriable: true })

const argumentsOf: Readonly<Record<string, readonly unknown[]>> = {
  KafkaJSCreateTopicError: [failure, 'topic'],
  KafkaJSAlterPartitionReassignmentsError: [failure, 'topic', 3],
  KafkaJSDeleteGroupsError: ['text', [{ groupId: 'g', errorCode: 1, error: failure }]],
  KafkaJSDeleteTopicRecordsError: [{ topic: 'topic', partitions: [{ partition: 0, offset: '1', error: failure }] }],
  KafkaJSAggregateError: ['text', [failure]],
  KafkaJSNoBrokerAvailableError: [],
}

/** Fields, without the stack, and without what is ours. */
function fieldsOf(error: Error): Record<string, unknown> {
  const { stack: _, cause: __, ...fields } = error as Error & Record<string, unknown>
  return { ...fields, name: error.name, message: error.message }
}

/** The classes that it is an instance of, by name. */
function ancestry(error: Error, classes: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(classes)
    .filter(([, each]) => typeof each === 'function' && error instanceof (each as new () => unknown))
    .map(([name]) => name)
    .sort()
}

// Its text and its address are those of kafkajs's maintainers.
const { KafkaJSInvariantViolation: _, ...comparable } = originalErrors

for (const [name, Theirs] of Object.entries(comparable)) {
  test(`${name} has the same fields and ancestors`, () => {
    const Ours = exported[name] as new (...args: never[]) => Error
    for (const args of argumentsOf[name] === undefined
      ? [
          ['text', everything],
          [failure, everything],
        ]
      : [argumentsOf[name]]) {
      const [mine, other] = [new Ours(...(args as never[])), new Theirs(...(args as never[]))]
      const defined = Object.fromEntries(Object.entries(fieldsOf(other)).filter(([, value]) => value !== undefined))
      const own = fieldsOf(mine)
      assert.deepEqual(Object.fromEntries(Object.keys(defined).map(key => [key, own[key]])), defined)
      const errors = Object.fromEntries(Object.keys(originalErrors).map(each => [each, exported[each]]))
      assert.deepEqual(ancestry(mine, errors), ancestry(other, originalErrors))
      assert.ok(mine instanceof Error)
    }
  })
}

test('brokers’ errors have kafkajs’s names', () => {
  const others = originalCodes.filter(({ code, type }) => code !== -1 && protocolType(code) !== type)
  assert.deepEqual(
    others.map(({ code, type }) => [code, type, protocolType(code)]),
    [],
  )
  const error = protocolError(KafkaError.of(ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, 'topic t'))
  assert.deepEqual([error.type, error.code, error.retriable], ['NOT_LEADER_FOR_PARTITION', 6, true])
})

test('brokers’ errors that programs know by their texts have kafkajs’s', () => {
  const known = originalCodes.filter(({ code }) => [1, 3, 7, 17, 25, 27, 29, 30, 36, 37, 38, 39].includes(code))
  const texts = known.map(({ code }) => protocolError(KafkaError.of(code, 'topic t')).message)
  assert.deepEqual(
    texts,
    known.map(({ message }) => message),
  )
  assert.equal(texts.length, 12)
})

test('an error is retriable if kafkajs says so, but for two', () => {
  const others = originalCodes.filter(({ code, retriable }) => KafkaError.of(code, 't').isRetriable !== retriable)
  assert.deepEqual(
    others.map(({ type }) => type),
    ['BROKER_NOT_AVAILABLE', 'ELECTION_NOT_NEEDED'],
  )
})
