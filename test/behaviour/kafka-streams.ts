/** Applications of Kafka Streams 4.3: the same results on Kafka 4.3.1 and on an embedded cluster. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AdminClient, Consumer, Producer } from 'ottla'
import { streams } from '../foreign/programs.ts'
import type { Peer } from '../foreign/peer.ts'
import { closing } from '../harness/closing.ts'
import { quiet } from './reading-ways.ts'
import { fresh } from './world.ts'

const PATIENCE_MS = 60_000
const PARTITIONS = 4
const LINES = 40
const WORDS = ['over', 'and', 'over']

interface Tasks {
  readonly active: readonly string[]
  readonly standby: readonly string[]
}

interface Described {
  readonly state: string
  readonly members: number
  readonly subtopologies: readonly { readonly id: string; readonly internal: Record<string, number> }[]
}

export interface StreamsWorld {
  readonly bootstrapServers: string
  close(): Promise<void>
}

export function kafkaStreamsScenarios(start: () => Promise<StreamsWorld>): void {
  let world: StreamsWorld
  let peer: Peer
  let admin: AdminClient
  let folder: string

  before(async () => {
    world = await start()
    folder = mkdtempSync(join(tmpdir(), 'ottla-streams-'))
    peer = await streams(world.bootstrapServers)
    admin = new AdminClient({ 'bootstrap.servers': world.bootstrapServers }, { logger: quiet })
  })

  after(async () => {
    await admin.close()
    await peer.close()
    await world.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const topic = async (name: string, numPartitions = PARTITIONS): Promise<string> => {
    await admin.createTopics([{ topic: name, numPartitions, replicationFactor: 1 }])
    return name
  }

  /** Starts an instance of an application. */
  const run = (app: string, instance: string, how: Record<string, string>, config: Record<string, string>) =>
    peer.ask({
      do: 'start',
      instance: `${app}/${instance}`,
      ...how,
      config: {
        'application.id': app,
        'processing.guarantee': 'exactly_once_v2',
        'state.dir': join(folder, app, instance),
        'default.dsl.store': 'in_memory',
        'commit.interval.ms': '100',
        'statestore.cache.max.bytes': '0',
        ...config,
      },
    })

  const ask = async <T>(order: string, app: string, instance: string): Promise<T> =>
    (await peer.ask({ do: order, instance: `${app}/${instance}` })) as T // as StreamsPeer answers

  const tasksOf = (app: string, instance: string): Promise<Tasks> => ask('tasks', app, instance)

  const produce = async (to: string, values: readonly string[], keyed = false): Promise<void> => {
    // Keys go where Java's producers put them, or tables and streams would not meet.
    const config = { 'bootstrap.servers': world.bootstrapServers, partitioner: 'murmur2_random' } as const
    const producer = closing(new Producer(config, { logger: quiet }))
    await Promise.all(
      values.map(value => producer.send({ topic: to, key: keyed ? value.split('=')[0]! : null, value })),
    )
    await producer.close()
  }

  const lines = (to: string): Promise<void> =>
    produce(
      to,
      Array.from({ length: LINES }, (_, i) => `${WORDS.join(' ')} ${i % 4}`),
    )

  /** The last value of each key that is committed, once there are so many messages; and how often each came. */
  const read = async (from: string, count: number): Promise<{ last: Record<string, string>; messages: number }> => {
    const consumer = closing(
      new Consumer(
        {
          'bootstrap.servers': world.bootstrapServers,
          'group.id': fresh('reader'),
          'auto.offset.reset': 'earliest',
          'isolation.level': 'read_committed',
        },
        { logger: quiet },
      ),
    )
    consumer.subscribe(from)
    const last: Record<string, string> = {}
    let messages = 0
    while (messages < count) {
      const { key, value } = await consumer.readMessage(PATIENCE_MS)
      last[String(key)] = String(value)
      messages++
    }
    // Nothing comes twice.
    await assert.rejects(consumer.readMessage(500), { name: 'ERR__TIMED_OUT' }).catch((error: unknown) => {
      messages++
      throw error
    })
    await consumer.close()
    return { last, messages }
  }

  const words = LINES * (WORDS.length + 1)
  const counted = (times: number): Record<string, string> => ({
    over: String(LINES * times * 2),
    and: String(LINES * times),
    ...Object.fromEntries(['0', '1', '2', '3'].map(word => [word, String((LINES / 4) * times)])),
  })

  for (const protocol of ['streams', 'classic'] as const) {
    test(`group.protocol=${protocol}: counts exactly once while instances come and go`, async () => {
      const [app, from, to] = [fresh(`count-${protocol}`), fresh('lines'), fresh('counts')]
      await topic(from)
      await topic(to, 1)
      if (protocol === 'streams') {
        const entries = [
          { name: 'streams.num.standby.replicas', value: 1, operation: 'set' },
          { name: 'streams.heartbeat.interval.ms', value: 200, operation: 'set' },
        ] as const
        await admin.incrementalAlterConfigs([{ type: 'group', name: app, entries }])
      }
      const how = { topology: 'count', from, to }
      const config: Record<string, string> = { 'group.protocol': protocol }
      if (protocol === 'classic') {
        // An instance that ends does not leave the group: it may come back.
        Object.assign(config, {
          'num.standby.replicas': '1',
          'session.timeout.ms': '3000',
          'heartbeat.interval.ms': '300',
        })
      }
      await run(app, 'a', how, config)
      await lines(from)
      const all = ['0', '1'].flatMap(subtopology => [0, 1, 2, 3].map(i => `${subtopology}_${i}`))
      await eventually(
        () => tasksOf(app, 'a'),
        ({ active }) => assert.deepEqual(active, all),
      )
      assert.deepEqual((await read(to, words)).last, counted(1))

      await run(app, 'b', how, config)
      await eventually(
        async () => [await tasksOf(app, 'a'), await tasksOf(app, 'b')] as const,
        ([a, b]) => {
          assert.deepEqual([...a.active, ...b.active].sort(), all)
          assert.deepEqual([a.active.length, b.active.length], [PARTITIONS, PARTITIONS])
          // Each has the state of the other's.
          const stateful = (tasks: readonly string[]): string[] => tasks.filter(task => task.startsWith('1_'))
          assert.deepEqual([a.standby, b.standby], [stateful(b.active), stateful(a.active)])
        },
      )
      await lines(from)
      assert.deepEqual((await read(to, 2 * words)).last, counted(2))

      assert.equal(await ask('stop', app, 'a'), true)
      await eventually(
        () => tasksOf(app, 'b'),
        ({ active }) => assert.deepEqual(active, all),
      )
      await lines(from)
      assert.deepEqual((await read(to, 3 * words)).last, counted(3))
      assert.deepEqual(await ask('store', app, 'b'), counted(3))
      if (protocol === 'streams') {
        const described = (await peer.ask({ do: 'describe', group: app })) as Described // as StreamsPeer answers
        assert.deepEqual([described.state, described.members], ['Stable', 1])
        const internal = described.subtopologies.map(each => each.internal)
        const own = { [`${app}-by-word-repartition`]: PARTITIONS, [`${app}-counts-changelog`]: PARTITIONS }
        assert.deepEqual(internal, [{}, own])
      }
      assert.equal(await ask('stop', app, 'b'), true)
      const topics = await admin.describeConfigs([{ type: 'topic', name: `${app}-counts-changelog` }])
      assert.equal(topics[0]?.entries['cleanup.policy']?.value, 'compact')
    })
  }

  test('windows, and a table that is joined', async () => {
    const [app, from, to, table] = [fresh('join'), fresh('lines'), fresh('joined'), fresh('meanings')]
    await topic(from)
    await topic(table)
    await topic(to, 1)
    await produce(table, ['over=above', 'and=also'], true)
    await run(app, 'a', { topology: 'join', from, to, table }, { 'group.protocol': 'streams' })
    // The table has been read before the stream.
    await eventually(
      () => ask<Record<string, string>>('store', app, 'a'),
      store => assert.equal(Object.keys(store).length, 2),
    )
    await produce(from, ['over and over'])
    const { last } = await read(to, 3)
    assert.deepEqual(last, { over: 'over=over=above', and: 'and=and=also' })
    assert.equal(await ask('stop', app, 'a'), true)

    const windows = fresh('windows')
    const [lineTopic, counts] = [await topic(fresh('lines')), await topic(fresh('counts'), 1)]
    await produce(lineTopic, ['over and over'])
    await run(windows, 'a', { topology: 'windows', from: lineTopic, to: counts }, { 'group.protocol': 'streams' })
    const byWindow = (await read(counts, 3)).last
    assert.deepEqual(Object.values(byWindow).sort(), ['1', '2'])
    assert.equal(await ask('stop', windows, 'a'), true)
  })

  test('an application without its source topic, or whose topics do not fit, ends with an error', async () => {
    const [app, to] = [fresh('lost'), await topic(fresh('counts'), 1)]
    await run(app, 'a', { topology: 'count', from: fresh('missing'), to }, { 'group.protocol': 'streams' })
    await eventually(
      () => ask('state', app, 'a'),
      state => assert.equal(state, 'ERROR'),
    )
    await ask('stop', app, 'a')

    const [wide, narrow] = [await topic(fresh('lines')), await topic(fresh('meanings'), PARTITIONS - 1)]
    const join = fresh('unfit')
    // The stream is repartitioned to fit the table, whose topic is not: the number of its own is not asked.
    await run(join, 'a', { topology: 'join', from: wide, to, table: narrow }, { 'group.protocol': 'streams' })
    await eventually(
      () => ask('state', join, 'a'),
      state => assert.equal(state, 'RUNNING'),
    )
    const { active } = await tasksOf(join, 'a')
    assert.equal(active.length, PARTITIONS + PARTITIONS - 1)
    await ask('stop', join, 'a')
  })
}

async function eventually<T>(look: () => Promise<T>, check: (found: T) => void): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    try {
      check(await look())
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await sleep(100)
    }
  }
}
