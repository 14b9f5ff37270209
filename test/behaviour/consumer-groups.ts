/** Members of groups, under each protocol. */
import { after, before, describe, test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, Consumer, Producer, type ConsumerConfig, type RebalanceEvent, type TopicPartition } from 'ottla'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined
const WAIT_MS = 60_000

interface Protocol {
  readonly name: string
  readonly rebalances: RebalanceEvent['protocol']
  /** Whether all tests run for it; else only some. */
  readonly isThorough: boolean
  readonly config: Partial<ConsumerConfig>
}

const classic = { 'heartbeat.interval.ms': 100, 'session.timeout.ms': 30_000 } as const
const protocols: readonly Protocol[] = [
  { name: 'range', rebalances: 'EAGER', isThorough: true, config: classic },
  {
    name: 'sticky',
    rebalances: 'EAGER',
    isThorough: false,
    config: { ...classic, 'partition.assignment.strategy': 'sticky' },
  },
  {
    name: 'cooperative-sticky',
    rebalances: 'COOPERATIVE',
    isThorough: true,
    config: { ...classic, 'partition.assignment.strategy': 'cooperative-sticky' },
  },
  { name: 'consumer protocol', rebalances: 'CONSUMER', isThorough: true, config: { 'group.protocol': 'consumer' } },
  {
    name: 'consumer protocol, range',
    rebalances: 'CONSUMER',
    isThorough: false,
    config: { 'group.protocol': 'consumer', 'group.remote.assignor': 'range' },
  },
]

/** A member that reads continuously and records its rebalance events. */
class Reader {
  readonly consumer: Consumer
  readonly events: RebalanceEvent[] = []
  readonly values: string[] = []
  readonly #reading: Promise<void>

  constructor(
    config: ConsumerConfig,
    topics: string | RegExp | string[],
    onEvent: (event: RebalanceEvent) => void = quiet,
  ) {
    this.consumer = new Consumer(
      { 'auto.offset.reset': 'earliest', 'fetch.wait.max.ms': 100, ...config },
      { logger: quiet },
    )
    this.consumer.subscribe(topics, event => {
      this.events.push(event)
      onEvent(event)
    })
    this.#reading = this.#read()
  }

  /** The partitions that it owns, sorted. */
  get partitions(): number[] {
    return numbers(this.consumer.assignment())
  }

  async close(): Promise<void> {
    await this.consumer.close()
    await this.#reading
  }

  async #read(): Promise<void> {
    for await (const message of this.consumer) this.values.push(String(message.value))
  }
}

function numbers(partitions: readonly TopicPartition[]): number[] {
  return partitions.map(({ partition }) => partition).sort((a, b) => a - b)
}

/** `revoke 0,1` */
function shown({ type, partitions }: RebalanceEvent): string {
  return `${type} ${numbers(partitions).join()}`
}

