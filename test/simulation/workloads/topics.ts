/**
 * Topics that come, go, are recreated, grow, lose records and are truncated, under members whose subscriptions change:
 * in the end everything that is there was processed, and nothing that nobody subscribes to.
 */
import type { Consumer, ConsumerConfig, Message, Producer } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { Flag } from '../flag.ts'
import { read, ways, type Way } from '../ways.ts'
import { inWords, type World } from '../world.ts'

const FIXED = 'main'
const PATTERN = '^t-.*'
const GROUP = 'topics'
const CALM_LIMIT_MS = 180_000
const CLOSE_LIMIT_MS = 120_000
/** Without faults, a changed subscription has come into effect long before. */
const SUBSCRIBED_MS = 20_000
const MOST_TOPICS = 4
const subscriptions = [[FIXED], [FIXED, PATTERN], [PATTERN], [FIXED, 't-0']] as const
const everything = [FIXED, PATTERN] as const

class Member {
  readonly name: string
  readonly #world: World
  readonly #way: Way
  readonly #slowMs: number
  readonly #consumer: Consumer
  readonly #reading: Promise<void>
  readonly #over = new Flag()
  readonly #onMessage: (message: Message) => void
  readonly #isQuiet: boolean
  #subscription: readonly string[] = []
  #subscribedAt = 0

  constructor(
    world: World,
    name: string,
    config: Partial<ConsumerConfig>,
    isQuiet: boolean,
    onMessage: (message: Message) => void,
  ) {
    this.#world = world
    this.name = name
    this.#isQuiet = isQuiet
    this.#onMessage = onMessage
    const dice = world.simulation.dice(name)
    this.#way = dice.pick(ways)
    this.#slowMs = dice.pick([0, 0, 1, 20])
    this.#consumer = world.consumer(name, {
      'group.id': GROUP,
      'auto.offset.reset': 'earliest',
      'auto.commit.interval.ms': dice.pick([100, 1000]),
      'fetch.wait.max.ms': dice.pick([100, 500, 2000]),
      // New topics are noticed by then.
      'topic.metadata.refresh.interval.ms': 5000,
      ...config,
    })
    world.note(`${name} begins: ${this.#way}`)
    this.#consumer.on('error', ({ error }) => world.note(`${name} error: ${inWords(error)}`))
    this.subscribe(dice.pick(subscriptions))
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

  subscribe(topics: readonly string[]): void {
    this.#world.note(`${this.name} subscribes to ${topics.join(' ')}`)
    this.#subscription = topics
    this.#subscribedAt = this.#world.now
    this.#consumer.subscribe([...topics])
  }

  async close(): Promise<void> {
    this.#over.set()
    await this.#world.settle(this.#consumer.close(), CLOSE_LIMIT_MS, `closing ${this.name}`)
    await this.#world.settle(this.#reading, CLOSE_LIMIT_MS, `the reading of ${this.name}`)
  }

  explain(): string {
    return `${this.name} (${this.#way}): ${this.#consumer.explain().join(' | ')}`
  }

  async #take(message: Message): Promise<void> {
    const { topic, partition, offset } = message
    this.#world.note(`${this.name} got ${topic} ${partition}:${offset} ${String(message.value)}`)
    const isMeant = this.#subscription.some(each =>
      each.startsWith('^') ? new RegExp(each).test(topic) : each === topic,
    )
    const sinceMs = this.#world.now - this.#subscribedAt
    if (this.#isQuiet && !isMeant && sinceMs > SUBSCRIBED_MS)
      this.#world.complain(`${topic} ${partition}:${offset} is given to ${this.name}, which does not subscribe to it`)
    if (this.#slowMs > 0) await this.#world.sleep(this.#slowMs)
    this.#onMessage(message)
  }
}

/** What an administrator does, at any moment. */
class Administrator {
  readonly #world: World
  readonly #dice: Dice
  readonly #partitions = new Map<string, number>()

  constructor(world: World) {
    this.#world = world
    this.#dice = world.simulation.dice('administrator')
    this.#create(FIXED)
    this.#create('t-0')
  }

