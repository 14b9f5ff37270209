/** Programs, run with kafkajs itself and with the facade: they see and print the same. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as facade from '@ottla/kafkajs'
import { closing } from '../../harness/closing.ts'
import { until } from './facade-world.ts'
import { fresh } from '../world.ts'

type Package = Pick<
  typeof facade,
  'AssignerProtocol' | 'CompressionTypes' | 'ConfigResourceTypes' | 'Kafka' | 'KafkaJSError' | 'Partitioners'
>

const packages: Readonly<Record<string, Package>> = {
  kafkajs: createRequire(import.meta.url)('kafkajs') as Package,
  facade,
}

const quick = { initialRetryTime: 10, maxRetryTime: 50, retries: 3 }

/** What the program prints: `$name` for the names that each run has of its own. */
interface Run {
  readonly kafka: facade.Kafka
  readonly library: Package
  readonly topic: string
  readonly groupId: string
  print(...values: readonly unknown[]): void
}

/** Without fields whose values are chance, or are documented as different. */
function plain(value: unknown, without: readonly string[]): unknown {
  if (Buffer.isBuffer(value)) return `bytes ${value.toString()}`
  if (Array.isArray(value)) return value.map(each => plain(each, without))
  if (typeof value === 'function') return 'function'
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([name, each]) => !without.includes(name) && each !== undefined)
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, plain(each, without)]),
  )
}

/** Brokers answer for partitions in any order, and so does kafkajs. */
function inOrder<T extends { readonly partition: number }>(partitions: readonly T[]): T[] {
  return [...partitions].sort((a, b) => a.partition - b.partition)
}

/** Disconnected at the end of the test. */
async function connected<T extends { connect(): Promise<void>; disconnect(): Promise<void> }>(client: T): Promise<T> {
  closing({ close: () => client.disconnect() })
  await client.connect()
  return client
}

/** How a call fails, in the fields that programs look at. */
async function failure(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call()
    return 'none'
  } catch (error) {
    const fieldsOf = (each: unknown): unknown => {
      const { name, type, code, retriable, retryCount, cause, errors, groups, partitions } = each as Record<
        string,
        unknown
      >
      const list = (items: unknown): unknown =>
        Array.isArray(items) ? items.map(item => fieldsOf((item as { error?: unknown }).error ?? item)) : undefined
      // Below kafkajs's errors are those of the system, or ours.
      const isKafkaJS = cause instanceof Error && cause.name.startsWith('KafkaJS')
      return plain(
        {
          name,
          type,
          code: typeof code === 'number' ? code : undefined,
          retriable,
          retryCount,
          cause: isKafkaJS ? fieldsOf(cause) : undefined,
          errors: list(errors),
          groups: list(groups),
          partitions: list(partitions),
        },
        [],
      )
    }
    return fieldsOf(error)
  }
}

interface Brokers {
  readonly bootstrapServers: string
  close(): Promise<void>
}

