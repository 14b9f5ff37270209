import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { describeCluster, listOffsets, type OffsetQuery } from '../../src/admin/cluster.ts'
import { describeConfigs, incrementalAlterConfigs } from '../../src/admin/configs.ts'
import { KafkaError } from '../../src/errors.ts'
import { scriptedCall } from './scripted-cluster.ts'

function invalid(words: RegExp): (error: unknown) => boolean {
  return error => error instanceof KafkaError && error.code === ErrorCode.ERR__INVALID_ARG && words.test(error.message)
}

test('describeConfigs asks a broker about itself and any broker about the rest', async () => {
  const entry = { name: 'k', value: 'v', readOnly: false, isSensitive: false, configType: 2, documentation: null }
  const { call, sent } = scriptedCall({
    DescribeConfigs: ({ body }) => ({
      results: (body as { resources: { resourceType: number; resourceName: string }[] }).resources.map(r => ({
        ...r,
        errorCode: 0,
        errorMessage: null,
        configs: [
          { ...entry, configSource: 5, synonyms: [] },
          { ...entry, name: '__proto__', configSource: 1, synonyms: [{ name: 'log.k', value: null, source: 4 }] },
        ],
      })),
    }),
  })
  const [topic, broker] = await describeConfigs(call, [
    { type: 'topic', name: 'a' },
    { type: 'broker', name: '2' },
  ])
  assert.equal(topic?.name, 'a')
  assert.equal(broker?.type, 'broker')
  assert.deepEqual(topic.entries['k'], {
    value: 'v',
    source: 'default',
    isReadOnly: false,
    isSensitive: false,
    isDefault: true,
    synonyms: [],
  })
  assert.deepEqual(Object.keys(topic.entries), ['k', '__proto__'], 'names of the broker are only names')
  assert.deepEqual(
    sent.map(s => s.target).toSorted((a, b) => (a.to < b.to ? -1 : 1)),
    [{ to: 'any' }, { to: 'node', id: 2 }],
  )
})

test('a broker that cannot be asked is the error of its own resource', async () => {
  const { call } = scriptedCall({
    DescribeConfigs: ({ target }) => {
      if (target.to === 'node') throw new KafkaError(ErrorCode.ERR__TIMED_OUT, 'no answer')
      return { results: [{ resourceType: 2, resourceName: 'a', errorCode: 0, errorMessage: null, configs: [] }] }
    },
  })
  const results = await describeConfigs(call, [
    { type: 'broker', name: '2' },
    { type: 'topic', name: 'a' },
  ])
  assert.deepEqual(
    results.map(r => r.error?.code),
    [ErrorCode.ERR__TIMED_OUT, undefined],
  )
})

test('incrementalAlterConfigs writes operations, and a deletion needs no value', async () => {
  const { call, sent } = scriptedCall({
    IncrementalAlterConfigs: () => ({
      responses: [{ resourceType: 2, resourceName: 'a', errorCode: 40, errorMessage: 'bad retention' }],
    }),
  })
  const [result] = await incrementalAlterConfigs(call, [
    {
      type: 'topic',
      name: 'a',
      entries: [
        { name: 'retention.ms', value: 5, operation: 'set' },
        { name: 'cleanup.policy', value: 'compact', operation: 'append' },
        { name: 'segment.ms', operation: 'delete' },
      ],
    },
  ])
  assert.equal(result?.error?.code, ErrorCode.ERR_INVALID_CONFIG)
  assert.deepEqual(sent[0]?.body, {
    resources: [
      {
        resourceType: 2,
        resourceName: 'a',
        configs: [
          { name: 'retention.ms', configOperation: 0, value: '5' },
          { name: 'cleanup.policy', configOperation: 2, value: 'compact' },
          { name: 'segment.ms', configOperation: 1, value: null },
        ],
      },
    ],
    validateOnly: false,
  })
})

test('resources are checked before anything is sent', async () => {
  const { call, sent } = scriptedCall({})
  await assert.rejects(describeConfigs(call, [{ type: 'broker', name: 'one' }]), invalid(/broker id/))
  await assert.rejects(describeConfigs(call, [{ type: 'topic', name: '' }]), invalid(/must not be empty/))
  const set = { type: 'topic', name: 'a', entries: [{ name: 'k', operation: 'set' }] } as const
  await assert.rejects(incrementalAlterConfigs(call, [set]), invalid(/'k' of topic 'a'.*value/))
  assert.equal(sent.length, 0)
})

test('describeCluster falls back to metadata on brokers that are too old', async () => {
  const { call } = scriptedCall({
    DescribeCluster: () => {
      throw new KafkaError(ErrorCode.ERR__UNSUPPORTED_FEATURE, 'too old')
    },
    Metadata: () => ({
      clusterId: 'old',
      controllerId: 2,
      brokers: [
        { nodeId: 2, host: 'b', port: 9092, rack: 'r' },
        { nodeId: 1, host: 'a', port: 9092, rack: null },
      ],
      clusterAuthorizedOperations: -(2 ** 31),
    }),
  })
  assert.deepEqual(await describeCluster(call, false), {
    clusterId: 'old',
    controllerId: 2,
    controller: { id: 2, host: 'b', port: 9092, rack: 'r' },
    nodes: [
      { id: 1, host: 'a', port: 9092 },
      { id: 2, host: 'b', port: 9092, rack: 'r' },
    ],
  })
})

test('listOffsets refuses an invalid spec', async () => {
  const { call } = scriptedCall({})
  const query = { topic: 'a', partition: 0, spec: 'newest' } as unknown as OffsetQuery // as plain JavaScript would
  await assert.rejects(listOffsets(call, [query], 'read_uncommitted'), invalid(/spec of a \[0\].*newest/))
  const past = { topic: 'a', partition: 0, spec: { timestamp: -5 } }
  await assert.rejects(listOffsets(call, [past], 'read_uncommitted'), invalid(/timestamp.*-5/))
})
