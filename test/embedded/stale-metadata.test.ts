/** Clients whose brokers lag behind: single answers to Metadata tell of the cluster as it was, or as it is not yet. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import {
  AdminClient,
  Consumer,
  ErrorCode,
  OFFSET_BEGINNING,
  Producer,
  ShareConsumer,
  type ConsumerConfig,
  type ProducerConfig,
} from 'ottla'
import { fresh } from '../behaviour/world.ts'

const E = ErrorCode
const NO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'
const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAAEQ'
const PRODUCE = 0
const FAST = { 'topic.metadata.refresh.interval.ms': 100, 'topic.metadata.refresh.fast.interval.ms': 20 }
const quiet = (): void => undefined

interface Lie {
  readonly errorCode?: number
  readonly topicId?: string
  readonly leaders?: readonly number[]
  /** Topics that are left out altogether. */
  readonly absent?: boolean
  readonly brokers?: boolean
}

// What a broker that lags behind may say of a topic of two partitions.
const lies: Record<string, Lie> = {
  'one partition less': { leaders: [1] },
  'no such topic': { errorCode: E.ERR_UNKNOWN_TOPIC_OR_PART, topicId: NO_ID, leaders: [] },
  'a topic that is being made': { errorCode: E.ERR_LEADER_NOT_AVAILABLE, leaders: [] },
  'a topic that may not be seen': { errorCode: E.ERR_TOPIC_AUTHORIZATION_FAILED, topicId: NO_ID, leaders: [] },
  'nothing at all about the topic': { absent: true },
  'another topic of the name, with one partition': { topicId: OTHER_ID, leaders: [1] },
  'no leader of the second partition': { leaders: [1, -1] },
  'a partition less, and no id': { topicId: NO_ID, leaders: [1] },
  'no brokers and no controller': { leaders: [1, 1], brokers: false },
}

/** Answers the next requests for the topic's metadata with a lie; resolves when all have been told. */
function lie(cluster: EmbeddedCluster, topic: string, topicId: string, what: Lie, times: number): Promise<void> {
  const { errorCode = 0, leaders = [], absent = false, brokers = true } = what
  return new Promise(resolve => {
    let left = times
    const end = cluster.control(({ apiName, body, clientId }) => {
      if (apiName !== 'Metadata' || left === 0 || clientId === 'writer') return undefined
      const asked = (body as { topics: { name: string }[] | null }).topics
      if (asked !== null && !asked.some(({ name }) => name === topic)) return undefined
      if (--left === 0) {
        end()
        resolve()
      }
      const [host = '', port] = cluster.bootstrapServers.split(':')
      const partitions = leaders.map((leaderId, partitionIndex) => ({
        errorCode: leaderId < 0 ? E.ERR_LEADER_NOT_AVAILABLE : 0,
        partitionIndex,
        leaderId,
        leaderEpoch: 0,
        replicaNodes: [1],
        isrNodes: [1],
        offlineReplicas: [],
      }))
      const told = {
        errorCode,
        name: topic,
        topicId: what.topicId ?? topicId,
        isInternal: false,
        topicAuthorizedOperations: -2147483648,
        partitions,
      }
      return {
        throttleTimeMs: 0,
        clusterId: null,
        controllerId: brokers ? 1 : -1,
        errorCode: 0,
        clusterAuthorizedOperations: -2147483648,
        brokers: brokers ? [{ nodeId: 1, host, port: Number(port), rack: null }] : [],
        topics: absent ? [] : [told],
      }
    })
  })
}

