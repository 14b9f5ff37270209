/** Administrative calls: moves, elections, quotas, members, tokens. Real or embedded. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { AdminClient, Consumer, ErrorCode, Producer, type KafkaError } from 'ottla'
import { as, fresh, type World } from './world.ts'

const quiet = { logger: (): void => undefined }

/** Registers the tests; `start` starts their cluster. */
export function adminOperations(start: () => Promise<World>): void {
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

  /** Creates a topic with one partition on all three brokers, led by the first. */
  async function newTopic(): Promise<string> {
    const topic = fresh('operations')
    await done(admin.createTopics([{ topic, replicaAssignment: [[1, 2, 3]] }]))
    // Every broker must know it: the first request of a client goes to the only address that it has.
    for (const server of world.bootstrapServers.split(',')) {
      await until(async () => {
        await using client = new AdminClient({ ...as(world, 'admin'), 'bootstrap.servers': server }, quiet)
        const { topics } = await client.getMetadata({ topic })
        return topics[0]?.partitions[0]?.isr.length === 3
      })
    }
    return topic
  }

  test('a partition is moved, and its preferred leader elected', async () => {
    const topic = await newTopic()
    const zero = { topic, partition: 0 }
    const [needless] = await admin.electLeaders('preferred', [zero])
    assert.equal(needless?.error?.code, ErrorCode.ERR_ELECTION_NOT_NEEDED)

    assert.deepEqual(await admin.alterPartitionReassignments([{ ...zero, replicas: [2, 1] }]), [zero])
    await until(async () => (await admin.listPartitionReassignments([zero])).length === 0)
    assert.deepEqual(await admin.electLeaders('preferred', [zero]), [zero])
    await until(async () => {
      const [described] = await admin.describeTopics([topic])
      return described?.partitions[0]?.leader === 2 && described.partitions[0].replicas.join() === '2,1'
    })
    const results = await admin.electLeaders('preferred', [zero, { topic: fresh('missing'), partition: 0 }])
    assert.deepEqual(
      results.map(r => r.error?.code),
      [ErrorCode.ERR_ELECTION_NOT_NEEDED, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART],
    )
  })

  test('an impossible move is its partition’s error, and so is cancelling a move that is not in progress', async () => {
    const topic = await newTopic()
    const results = await admin.alterPartitionReassignments([
      { topic, partition: 0, replicas: [1, 99] },
      { topic, partition: 7, replicas: [1] },
    ])
    assert.deepEqual(
      results.map(r => r.error?.code),
      [ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART],
    )
    const [calledOff] = await admin.alterPartitionReassignments([{ topic, partition: 0, replicas: null }])
    assert.equal(calledOff?.error?.code, ErrorCode.ERR_NO_REASSIGNMENT_IN_PROGRESS)
  })

  test('directories are described with their contents, and a replica stays where it already is', async () => {
    const topic = await newTopic()
    const ask = (): ReturnType<AdminClient['describeLogDirs']> =>
      admin.describeLogDirs([3, 1], { partitions: [{ topic, partition: 0 }] })
    // A broker creates the directory a moment after the topic.
    await until(async () => (await ask()).every(b => b.logDirs[0]?.replicas.length === 1))
    const brokers = await ask()
    assert.deepEqual(
      brokers.map(b => b.brokerId),
      [3, 1],
    )
    const [dir] = brokers[1]?.logDirs ?? []
    assert.deepEqual(dir?.replicas, [{ topic, partition: 0, sizeBytes: 0, offsetLag: 0, isFuture: false }])
    assert.ok(dir.totalBytes > 0)
    const here = { topic, partition: 0, brokerId: 1 }
    assert.deepEqual(await admin.alterReplicaLogDirs([{ ...here, path: dir.path }]), [here])
    const [nowhere] = await admin.alterReplicaLogDirs([{ ...here, path: '/there/is/none' }])
    assert.equal(nowhere?.error?.code, ErrorCode.ERR_LOG_DIR_NOT_FOUND)
  })

  test('quotas are set for a user, a client and both, found by filters, and removed', async () => {
    const user = fresh('quota')
    const both = { user, 'client-id': 'batch' }
    await done(
      admin.alterClientQuotas([
        { entity: { user }, quotas: { producer_byte_rate: 1024, request_percentage: 12.5 } },
        { entity: both, quotas: { consumer_byte_rate: 2048 } },
      ]),
    )
    const ofUser = { components: [{ type: 'user', match: 'exact', name: user }] } as const
    await until(async () => (await admin.describeClientQuotas(ofUser)).length === 2)
    // A different broker may answer than the one that knew it.
    await until(async () => (await admin.describeClientQuotas({ ...ofUser, strict: true })).length === 1)
    const [wrong] = await admin.alterClientQuotas([{ entity: { user }, quotas: { 'no-such-quota': 1 } }])
    assert.equal(wrong?.error?.code, ErrorCode.ERR_INVALID_REQUEST)
    await done(
      admin.alterClientQuotas([{ entity: { user }, quotas: { producer_byte_rate: null } }], { validateOnly: true }),
    )
    await done(admin.alterClientQuotas([{ entity: both, quotas: { consumer_byte_rate: null } }]))
    let left = await admin.describeClientQuotas(ofUser)
    while (left.length !== 1) left = await admin.describeClientQuotas(ofUser)
    assert.deepEqual(left, [{ entity: { user }, quotas: { producer_byte_rate: 1024, request_percentage: 12.5 } }])
    await done(
      admin.alterClientQuotas([{ entity: { user }, quotas: { producer_byte_rate: null, request_percentage: null } }]),
    )
  })

  test('a producer and a consumer that exceed their quota are throttled', async () => {
    const topic = await newTopic()
    const id = fresh('slow')
    const config = { ...as(world, 'admin'), 'client.id': id }
    const entity = { user: 'admin', 'client-id': id }
    const rates = { producer_byte_rate: 2000, consumer_byte_rate: 2000 }
    await done(admin.alterClientQuotas([{ entity, quotas: rates }]))
    let producerMs = 0
    let sent = 0
    const producer = new Producer(config, quiet)
    producer.on('throttle', ({ throttleTimeMs }) => (producerMs = throttleTimeMs))
    // Ten seconds of the quota may be used at once.
    for (; producerMs === 0; sent++) await producer.send({ topic, partition: 0, value: randomBytes(1000) })
    assert.ok(sent > 10 && producerMs < 5000, `${sent} messages, ${producerMs} ms`)
    await producer.close()
    let consumerMs = 0
    const consumer = new Consumer({ ...config, 'group.id': id }, quiet)
    consumer.on('throttle', ({ throttleTimeMs }) => (consumerMs = throttleTimeMs))
    const start = { topic, partition: 0, offset: 0 }
    await consumer.assign([start])
    for (let read = 0; consumerMs === 0;) {
      const event = await consumer.poll(100)
      if (event?.type === 'message' && ++read % sent === 0) await consumer.seek([start])
    }
    await consumer.close()
    await done(admin.alterClientQuotas([{ entity, quotas: { producer_byte_rate: null, consumer_byte_rate: null } }]))
  })

  test('a whole configuration is replaced: entries that are not named return to their defaults', async () => {
    const topic = await newTopic()
    const resource = { type: 'topic', name: topic } as const
    await done(admin.alterConfigs([{ ...resource, entries: [{ name: 'retention.ms', value: 1000 }] }]))
    await done(admin.alterConfigs([{ ...resource, entries: [{ name: 'cleanup.policy', value: 'compact' }] }]))
    let [described] = await admin.describeConfigs([resource])
    while (described?.entries['cleanup.policy']?.value !== 'compact') {
      ;[described] = await admin.describeConfigs([resource])
    }
    assert.notEqual(described.entries['retention.ms']?.source, 'dynamic-topic')
  })

  test('members are removed from a group, by name and all of them', async () => {
    const topic = await newTopic()
    const group = fresh('operations-group')
    const consumer = new Consumer({ ...as(world, 'admin'), 'group.id': group, 'group.instance.id': 'one' }, quiet)
    consumer.subscribe(topic)
    while (consumer.assignment().length === 0) await consumer.poll(100)
    const results = await admin.removeMembersFromConsumerGroup(
      group,
      [{ groupInstanceId: 'one' }, { groupInstanceId: 'two' }],
      { reason: 'a test' },
    )
    assert.deepEqual(
      results.map(r => [r.groupInstanceId, r.error?.code]),
      [
        ['one', undefined],
        ['two', ErrorCode.ERR_UNKNOWN_MEMBER_ID],
      ],
    )
    // A static member does not leave when it closes; remove the members that are left.
    await consumer.close()
    for (const { error } of await admin.removeMembersFromConsumerGroup(group)) assert.equal(error, undefined)
    const [described] = await admin.describeConsumerGroups([group])
    assert.deepEqual(described?.members, [])
  })

  test('producers of a partition are described, and an unused transactional id is an error', async () => {
    const topic = await newTopic()
    const results = await admin.describeProducers([
      { topic, partition: 0 },
      { topic, partition: 9 },
    ])
    assert.deepEqual(results[0], { topic, partition: 0, producers: [] })
    assert.equal(results[1]?.error?.code, ErrorCode.ERR__UNKNOWN_PARTITION)
    const [unknown] = await admin.describeTransactions([fresh('nobody')])
    assert.equal(unknown?.error?.code, ErrorCode.ERR_TRANSACTIONAL_ID_NOT_FOUND)
    const id = fresh('fenced')
    const [first] = await admin.fenceProducers([id])
    const [second] = await admin.fenceProducers([id])
    assert.equal(first?.error, undefined)
    assert.equal(second?.producerId, first?.producerId)
    assert.equal(second?.producerEpoch, (first?.producerEpoch ?? 0) + 1)
  })

  async function done(results: Promise<{ error?: KafkaError }[]>): Promise<void> {
    for (const { error } of await results) assert.equal(error, undefined)
  }
}

/** Asks again until all of it is there, because brokers learn of changes one after the other. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 50))
}
