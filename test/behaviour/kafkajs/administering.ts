/** What kafkajs's specs ask of its admin client (`src/admin/__tests__`): topics, brokers, configurations, records. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ConfigResourceTypes,
  ConfigSource,
  KafkaJSAggregateError,
  KafkaJSAlterPartitionReassignmentsError,
  KafkaJSBrokerNotFound,
  KafkaJSCreateTopicError,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  type Admin,
  type ConfigEntries,
  type RequestEvent,
} from '@ottla/kafkajs'
import { fresh } from '../world.ts'
import { anything, facadeOf, messages, nextEvent, type PlainCluster, rejects, until } from './facade-world.ts'

const refusal = { name: 'KafkaJSNonRetriableError', retriable: false }
/** Retries do not help here: the tests need not wait for them. */
const once = { retry: { retries: 0 } }

/** @param start a cluster of three brokers */
export function administeringScenarios(start: () => Promise<PlainCluster>): void {
  const facade = facadeOf(start)

  async function connected(): Promise<Admin> {
    const admin = facade.admin(once)
    await admin.connect()
    return admin
  }

  test('it connects, tells of it, and of its requests', async () => {
    const admin = facade.admin()
    const seen: string[] = []
    admin.on(admin.events.CONNECT, ({ type }) => seen.push(type))
    admin.on(admin.events.DISCONNECT, ({ type }) => seen.push(type))
    const request = nextEvent<RequestEvent>(admin, admin.events.REQUEST)
    await admin.connect()
    assert.equal((await request).type, 'admin.network.request')
    await admin.disconnect()
    assert.deepEqual(seen, ['admin.connect', 'admin.disconnect'])
    assert.throws(() => admin.on(anything('admin.nothing'), () => undefined), {
      name: 'KafkaJSNonRetriableError',
      message: /admin\.events\.CONNECT, admin\.events\.DISCONNECT/,
    })
    assert.equal(typeof admin.logger().info, 'function')
  })

  test('without a broker connect rejects', async () => {
    const admin = facade.admin(
      { retry: { retries: 1, initialRetryTime: 10 } },
      facade.kafka({ brokers: ['127.0.0.1:1'] }),
    )
    await rejects(admin.connect(), { name: 'KafkaJSNumberOfRetriesExceeded' })
  })

  test('topics are created, listed, described and deleted', async () => {
    const admin = await connected()
    const topic = fresh('created')
    const created = await admin.createTopics({
      topics: [
        {
          topic,
          numPartitions: 3,
          replicationFactor: 2,
          configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
        },
      ],
    })
    assert.equal(created, true)
    assert.ok((await admin.listTopics()).includes(topic))
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    assert.deepEqual(
      topics.map(({ name, partitions }) => [name, partitions.map(({ partitionId }) => partitionId).sort()]),
      [[topic, [0, 1, 2]]],
    )
    for (const { partitionErrorCode, leader, replicas, isr } of topics[0]?.partitions ?? []) {
      assert.deepEqual([partitionErrorCode, replicas.length, isr.length], [0, 2, 2])
      assert.ok(replicas.includes(leader))
    }
    assert.ok((await admin.fetchTopicMetadata()).topics.some(({ name }) => name === topic))
    await admin.deleteTopics({ topics: [topic] })
    await until('it is gone', async () => !(await admin.listTopics()).includes(topic))
  })

  test('createTopics: false if all exist, an aggregate of what is refused otherwise', async () => {
    const admin = await connected()
    const topic = await facade.topic()
    assert.equal(await admin.createTopics({ topics: [{ topic }] }), false)
    await rejects(admin.createTopics({ topics: [{ topic }, { topic: 'not a name' }] }), error => {
      assert.ok(error instanceof KafkaJSAggregateError)
      const [first, second, ...others] = error.errors as KafkaJSCreateTopicError[]
      assert.ok(first instanceof KafkaJSCreateTopicError && second instanceof KafkaJSCreateTopicError)
      assert.deepEqual([first.topic, first.type, first.code], [topic, 'TOPIC_ALREADY_EXISTS', 36])
      assert.deepEqual([second.topic, second.type, second.code], ['not a name', 'INVALID_TOPIC_EXCEPTION', 17])
      assert.deepEqual(others, [])
      return true
    })
  })

  test('createTopics with replicas of its own, and only to see whether it may', async () => {
    const admin = await connected()
    const { brokers } = await admin.describeCluster()
    const [a = -1, b = -1] = brokers.map(({ nodeId }) => nodeId)
    const topic = fresh('assigned')
    const replicaAssignment = [
      { partition: 1, replicas: [b] },
      { partition: 0, replicas: [a] },
    ]
    assert.equal(await admin.createTopics({ validateOnly: true, topics: [{ topic, replicaAssignment }] }), true)
    assert.ok(!(await admin.listTopics()).includes(topic))
    assert.equal(await admin.createTopics({ topics: [{ topic, replicaAssignment }] }), true)
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const leaders = new Map(topics[0]?.partitions.map(({ partitionId, leader }) => [partitionId, leader]))
    assert.deepEqual([leaders.get(0), leaders.get(1)], [a, b])
  })

  test('createTopics refuses what is no topic', async () => {
    const admin = await connected()
    const attempts: unknown[] = [
      null,
      'topic',
      [{ topic: 123 }],
      [{ topic: 'twice' }, { topic: 'twice' }],
      [{ topic: 'configured', configEntries: 'retention.ms=1' }],
      [{ topic: 'configured', configEntries: ['retention.ms=1'] }],
      [{ topic: 'configured', configEntries: [{ name: 'retention.ms' }] }],
      [{ topic: 'configured', configEntries: [{ value: '1' }] }],
      [{ topic: 'configured', configEntries: [{ name: 'retention.ms', value: 1 }] }],
      [{ topic: 'assigned', replicaAssignment: [{ partition: 1, replicas: [1] }] }],
    ]
    for (const topics of attempts) await rejects(admin.createTopics({ topics: anything(topics) }), refusal)
    assert.equal(await admin.createTopics({ topics: [] }), true)
  })

  test('deleteTopics refuses what is no name, and tells of a topic that does not exist', async () => {
    const admin = await connected()
    for (const topics of [null, 'topic', [123]])
      await rejects(admin.deleteTopics({ topics: anything(topics) }), refusal)
    await rejects(admin.deleteTopics({ topics: [fresh('nowhere')] }), error => {
      assert.ok(error instanceof KafkaJSNumberOfRetriesExceeded)
      assert.ok(error.cause instanceof KafkaJSProtocolError)
      assert.equal(error.cause.type, 'UNKNOWN_TOPIC_OR_PARTITION')
      return true
    })
  })

  test('fetchTopicMetadata rejects for a topic that does not exist, and creates none', async () => {
    const admin = await connected()
    const topic = fresh('nowhere')
    for (const name of [null, 0, '']) await rejects(admin.fetchTopicMetadata({ topics: [anything(name)] }), refusal)
    await rejects(admin.fetchTopicMetadata({ topics: [topic] }), {
      name: 'KafkaJSProtocolError',
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
      code: 3,
      message: 'This server does not host this topic-partition',
    })
    assert.ok(!(await admin.listTopics()).includes(topic))
  })

  test('partitions are added', async () => {
    const admin = await connected()
    const topic = await facade.topic()
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
    await until('they are there', async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      return topics[0]?.partitions.length === 3
    })
    const fewer = admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] })
    await rejects(fewer, { name: 'KafkaJSProtocolError', type: 'INVALID_PARTITIONS' })
    const elsewhere = admin.createPartitions({ topicPartitions: [{ topic, count: 4, assignments: [[10]] }] })
    await rejects(elsewhere, { name: 'KafkaJSProtocolError', type: 'INVALID_REPLICA_ASSIGNMENT' })
    const nowhere = admin.createPartitions({ topicPartitions: [{ topic: fresh('nowhere'), count: 3 }] })
    await rejects(nowhere, { name: 'KafkaJSProtocolError', type: 'UNKNOWN_TOPIC_OR_PARTITION' })
    for (const topicPartitions of [
      null,
      'topic',
      [],
      [{ topic: 1, count: 1 }],
      [
        { topic, count: 9 },
        { topic, count: 9 },
      ],
    ]) {
      await rejects(admin.createPartitions({ topicPartitions: anything(topicPartitions) }), refusal)
    }
  })

  test('describeCluster', async () => {
    const admin = await connected()
    const { brokers, controller, clusterId } = await admin.describeCluster()
    assert.equal(brokers.length, 3)
    for (const { nodeId, host, port } of brokers) {
      assert.deepEqual([typeof nodeId, typeof host, typeof port], ['number', 'string', 'number'])
    }
    assert.ok(brokers.some(({ nodeId }) => nodeId === controller))
    assert.equal(typeof clusterId, 'string')
  })

  test('fetchTopicOffsets, also by timestamp', async () => {
    const admin = await connected()
    const topic = await facade.topic(2)
    const producer = facade.producer()
    await producer.connect()
    const at = (timestamp: number, partition: number) => ({ value: 'v', timestamp: String(timestamp), partition })
    await producer.send({ topic, messages: [at(1000, 0), at(2000, 0), at(3000, 0), at(1000, 1)] })
    assert.deepEqual(await admin.fetchTopicOffsets(topic), [
      { partition: 0, offset: '3', high: '3', low: '0' },
      { partition: 1, offset: '1', high: '1', low: '0' },
    ])
    const found = async (timestamp?: unknown): Promise<string[]> =>
      (await admin.fetchTopicOffsetsByTimestamp(topic, anything(timestamp))).map(({ offset }) => offset)
    assert.deepEqual(await found(1500), ['1', '1'])
    assert.deepEqual(await found('3000'), ['2', '1'])
    assert.deepEqual(await found(9000), ['3', '1'])
    assert.deepEqual(await found(-2), ['0', '0'])
    assert.deepEqual(await found(), ['3', '1'])
    await rejects(admin.fetchTopicOffsets(anything(null)), refusal)
    await rejects(admin.fetchTopicOffsetsByTimestamp(anything(['t']), 1), refusal)
    await rejects(admin.fetchTopicOffsetsByTimestamp(topic, anything('soon')), refusal)
    await rejects(admin.fetchTopicOffsets(fresh('nowhere')), error => {
      assert.ok(error instanceof KafkaJSNumberOfRetriesExceeded && error.cause instanceof KafkaJSProtocolError)
      assert.equal(error.cause.type, 'UNKNOWN_TOPIC_OR_PARTITION')
      return true
    })
  })

  test('records are deleted up to an offset, or all of them', async () => {
    const lines: string[] = []
    const kafka = facade.kafka({
      logLevel: 2,
      logCreator: () => entry => void lines.push(`${entry.label} ${entry.log.message}`),
    })
    const admin = facade.admin(once, kafka)
    await admin.connect()
    const topic = await facade.topic(2)
    const producer = facade.producer()
    await producer.connect()
    const messagesOf = (partition: number) => messages(10).map(message => ({ ...message, partition }))
    await producer.send({ topic, messages: [...messagesOf(0), ...messagesOf(1)] })
    const lows = async (): Promise<string[]> => (await admin.fetchTopicOffsets(topic)).map(({ low }) => low)

    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '7' }] })
    assert.deepEqual(await lows(), ['7', '0'])
    assert.deepEqual(lines, [])
    await admin.deleteTopicRecords({
      topic,
      partitions: [
        { partition: 0, offset: '3' },
        { partition: 1, offset: '-1' },
      ],
    })
    assert.deepEqual(await lows(), ['7', '10'])
    assert.equal(lines.filter(line => /WARN .*no records will be deleted/.test(line)).length, 1)
  })

  test('records that cannot be deleted', async () => {
    const admin = await connected()
    const topic = await facade.topic()
    for (const name of [null, ['topic'], '']) {
      const partitions = [{ partition: 0, offset: '0' }]
      await rejects(admin.deleteTopicRecords({ topic: anything(name), partitions }), refusal)
    }
    await rejects(admin.deleteTopicRecords({ topic, partitions: [] }), refusal)
    const missing = { partition: 5, offset: '0' }
    await rejects(admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '0' }, missing] }), error => {
      assert.ok(error instanceof KafkaJSDeleteTopicRecordsError)
      assert.equal(error.retriable, false)
      const [first, ...others] = error.partitions
      assert.deepEqual([first?.partition, first?.offset, others.length], [5, '0', 0])
      assert.ok(first?.error instanceof KafkaJSBrokerNotFound)
      return true
    })
    await rejects(admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '99' }] }), error => {
      assert.ok(error instanceof KafkaJSNonRetriableError && error.cause instanceof KafkaJSDeleteTopicRecordsError)
      const [first] = error.cause.partitions
      assert.ok(first?.error instanceof KafkaJSProtocolError)
      assert.deepEqual([first.partition, first.offset, first.error.type], [0, '99', 'OFFSET_OUT_OF_RANGE'])
      assert.equal(first.error.name, 'KafkaJSProtocolError')
      return true
    })
  })

  test('configurations are described and replaced', async () => {
    const admin = await connected()
    const topic = await facade.topic()
    const { brokers } = await admin.describeCluster()
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
    const described = async (): Promise<ConfigEntries | undefined> => {
      const query = { ...resource, configNames: ['cleanup.policy'] }
      const { resources } = await admin.describeConfigs({ resources: [query], includeSynonyms: true })
      assert.deepEqual(resources[0]?.configEntries.length, 1)
      return resources[0].configEntries[0]
    }
    const { resources, throttleTime } = await admin.describeConfigs({
      resources: [resource, { type: ConfigResourceTypes.BROKER, name: String(brokers[1]?.nodeId) }],
      includeSynonyms: false,
    })
    assert.equal(throttleTime, 0)
    assert.deepEqual(
      resources.map(({ errorCode, errorMessage, resourceName, resourceType }) => {
        return { errorCode, errorMessage, resourceName, resourceType }
      }),
      [
        { errorCode: 0, errorMessage: null, resourceName: topic, resourceType: 2 },
        { errorCode: 0, errorMessage: null, resourceName: String(brokers[1]?.nodeId), resourceType: 4 },
      ],
    )
    assert.ok((resources[0]?.configEntries.length ?? 0) > 1)
    assert.ok(resources[0]?.configEntries.every(({ configSynonyms }) => configSynonyms.length === 0))
    const before = await described()
    assert.deepEqual(
      [before?.configValue, before?.isDefault, before?.configSource],
      ['delete', true, ConfigSource.DEFAULT_CONFIG],
    )

    const change = { ...resource, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }
    await admin.alterConfigs({ validateOnly: true, resources: [change] })
    assert.equal((await described())?.configValue, 'delete')
    const altered: unknown = await admin.alterConfigs({ validateOnly: false, resources: [change] })
    assert.deepEqual(altered, {
      resources: [{ errorCode: 0, errorMessage: null, resourceName: topic, resourceType: 2 }],
      throttleTime: 0,
    })
    const after = await described()
    assert.deepEqual(
      [after?.configValue, after?.isDefault, after?.configSource],
      ['compact', false, ConfigSource.TOPIC_CONFIG],
    )
    assert.deepEqual(after?.configSynonyms[0], {
      configName: 'cleanup.policy',
      configValue: 'compact',
      configSource: ConfigSource.TOPIC_CONFIG,
    })
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries: [] }] })
    assert.equal((await described())?.configValue, 'delete')
  })

  test('what is no configuration is refused', async () => {
    const admin = await connected()
    const type = ConfigResourceTypes.TOPIC
    const resources: unknown[] = [null, 'topic', [], [{ type: 1999 }], [{ type, name: null }], [{ type, name: 123 }]]
    for (const given of [...resources, [{ type, name: 'a', configNames: 123 }]]) {
      await rejects(admin.describeConfigs({ resources: anything(given), includeSynonyms: false }), refusal)
    }
    for (const configEntries of [123, [{}], [{ name: 'a' }], [null]]) {
      const given = anything<[]>([{ type, name: 'a', configEntries }])
      await rejects(admin.alterConfigs({ resources: given, validateOnly: false }), refusal)
    }
    for (const given of resources) {
      await rejects(admin.alterConfigs({ resources: anything(given), validateOnly: false }), refusal)
    }
    const nowhere = { type, name: fresh('nowhere') }
    await rejects(admin.describeConfigs({ resources: [nowhere], includeSynonyms: false }), {
      name: 'KafkaJSProtocolError',
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  })

  test('partitions move to other brokers', async () => {
    const admin = await connected()
    const { brokers } = await admin.describeCluster()
    const [a = -1, b = -1, c = -1] = brokers.map(({ nodeId }) => nodeId)
    const topic = fresh('moving')
    await admin.createTopics({
      topics: [
        {
          topic,
          replicaAssignment: [
            { partition: 0, replicas: [a, b] },
            { partition: 1, replicas: [b, c] },
          ],
        },
      ],
    })
    await admin.alterPartitionReassignments({
      topics: [{ topic, partitionAssignment: [{ partition: 0, replicas: [c, b] }] }],
    })
    const { topics } = await admin.listPartitionReassignments({ topics: [{ topic, partitions: [0, 1, 2] }] })
    for (const each of topics) assert.equal(each.topic, topic)
    await until('it has moved', async () => {
      const described = await admin.fetchTopicMetadata({ topics: [topic] })
      const replicas = described.topics[0]?.partitions.find(({ partitionId }) => partitionId === 0)?.replicas
      return replicas?.join() === [c, b].join()
    })
    assert.deepEqual(await admin.listPartitionReassignments({}), { topics: [] })
  })

  test('moves that cannot be', async () => {
    const admin = await connected()
    const topic = await facade.topic()
    const failures = async (name: string, replicas: number[]): Promise<unknown[]> => {
      const topics = [{ topic: name, partitionAssignment: [{ partition: 0, replicas }] }]
      const error: unknown = await admin.alterPartitionReassignments({ topics }).catch((reason: unknown) => reason)
      assert.ok(error instanceof KafkaJSAggregateError)
      const [first] = error.errors
      assert.ok(first instanceof KafkaJSAlterPartitionReassignmentsError)
      return [first.topic, first.partition, first.type]
    }
    const nowhere = fresh('nowhere')
    assert.deepEqual(await failures(nowhere, [1, 2]), [nowhere, 0, 'UNKNOWN_TOPIC_OR_PARTITION'])
    assert.deepEqual(await failures(topic, [77]), [topic, 0, 'INVALID_REPLICA_ASSIGNMENT'])

    const partitions: unknown[] = [
      null,
      'x',
      [{ partition: null }],
      [{ partition: -1 }],
      [{ partition: 0, replicas: null }],
    ]
    for (const partitionAssignment of [
      ...partitions,
      [{ partition: 0, replicas: [0, 'a'] }],
      [{ partition: 0, replicas: [-1] }],
    ]) {
      await rejects(admin.alterPartitionReassignments({ topics: anything([{ topic, partitionAssignment }]) }), refusal)
    }
    for (const topics of [null, 'topic', [{ topic: 1 }], [{ topic, partitionAssignment: [] }, { topic }]]) {
      await rejects(admin.alterPartitionReassignments({ topics: anything(topics) }), refusal)
    }
    for (const topics of ['topic', [{ topic: 1 }], [{ topic, partitions: null }], [{ topic, partitions: ['a'] }]]) {
      await rejects(admin.listPartitionReassignments({ topics: anything(topics) }), refusal)
    }
  })
}