for (const release of ['4.3', '2.1'] as const) {
  describe(`metadata that is out of date, from a broker as of ${release}`, () => {
    const started = EmbeddedCluster.start({ as: release })
    after(async () => (await started).close())

    async function newTopic(): Promise<{ cluster: EmbeddedCluster; topic: string; topicId: string }> {
      const cluster = await started
      const topic = fresh('stale')
      cluster.createTopic(topic, { partitions: 2, replicationFactor: 1 })
      await using admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet })
      const [described] = await admin.describeTopics([topic])
      return { cluster, topic, topicId: described?.topicId ?? NO_ID }
    }

    const kinds: Record<string, Partial<ProducerConfig>> = {
      plain: { 'enable.idempotence': false },
      idempotent: { 'enable.idempotence': true },
      transactional: { 'enable.idempotence': true },
    }
    for (const [kind, config] of Object.entries(kinds)) {
      for (const [what, told] of Object.entries(lies)) {
        test(`a ${kind} producer that is told of ${what} once delivers all, in order`, async () => {
          const { cluster, topic, topicId } = await newTopic()
          await using producer = new Producer(
            {
              ...FAST,
              'bootstrap.servers': cluster.bootstrapServers,
              'linger.ms': 0,
              'retry.backoff.ms': 20,
              'retry.backoff.max.ms': 100,
              ...config,
              ...(kind === 'transactional' ? { 'transactional.id': fresh('txn') } : {}),
            },
            { logger: quiet },
          )
          if (kind === 'transactional') {
            await producer.initTransactions()
            producer.beginTransaction()
          }
          await producer.send({ topic, partition: 1, value: 'first' })
          cluster.failPartition(topic, 1, PRODUCE, Array<number>(6).fill(E.ERR_NOT_LEADER_FOR_PARTITION))
          const told1 = lie(cluster, topic, topicId, told, 1)
          const values = Array.from({ length: 10 }, (_, i) => `${i}`)
          const sent = values.map(value => producer.send({ topic, partition: 1, value }))
          await told1
          // A key keeps its partition.
          const keyed = await producer.send({ topic, key: 'key', value: 'keyed' })
          const reports = await Promise.all(sent)
          assert.ok(reports.every(({ status }) => status === 'persisted'))
          assert.equal(keyed.partition, (await producer.send({ topic, key: 'key', value: 'keyed' })).partition)
          if (kind === 'transactional') await producer.commitTransaction()
          const written = cluster
            .messages(topic)
            .filter(message => message.partition === 1 && String(message.value) !== 'keyed')
            .map(message => String(message.value))
          assert.deepEqual(written, ['first', ...values])
        })
      }
    }

    for (const protocol of release === '4.3' ? (['classic', 'consumer'] as const) : (['classic'] as const)) {
      for (const subscribed of ['name', 'pattern'] as const) {
        for (const [what, told] of Object.entries(lies)) {
          test(`a ${protocol} consumer by ${subscribed} that is told of ${what} once reads on, without a rebalance`, async () => {
            const { cluster, topic, topicId } = await newTopic()
            const config: ConsumerConfig = {
              ...FAST,
              'bootstrap.servers': cluster.bootstrapServers,
              'group.id': fresh('group'),
              'group.protocol': protocol,
              'auto.offset.reset': 'earliest',
              'fetch.wait.max.ms': 20,
            }
            await using consumer = new Consumer(config, { logger: quiet })
            const events: string[] = []
            consumer.on('rebalance', ({ event }) => events.push(event.type))
            consumer.subscribe(subscribed === 'name' ? topic : new RegExp(`^${topic}$`))
            await using writer = new Producer(
              { 'bootstrap.servers': cluster.bootstrapServers, 'client.id': 'writer' },
              { logger: quiet },
            )
            await writer.send({ topic, partition: 1, value: 'first' })
            assert.equal(String((await consumer.readMessage(10_000)).value), 'first')
            const before = events.length
            await lie(cluster, topic, topicId, told, 1)
            await writer.send({ topic, partition: 0, value: 'second' })
            await writer.send({ topic, partition: 1, value: 'third' })
            const values = [await consumer.readMessage(10_000), await consumer.readMessage(10_000)]
            assert.deepEqual(values.map(({ value }) => String(value)).sort(), ['second', 'third'])
            assert.deepEqual(events.slice(before), [])
          })
        }
      }
    }
  })
}

