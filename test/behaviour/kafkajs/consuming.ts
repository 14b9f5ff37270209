/** What kafkajs's specs ask of its consumer (`src/consumer/__tests__`): messages, batches, events, groups. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AssignerProtocol,
  CompressionTypes,
  type Consumer,
  type ConsumerGroupJoinEvent,
  type EachBatchPayload,
  type EachMessagePayload,
  type InstrumentationEvent,
  type PartitionAssigner,
} from '@ottla/kafkajs'
import { fresh } from '../world.ts'
import { anything, facadeOf, messages, nextEvent, pause, type PlainCluster, rejects, until } from './facade-world.ts'

const quiet = (): void => undefined

/** @param start a cluster of one broker */
export function consumingScenarios(start: () => Promise<PlainCluster>): void {
  const facade = facadeOf(start)

  async function sent(topic: string, count: number, options: object = {}): Promise<void> {
    const producer = facade.producer()
    await producer.connect()
    await producer.send({ topic, messages: messages(count), ...options })
  }

  async function subscribed(topic: string, config: object = {}): Promise<Consumer> {
    const consumer = facade.consumer(config)
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    return consumer
  }

  test('what a consumer cannot be made with is refused', () => {
    assert.throws(() => facade.kafka().consumer(anything({})), {
      name: 'KafkaJSNonRetriableError',
      message: 'Consumer groupId must be a non-empty string.',
    })
    const slow = { groupId: 'g', heartbeatInterval: 10_000, sessionTimeout: 10_000 }
    assert.throws(() => facade.kafka().consumer(slow), {
      message: /heartbeatInterval \(10000\) must be lower than sessionTimeout \(10000\)/,
    })
  })

  test('eachMessage gets every message in order, with all its fields', async () => {
    const topic = await facade.topic()
    const headers = { one: 'x', several: ['a', 'b'] }
    await sent(topic, 1, { messages: [{ key: 'k', value: 'v', headers, timestamp: '1700000000001' }] })
    await sent(topic, 99)
    const consumer = await subscribed(topic)
    const seen: EachMessagePayload[] = []
    await consumer.run({
      eachMessage: payload => {
        seen.push(payload)
        return Promise.resolve()
      },
    })
    await until('all have come', () => seen.length === 100)
    assert.deepEqual(
      seen.map(({ message }) => message.offset),
      Array.from({ length: 100 }, (_, i) => String(i)),
    )
    const [first] = seen
    assert.ok(first !== undefined)
    assert.deepEqual([first.topic, first.partition], [topic, 0])
    assert.deepEqual(
      { ...first.message },
      {
        magicByte: 2,
        attributes: 0,
        timestamp: '1700000000001',
        offset: '0',
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: { one: Buffer.from('x'), several: [Buffer.from('a'), Buffer.from('b')] },
      },
    )
    assert.deepEqual(seen[1]?.message.headers, {})
    assert.deepEqual([typeof first.heartbeat, typeof first.pause], ['function', 'function'])
  })

  test('eachBatch gets batches of one partition, of every compression', async () => {
    const topic = await facade.topic()
    const types = [CompressionTypes.None, CompressionTypes.GZIP, CompressionTypes.Snappy, CompressionTypes.ZSTD]
    for (const compression of types) await sent(topic, 5, { compression })
    const consumer = await subscribed(topic)
    const seen: EachBatchPayload[] = []
    await consumer.run({
      eachBatch: payload => {
        seen.push(payload)
        return Promise.resolve()
      },
    })
    const offsets = (): string[] => seen.flatMap(({ batch }) => batch.messages.map(({ offset }) => offset))
    await until('all have come', () => offsets().length === 20)
    assert.deepEqual(
      offsets(),
      Array.from({ length: 20 }, (_, i) => String(i)),
    )
    const [first] = seen
    assert.ok(first !== undefined)
    const { batch } = first
    assert.deepEqual([batch.topic, batch.partition, batch.highWatermark], [topic, 0, '20'])
    assert.deepEqual([batch.isEmpty(), batch.firstOffset(), batch.offsetLagLow()], [false, '0', '19'])
    const last = Number(batch.lastOffset())
    assert.deepEqual([last, batch.offsetLag()], [batch.messages.length - 1, String(19 - last)])
    for (const name of ['resolveOffset', 'heartbeat', 'pause', 'commitOffsetsIfNecessary'] as const) {
      assert.equal(typeof first[name], 'function', name)
    }
    assert.deepEqual([first.isRunning(), first.isStale()], [true, false])
    await Promise.all([first.heartbeat(), first.heartbeat()])
  })

  test('partitionsConsumedConcurrently limits how many partitions are processed at once', async () => {
    const topic = await facade.topic(3)
    await sent(topic, 90)
    const consumer = await subscribed(topic)
    let [now, most, count] = [0, 0, 0]
    consumer.on(consumer.events.START_BATCH_PROCESS, () => (most = Math.max(most, ++now)))
    consumer.on(consumer.events.END_BATCH_PROCESS, () => void now--)
    const last = new Map<number, number>()
    await consumer.run({
      partitionsConsumedConcurrently: 2,
      eachMessage: async ({ partition, message }) => {
        assert.ok((last.get(partition) ?? -1) < Number(message.offset))
        last.set(partition, Infinity)
        await pause(1)
        last.set(partition, Number(message.offset))
        count++
      },
    })
    await until('all are processed', () => count === 90)
    assert.equal(most, 2)
  })

  test('a second run is ignored; subscribing while it runs is refused; after stop it can run again', async () => {
    const topic = await facade.topic()
    await sent(topic, 3)
    const consumer = await subscribed(topic)
    const seen: string[] = []
    const eachMessage = ({ message }: EachMessagePayload): Promise<void> => {
      seen.push(message.offset)
      return Promise.resolve()
    }
    await Promise.all([consumer.run({ eachMessage }), consumer.run({ eachMessage }), consumer.run({ eachMessage })])
    await rejects(consumer.subscribe({ topic }), { message: /while consumer is running/ })
    await until('they have come', () => seen.length === 3)
    await consumer.stop()
    await sent(topic, 2)
    await consumer.run({ eachMessage })
    await until('the others have come', () => seen.length === 5)
    assert.deepEqual(seen, ['0', '1', '2', '3', '4'])
  })

  test('after stop or disconnect no further message is begun', async () => {
    const topic = await facade.topic()
    await sent(topic, 2)
    const consumer = await subscribed(topic)
    let calls = 0
    await consumer.run({
      eachMessage: async () => {
        calls++
        await pause(200)
      },
    })
    await until('the first is being processed', () => calls > 0)
    await consumer.disconnect()
    assert.equal(calls, 1)
  })

  test('stop within a handler does not wait for itself', async () => {
    const topic = await facade.topic()
    await sent(topic, 5)
    const consumer = await subscribed(topic)
    let calls = 0
    let stopped = false
    await consumer.run({
      eachMessage: async () => {
        calls++
        await consumer.stop()
        stopped = true
      },
    })
    await until('it has stopped', () => stopped)
    assert.equal(calls, 1)
  })

  test('subscribe takes names and regular expressions, and refuses anything else', async () => {
    const scope = fresh('pattern')
    const consumer = facade.consumer()
    const wrong = (topic: unknown): Promise<void> => consumer.subscribe(anything({ topic }))
    await rejects(wrong(null), { message: 'Missing required argument "topics"' })
    await rejects(wrong(1), { message: 'Invalid topic 1 (number), the topic name has to be a String or a RegExp' })
    await rejects(consumer.subscribe(anything({ topics: 'a' })), { message: 'Argument "topics" must be an array' })
    await rejects(consumer.subscribe(anything({ topics: [1] })), { message: /^Invalid topic 1 \(number\)/ })
    const named = await facade.topic()
    const producer = facade.producer()
    await producer.connect()
    const send = (topic: string): Promise<unknown> => producer.send({ topic, messages: [{ value: topic }] })
    await send(`${scope}-us`)
    await send(`${scope}-se`)
    await send(named)
    await consumer.connect()
    await consumer.subscribe({
      topics: [named, new RegExp(`${scope.toUpperCase()}-(se|br)`, 'i')],
      fromBeginning: true,
    })
    const seen: string[] = []
    await consumer.run({
      eachMessage: ({ message }) => {
        seen.push(String(message.value))
        return Promise.resolve()
      },
    })
    await until('both have come', () => seen.length === 2)
    assert.deepEqual(seen.sort(), [named, `${scope}-se`].sort())
  })

  test('fromBeginning decides where each topic begins', async () => {
    const [old, recent] = [await facade.topic(), await facade.topic()]
    await sent(old, 2)
    await sent(recent, 2)
    const consumer = facade.consumer()
    await consumer.connect()
    await consumer.subscribe({ topic: old, fromBeginning: true })
    await consumer.subscribe({ topic: recent })
    const seen: string[] = []
    await consumer.run({
      eachMessage: ({ topic, message }) => {
        seen.push(`${topic === old ? 'old' : 'recent'} ${message.offset}`)
        return Promise.resolve()
      },
    })
    await until('the old ones have come', () => seen.length === 2)
    await sent(recent, 1)
    await until('the recent one has come', () => seen.length === 3)
    assert.deepEqual(seen, ['old 0', 'old 1', 'recent 2'])
  })

  test('its events have their payloads', async () => {
    const topic = await facade.topic()
    const groupId = fresh('group')
    const consumer = facade.consumer({ groupId, heartbeatInterval: 100 })
    assert.throws(
      () => consumer.on(anything('NON_EXISTENT_EVENT'), quiet),
      /Event name should be one of consumer\.events\./,
    )
    const seen = new Map<string, InstrumentationEvent<unknown>>()
    for (const name of Object.values(consumer.events)) {
      consumer.on(name, event => void (seen.has(event.type) || seen.set(event.type, event)))
    }
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: () => Promise.resolve() })
    await sent(topic, 1)
    const names = ['heartbeat', 'commit_offsets', 'group_join', 'fetch_start', 'fetch', 'network.request']
    const all = [...names, 'network.request_queue_size', 'start_batch_process', 'end_batch_process', 'connect']
    await until('all have come', () => all.every(name => seen.has(`consumer.${name}`)))
    await consumer.disconnect()
    const payload = (name: string): Record<string, unknown> => seen.get(`consumer.${name}`)?.payload as never
    const { memberId } = payload('group_join')
    assert.ok(typeof memberId === 'string' && memberId !== '')
    assert.deepEqual(payload('heartbeat'), { groupId, memberId, groupGenerationId: 1 })
    const partitions = [{ partition: '0', offset: '1' }]
    assert.deepEqual(payload('commit_offsets'), {
      groupId,
      memberId,
      groupGenerationId: 1,
      topics: [{ topic, partitions }],
    })
    const { duration, ...joined } = payload('group_join')
    assert.equal(typeof duration, 'number')
    assert.deepEqual(joined, {
      groupId,
      memberId,
      leaderId: memberId,
      isLeader: true,
      groupProtocol: 'RoundRobinAssigner',
      memberAssignment: { [topic]: [0] },
    })
    const batch = {
      topic,
      partition: 0,
      highWatermark: '1',
      offsetLag: '0',
      offsetLagLow: '0',
      batchSize: 1,
      firstOffset: '0',
      lastOffset: '0',
    }
    assert.deepEqual(payload('start_batch_process'), batch)
    const { duration: took, ...ended } = payload('end_batch_process')
    assert.deepEqual([typeof took, ended], ['number', batch])
    assert.equal(typeof payload('fetch')['nodeId'], 'string')
    assert.equal(payload('network.request')['apiName'], 'ApiVersions')
    assert.equal(payload('network.request_queue_size')['queueSize'], 0)
    const { id, type, timestamp } = seen.get('consumer.connect') ?? {}
    assert.deepEqual([typeof id, type, typeof timestamp], ['number', 'consumer.connect', 'number'])
    assert.ok(seen.has('consumer.stop') && seen.has('consumer.disconnect'))
  })

  test('a group shares partitions; nothing is read twice when a member joins', async () => {
    const topic = await facade.topic(2)
    const groupId = fresh('group')
    await sent(topic, 20)
    const read: string[] = []
    const config = { groupId, heartbeatInterval: 100 }
    const [first, second] = [await subscribed(topic, config), await subscribed(topic, config)]
    const eachMessage = async ({ partition, message }: EachMessagePayload): Promise<void> => {
      await pause(50)
      read.push(`${partition} ${message.offset}`)
    }
    const rebalancing = nextEvent<InstrumentationEvent<unknown>>(first, first.events.REBALANCING)
    const begun = nextEvent(first, first.events.START_BATCH_PROCESS)
    await first.run({ eachMessage })
    await begun
    const joined = nextEvent<ConsumerGroupJoinEvent>(second, second.events.GROUP_JOIN)
    await second.run({ eachMessage })
    assert.deepEqual(Object.keys((await joined).payload.memberAssignment), [topic])
    assert.deepEqual(Object.keys((await rebalancing).payload as object), ['groupId', 'memberId'])
    await until('all are read', () => read.length >= 20)
    await pause(300)
    assert.equal(read.length, 20)
    assert.equal(new Set(read).size, 20)
    const { state, members, protocol, protocolType } = await first.describeGroup()
    assert.deepEqual([state, members.length, protocol, protocolType], ['Stable', 2, 'RoundRobinAssigner', 'consumer'])
    assert.ok(
      members.every(({ memberAssignment, memberMetadata }) => memberAssignment.length > 0 && memberMetadata.length > 0),
    )
    assert.equal(members[0]?.clientId, 'kafkajs')
  })

  test('the topics of an assignment come in the order in which they were subscribed to', async () => {
    const topics = [await facade.topic(), await facade.topic()].sort().reverse()
    const consumer = facade.consumer({ groupId: fresh('group') })
    await consumer.connect()
    for (const topic of topics) await consumer.subscribe({ topic })
    const joined = nextEvent<ConsumerGroupJoinEvent>(consumer, consumer.events.GROUP_JOIN)
    await consumer.run({ eachMessage: () => Promise.resolve() })
    assert.deepEqual(Object.keys((await joined).payload.memberAssignment), topics)
  })

  test('partitions go to members that have subscribed to their topic: all are read', async () => {
    const topics = [await facade.topic(2), await facade.topic(2), await facade.topic(2)] as const
    const [shared, other, third] = topics
    const config = { groupId: fresh('group'), heartbeatInterval: 100 }
    const first = facade.consumer(config)
    const second = facade.consumer(config)
    await Promise.all([first.connect(), second.connect()])
    await first.subscribe({ topics: [shared, other], fromBeginning: true })
    await second.subscribe({ topics: [shared, third], fromBeginning: true })
    const seen = new Set<string>()
    const wrong: string[] = []
    const reads = (name: string, not: string): ((payload: EachMessagePayload) => Promise<void>) => {
      return ({ topic, partition }) => {
        if (topic === not) wrong.push(`${name} has read ${topic}`)
        seen.add(`${topic} ${partition}`)
        return Promise.resolve()
      }
    }
    for (const each of [first, second]) {
      each.on(each.events.RECEIVED_UNSUBSCRIBED_TOPICS, ({ payload }) => wrong.push(JSON.stringify(payload)))
    }
    await first.run({ eachMessage: reads('the first', third) })
    const joined = nextEvent<ConsumerGroupJoinEvent>(second, second.events.GROUP_JOIN)
    await second.run({ eachMessage: reads('the second', other) })
    assert.ok(!Object.keys((await joined).payload.memberAssignment).includes(other))
    for (const topic of topics) {
      for (const partition of [0, 1]) await sent(topic, 1, { messages: [{ value: 'v', partition }] })
    }
    await until('every partition is read', () => seen.size === 6)
    assert.deepEqual(wrong, [])
  })

  test('topics that an assigner gives to a member that has not subscribed to them are reported, and not read', async () => {
    const [mine, foreign] = [await facade.topic(1), await facade.topic(1)]
    const { MemberAssignment, MemberMetadata } = AssignerProtocol
    const assigner: PartitionAssigner = () => ({
      name: 'Careless',
      version: 0,
      assign: ({ members }) => {
        const assignment = { [mine]: [0], [foreign]: [0] }
        const memberAssignment = MemberAssignment.encode({ version: 0, assignment, userData: Buffer.alloc(0) })
        return Promise.resolve(members.map(({ memberId }) => ({ memberId, memberAssignment })))
      },
      protocol: ({ topics }) => ({
        name: 'Careless',
        metadata: MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
      }),
    })
    const consumer = await subscribed(mine, { groupId: fresh('group'), partitionAssigners: [assigner] })
    const told = nextEvent<InstrumentationEvent<object>>(consumer, consumer.events.RECEIVED_UNSUBSCRIBED_TOPICS)
    const joined = nextEvent<ConsumerGroupJoinEvent>(consumer, consumer.events.GROUP_JOIN)
    await consumer.run({ eachMessage: () => Promise.resolve() })
    const { groupId, memberId, memberAssignment } = (await joined).payload
    assert.deepEqual(memberAssignment, { [mine]: [0] })
    assert.deepEqual((await told).payload, {
      groupId,
      memberId,
      generationId: 1,
      assignedTopics: [mine, foreign],
      topicsSubscribed: [mine],
      topicsNotSubscribed: [foreign],
    })
  })

  test('a member may be left without partitions', async () => {
    const topic = await facade.topic(1)
    const config = { groupId: fresh('group'), heartbeatInterval: 100 }
    const members = [await subscribed(topic, config), await subscribed(topic, config)]
    const joined = members.map(each => nextEvent<ConsumerGroupJoinEvent>(each, each.events.GROUP_JOIN))
    await Promise.all(members.map(each => each.run({ eachMessage: () => Promise.resolve() })))
    await Promise.all(joined)
    await until('both are in', async () => {
      const { state, members } = await members0().describeGroup()
      return state === 'Stable' && members.length === 2
    })
    function members0(): Consumer {
      return members[0] as Consumer
    }
  })

  test('run without a subscription or handlers does no harm', async () => {
    const consumer = facade.consumer()
    await consumer.connect()
    await consumer.run()
    assert.deepEqual(consumer.paused(), [])
    await consumer.disconnect()
  })
}
