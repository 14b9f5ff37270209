/**
 * Topics are deleted and made anew, get more partitions, and lose their oldest records, while producers write to all of
 * them and a group reads whatever fits its pattern. What is there in the end is read.
 */
import type { AdminClient, Consumer, ConsumerConfig, Message } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { Churn, type Life } from '../churn.ts'
import { Flag } from '../flag.ts'
import { read, ways } from '../ways.ts'
import { inWords, type World } from '../world.ts'
import { Writer } from '../writers.ts'

const GROUP = 'readers'
const TOPICS = ['t-0', 't-1', 't-2'] as const
const CALM_LIMIT_MS = 180_000
const CLOSE_LIMIT_MS = 120_000
const MOST_PARTITIONS = 6

/** Every value that some member has had in its hands. */
class Seen {
  readonly values = new Set<string>()
  steps = 0
}

class Reader implements Life {
  readonly name: string
  readonly #world: World
  readonly #consumer: Consumer
  readonly #seen: Seen
  readonly #reading: Promise<void>
  readonly #over = new Flag()
  readonly #way: (typeof ways)[number]

  constructor(world: World, name: string, config: Partial<ConsumerConfig>, seen: Seen) {
    this.name = name
    this.#world = world
    this.#seen = seen
    const dice = world.simulation.dice(name)
    this.#way = dice.pick(ways)
    this.#consumer = world.consumer(name, {
      'group.id': GROUP,
      'auto.offset.reset': 'earliest',
      'fetch.wait.max.ms': dice.pick([100, 500, 2000]),
      'topic.metadata.refresh.interval.ms': dice.pick([1000, 10_000]),
      ...config,
    })
    world.note(`${name} begins: ${this.#way}`)
    this.#consumer.subscribe([...(dice.chance(0.5) ? ['^t-.*'] : TOPICS)])
    this.#reading = read(world, {
      consumer: this.#consumer,
      name,
      way: this.#way,
      dice,
      isOver: () => this.#over.isSet(),
      onMessage: message => this.#take(message),
      onDone: () => undefined,
    })
  }

  async leave(): Promise<void> {
    await this.#consumer.close()
    this.#over.set()
    await this.#reading
  }

  async crash(): Promise<void> {
    this.#over.set()
    this.#world.loseHost(this.name)
    await this.#consumer.close(1000)
    await this.#reading
  }

  explain(): string {
    return `${this.name} (${this.#way}): ${this.#consumer.explain().join(' | ')}`
  }

  #take({ topic, partition, offset, value }: Message): void {
    if (this.#over.isSet()) return
    this.#seen.values.add(String(value))
    this.#seen.steps++
    this.#world.note(`${this.name} got ${topic} [${partition}] ${offset} ${String(value)}`)
  }
}

/** Changes topics now and then. */
class Administrator {
  readonly #world: World
  readonly #dice: Dice
  readonly #admin: AdminClient

  constructor(world: World) {
    this.#world = world
    this.#dice = world.simulation.dice('administrator')
    this.#admin = world.admin('admin')
  }

  async work(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      await this.#world.sleep(this.#dice.int(500, 15_000))
      if (isOver()) return
      try {
        await this.#act(this.#dice.pick(TOPICS))
      } catch (error) {
        this.#world.note(`admin: ${inWords(error)}`)
      }
    }
  }

  close(): Promise<void> {
    return this.#admin.close()
  }

  async #act(name: string): Promise<void> {
    const { cluster } = this.#world
    const there = cluster.topics().find(topic => topic.name === name)
    switch (this.#dice.pick(['anew', 'grow', 'records', 'records'] as const)) {
      case 'anew':
        this.#world.note(`ADMIN ${name} is deleted`)
        if (there !== undefined) cluster.deleteTopic(name)
        await this.#world.sleep(this.#dice.pick([0, 10, 1000, 5000]))
        this.#world.note(`ADMIN ${name} is made anew`)
        cluster.createTopic(name, { partitions: this.#dice.int(1, 3), replicationFactor: 3 })
        return
      case 'grow':
        if (there === undefined || there.partitions >= MOST_PARTITIONS) return
        this.#world.note(`ADMIN ${name} grows`)
        await this.#admin.createPartitions([{ topic: name, increaseTo: there.partitions + 1 }])
        return
      case 'records': {
        const offset = this.#dice.int(0, 30)
        this.#world.note(`ADMIN ${name} [0] loses what is before ${offset}`)
        await this.#admin.deleteRecords([{ topic: name, partition: 0, offset }])
      }
    }
  }
}

export async function upheaval(world: World): Promise<void> {
  const { dice, cluster } = world
  for (const topic of TOPICS) cluster.createTopic(topic, { partitions: dice.int(1, 3), replicationFactor: 3 })
  const protocol = dice.chance(0.4) ? 'consumer' : 'classic'
  const strategy = dice.pick(['range', 'roundrobin', 'cooperative-sticky'])
  world.note(`${protocol} ${strategy}`)
  const config: Partial<ConsumerConfig> =
    protocol === 'classic'
      ? { 'partition.assignment.strategy': strategy, 'session.timeout.ms': dice.pick([6000, 45_000]) }
      : { 'group.protocol': 'consumer' }
  const seen = new Seen()
  const churn = new Churn(world, 'reader', name => new Reader(world, name, config, seen))
  const writers = TOPICS.map(topic => new Writer(world, `writer of ${topic}`, topic, dice.chance(0.7)))
  churn.begin(world.some(1, 2))
  for (const writer of writers) writer.start(world.now + world.stormMs)
  const administrator = new Administrator(world)
  const over = new Flag()
  const administering = administrator.work(() => over.isSet())
  await world.storm({
    everyMs: dice.pick([1000, 3000, 10_000]),
    hosts: () => [...writers.map(writer => writer.name), ...churn.names],
    groups: [GROUP],
  })
  over.set()
  await world.settle(administering, CLOSE_LIMIT_MS, 'the administration')
  await churn.settleDown()
  await Promise.all(writers.map(writer => writer.finish()))
  for (const { name, reports } of writers) {
    reports.forEach((own, number) => {
      if (own.length !== 1) world.complain(`${name}:${number} has ${own.length} reports`)
    })
  }
  checkDoubles(world, writers)
  const values = TOPICS.flatMap(topic => cluster.messages(topic).map(message => ({ ...message, topic })))
  await world.progress(
    'the group',
    CALM_LIMIT_MS,
    () => seen.steps,
    () => {
      const left = values.filter(({ value }) => !seen.values.has(String(value)))
      if (left.length === 0) return null
      const first = left.slice(0, 4).map(({ topic, partition, offset }) => `${topic} [${partition}] ${offset}`)
      const readers = churn.lives.map(reader => reader.explain()).join('; ')
      return `${left.length} of ${values.length} messages are not read: ${first.join(', ')}; ${readers}`
    },
  )
  await churn.end()
  await world.settle(administrator.close(), CLOSE_LIMIT_MS, 'closing the administrator')
}

function checkDoubles(world: World, writers: readonly Writer[]): void {
  for (const { topic, isIdempotent } of writers) {
    if (!isIdempotent) continue
    const places = new Map<string, string>()
    for (const { partition, offset, value } of world.cluster.messages(topic)) {
      const text = String(value)
      const place = `${topic} [${partition}] ${offset}`
      const before = places.get(text)
      if (before !== undefined) world.complain(`${text} is at ${before} and at ${place}`)
      places.set(text, place)
    }
  }
}
