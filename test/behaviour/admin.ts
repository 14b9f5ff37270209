/** Administrative calls: the same tests on real Kafka and on the embedded cluster. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  KafkaError,
  OFFSET_INVALID,
  Producer,
  type AclBinding,
  type TopicPartition,
} from 'ottla'
import { as, fresh, type World } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = { logger: (): void => undefined }

/** Registers the tests; `start` starts their cluster. */
export function adminScenarios(start: () => Promise<World>): void {
  let world: World
  let admin: AdminClient

  before(async () => {
    world = await start()
    admin = new AdminClient(as(world, 'admin'), quiet)
  })

  after(async () => {
    await admin.close()
    await world.close()
  })

  async function newTopic(numPartitions = 3): Promise<string> {
    const topic = fresh('admin')
    await createTopic(as(world, 'admin'), topic, { numPartitions, replicationFactor: 3 })
    // Other brokers than the one that answered learn of the topic a moment later.
    for (;;) {
      const [described] = await admin.describeTopics([topic])
      if (described?.error === undefined && described?.partitions.every(p => p.leader >= 0) === true) return topic
    }
  }

  async function fill(topic: string, count: number): Promise<void> {
    const producer = new Producer(as(world, 'admin'), quiet)
    const messages = Array.from({ length: count }, (_, i) => ({
      topic,
      partition: 0,
      value: `${i}`,
      timestamp: 1000 + i,
    }))
    for (const report of await producer.sendBatch(messages)) assert.equal(report.error, undefined)
    await producer.close()
  }

  test('the cluster is described with its id, its three brokers and the one that takes controller requests', async () => {
    const { clusterId, controllerId, nodes, controller } = await admin.describeCluster()
    assert.equal(typeof clusterId, 'string')
    assert.equal(nodes.length, 3)
    assert.ok(nodes.some(n => n.id === controllerId))
    assert.equal(controller?.id, controllerId)
    assert.equal(await admin.clusterId(), clusterId)
    assert.ok((await admin.controllerId()) >= 0)
  })

  test('a topic is created, described, grown and deleted', async () => {
    const topic = await newTopic(2)
    let [described] = await admin.describeTopics([topic], { includeAuthorizedOperations: true })
    // A different broker may answer than the one that newTopic asked.
    while (described?.error !== undefined) {
      ;[described] = await admin.describeTopics([topic], { includeAuthorizedOperations: true })
    }
    assert.equal(described?.partitions.length, 2)
    assert.equal(described.isInternal, false)
    assert.equal(described.partitions[0]?.replicas.length, 3)
    assert.ok(described.authorizedOperations?.includes('write'))

    const [twice] = await admin.createTopics([{ topic, numPartitions: 1 }])
    assert.equal(twice?.error?.code, ErrorCode.ERR_TOPIC_ALREADY_EXISTS)
    assert.match(twice.error.message, new RegExp(topic))

    assert.deepEqual(await admin.createPartitions([{ topic, increaseTo: 5 }]), [{ topic }])
    const [fewer] = await admin.createPartitions([{ topic, increaseTo: 1 }])
    assert.equal(fewer?.error?.code, ErrorCode.ERR_INVALID_PARTITIONS)
    // The other brokers of a real cluster learn of it a moment later; the test's timeout limits the wait.
    while ((await admin.getMetadata({ topic })).topics[0]?.partitions.length !== 5);

    assert.deepEqual(await admin.deleteTopics([topic]), [{ topic }])
    const [again] = await admin.deleteTopics([topic])
    assert.equal(again?.error?.code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  })

  test('with validateOnly nothing is created', async () => {
    const topic = fresh('never')
    const [valid] = await admin.createTopics([{ topic, numPartitions: 1 }], { validateOnly: true })
    assert.equal(valid?.error, undefined)
    const [described] = await admin.describeTopics([topic])
    assert.equal(described?.error?.code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  })

  test('a topic that the broker refuses has an error, and the others are created', async () => {
    const good = fresh('admin')
    const results = await admin.createTopics([
      { topic: 'not a name!' },
      { topic: good, numPartitions: 1 },
      { topic: fresh('admin'), numPartitions: 1, replicationFactor: 99 },
      { topic: fresh('admin'), numPartitions: 1, config: { 'no.such.config': 'x' } },
    ])
    assert.deepEqual(
      results.map(r => r.error?.code),
      [
        ErrorCode.ERR_TOPIC_EXCEPTION,
        undefined,
        ErrorCode.ERR_INVALID_REPLICATION_FACTOR,
        ErrorCode.ERR_INVALID_CONFIG,
      ],
    )
    assert.equal(results[1]?.topic, good)
    assert.match(results[1].topicId ?? '', /^[\w-]{22}$/)
  })

  test('a user without permission gets the broker’s authorization error', async () => {
    const mallory = new AdminClient(as(world, 'mallory'), quiet)
    const [created] = await mallory.createTopics([{ topic: fresh('admin'), numPartitions: 1 }])
    assert.equal(created?.error?.code, ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED)
    const [acl] = await mallory.createAcls([rule('mallory', 'x')])
    assert.equal(acl?.error?.code, ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED)
    await mallory.close()
  })

  test('access rules are created, found by filters and deleted', async () => {
    const name = fresh('acl')
    const rules = [rule('carol', name), { ...rule('carol', name), operation: 'read' as const }, rule('dave', name)]
    for (const result of await admin.createAcls(rules)) assert.equal(result.error, undefined)
    await until(async () => (await admin.describeAcls({ resourceType: 'topic', name })).length === 3)
    let carols: AclBinding[] = []
    await until(async () => {
      carols = await admin.describeAcls({ principal: 'User:carol', name, resourceType: 'topic' })
      return carols.length === 2
    })
    assert.deepEqual(carols.map(r => r.operation).toSorted(), ['read', 'write'])
    assert.deepEqual(carols[0]?.resourcePatternType, 'literal')

    const [first, second] = await admin.deleteAcls([
      { principal: 'User:dave', name },
      { resourceType: 'topic', name: 'nobody-has-this-one' },
    ])
    assert.deepEqual(first, { bindings: [rule('dave', name)] })
    assert.deepEqual(second, { bindings: [] })
    await admin.deleteAcls([{ name }])
    await until(async () => (await admin.describeAcls({ name })).length === 0)
  })

  test('offsets are listed by position and by time, per partition', async () => {
    const topic = await newTopic(2)
    await fill(topic, 10)
    const zero = { topic, partition: 0 }
    const offsets = await admin.listOffsets([
      { ...zero, spec: 'earliest' },
      { ...zero, spec: 'latest' },
      { ...zero, spec: 'max-timestamp' },
      { ...zero, spec: { timestamp: 1004 } },
      { ...zero, spec: { timestamp: 9_999_999 } },
      { topic, partition: 1, spec: 'latest' },
      { topic, partition: 7, spec: 'latest' },
    ])
    assert.deepEqual(
      offsets.map(o => o.offset),
      [0, 10, 9, 4, -1, 0, -1],
    )
    assert.equal(offsets[3]?.timestamp, 1004)
    assert.ok(offsets[6]?.error instanceof KafkaError)
    const missing = await admin.listOffsets([{ topic: fresh('missing'), partition: 0, spec: 'latest' }])
    assert.equal(missing[0]?.error?.code, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)
  })

  test('records before an offset are deleted', async () => {
    const topic = await newTopic(1)
    await fill(topic, 10)
    const zero = { topic, partition: 0 }
    assert.deepEqual(await admin.deleteRecords([{ ...zero, offset: 4 }]), [{ ...zero, lowWatermark: 4 }])
    const [earliest] = await admin.listOffsets([{ ...zero, spec: 'earliest' }])
    assert.equal(earliest?.offset, 4)
    const [beyond] = await admin.deleteRecords([{ ...zero, offset: 99 }])
    assert.equal(beyond?.error?.code, ErrorCode.ERR_OFFSET_OUT_OF_RANGE)
    assert.deepEqual(await admin.deleteRecords([{ ...zero, offset: -1 }]), [{ ...zero, lowWatermark: 10 }])
  })

  test('configuration is described and changed entry by entry', async () => {
    const topic = await newTopic(1)
    const resource = { type: 'topic', name: topic } as const
    const set = { name: 'retention.ms', value: 86_400_000, operation: 'set' } as const
    assert.deepEqual(await admin.incrementalAlterConfigs([{ ...resource, entries: [set] }]), [resource])
    let [described] = await admin.describeConfigs([resource])
    // Any broker may answer, from its own metadata.
    await until(async () => {
      ;[described] = await admin.describeConfigs([resource])
      return described?.entries['retention.ms']?.value === '86400000'
    })
    assert.equal(described?.error, undefined)
    assert.equal(described?.entries['retention.ms']?.source, 'dynamic-topic')
    assert.equal(described.entries['retention.ms'].isDefault, false)
    assert.equal(described.entries['cleanup.policy']?.value, 'delete')

    const [wrong] = await admin.incrementalAlterConfigs([
      { ...resource, entries: [{ name: 'retention.ms', value: 'never', operation: 'set' }] },
    ])
    assert.equal(wrong?.error?.code, ErrorCode.ERR_INVALID_CONFIG)
  })

  test('a group is listed and described while it has a member, and deleted when it has none', async () => {
    const topic = await newTopic(2)
    await fill(topic, 5)
    const group = fresh('admin-group')
    const consumer = new Consumer({ ...as(world, 'admin'), 'group.id': group, 'auto.offset.reset': 'earliest' }, quiet)
    consumer.subscribe(topic)
    for (let i = 0; i < 5; i++) await consumer.readMessage(30_000)

    const { groups, errors } = await admin.listConsumerGroups({ states: ['Stable'] })
    assert.deepEqual(errors, [])
    const listed = groups.find(g => g.groupId === group)
    assert.deepEqual(listed, { groupId: group, state: 'Stable', type: 'classic', isSimple: false })
    const [described] = await admin.describeConsumerGroups([group])
    assert.equal(described?.error, undefined)
    assert.equal(described?.state, 'Stable')
    assert.equal(described.members.length, 1)
    assert.equal(described.members[0]?.clientId, 'admin')
    assert.deepEqual(described.members[0].assignment.toSorted(byPartition), [
      { topic, partition: 0 },
      { topic, partition: 1 },
    ])
    const [busy] = await admin.deleteConsumerGroups([group])
    assert.equal(busy?.error?.code, ErrorCode.ERR_NON_EMPTY_GROUP)
    await consumer.close()

    const offsets = await admin.listConsumerGroupOffsets(group)
    assert.equal(offsets.find(o => o.partition === 0)?.offset, 5)
    const zero = { topic, partition: 0 }
    const [altered] = await admin.alterConsumerGroupOffsets(group, [{ ...zero, offset: 2 }])
    assert.equal(altered?.error, undefined)
    const [now, never] = await admin.listConsumerGroupOffsets(group, [zero, { topic: fresh('none'), partition: 0 }])
    assert.equal(now?.offset, 2)
    assert.equal(never?.offset, OFFSET_INVALID)
    const [forgotten] = await admin.deleteConsumerGroupOffsets(group, [zero])
    assert.equal(forgotten?.error, undefined)
    const [gone] = await admin.listConsumerGroupOffsets(group, [zero])
    assert.equal(gone?.offset, OFFSET_INVALID)

    assert.deepEqual(await admin.deleteConsumerGroups([group]), [{ groupId: group }])
    const [deleted] = await admin.deleteConsumerGroups([group])
    assert.equal(deleted?.error?.code, ErrorCode.ERR_GROUP_ID_NOT_FOUND)
  })

  test('an admin client made from a producer shares its connections and closes without it', async () => {
    const topic = await newTopic(1)
    const producer = new Producer(as(world, 'admin'), quiet)
    const shared = AdminClient.from(producer)
    await until(async () => (await shared.describeTopics([topic]))[0]?.error === undefined)
    await shared.close()
    await assert.rejects(shared.clusterId(), withCode(ErrorCode.ERR__STATE))
    const report = await producer.send({ topic, value: 'still here' })
    assert.equal(report.error, undefined)
    await producer.close()
  })

  test('an aborted call rejects with the reason of its signal', async () => {
    const reason = new Error('changed my mind')
    await assert.rejects(admin.clusterId({ signal: AbortSignal.abort(reason) }), reason)
  })

  test('a wrong password is reported as such', async () => {
    const settings = { ...as(world, 'admin'), 'sasl.password': 'wrong' }
    await using stranger = new AdminClient(settings, quiet)
    await assert.rejects(stranger.clusterId({ requestTimeoutMs: 3000 }), withCode(ErrorCode.ERR__AUTHENTICATION))
  })
}

function rule(user: string, name: string): AclBinding {
  return {
    resourceType: 'topic',
    name,
    resourcePatternType: 'literal',
    principal: `User:${user}`,
    host: '*',
    operation: 'write',
    permissionType: 'allow',
  }
}

function withCode(code: number): (error: unknown) => boolean {
  return error => error instanceof KafkaError && error.code === code
}

function byPartition(a: TopicPartition, b: TopicPartition): number {
  return a.partition - b.partition
}

/** Asks again until all of it is there, because brokers learn of changes one after the other. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 50))
}