describe('a topic that the program has looked at before it uses it', () => {
  const started = EmbeddedCluster.start({ autoCreateTopics: false })
  after(async () => (await started).close())

  const makers: Record<string, (servers: string) => Consumer> = {
    classic: servers => reader(servers, { 'group.protocol': 'classic' }),
    modern: servers => reader(servers, { 'group.protocol': 'consumer' }),
  }

  function reader(servers: string, config: Partial<ConsumerConfig>): Consumer {
    const given = { 'bootstrap.servers': servers, 'group.id': fresh('group'), 'auto.offset.reset': 'earliest' } as const
    return new Consumer({ ...given, ...config }, { logger: quiet })
  }

  /** Tells of everything that is an error. */
  function errorsOf(consumer: Consumer): string[] {
    const errors: string[] = []
    consumer.on('error', ({ error }) => errors.push(error.name))
    return errors
  }

  async function fill(cluster: EmbeddedCluster, topic: string, partitions: number): Promise<void> {
    await using producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet })
    const sent = Array.from({ length: partitions }, (_, partition) => producer.send({ topic, partition, value: 'x' }))
    await Promise.all(sent)
  }

  for (const [kind, make] of Object.entries(makers)) {
    for (const how of ['subscribed to', 'assigned'] as const) {
      test(`and that was made since is read when it is ${how} (${kind})`, async () => {
        const cluster = await started
        const topic = fresh('made')
        await using consumer = make(cluster.bootstrapServers)
        const errors = errorsOf(consumer)
        const { topics } = await consumer.getMetadata({ topic })
        assert.equal(topics[0]?.error?.code, E.ERR_UNKNOWN_TOPIC_OR_PART)
        cluster.createTopic(topic, { partitions: 1 })
        await fill(cluster, topic, 1)
        if (how === 'assigned') await consumer.assign([{ topic, partition: 0, offset: OFFSET_BEGINNING }])
        else consumer.subscribe([topic])
        assert.equal(String((await consumer.readMessage(10_000)).value), 'x')
        assert.deepEqual(errors, [])
      })
    }

    test(`and that was lost and made again between two subscriptions is read (${kind})`, async () => {
      const cluster = await started
      const topic = fresh('again')
      await using consumer = make(cluster.bootstrapServers)
      await assert.rejects(async () => {
        consumer.subscribe([topic])
        await consumer.readMessage(10_000)
      })
      await consumer.unsubscribe()
      cluster.createTopic(topic, { partitions: 1 })
      await fill(cluster, topic, 1)
      const errors = errorsOf(consumer)
      consumer.subscribe([topic])
      assert.equal(String((await consumer.readMessage(10_000)).value), 'x')
      assert.deepEqual(errors, [])
    })

    test(`and that has got more partitions since is read as a whole (${kind})`, async () => {
      const cluster = await started
      const topic = fresh('grown')
      cluster.createTopic(topic, { partitions: 1 })
      await using consumer = make(cluster.bootstrapServers)
      await consumer.getMetadata({ topic })
      await using admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet })
      await admin.createPartitions([{ topic, increaseTo: 3 }])
      await fill(cluster, topic, 3)
      consumer.subscribe([topic])
      const read = new Set<number>()
      while (read.size < 3) read.add((await consumer.readMessage(10_000)).partition)
    })
  }

  test('and that may be used since is written to', async () => {
    const cluster = await started
    const topic = fresh('allowed')
    cluster.createTopic(topic, { partitions: 1 })
    await using producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers }, { logger: quiet })
    const forbidden = { errorCode: E.ERR_TOPIC_AUTHORIZATION_FAILED, topicId: NO_ID, leaders: [] }
    const told = lie(cluster, topic, NO_ID, forbidden, 1)
    const { topics } = await producer.getMetadata({ topic })
    assert.equal(topics[0]?.error?.code, E.ERR_TOPIC_AUTHORIZATION_FAILED)
    await told
    assert.equal((await producer.send({ topic, value: 'x' })).status, 'persisted')
  })

  test('and that was made since is read by a share group', async () => {
    const cluster = await started
    const topic = fresh('shared')
    const group = fresh('sharers')
    const config = { 'bootstrap.servers': cluster.bootstrapServers, 'group.id': group }
    await using consumer = new ShareConsumer(config, { logger: quiet })
    const errors: string[] = []
    consumer.on('error', ({ error }) => errors.push(error.name))
    await using admin = AdminClient.from(consumer)
    const entries = [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' as const }]
    await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
    const { topics } = await admin.getMetadata({ topic })
    assert.equal(topics[0]?.error?.code, E.ERR_UNKNOWN_TOPIC_OR_PART)
    cluster.createTopic(topic, { partitions: 1 })
    await fill(cluster, topic, 1)
    consumer.subscribe([topic])
    for await (const { value } of consumer) {
      assert.equal(String(value), 'x')
      break
    }
    assert.deepEqual(errors, [])
  })
})
