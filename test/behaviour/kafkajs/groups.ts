/** What kafkajs's specs ask of its admin client for groups: their members, and what they have committed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AssignerProtocol,
  KafkaJSDeleteGroupsError,
  KafkaJSProtocolError,
  type Admin,
  type Consumer,
} from '@ottla/kafkajs'
import { AdminClient } from 'ottla'
import { closing } from '../../harness/closing.ts'
import { fresh } from '../world.ts'
import { anything, facadeOf, messages, type PlainCluster, rejects, until } from './facade-world.ts'

const refusal = { name: 'KafkaJSNonRetriableError', retriable: false }

/** @param start a cluster of one broker */
export function groupScenarios(start: () => Promise<PlainCluster>): void {
  const facade = facadeOf(start)

  async function connected(): Promise<Admin> {
    const admin = facade.admin({ retry: { retries: 0 } })
    await admin.connect()
    return admin
  }

  /** A member of the group that has processed all messages of its topic. */
  async function reading(groupId: string, topic: string, count: number): Promise<Consumer> {
    const producer = facade.producer()
    await producer.connect()
    await producer.send({ topic, messages: messages(count) })
    const consumer = facade.consumer({ groupId })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    let seen = 0
    await consumer.run({ eachMessage: () => Promise.resolve(void seen++) })
    await until('all have come', () => seen === count)
    return consumer
  }

  const committed = async (admin: Admin, groupId: string, topic: string): Promise<string | undefined> =>
    (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions[0]?.offset

  /** As other clients see it. */
  async function inTheGroup(groupId: string, topic: string): Promise<number | undefined> {
    const client = closing(new AdminClient({ 'bootstrap.servers': facade.brokers.join() }))
    const [entry] = await client.listConsumerGroupOffsets(groupId, [{ topic, partition: 0 }])
    return entry?.offset
  }

  test('groups are listed and described, those that do not exist too', async () => {
    const admin = await connected()
    const [topic, groupId, nobody] = [await facade.topic(), fresh('group'), fresh('nobody')]
    await reading(groupId, topic, 1)
    const { groups } = await admin.listGroups()
    assert.deepEqual(
      groups.filter(each => each.groupId === groupId),
      [{ groupId, protocolType: 'consumer' }],
    )
    const described = await admin.describeGroups([groupId, nobody])
    const [group, none, ...others] = described.groups
    assert.deepEqual(others, [])
    assert.deepEqual(
      { ...group, members: group?.members.length },
      { errorCode: 0, groupId, protocol: 'RoundRobinAssigner', protocolType: 'consumer', state: 'Stable', members: 1 },
    )
    const member = group?.members[0]
    assert.ok(member !== undefined)
    assert.deepEqual(
      [typeof member.memberId, member.clientId, typeof member.clientHost],
      ['string', 'kafkajs', 'string'],
    )
    const { topics } = AssignerProtocol.MemberMetadata.decode(member.memberMetadata) ?? {}
    assert.deepEqual(topics, [topic])
    const assigned = AssignerProtocol.MemberAssignment.decode(member.memberAssignment)
    assert.deepEqual(assigned?.assignment, { [topic]: [0] })
    assert.deepEqual(none, {
      errorCode: 0,
      groupId: nobody,
      members: [],
      protocol: '',
      protocolType: '',
      state: 'Dead',
    })
  })

  test('groups are deleted when nobody is in them', async () => {
    const admin = await connected()
    const [topic, groupId, nobody] = [await facade.topic(), fresh('group'), fresh('nobody')]
    const consumer = await reading(groupId, topic, 1)
    assert.deepEqual(await admin.deleteGroups([]), [])
    const failures = async (ids: string[]): Promise<[string, string | undefined][]> => {
      const error: unknown = await admin.deleteGroups(ids).catch((reason: unknown) => reason)
      assert.ok(error instanceof KafkaJSDeleteGroupsError)
      for (const each of error.groups) assert.ok(each.error instanceof KafkaJSProtocolError)
      return error.groups.map(each => [each.groupId, each.error?.type])
    }
    assert.deepEqual(await failures([groupId]), [[groupId, 'NON_EMPTY_GROUP']])
    await consumer.disconnect()
    assert.deepEqual(await failures([groupId, nobody]), [[nobody, 'GROUP_ID_NOT_FOUND']])
    assert.ok(!(await admin.listGroups()).groups.some(each => each.groupId === groupId))

    const another = fresh('group')
    const second = await reading(another, await facade.topic(), 1)
    await second.stop()
    assert.deepEqual(await admin.deleteGroups([another]), [{ groupId: another, errorCode: 0 }])
    await rejects(admin.deleteGroups(anything(null)), refusal)
    await rejects(admin.deleteGroups([anything(1)]), refusal)
  })

  test('offsets of a group are set, for each topic', async () => {
    const admin = await connected()
    const topics = [await facade.topic(2), await facade.topic()]
    const [first = '', second = ''] = topics
    const groupId = fresh('group')
    assert.deepEqual(await admin.fetchOffsets({ groupId, topics: [second] }), [
      { topic: second, partitions: [{ partition: 0, offset: '-1', metadata: null }] },
    ])
    await admin.setOffsets({ groupId, topic: first, partitions: [{ partition: 1, offset: '13' }] })
    await admin.setOffsets({ groupId, topic: second, partitions: [{ partition: 0, offset: anything(42) }] })
    assert.deepEqual(await admin.fetchOffsets({ groupId, topics }), [
      {
        topic: first,
        partitions: [
          { partition: 0, offset: '-1', metadata: null },
          { partition: 1, offset: '13', metadata: null },
        ],
      },
      { topic: second, partitions: [{ partition: 0, offset: '42', metadata: null }] },
    ])
    const all = await admin.fetchOffsets({ groupId })
    assert.deepEqual(
      new Map(all.map(({ topic, partitions }) => [topic, partitions])),
      new Map([
        [first, [{ partition: 1, offset: '13', metadata: null }]],
        [second, [{ partition: 0, offset: '42', metadata: null }]],
      ]),
    )
  })

  test('what sets no offsets is refused', async () => {
    const admin = await connected()
    const partitions = [{ partition: 0, offset: '0' }]
    const [groupId, topic] = [fresh('group'), await facade.topic()]
    await rejects(admin.fetchOffsets({ groupId: anything(null) }), refusal)
    await rejects(admin.fetchOffsets({ groupId, topics: anything('topic') }), refusal)
    await rejects(admin.setOffsets({ groupId: anything(null), topic, partitions }), refusal)
    await rejects(admin.setOffsets({ groupId, topic: anything(null), partitions }), refusal)
    for (const given of [null, [], [{ partition: 0, offset: 'x' }], [{ partition: 0, offset: '-7' }]]) {
      await rejects(admin.setOffsets({ groupId, topic, partitions: anything(given) }), refusal)
    }
    await rejects(admin.resetOffsets({ groupId: anything(''), topic, earliest: true }), refusal)
    await rejects(admin.resetOffsets({ groupId, topic: anything(null), earliest: true }), refusal)
  })

  test('offsets are reset to the first message or the end, also where records were deleted', async () => {
    const admin = await connected()
    const [topic, groupId] = [await facade.topic(), fresh('group')]
    const consumer = await reading(groupId, topic, 10)
    const running = { name: 'KafkaJSNonRetriableError', message: /no running instances.*Stable/ }
    await rejects(admin.resetOffsets({ groupId, topic, earliest: true }), running)
    await rejects(admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '1' }] }), running)
    await consumer.stop()
    assert.equal(await committed(admin, groupId, topic), '10')

    const states: unknown[] = []
    const reset = async (earliest: boolean): Promise<void> => {
      await admin.resetOffsets(anything(earliest ? { groupId, topic, earliest } : { groupId, topic }))
      states.push([await committed(admin, groupId, topic), await inTheGroup(groupId, topic)])
    }
    await reset(true)
    await reset(false)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '7' }] })
    await reset(true)
    // What was set is told as in kafkajs; what every client of the group goes on with is the offset that it means.
    assert.deepEqual(states, [
      ['-2', 0],
      ['-1', 10],
      ['-2', 7],
    ])
    const resolved = [{ topic, partitions: [{ partition: 0, offset: '7', metadata: null }] }]
    assert.deepEqual(await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets: true }), resolved)
    assert.deepEqual(await admin.fetchOffsets({ groupId, topics: [topic] }), resolved)
    const partitions = await admin.fetchTopicOffsetsByTimestamp(topic, Date.now() + 3_600_000)
    await admin.setOffsets({ groupId, topic, partitions })
    assert.equal(await committed(admin, groupId, topic), '10')
  })

  test('a consumer begins where its group was reset to, whatever its fromBeginning says', async () => {
    const admin = await connected()
    const [topic, groupId] = [await facade.topic(), fresh('group')]
    const first = await reading(groupId, topic, 3)
    await first.disconnect()
    await admin.resetOffsets({ groupId, topic, earliest: true })
    const consumer = facade.consumer({ groupId })
    await consumer.connect()
    await consumer.subscribe({ topic })
    const seen: string[] = []
    await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)) })
    await until('all have come', () => seen.length === 3)
    await consumer.disconnect()
    assert.deepEqual(seen, ['0', '1', '2'])
    // What is committed then is no longer what was set.
    assert.equal(await committed(admin, groupId, topic), '3')
  })

  test('resolveOffsets commits the end where nothing is committed', async () => {
    const admin = await connected()
    const [topic, groupId] = [await facade.topic(2), fresh('group')]
    const producer = facade.producer()
    await producer.connect()
    await producer.send({ topic, messages: messages(5).map(each => ({ ...each, partition: 1 })) })
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '0' }] })
    const expected = [
      {
        topic,
        partitions: [
          { partition: 0, offset: '0', metadata: null },
          { partition: 1, offset: '5', metadata: null },
        ],
      },
    ]
    assert.deepEqual(await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets: true }), expected)
    assert.deepEqual(await admin.fetchOffsets({ groupId, topics: [topic] }), expected)
  })

  test('a consumer goes on where setOffsets has put its group', async () => {
    const admin = await connected()
    const [topic, groupId] = [await facade.topic(), fresh('group')]
    const first = await reading(groupId, topic, 10)
    await first.disconnect()
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '8' }] })
    const consumer = facade.consumer({ groupId })
    await consumer.connect()
    await consumer.subscribe({ topic })
    const seen: string[] = []
    await consumer.run({ eachMessage: ({ message }) => Promise.resolve(void seen.push(message.offset)) })
    await until('both have come', () => seen.length === 2)
    assert.deepEqual(seen, ['8', '9'])
  })
}
