/** Members of groups, under each protocol. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, Consumer, Producer, type ConsumerConfig, type RebalanceEvent, type TopicPartition } from 'ottla'
import { fresh } from './world.ts'

const quiet = (): void => undefined
const WAIT_MS = 60_000

interface Protocol {
  readonly name: string
  readonly rebalances: RebalanceEvent['protocol']
  readonly config: ConsumerConfig
}

const classic = { 'heartbeat.interval.ms': 100, 'session.timeout.ms': 30_000 } as const
const protocols: readonly Protocol[] = [
  { name: 'range', rebalances: 'EAGER', config: classic },
  { name: 'sticky', rebalances: 'EAGER', config: { ...classic, 'partition.assignment.strategy': 'sticky' } },
  {
    name: 'cooperative-sticky',
    rebalances: 'COOPERATIVE',
    config: { ...classic, 'partition.assignment.strategy': 'cooperative-sticky' },
  },
  { name: 'consumer protocol', rebalances: 'CONSUMER', config: { 'group.protocol': 'consumer' } },
  {
    name: 'consumer protocol, range',
    rebalances: 'CONSUMER',
    config: { 'group.protocol': 'consumer', 'group.remote.assignor': 'range' },
  },
]

/** A member that reads all the time and remembers what it was called with. */
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

  /** Numbers of the partitions that it has, sorted. */
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
    const [created] = await admin.createTopics([{ topic, numPartitions: partitions, replicationFactor: 1 }])
    assert.equal(created?.error, undefined)
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

  for (const protocol of protocols) {
    const config = (group: string): ConsumerConfig => ({ ...servers, 'group.id': group, ...protocol.config })

    test(`${protocol.name}: members come and go, every message is read, no partition has two owners`, async () => {
      const PARTITIONS = 8
      const PER_ROUND = 200
      const topic = await topicOf(PARTITIONS)
      const group = fresh('churn')
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
        // Some rounds overlap with the next rebalance, others wait for everything.
        if (round % 2 === 0) await until(`all messages of round ${round}`, () => seen() === written)
      }
      await until('all messages', () => seen() === written)
      await until('all partitions owned', () => owners.size === PARTITIONS)
      while (members.length > 0) await leave()
      assert.deepEqual(conflicts, [])
      assert.equal(owners.size, 0)
    })
  }

  test('cooperative-sticky: a member that comes takes what moves, and nothing else is interrupted', async () => {
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
    await until('the first one has been told', () => first.events.length >= 3)
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
}