async function until(what: string, done: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!done()) {
    assert.ok(performance.now() < deadline, `never came true: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function pollUntil(consumer: Consumer, what: string, done: () => boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS
  while (!done()) {
    assert.ok(performance.now() < deadline, `never came true: ${what}`)
    await consumer.poll(20)
  }
}

/** @param start a cluster */
export function consumerGroupScenarios(
  start: () => Promise<{ readonly bootstrapServers: string; close(): Promise<void> }>,
): void {
  let cluster: Awaited<ReturnType<typeof start>>
  let servers: { readonly 'bootstrap.servers': string }
  let producer: Producer
  let admin: AdminClient

  before(async () => {
    cluster = await start()
    servers = { 'bootstrap.servers': cluster.bootstrapServers }
    producer = new Producer({ ...servers, 'linger.ms': 0 }, { logger: quiet })
    admin = new AdminClient(servers, { logger: quiet })
  })

  after(async () => {
    await producer.close()
    await admin.close()
    await cluster.close()
  })

  async function topicOf(partitions: number, prefix = 'groups'): Promise<string> {
    const topic = fresh(prefix)
    await createTopic(servers, topic, { numPartitions: partitions, replicationFactor: 1 })
    return topic
  }

  async function write(topic: string, partitions: number, from: number, count: number): Promise<void> {
    const messages = Array.from({ length: count }, (_, i) => ({
      topic,
      partition: (from + i) % partitions,
      value: `value-${from + i}`,
    }))
    for (const report of await producer.sendBatch(messages)) assert.equal(report.error, undefined)
  }

  /** The name of a group with frequent heartbeats, so that members learn of changes quickly. */
  async function groupOf(prefix: string): Promise<string> {
    const group = fresh(prefix)
    const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '100', operation: 'set' }] as const
    const [altered] = await admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
    assert.equal(altered?.error, undefined)
    return group
  }

  // They wait most of the time.
  describe('members of groups', { concurrency: 4 }, () => {
    for (const protocol of protocols) {
      const config = (group: string): ConsumerConfig => ({ ...servers, 'group.id': group, ...protocol.config })

      test(`${protocol.name}: members join and leave, every message is read, no partition has two owners`, async () => {
        const PARTITIONS = 8
        const PER_ROUND = 200
        const topic = await topicOf(PARTITIONS)
        const group = await groupOf('churn')
        const owners = new Map<number, object>()
        const conflicts: string[] = []
        const members: Reader[] = []
        const gone: Reader[] = []
        let written = 0
        const seen = (): number => new Set([...members, ...gone].flatMap(member => member.values)).size
        const join = (): void => {
          const me = {}
          const member = new Reader(config(group), topic, ({ type, partitions }) => {
            for (const { partition } of partitions) {
              if (type !== 'assign') {
                if (owners.get(partition) === me) owners.delete(partition)
              } else {
                if (owners.has(partition)) conflicts.push(`partition ${partition} was given to two members`)
                owners.set(partition, me)
              }
            }
          })
          members.push(member)
        }
        const leave = async (): Promise<void> => {
          const member = members.shift()
          if (member === undefined) return
          gone.push(member)
          await member.close()
        }
        join()
        for (let round = 0; round < 6; round++) {
          await write(topic, PARTITIONS, written, PER_ROUND)
          written += PER_ROUND
          if (round % 3 !== 2) join()
          if (round % 2 === 1 && members.length > 1) await leave()
          await write(topic, PARTITIONS, written, PER_ROUND)
          written += PER_ROUND
          // Some rounds overlap the next rebalance, others wait for it.
          if (round % 2 === 0) await until(`all messages of round ${round}`, () => seen() === written)
        }
        await until('all messages', () => seen() === written)
        await until('all partitions owned', () => owners.size === PARTITIONS)
        while (members.length > 0) await leave()
        assert.deepEqual(conflicts, [])
        assert.equal(owners.size, 0)
      })

      if (!protocol.isThorough) continue

      test(`${protocol.name}: a pattern finds topics that come later, and topics grow`, async () => {
        const prefix = fresh('pattern')
        const [one, two] = [`${prefix}-one`, `${prefix}-two`]
        const create = async (topic: string): Promise<void> => {
          await createTopic(servers, topic, { numPartitions: 2, replicationFactor: 1 })
        }
        await create(one)
        const reader = new Reader(
          { ...config(await groupOf('pattern')), 'topic.metadata.refresh.interval.ms': 200 },
          new RegExp(`${prefix}-(one|two)$`),
        )
        const parts = (topic: string): number[] => numbers(reader.consumer.assignment().filter(p => p.topic === topic))
        await until('the first topic is assigned', () => parts(one).length === 2)
        await create(two)
        await create(`${prefix}-three`)
        await until('the second topic is assigned', () => parts(two).length === 2)
        const [grown] = await admin.createPartitions([{ topic: one, increaseTo: 4 }])
        assert.equal(grown?.error, undefined)
        await until('the new partitions are assigned', () => parts(one).length === 4)
        assert.deepEqual(parts(`${prefix}-three`), [])
        await write(one, 4, 0, 8)
        await until('all read', () => new Set(reader.values).size === 8)
        await reader.close()
      })

      test(`${protocol.name}: a member that changes its subscription gives up the other topics`, async () => {
        const [a, b] = [await topicOf(2), await topicOf(2)]
        const group = await groupOf('other')
        const reader = new Reader(config(group), [a])
        const topics = (): string[] => [...new Set(reader.consumer.assignment().map(p => p.topic))].sort()
        await until('the first topic', () => reader.consumer.assignment().length === 2)
        reader.consumer.subscribe([a, b], event => void reader.events.push(event))
        await until('both topics', () => reader.consumer.assignment().length === 4)
        reader.consumer.subscribe([b], event => void reader.events.push(event))
        await until('the second topic alone', () => topics().join() === b)
        const kept = reader.events.filter(({ type }) => type === 'revoke').flatMap(({ partitions }) => partitions)
        if (protocol.rebalances !== 'EAGER') assert.deepEqual([...new Set(kept.map(({ topic }) => topic))], [a])
        await write(b, 2, 0, 4)
        await until('its messages', () => reader.values.length === 4)
        await reader.consumer.unsubscribe()
        assert.deepEqual(reader.consumer.assignment(), [])
        assert.equal(reader.consumer.rebalanceProtocol(), 'NONE')
        reader.consumer.subscribe([b])
        await until('it is back', () => reader.consumer.assignment().length === 2)
        await reader.close()
      })

      test(`${protocol.name}: progress goes from member to member, and offsets given in the callback count`, async () => {
        const topic = await topicOf(2)
        const group = await groupOf('progress')
        await write(topic, 2, 0, 20)
        const first = new Reader(config(group), topic)
        await until('all read', () => first.values.length === 20)
        await first.close()
        await write(topic, 2, 20, 20)
        const second = new Reader(config(group), topic)
        await until('the rest read', () => second.values.length >= 20)
        await second.close()
        assert.equal(new Set([...first.values, ...second.values]).size, 40)
        assert.ok(second.values.length <= 22, `${second.values.length} read by the second member`)

        const again = new Consumer({ ...config(group), 'fetch.wait.max.ms': 100 }, { logger: quiet })
        again.subscribe(topic, async ({ type, partitions }, consumer) => {
          if (type === 'assign') await consumer.assign(partitions.map(p => ({ ...p, offset: 5 })))
        })
        const values: string[] = []
        while (values.length < 30) values.push(String((await again.readMessage(WAIT_MS)).value))
        assert.equal(new Set(values).size, 30)
        if (protocol.rebalances === 'EAGER') await again.assign([])
        else await assert.rejects(again.assign([]), { name: 'ERR__STATE' })
        await again.close()
      })

      test(`${protocol.name}: an application that does not poll loses its partitions, and gets them back when it polls`, async () => {
        const topic = await topicOf(2)
        const group = await groupOf('poll')
        const slow = new Consumer(
          {
            ...config(group),
            'max.poll.interval.ms': 1000,
            ...(protocol.rebalances === 'CONSUMER' ? {} : { 'session.timeout.ms': 1000 }),
            'auto.offset.reset': 'earliest',
          },
          { logger: quiet },
        )
        const events: RebalanceEvent[] = []
        let wasLost = false
        slow.subscribe(topic, event => {
          events.push(event)
          if (event.type === 'lost') wasLost = slow.assignmentLost()
        })
        await pollUntil(slow, 'it has both', () => slow.assignment().length === 2)
        const other = new Reader(config(group), topic)
        await until('the other one has everything', () => other.partitions.length === 2)
        await assert.rejects(
          async () => {
            for (;;) await slow.readMessage(WAIT_MS)
          },
          { name: 'ERR__MAX_POLL_EXCEEDED' },
        )
        await pollUntil(slow, 'it has one again', () => slow.assignment().length === 1)
        assert.deepEqual(events.map(shown).slice(0, 2), ['assign 0,1', 'lost 0,1'])
        assert.equal(wasLost, true)
        assert.equal(slow.assignmentLost(), false)
        await Promise.all([slow.close(), other.close()])
      })

      test(`${protocol.name}: a static member that restarts keeps its partitions, and no other member rebalances`, async () => {
        const topic = await topicOf(4)
        const group = await groupOf('static')
        const start = (instance: string): Reader =>
          new Reader({ ...config(group), 'group.instance.id': instance }, topic)
        const one = start('one')
        const two = start('two')
        await until('both have two', () => one.partitions.length === 2 && two.partitions.length === 2)
        const had = one.partitions
        const before = two.events.length
        await one.close()
        const back = start('one')
        await until('it has two again', () => back.partitions.length === 2)
        assert.deepEqual(back.partitions, had)
        assert.equal(two.events.length, before)
        await Promise.all([back.close(), two.close()])
      })
    }

    test('cooperative-sticky: a joining member gets the partitions that move, and the others are not interrupted', async () => {
      const topic = await topicOf(4)
      const group = fresh('cooperative')
      const config: ConsumerConfig = { ...servers, 'group.id': group, ...protocols[2]?.config }
      const first = new Reader(config, topic)
      await until('the first one has everything', () => first.partitions.length === 4)
      assert.deepEqual(first.events.map(shown), ['assign 0,1,2,3'])
      assert.equal(first.events[0]?.protocol, 'COOPERATIVE')
      assert.equal(first.consumer.rebalanceProtocol(), 'COOPERATIVE')
      await write(topic, 4, 0, 40)
      await until('all read', () => first.values.length === 40)
      const second = new Reader(config, topic)
      await until('the second one has two', () => second.partitions.length === 2)
      await until('the first one has its events', () => first.events.length >= 3)
      const moved = second.partitions.join()
      assert.deepEqual(
        first.events
          .slice(1)
          .map(shown)
          .filter(text => text !== 'assign '),
        [`revoke ${moved}`],
      )
      assert.deepEqual(
        second.events.map(shown).filter(text => text !== 'assign '),
        [`assign ${moved}`],
      )
      await write(topic, 4, 40, 40)
      await until('all read by both', () => first.values.length + second.values.length === 80)
      await second.close()
      assert.equal(shown(second.events.at(-1) as RebalanceEvent), `revoke ${moved}`) // it had events above
      await until('the first one has everything again', () => first.partitions.length === 4)
      await first.close()
      assert.equal(first.values.length + second.values.length, 80)
    })
  })
}