  get topics(): readonly string[] {
    return [...this.#partitions.keys()]
  }

  async act(): Promise<void> {
    const dice = this.#dice
    const what = dice.pick([
      'create',
      'delete',
      'recreate',
      'grow',
      'truncate',
      'delete records',
      'delete records',
    ] as const)
    const others = this.topics.filter(topic => topic !== FIXED)
    const topic = dice.pick(what === 'delete' && others.length > 0 ? others : this.topics)
    switch (what) {
      case 'create':
        if (this.#partitions.size <= MOST_TOPICS) this.#create(`t-${dice.int(0, MOST_TOPICS)}`)
        return
      case 'delete':
        if (topic !== FIXED) this.#delete(topic)
        return
      case 'recreate':
        this.#delete(topic)
        await this.#world.sleep(dice.pick([0, 100, 3000]))
        this.#create(topic)
        return
      case 'grow':
        await this.#grow(topic)
        return
      case 'truncate':
        this.#truncate(topic)
        return
      case 'delete records':
        await this.#deleteRecords(topic)
        return
    }
  }

  #create(topic: string): void {
    if (this.#partitions.has(topic)) return
    const partitions = this.#dice.int(1, 3)
    this.#world.note(`create ${topic} with ${partitions} partitions`)
    this.#partitions.set(topic, partitions)
    this.#world.cluster.createTopic(topic, { partitions, replicationFactor: 3 })
  }

  #delete(topic: string): void {
    this.#world.note(`delete ${topic}`)
    this.#partitions.delete(topic)
    this.#world.cluster.deleteTopic(topic)
  }

  async #grow(topic: string): Promise<void> {
    const increaseTo = (this.#partitions.get(topic) ?? 0) + 1
    if (increaseTo > 4) return
    this.#world.note(`grow ${topic} to ${increaseTo}`)
    this.#partitions.set(topic, increaseTo)
    const admin = this.#world.admin('admin')
    const [result] = await admin.createPartitions([{ topic, increaseTo }])
    if (result?.error !== undefined) this.#world.note(`grow ${topic}: ${inWords(result.error)}`)
    await admin.close()
  }

  #truncate(topic: string): void {
    const { cluster } = this.#world
    const last = cluster.messages(topic).at(-1)
    if (last === undefined) return
    const offset = Math.max(0, last.offset - this.#dice.int(0, 3))
    this.#world.note(`truncate ${topic} [${last.partition}] to ${offset}`)
    cluster.truncate(topic, last.partition, offset)
  }

  async #deleteRecords(topic: string): Promise<void> {
    const messages = this.#world.cluster.messages(topic)
    if (messages.length === 0) return
    const { partition, offset } = this.#dice.pick(messages)
    this.#world.note(`delete records of ${topic} [${partition}] before ${offset}`)
    const admin = this.#world.admin('admin')
    await admin.deleteRecords([{ topic, partition, offset }])
    await admin.close()
  }
}

/** Writes to whatever topics there are; each value once. */
async function writeTo(
  world: World,
  producer: Producer,
  topics: () => readonly string[],
  until: number,
): Promise<void> {
  const dice = world.simulation.dice('scribe')
  for (let number = 0; world.now < until;) {
    await world.sleep(dice.int(0, 300))
    for (let i = dice.int(1, 4); i > 0; i--) {
      try {
        producer.produce({ topic: dice.pick(topics()), value: `${number++}` }, () => undefined)
      } catch (error) {
        world.note(`produce: ${inWords(error)}`)
      }
    }
  }
}

export async function topics(world: World): Promise<void> {
  const { dice, cluster } = world
  const isQuiet = dice.chance(0.5)
  const protocol = dice.chance(0.5) ? 'consumer' : 'classic'
  const strategy = dice.pick(['range', 'roundrobin', 'cooperative-sticky'])
  world.note(`${protocol} ${strategy}, ${isQuiet ? 'quiet' : 'stormy'}`)
  const config: Partial<ConsumerConfig> =
    protocol === 'classic'
      ? { 'partition.assignment.strategy': strategy, 'session.timeout.ms': 6000, 'heartbeat.interval.ms': 2000 }
      : { 'group.protocol': 'consumer' }
  const administrator = new Administrator(world)
  const processed = new Set<string>()
  const members = Array.from(
    { length: world.some(1, 2) },
    (_, i) =>
      new Member(world, `member-${i}`, config, isQuiet, ({ topic, value }) =>
        processed.add(`${topic} ${String(value)}`),
      ),
  )
  const producer = world.producer('scribe', { 'message.timeout.ms': 10_000, 'linger.ms': dice.pick([0, 5]) })
  producer.on('error', () => undefined)
  const still = new Flag()
  const acting = (async () => {
    while (!still.isSet()) {
      await world.sleep(dice.int(500, 8000))
      if (still.isSet()) break
      try {
        if (dice.chance(0.3)) dice.pick(members).subscribe(dice.pick(subscriptions))
        else await administrator.act()
      } catch (error) {
        world.note(`act: ${inWords(error)}`)
      }
    }
  })()
  const writing = writeTo(world, producer, () => administrator.topics, world.now + world.stormMs)
  if (isQuiet) await world.sleep(world.stormMs)
  else await world.storm({ everyMs: dice.pick([1000, 3000, 10_000]), groups: [GROUP] })
  still.set()
  await world.settle(acting, CLOSE_LIMIT_MS, 'the acts')
  await writing
  await world.settle(producer.close(), CLOSE_LIMIT_MS, 'closing the scribe')
  for (const member of members) member.subscribe(everything)
  const left = (): string[] =>
    administrator.topics.flatMap(topic =>
      cluster
        .messages(topic)
        .filter(({ value }) => !processed.has(`${topic} ${String(value)}`))
        .map(({ partition, offset }) => `${topic} ${partition}:${offset}`),
    )
  await world.progress(
    'reading',
    CALM_LIMIT_MS,
    () => processed.size,
    () => {
      const missing = left()
      if (missing.length === 0) return null
      const who = members.map(member => member.explain()).join('; ')
      return `${missing.length} messages are not processed: ${missing.slice(0, 5).join(', ')}; ${who}`
    },
  )
  await Promise.all(members.map(member => member.close()))
}
