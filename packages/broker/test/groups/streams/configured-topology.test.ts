import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { GroupRefusal } from '../../../src/groups/refusal.ts'
import { configureTopology, type ConfiguredTopology } from '../../../src/groups/streams/configured-topology.ts'
import { StreamsStatus, type InternalTopic, type Subtopology } from '../../../src/groups/streams/topology.ts'

function internal(name: string, partitions = 0): InternalTopic {
  return { name, partitions, replicationFactor: 0, topicConfigs: [] }
}

function subtopology(subtopologyId: string, more: Partial<Subtopology>): Subtopology {
  return {
    subtopologyId,
    sourceTopics: [],
    sourceTopicRegex: [],
    stateChangelogTopics: [],
    repartitionSinkTopics: [],
    repartitionSourceTopics: [],
    copartitionGroups: [],
    ...more,
  }
}

function configure(topics: Record<string, number>, ...subtopologies: Subtopology[]): ConfiguredTopology {
  return configureTopology({ epoch: 0, subtopologies }, name => topics[name])
}

function problem({ problem: found }: ConfiguredTopology): [number, string] {
  return [found?.statusCode ?? -1, found?.statusDetail ?? '']
}

const counting = [
  subtopology('0', { sourceTopics: ['lines'], repartitionSinkTopics: ['by-word'] }),
  subtopology('1', { repartitionSourceTopics: [internal('by-word')], stateChangelogTopics: [internal('counts')] }),
]

test('internal topics have the partitions of what they are made from', () => {
  const configured = configure({ lines: 3 }, ...counting)
  assert.deepEqual(
    configured.missing.map(({ name, partitions, replicationFactor }) => [name, partitions, replicationFactor]),
    [
      ['by-word', 3, -1],
      ['counts', 3, -1],
    ],
  )
  assert.deepEqual(problem(configured), [
    StreamsStatus.missingInternalTopics,
    'Internal topics are missing: by-word, counts',
  ])
  const ready = configure({ lines: 3, 'by-word': 3, counts: 3 }, ...counting)
  assert.equal(ready.problem, null)
  assert.deepEqual(
    ready.subtopologies?.map(({ tasks, isStateful }) => [tasks, isStateful]),
    [
      [3, false],
      [3, true],
    ],
  )
})

test('a source topic that is missing, and an internal one with other partitions, keep everything waiting', () => {
  assert.deepEqual(problem(configure({}, ...counting)), [
    StreamsStatus.missingSourceTopics,
    'Source topics lines are missing.',
  ])
  const [status, detail] = problem(configure({ lines: 3, 'by-word': 3, counts: 2 }, ...counting))
  assert.equal(status, StreamsStatus.incorrectlyPartitionedTopics)
  assert.match(detail, /counts.*expected 3, found 2/)
})

test('topics that are joined have the same number of partitions, or are given it', () => {
  const group = { sourceTopics: [0], sourceTopicRegex: [], repartitionSourceTopics: [0] }
  const join = (fixed: number): Subtopology[] => [
    subtopology('0', { sourceTopics: ['lines'], repartitionSinkTopics: ['by-word'] }),
    subtopology('1', {
      sourceTopics: ['table'],
      repartitionSourceTopics: [internal('by-word', fixed)],
      copartitionGroups: [group],
    }),
  ]
  const given = configure({ lines: 3, table: 5 }, ...join(0))
  assert.deepEqual(
    given.missing.map(({ name, partitions }) => [name, partitions]),
    [['by-word', 5]],
  )
  const [status, detail] = problem(configure({ lines: 3, table: 5 }, ...join(4)))
  assert.equal(status, StreamsStatus.incorrectlyPartitionedTopics)
  assert.match(detail, /\[4\].*by-word.*\[5\]/)
  const both = { sourceTopics: [0, 1], sourceTopicRegex: [], repartitionSourceTopics: [] }
  const outer = subtopology('0', { sourceTopics: ['a', 'b'], copartitionGroups: [both] })
  assert.match(problem(configure({ a: 2, b: 3 }, outer))[1], /\[\{a=2, b=3\}\]/)
  assert.equal(configure({ a: 2, b: 2 }, outer).problem, null)
})

test('a topology whose numbers cannot be found is refused', () => {
  const refused = (...subtopologies: Subtopology[]): void => {
    assert.throws(
      () => configure({ lines: 3 }, ...subtopologies),
      error => error instanceof GroupRefusal && error.errorCode === ErrorCode.ERR_STREAMS_INVALID_TOPOLOGY,
    )
  }
  refused(subtopology('0', { sourceTopics: [] }))
  refused(subtopology('0', { repartitionSourceTopics: [internal('never-written')] }))
  refused(subtopology('0', { repartitionSourceTopics: [internal('loop')], repartitionSinkTopics: ['loop'] }))
})