/** @param start brokers, which are closed after the tests */
export function sameProgramScenarios(start: () => Promise<Brokers>): void {
  let cluster: Brokers
  let brokers: string[]
  before(async () => {
    cluster = await start()
    brokers = cluster.bootstrapServers.split(',')
  })
  after(() => cluster.close())

  async function outputOf(library: Package, program: (run: Run) => Promise<void>): Promise<string[]> {
    const kafka = new library.Kafka({ brokers, clientId: 'program', logLevel: 0, retry: quick })
    const [topic, groupId] = [fresh('topic'), fresh('group')]
    const lines: string[] = []
    const print = (...values: readonly unknown[]): void => {
      const text = values.map(value => (typeof value === 'string' ? value : JSON.stringify(value))).join(' ')
      lines.push(text.replaceAll(topic, '$topic').replaceAll(groupId, '$group'))
    }
    await program({ kafka, library, topic, groupId, print })
    return lines
  }

  function same(name: string, program: (run: Run) => Promise<void>): void {
    test(name, async () => {
      const outputs: string[][] = []
      for (const library of Object.values(packages)) outputs.push(await outputOf(library, program))
      const [theirs = [], ours] = outputs
      assert.ok(theirs.length > 0)
      assert.deepEqual(ours, theirs)
    })
  }

  same('topics, sends, reads, offsets', async ({ kafka, library, topic, groupId, print }) => {
    const admin = await connected(kafka.admin())
    print('created', await admin.createTopics({ topics: [{ topic, numPartitions: 2, replicationFactor: 1 }] }))
    print('again', await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] }))
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    print(
      plain(
        topics.map(each => ({ ...each, partitions: each.partitions.sort((a, b) => a.partitionId - b.partitionId) })),
        ['leader', 'replicas', 'isr'],
      ),
    )

    const producer = await connected(kafka.producer({ createPartitioner: library.Partitioners.LegacyPartitioner }))
    const sent = await producer.send({
      topic,
      compression: library.CompressionTypes.GZIP,
      messages: [
        { key: 'a', value: 'one', headers: { h: 'x', many: ['1', Buffer.from('2')] }, timestamp: '1700000000000' },
        { key: 'b', value: null, timestamp: '1700000000001' },
        { key: null, value: 'two', partition: 1, timestamp: '1700000000002' },
        { value: Buffer.from('three'), partition: 1, timestamp: '1700000000003' },
      ],
    })
    print(
      plain(
        sent.sort((a, b) => a.partition - b.partition),
        ['logStartOffset'],
      ),
    )
    print(inOrder(await admin.fetchTopicOffsets(topic)))
    print(inOrder(await admin.fetchTopicOffsetsByTimestamp(topic, 1_700_000_000_002)))

    const consumer = await connected(kafka.consumer({ groupId, maxWaitTimeInMs: 50 }))
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const events: string[] = []
    for (const name of [consumer.events.CRASH, consumer.events.STOP]) consumer.on(name, ({ type }) => events.push(type))
    const seen: unknown[] = []
    await consumer.run({
      eachMessage: ({ partition, message, ...payload }) => {
        seen.push([partition, plain(message, ['size', 'batchContext', 'isControlRecord']), Object.keys(payload).sort()])
        return Promise.resolve()
      },
    })
    await until('all have come', () => seen.length === 4)
    const { groups } = await admin.describeGroups([groupId])
    // The facade's members write a later version of their metadata, which has more behind what kafkajs reads, and no
    // user data where kafkajs writes empty ones.
    print(plain(groups, ['memberId', 'clientHost', 'memberMetadata', 'memberAssignment']))
    const metadata = groups[0]?.members[0]?.memberMetadata
    print(plain(metadata && library.AssignerProtocol.MemberMetadata.decode(metadata), ['version']))
    const assigned = groups[0]?.members[0]?.memberAssignment
    print(plain(assigned && library.AssignerProtocol.MemberAssignment.decode(assigned)?.assignment, []))
    await consumer.stop()
    await consumer.disconnect()
    for (const each of seen.map(each => JSON.stringify(each)).sort()) print(each)
    print(events)
    print(await admin.fetchOffsets({ groupId, topics: [topic] }))
    print(plain(await admin.listGroups(), []) === undefined)
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 1, offset: '0' }] })
    print(await admin.fetchOffsets({ groupId, topics: [topic] }))
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '-1' }] })
    print(inOrder(await admin.fetchTopicOffsets(topic)))
    print(await admin.deleteGroups([groupId]))
  })

  same('eachBatch, with what it resolves and commits', async ({ kafka, topic, groupId, print }) => {
    const admin = await connected(kafka.admin())
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
    const producer = await connected(kafka.producer())
    await producer.send({ topic, messages: Array.from({ length: 10 }, (_, i) => ({ key: `k${i}`, value: `v${i}` })) })
    const consumer = await connected(kafka.consumer({ groupId, maxWaitTimeInMs: 50 }))
    await consumer.subscribe({ topic, fromBeginning: true })
    const commits: unknown[] = []
    consumer.on(consumer.events.COMMIT_OFFSETS, ({ payload }) => commits.push(payload.topics))
    const seen: string[] = []
    let isFirst = true
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async ({
        batch,
        resolveOffset,
        uncommittedOffsets,
        commitOffsetsIfNecessary,
        isRunning,
        isStale,
        heartbeat,
      }) => {
        if (isFirst) {
          isFirst = false
          print(
            batch.topic,
            batch.partition,
            batch.highWatermark,
            batch.firstOffset(),
            batch.lastOffset(),
            batch.offsetLag(),
            batch.offsetLagLow(),
            batch.isEmpty(),
          )
          print(isRunning(), isStale())
          for (const { offset } of batch.messages.slice(0, 4)) resolveOffset(offset)
          await heartbeat()
          print(uncommittedOffsets())
          await commitOffsetsIfNecessary(uncommittedOffsets())
          print(uncommittedOffsets())
          return
        }
        for (const { offset, value } of batch.messages) {
          seen.push(`${offset} ${String(value)}`)
          resolveOffset(offset)
        }
      },
    })
    await until('the rest has come', () => seen.length === 6)
    print(seen)
    print(await admin.fetchOffsets({ groupId, topics: [topic] }))
    await consumer.commitOffsets([{ topic, partition: 0, offset: '9', metadata: 'note' }])
    await until('it is told', () => commits.length >= 2)
    print(commits)
    await consumer.disconnect()
    print(await admin.fetchOffsets({ groupId, topics: [topic] }))
  })

  same('transactions', async ({ kafka, topic, groupId, print }) => {
    const admin = await connected(kafka.admin())
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
    const producer = await connected(
      kafka.producer({
        idempotent: true,
        transactionalId: `id-${topic}`,
        maxInFlightRequests: 1,
        // kafkajs retries while the broker completes the transaction before.
        retry: { initialRetryTime: 50, retries: 20 },
      }),
    )
    for (const end of ['abort', 'commit'] as const) {
      const transaction = await producer.transaction()
      print(transaction.isActive())
      print(plain(await transaction.send({ topic, messages: [{ value: end }] }), ['logStartOffset', 'baseOffset']))
      await transaction.sendOffsets({
        consumerGroupId: groupId,
        topics: [{ topic, partitions: [{ partition: 0, offset: '1' }] }],
      })
      await transaction[end]()
      const committed = (): ReturnType<typeof admin.fetchOffsets> => admin.fetchOffsets({ groupId, topics: [topic] })
      // Real brokers write the marker of the group's offsets after they have answered.
      while (end === 'commit' && (await committed())[0]?.partitions[0]?.offset !== '1') await sleep(20)
      print(transaction.isActive(), await committed())
      print(await failure(() => transaction.send({ topic, messages: [{ value: 'late' }] })))
    }
    const consumer = await connected(kafka.consumer({ groupId: `${groupId}-reader`, maxWaitTimeInMs: 50 }))
    await consumer.subscribe({ topic, fromBeginning: true })
    const seen: string[] = []
    await consumer.run({
      eachMessage: ({ message }) => Promise.resolve(void seen.push(`${message.offset} ${String(message.value)}`)),
    })
    await until('it has come', () => seen.length === 1)
    print(seen)
  })

  same('failures', async ({ kafka, library, topic, groupId, print }) => {
    const admin = await connected(kafka.admin())
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] })
    const nowhere = `${topic}-nowhere`
    const anything = (value: unknown): never => value as never
    const producer = await connected(kafka.producer({ allowAutoTopicCreation: false }))
    const idempotent = await connected(kafka.producer({ idempotent: true }))
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      'a name that is none': () => admin.createTopics({ topics: [{ topic: 'no name' }] }),
      'a topic of a number': () => admin.createTopics({ topics: [{ topic: anything(1) }] }),
      'metadata of nothing': () => admin.fetchTopicMetadata({ topics: [nowhere] }),
      'offsets of nothing': () => admin.fetchTopicOffsets(nowhere),
      'fewer partitions': () => admin.createPartitions({ topicPartitions: [{ topic, count: 1 }] }),
      'configurations of nothing': () =>
        admin.describeConfigs({
          resources: [{ type: library.ConfigResourceTypes.TOPIC, name: nowhere }],
          includeSynonyms: false,
        }),
      'an invalid value': () =>
        admin.alterConfigs({
          validateOnly: false,
          resources: [
            {
              type: library.ConfigResourceTypes.TOPIC,
              name: topic,
              configEntries: [{ name: 'retention.ms', value: 'long' }],
            },
          ],
        }),
      'a group that is none': () => admin.deleteGroups([groupId]),
      'records that are none': () => admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '99' }] }),
      'a replica that is none': () =>
        admin.alterPartitionReassignments({
          topics: [{ topic, partitionAssignment: [{ partition: 0, replicas: [77] }] }],
        }),
      'no topic': () => producer.send({ topic: anything(undefined), messages: [] }),
      'no messages': () => producer.send({ topic, messages: anything(undefined) }),
      'no value': () => producer.send({ topic, messages: [{ value: anything(undefined) }] }),
      'idempotent without acks': () => idempotent.send({ topic, acks: 1, messages: [{ value: 'v' }] }),
      'a transaction of nobody': () => producer.transaction(),
      'a producer before it is connected': () => kafka.producer().send({ topic, messages: [{ value: 'v' }] }),
      'no broker': () => new library.Kafka({ brokers: ['127.0.0.1:1'], logLevel: 0, retry: quick }).admin().connect(),
      'no brokers': () => new library.Kafka({ brokers: [], logLevel: 0, retry: quick }).producer().connect(),
      'a topic that nobody creates': () => producer.send({ topic: nowhere, messages: [{ value: 'v' }] }),
      'commit before run': () => kafka.consumer({ groupId }).commitOffsets([{ topic, partition: 0, offset: '0' }]),
    }
    for (const [name, call] of Object.entries(calls)) print(name, await failure(call))
  })
}
