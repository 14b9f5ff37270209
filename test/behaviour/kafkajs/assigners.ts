/** Assigners and codecs that a program brings along, and groups of kafkajs's members and ours. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import {
  AssignerProtocol,
  CompressionCodecs,
  CompressionTypes,
  type Consumer,
  type ConsumerGroupJoinEvent,
  type Kafka,
  type PartitionAssigner,
} from '@ottla/kafkajs'
import { closing } from '../../harness/closing.ts'
import { fresh } from '../world.ts'
import { facadeOf, messages, nextEvent, pause, until, type PlainCluster } from './facade-world.ts'

const { MemberAssignment, MemberMetadata } = AssignerProtocol
const original = createRequire(import.meta.url)('kafkajs') as { readonly Kafka: typeof Kafka }

/** @param start a cluster of one broker */
export function assignerScenarios(start: () => Promise<PlainCluster>): void {
  const facade = facadeOf(start)

  async function joined(consumer: Consumer, topic: string): Promise<ConsumerGroupJoinEvent> {
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const join = nextEvent<ConsumerGroupJoinEvent>(consumer, consumer.events.GROUP_JOIN)
    await consumer.run({ eachMessage: () => Promise.resolve() })
    return join
  }

  test('an assigner of its own gets the members’ user data, and its answer is what counts', async () => {
    const [topic, groupId] = [await facade.topic(3), fresh('group')]
    const told = new Map<string, string>()
    const assigner =
      (id: string): PartitionAssigner =>
      ({ cluster }) => ({
        name: 'Everything to b',
        version: 1,
        protocol({ topics }) {
          return {
            name: this.name,
            metadata: MemberMetadata.encode({ version: this.version, topics, userData: Buffer.from(id) }),
          }
        },
        async assign({ members, topics }) {
          // An assigner may ask others before it decides.
          await pause(20)
          const partitions = topics.map(each => [
            each,
            cluster.findTopicPartitionMetadata(each).map(({ partitionId }) => partitionId),
          ])
          for (const { memberId, memberMetadata } of members) {
            told.set(memberId, String(MemberMetadata.decode(memberMetadata)?.userData))
          }
          return members.map(({ memberId }) => ({
            memberId,
            memberAssignment: MemberAssignment.encode({
              version: this.version,
              assignment:
                told.get(memberId) === 'b' ? (Object.fromEntries(partitions) as Record<string, number[]>) : {},
              userData: Buffer.alloc(0),
            }),
          }))
        },
      })
    const config = { groupId, heartbeatInterval: 100 }
    const a = facade.consumer({ ...config, partitionAssigners: [assigner('a')] })
    const b = facade.consumer({ ...config, partitionAssigners: [assigner('b')] })
    const first = await joined(a, topic)
    assert.deepEqual([first.payload.groupProtocol, first.payload.memberAssignment], ['Everything to b', {}])
    const second = await joined(b, topic)
    await until('both have told', () => [...told.values()].sort().join() === 'a,b')
    assert.deepEqual(second.payload.memberAssignment, { [topic]: [0, 1, 2] })
  })

  test('a group notices new partitions', async () => {
    const [topic, groupId] = [await facade.topic(1), fresh('group')]
    const config = { groupId, metadataMaxAge: 50, heartbeatInterval: 100 }
    const [first, second] = [facade.consumer(config), facade.consumer(config)]
    const seen: string[] = []
    for (const consumer of [first, second]) {
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      await consumer.run({
        eachMessage: ({ partition, message }) =>
          Promise.resolve(void seen.push(`${partition} ${String(message.value)}`)),
      })
    }
    const admin = facade.admin()
    await admin.connect()
    await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] })
    const producer = facade.producer({ metadataMaxAge: 20 })
    await producer.connect()
    await until('its partitions are known', async () => (await admin.fetchTopicOffsets(topic)).length === 4)
    await producer.send({ topic, messages: [0, 1, 2, 3].map(partition => ({ partition, value: 'v' })) })
    await until('all have come', () => seen.length === 4)
    assert.deepEqual(seen.sort(), ['0 v', '1 v', '2 v', '3 v'])
  })

  test('members of kafkajs itself and ours share a group: a service can move one instance at a time', async () => {
    const [topic, groupId] = [await facade.topic(4), fresh('group')]
    const theirs = new original.Kafka({ brokers: facade.brokers, logLevel: 0 })
    const config = { groupId, heartbeatInterval: 100, sessionTimeout: 6000, maxWaitTimeInMs: 100 }
    const seen: string[] = []
    const running = async (name: string, consumer: Consumer): Promise<ConsumerGroupJoinEvent[]> => {
      const joins: ConsumerGroupJoinEvent[] = []
      consumer.on(consumer.events.GROUP_JOIN, event => void joins.push(event))
      closing({ close: () => consumer.disconnect() })
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      await consumer.run({
        eachMessage: ({ partition, message }) =>
          Promise.resolve(void seen.push(`${name} ${partition} ${message.offset}`)),
      })
      return joins
    }
    const old = await running('old', theirs.consumer(config))
    const own = await running('own', facade.consumer(config))
    const assigned = (joins: readonly ConsumerGroupJoinEvent[]): number[] =>
      joins.at(-1)?.payload.memberAssignment[topic] ?? []
    await until('each has two partitions', () => assigned(old).length === 2 && assigned(own).length === 2)
    assert.deepEqual([...assigned(old), ...assigned(own)].sort(), [0, 1, 2, 3])
    const producer = facade.producer()
    await producer.connect()
    await producer.send({ topic, messages: [0, 1, 2, 3].map(partition => ({ partition, value: 'v' })) })
    await until('all have come', () => seen.length === 4)
    assert.deepEqual(new Set(seen.map(each => each.split(' ')[1])).size, 4)
  })

  test('a codec that is plugged in is used', async () => {
    const topic = await facade.topic()
    const builtIn = CompressionCodecs[CompressionTypes.GZIP]
    const calls = { compress: 0, decompress: 0 }
    const [zip, unzip] = [promisify(gzip), promisify(gunzip)]
    CompressionCodecs[CompressionTypes.GZIP] = () => ({
      compress: async ({ buffer }: { buffer: Buffer }) => {
        calls.compress++
        return zip(buffer)
      },
      decompress: async (buffer: Buffer) => {
        calls.decompress++
        return unzip(buffer)
      },
    })
    try {
      const producer = facade.producer()
      await producer.connect()
      await producer.send({ topic, compression: CompressionTypes.GZIP, messages: messages(100) })
      const consumer = facade.consumer()
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      const seen: string[] = []
      await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(String(message.value))) })
      await until('all have come', () => seen.length === 100)
      assert.deepEqual(
        seen,
        messages(100).map(({ value }) => value),
      )
      assert.ok(calls.compress > 0 && calls.decompress > 0)
    } finally {
      CompressionCodecs[CompressionTypes.GZIP] = builtIn
    }
  })

  test('the codecs in the registry work', async () => {
    const records = Buffer.from('record '.repeat(100))
    for (const make of Object.values(CompressionCodecs)) {
      const codec = (
        make as () => { compress(encoder: object): Promise<Buffer>; decompress(buffer: Buffer): Promise<Buffer> }
      )()
      const compressed = await codec.compress({ buffer: records, size: () => records.length })
      assert.ok(compressed.length < records.length)
      assert.deepEqual(Buffer.from(await codec.decompress(compressed)), records)
    }
  })
}
