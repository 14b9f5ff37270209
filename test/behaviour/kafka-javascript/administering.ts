/** What Confluent's specs ask of administration (`test/promisified/admin`, `e2e/admin*.spec.js`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaJS, RdKafka } from '@ottla/kafka-javascript'
import { closing } from '../../harness/closing.ts'
import { fresh } from '../world.ts'
import { confluentWorldOf, until, type PlainCluster } from './confluent-world.ts'

const { AclOperationTypes, ConsumerGroupStates, ConsumerGroupTypes, ErrorCodes, IsolationLevel } = KafkaJS

/** @param start a cluster of one broker */
export function administeringScenarios(start: () => Promise<PlainCluster>): void {
  const world = confluentWorldOf(start)

  test('createTopics: new, existing, refused; deleteTopics; listTopics', async () => {
    const admin = await world.admin()
    const [one, two] = [fresh('topic'), fresh('topic')]
    assert.equal(await admin.createTopics({ topics: [{ topic: one, numPartitions: 3 }] }), true)
    assert.equal(await admin.createTopics({ topics: [{ topic: one }, { topic: two }] }), false)
    const topics = await admin.listTopics()
    assert.ok(topics.includes(one) && topics.includes(two))
    await assert.rejects(
      admin.createTopics({
        topics: [
          { topic: fresh('topic'), replicationFactor: 99 },
          { topic: fresh('topic'), numPartitions: 0 },
        ],
      }),
      (error: KafkaJS.KafkaJSAggregateError) => {
        assert.ok(error instanceof KafkaJS.KafkaJSAggregateError)
        const codes = error.errors.map(each => {
          assert.ok(each instanceof KafkaJS.KafkaJSCreateTopicError)
          return each.code
        })
        const { ERR_INVALID_PARTITIONS, ERR_INVALID_REPLICATION_FACTOR } = ErrorCodes
        assert.deepEqual(new Set(codes), new Set([ERR_INVALID_PARTITIONS, ERR_INVALID_REPLICATION_FACTOR]))
        return true
      },
    )
    for (const key of ['validateOnly', 'waitForLeaders'])
      await assert.rejects(admin.createTopics({ topics: [], [key]: true }), { code: ErrorCodes.ERR__NOT_IMPLEMENTED })
    await admin.deleteTopics({ topics: [one, two] })
    await until(async () => !(await admin.listTopics()).includes(one), 'the deletion')
    await assert.rejects(admin.deleteTopics({ topics: [one] }), { code: ErrorCodes.ERR_UNKNOWN_TOPIC_OR_PART })
  })

  test('fetchTopicMetadata: partitions with their brokers, ids, and what is allowed', async () => {
    const admin = await world.admin()
    const topic = await world.topic(2)
    const [found] = await admin.fetchTopicMetadata({ topics: [topic], includeAuthorizedOperations: true })
    assert.equal(found?.name, topic)
    assert.equal(found.isInternal, false)
    assert.equal(found.partitions.length, 2)
    const [partition] = found.partitions
    const node = partition?.leaderNode
    assert.ok(node !== undefined && node !== null && `${node.host}:${node.port}` !== ':-1')
    assert.deepEqual(partition?.replicas, [node.id])
    assert.deepEqual(partition.isrNodes, [node])
    assert.equal(typeof found.topicId?.mostSignificantBits, 'bigint')
    assert.match(found.topicId?.base64str ?? '', /^[\w-]{22}$/)
    assert.equal(found.topicId?.base64, found.topicId?.base64str)
    assert.ok(found.authorizedOperations?.includes(AclOperationTypes.READ))
    await assert.rejects(admin.fetchTopicMetadata({ topics: [fresh('missing')] }), {
      code: ErrorCodes.ERR_UNKNOWN_TOPIC_OR_PART,
    })
    assert.ok((await admin.fetchTopicMetadata()).some(({ name }) => name === topic))
  })

  test('groups: list, describe, delete', async () => {
    const admin = await world.admin()
    const topic = await world.topic(2)
    const groupId = fresh('group')
    const consumer = await world.consumer({ groupId, clientId: 'me' } as never)
    await consumer.subscribe({ topic })
    await consumer.run({ eachMessage: async () => undefined })
    await until(() => consumer.assignment().length === 2, 'an assignment')
    const { groups, errors } = await admin.listGroups({ matchConsumerGroupTypes: [ConsumerGroupTypes.CLASSIC] })
    assert.deepEqual(errors, [])
    assert.deepEqual(
      groups.find(each => each.groupId === groupId),
      {
        groupId,
        protocolType: 'consumer',
        isSimpleConsumerGroup: false,
        state: ConsumerGroupStates.STABLE,
        type: ConsumerGroupTypes.CLASSIC,
      },
    )
    const others = await admin.listGroups({ matchConsumerGroupStates: [ConsumerGroupStates.EMPTY] })
    assert.ok(!others.groups.some(each => each.groupId === groupId))
    const [group] = (await admin.describeGroups([groupId], { includeAuthorizedOperations: true })).groups
    assert.equal(group?.state, ConsumerGroupStates.STABLE)
    assert.equal(group.partitionAssignor, 'roundrobin')
    assert.equal(group.coordinator.id >= 0, true)
    assert.equal(group.members[0]?.clientId, 'me')
    assert.equal(group.members[0].assignment.topicPartitions.length, 2)
    assert.ok(group.authorizedOperations?.includes(AclOperationTypes.DELETE))
    await assert.rejects(admin.describeGroups([]), { message: 'Must provide at least one group name' })
    await assert.rejects(admin.describeGroups([groupId], { timeout: 0 }), { code: ErrorCodes.ERR__TIMED_OUT })
    await assert.rejects(admin.deleteGroups([groupId], { timeout: 0 }), { code: ErrorCodes.ERR__TIMED_OUT })
    await assert.rejects(admin.listTopics({ timeout: 0.01 }), { code: ErrorCodes.ERR__TIMED_OUT })
    await assert.rejects(admin.deleteGroups([groupId]), (error: KafkaJS.KafkaJSDeleteGroupsError) => {
      assert.ok(error instanceof KafkaJS.KafkaJSDeleteGroupsError)
      assert.equal(error.groups[0]?.errorCode, ErrorCodes.ERR_NON_EMPTY_GROUP)
      assert.ok(KafkaJS.isKafkaJSError(error.groups[0].error))
      return true
    })
    await consumer.disconnect()
    assert.deepEqual(await admin.deleteGroups([groupId]), [{ groupId, errorCode: 0 }])
  })

  test('offsets: of groups, of topics, by time; records are deleted', async () => {
    const admin = await world.admin()
    const topic = await world.topic(2)
    const producer = await world.producer()
    await producer.send({
      topic,
      messages: [1000, 2000, 3000].map(timestamp => ({ value: 'a', partition: 0, timestamp: String(timestamp) })),
    })
    assert.deepEqual(await admin.fetchTopicOffsets(topic, { isolationLevel: IsolationLevel.READ_COMMITTED }), [
      { partition: 0, offset: '3', high: '3', low: '0' },
      { partition: 1, offset: '0', high: '0', low: '0' },
    ])
    assert.deepEqual(await admin.fetchTopicOffsetsByTimestamp(topic, 1500), [
      { partition: 0, offset: '1' },
      { partition: 1, offset: '0' },
    ])
    assert.deepEqual((await admin.fetchTopicOffsetsByTimestamp(topic, 9000))[0], { partition: 0, offset: '3' })
    assert.deepEqual((await admin.fetchTopicOffsetsByTimestamp(topic))[0], { partition: 0, offset: '3' })
    const groupId = fresh('group')
    const consumer = await world.consumer({ groupId, autoCommit: false })
    await consumer.subscribe({ topic })
    await consumer.run({ eachMessage: async () => undefined })
    await until(() => consumer.assignment().length === 2, 'an assignment')
    await consumer.commitOffsets([{ topic, partition: 0, offset: '2', metadata: 'm' }])
    const committed = [{ partition: 0, offset: '2', metadata: 'm', error: null }]
    for (const topics of [[topic], [{ topic, partitions: [0] }], undefined, null] as (
      KafkaJS.TopicInput | undefined
    )[]) {
      const given = topics === undefined ? { groupId } : { groupId, topics }
      const [found] = await admin.fetchOffsets(given)
      assert.equal(found?.topic, topic)
      assert.deepEqual(
        found.partitions.map(({ leaderEpoch: _, ...rest }) => rest),
        committed,
      )
    }
    await assert.rejects(admin.fetchOffsets({ groupId: '' }), { code: ErrorCodes.ERR__INVALID_ARG })
    const [deleted] = await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] })
    assert.deepEqual(deleted, { topic, partition: 0, lowWatermark: 2 })
    await assert.rejects(
      admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '99' }] }),
      (error: KafkaJS.KafkaJSDeleteTopicRecordsError) =>
        error instanceof KafkaJS.KafkaJSDeleteTopicRecordsError &&
        error.partitions[0]?.error.code === ErrorCodes.ERR_OFFSET_OUT_OF_RANGE,
    )
  })

  test('dependentAdmin shares the connections of a producer or a consumer', async () => {
    const unconnected = world.kafka().producer().dependentAdmin()
    const early = 'Underlying client is not connected.'
    await assert.rejects(unconnected.connect(), { code: ErrorCodes.ERR__STATE, message: early })
    const left = await world.producer()
    await left.disconnect()
    const message = 'Existing client must be connected before creating a new client from it'
    await assert.rejects(left.dependentAdmin().connect(), { code: ErrorCodes.ERR__STATE, message })
    for (const owner of [await world.producer(), await world.consumer()]) {
      const admin = owner.dependentAdmin()
      await admin.connect()
      assert.ok(Array.isArray(await admin.listTopics()))
      await admin.disconnect()
      await assert.rejects(admin.listTopics(), { code: ErrorCodes.ERR__STATE })
    }
  })

  test('statistics go to stats_cb', async () => {
    let json = ''
    const beside = { 'statistics.interval.ms': 100, stats_cb: ({ message }: { message: string }) => (json = message) }
    const admin = world.kafka().admin(beside)
    await admin.connect()
    await until(() => json !== '', 'statistics')
    assert.equal((JSON.parse(json) as { client_id: string }).client_id, 'rdkafka')
    await admin.disconnect()
  })

  test('RdKafka.AdminClient: with callbacks; create and createFrom', async () => {
    const topic = await world.topic()
    let ready = ''
    const admin = RdKafka.AdminClient.create(
      { 'bootstrap.servers': world.brokers },
      { ready: ({ name }: { name: string }) => (ready = name) },
    )
    closing({ close: async () => admin.disconnect() })
    assert.notEqual(ready, '')
    const topics = await new Promise<string[]>((resolve, reject) => {
      admin.listTopics((error, list) =>
        (error as unknown) === null ? resolve(list) : reject(new Error(error.message)),
      )
    })
    assert.ok(topics.includes(topic))
    const partitions = [{ topic, partition: 0, offset: RdKafka.OffsetSpec.LATEST }]
    const [latest] = await new Promise<RdKafka.ListOffsetsResult[]>((resolve, reject) => {
      admin.listOffsets(partitions, {}, (error, list) =>
        (error as unknown) === null ? resolve(list) : reject(new Error(error.message)),
      )
    })
    assert.equal(latest?.offset, 0)
    const failure = await new Promise<RdKafka.LibrdKafkaError>(resolve => {
      admin.deleteTopic(fresh('missing'), error => resolve(error))
    })
    assert.equal(failure.code, RdKafka.CODES.ERRORS.ERR_UNKNOWN_TOPIC_OR_PART)
    const producer = new RdKafka.Producer({ 'bootstrap.servers': world.brokers })
    assert.throws(() => RdKafka.AdminClient.createFrom(producer), /must be connected/)
  })
}
