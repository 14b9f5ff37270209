/** What node-rdkafka's specs ask of groups: offsets, commits, rebalances (`e2e/{groups,consumer,both}.spec.js`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CODES,
  type Assignment,
  type KafkaConsumer,
  type LibrdKafkaError,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@ottla/node-rdkafka'
import { fresh } from '../world.ts'
import {
  anything,
  asError,
  called,
  connected,
  disconnected,
  nextEvent,
  rdkafkaWorldOf,
  readMessages,
  refused,
  textOf,
  until,
  type PlainCluster,
} from './rdkafka-world.ts'

const { ERR__ASSIGN_PARTITIONS, ERR__NO_OFFSET, ERR__REVOKE_PARTITIONS, ERR__STATE, ERR__TIMED_OUT } = CODES.ERRORS

type Rebalance = [error: LibrdKafkaError, partitions: TopicPartition[]]
type Committed = [error: LibrdKafkaError | undefined, offsets: TopicPartitionOffset[]]

/** @param start a cluster of one broker */
export function groupScenarios(start: () => Promise<PlainCluster>): void {
  const world = rdkafkaWorldOf(start)

  const committedOf = (
    consumer: KafkaConsumer,
    partitions: TopicPartition[] | null = null,
  ): Promise<TopicPartitionOffset[]> => called(done => consumer.committed(anything(partitions), 10_000, done))

  test('commit, read committed offsets, and restart from there', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['0', '1', '2', '3', '4'])
    const group = { 'group.id': fresh('group'), 'enable.auto.commit': false }
    const first = await connected(world.consumer(group))
    first.subscribe([topic])
    const read = await readMessages(first, 3)
    first.commitMessageSync(read[2]!)
    assert.deepEqual(await committedOf(first), [{ offset: 3, partition: 0, topic }])
    first.unsubscribe()
    await disconnected(first)
    const second = await connected(world.consumer(group))
    second.subscribe([topic])
    assert.deepEqual((await readMessages(second, 2)).map(textOf), ['3', '4'])
  })

  test('committed: without an assignment, without a commit, after one, out of time', async () => {
    const topic = await world.topic()
    const consumer = await connected(world.consumer({ 'enable.auto.commit': false }))
    assert.deepEqual(await committedOf(consumer), [])
    consumer.assign([{ topic, partition: 0 }])
    assert.deepEqual(await committedOf(consumer), [{ partition: 0, topic }])
    consumer.commitSync({ topic, partition: 0, offset: 1000 })
    assert.deepEqual(await committedOf(consumer), [{ offset: 1000, partition: 0, topic }])
    assert.deepEqual(await called(done => consumer.committed(10_000, done)), [{ offset: 1000, partition: 0, topic }])
    const error = await refused(done => consumer.committed(anything(null), 0, done))
    assert.equal(error.code, ERR__TIMED_OUT)
  })

  test('commit takes an offset, a list, a message or nothing; offset.commit says what came of it', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['0', '1'])
    const results: Committed[] = []
    const consumer = await connected(
      world.consumer({
        'enable.auto.commit': false,
        'enable.auto.offset.store': false,
        offset_commit_cb(this: unknown, ...result: Committed) {
          assert.equal(this, consumer)
          results.push(result)
        },
      }),
    )
    const commit = async (work: () => unknown): Promise<Committed> => {
      const event = nextEvent<Committed>(consumer, 'offset.commit')
      work()
      const given = await event
      assert.deepEqual(results.pop(), given)
      return given
    }
    const here = { topic, partition: 0 }
    consumer.subscribe([topic])
    const [message] = await readMessages(consumer, 2)
    assert.deepEqual(await commit(() => consumer.commit({ ...here, offset: 2 })), [undefined, [{ ...here, offset: 2 }]])
    assert.deepEqual(await commit(() => consumer.commit([{ ...here, offset: 1 }])), [
      undefined,
      [{ ...here, offset: 1 }],
    ])
    assert.deepEqual(await commit(() => consumer.commitMessage(message!)), [undefined, [{ ...here, offset: 1 }]])
    assert.equal((await commit(() => consumer.commit()))[0]?.code, ERR__NO_OFFSET)
    // Logical offsets cannot be committed.
    assert.equal((await commit(() => consumer.commit([{ ...here, offset: -1 }])))[0]?.code, ERR__NO_OFFSET)
    assert.equal(consumer.offsetsStore([{ ...here, offset: 2 }]), 0)
    assert.deepEqual(await commit(() => consumer.commit()), [undefined, [{ ...here, offset: 2 }]])
    assert.throws(() => consumer.commit(anything({ topic })), { name: 'TypeError' })
    assert.throws(() => consumer.offsetsStore([{ topic, partition: 9, offset: 1 }]), { code: ERR__STATE })
  })

  test('a commit that fails is an error of the event, and of commitSync an event.error', async () => {
    const consumer = await connected(world.consumer({ 'enable.auto.commit': false, offset_commit_cb: true }))
    const failure = nextEvent<[LibrdKafkaError]>(consumer, 'event.error')
    consumer.commitSync(null)
    assert.equal((await failure)[0].code, ERR__NO_OFFSET)
    assert.equal(consumer.getLastError().code, ERR__NO_OFFSET)
  })

  test('disconnect in the callback of a commit, and connect in the callback of that', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['0'])
    const consumer = await connected(world.consumer({ 'enable.auto.commit': false, offset_commit_cb: true }))
    consumer.subscribe([topic])
    consumer.consume()
    const again = new Promise<void>((resolve, reject) => {
      consumer.once('data', message => {
        consumer.once('offset.commit', () => {
          consumer.disconnect(() => {
            consumer.connect({}, error => {
              if ((error as LibrdKafkaError | null) === null) resolve()
              else reject(asError(error))
            })
          })
        })
        consumer.commitMessage(message)
      })
    })
    await again
    await world.fill(topic, ['1'])
    consumer.subscribe([topic])
    const next = nextEvent<[TopicPartitionOffset]>(consumer, 'data')
    consumer.consume()
    assert.equal((await next)[0].offset, 1)
  })

  for (const [strategy, protocol] of [
    [undefined, 'EAGER'],
    ['range', 'EAGER'],
    ['roundrobin', 'EAGER'],
    ['cooperative-sticky', 'COOPERATIVE'],
  ] as const) {
    test(`rebalance_cb: true with ${strategy ?? 'the default strategy'}: events, and the protocol ${protocol}`, async () => {
      const topic = await world.topic(2)
      await world.fill(topic, ['0'])
      const rest = strategy === undefined ? {} : { 'partition.assignment.strategy': strategy }
      const consumer = await connected(world.consumer({ rebalance_cb: true, ...rest }))
      const events: [code: number, protocol: string, partitions: TopicPartition[]][] = []
      consumer.on('rebalance', (error, partitions) => {
        assert.ok(error instanceof Error)
        events.push([error.code, consumer.rebalanceProtocol(), partitions])
      })
      consumer.subscribe([topic])
      assert.deepEqual((await readMessages(consumer, 1)).map(textOf), ['0'])
      await disconnected(consumer)
      const all = [0, 1].map(partition => ({ topic, partition }))
      assert.deepEqual(events[0], [ERR__ASSIGN_PARTITIONS, protocol, all])
      assert.deepEqual([events[1]?.[0], events[1]?.[2]], [ERR__REVOKE_PARTITIONS, all])
      assert.equal(events.length, 2)
    })
  }

  test('rebalance_cb as a function assigns the partitions: where it wants to begin, and when', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['0', '1', '2'])
    const seen: Rebalance[] = []
    const consumer = await connected(
      world.consumer({
        rebalance_cb(this: KafkaConsumer, ...rebalance: Rebalance) {
          assert.equal(this, consumer)
          seen.push(rebalance)
          const [{ code }, partitions] = rebalance
          if (code === ERR__REVOKE_PARTITIONS) {
            this.unassign()
            return
          }
          // Not at once: the client waits for it.
          setTimeout(() => {
            this.assign(partitions.map(each => ({ ...each, offset: 1 })))
            assert.deepEqual(this.assignments(), [{ topic, partition: 0, offset: 1 }])
          }, 20)
        },
      }),
    )
    const events: Rebalance[] = []
    consumer.on('rebalance', (...rebalance) => events.push(rebalance))
    consumer.subscribe([topic])
    assert.deepEqual((await readMessages(consumer, 2)).map(textOf), ['1', '2'])
    await disconnected(consumer)
    assert.deepEqual(seen, events)
    assert.deepEqual(
      seen.map(([{ code }, partitions]) => [code, partitions]),
      [
        [ERR__ASSIGN_PARTITIONS, [{ topic, partition: 0 }]],
        [ERR__REVOKE_PARTITIONS, [{ topic, partition: 0 }]],
      ],
    )
  })

  test('a rebalance_cb that throws is a rebalance.error, and the client assigns the partitions', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['0'])
    const problem = new Error('of the callback')
    const consumer = await connected(
      world.consumer({
        rebalance_cb: () => {
          throw problem
        },
      }),
    )
    const failure = nextEvent<[Error]>(consumer, 'rebalance.error')
    consumer.subscribe([topic])
    assert.deepEqual((await readMessages(consumer, 1)).map(textOf), ['0'])
    assert.deepEqual(await failure, [problem])
  })

  test('members share the partitions, under both kinds of protocol, with and without callbacks', async () => {
    for (const strategy of ['range', 'cooperative-sticky']) {
      const topic = await world.topic(4)
      const conf = { 'group.id': fresh('group'), 'partition.assignment.strategy': strategy }
      const callback = function (this: KafkaConsumer, { code }: LibrdKafkaError, partitions: Assignment[]): void {
        const isEager = this.rebalanceProtocol() === 'EAGER'
        if (code === ERR__ASSIGN_PARTITIONS) {
          if (isEager) this.assign(partitions)
          else this.incrementalAssign(partitions)
        } else if (isEager) this.unassign()
        else this.incrementalUnassign(partitions)
      }
      const members = await Promise.all(
        [{}, { rebalance_cb: true }, { rebalance_cb: callback }].map(rest =>
          connected(world.consumer({ ...conf, ...rest })),
        ),
      )
      const read: (string | null)[] = []
      for (const member of members) {
        member.on('data', message => read.push(textOf(message)))
        member.subscribe([topic])
        member.consume()
      }
      await until('all have partitions', () => {
        const counts = members.map(member => member.assignments().length)
        return counts.every(count => count > 0) && counts.reduce((sum, count) => sum + count, 0) === 4
      })
      for (let partition = 0; partition < 4; partition++) await world.fill(topic, [`of ${partition}`], partition)
      await until('all messages', () => read.length >= 4)
      assert.deepEqual(read.sort(), ['of 0', 'of 1', 'of 2', 'of 3'])
      await Promise.all(members.map(disconnected))
    }
  })

  test('a consumer of the group protocol of Kafka 4 (KIP-848) is COOPERATIVE', async () => {
    const topic = await world.topic()
    await world.fill(topic, ['0'])
    const consumer = await connected(world.consumer({ 'group.protocol': 'consumer', rebalance_cb: true }))
    const event = nextEvent<Rebalance>(consumer, 'rebalance')
    consumer.subscribe([topic])
    assert.equal(consumer.rebalanceProtocol(), 'COOPERATIVE')
    assert.deepEqual((await readMessages(consumer, 1)).map(textOf), ['0'])
    assert.equal((await event)[0].code, ERR__ASSIGN_PARTITIONS)
  })
}
