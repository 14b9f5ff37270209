/**
 * Topics that come, go, are recreated, grow, lose records and are truncated, under members whose subscriptions change and
 * that come, leave and crash: in the end everything that is there was processed, nothing that nobody subscribes to, and
 * every message that was written to a topic has one report.
 */
import type { AdminClient, Consumer, ConsumerConfig, Message, Producer } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { Churn, type Life } from '../churn.ts'
import { Flag } from '../flag.ts'
import { read, ways, type Way } from '../ways.ts'
import { inWords, type World } from '../world.ts'
import { Writer } from '../writers.ts'

const FIXED = 'main'
const PATTERN = '^t-.*'
const GROUP = 'topics'
const CALM_LIMIT_MS = 180_000
const CLOSE_LIMIT_MS = 120_000
/** Without faults, a changed subscription has come into effect long before. */
const SUBSCRIBED_MS = 20_000
const MOST_TOPICS = 4
const MOST_AT_ONCE = 100
const subscriptions = [[FIXED], [FIXED, PATTERN], [PATTERN], [FIXED, 't-0']] as const
const everything = [FIXED, PATTERN] as const
/** Each has a writer of its own in a crowd, whether it is there or not. */
const writtenTo = [FIXED, 't-0', 't-1'] as const

interface MemberSettings {
  readonly config: Partial<ConsumerConfig>
  readonly isQuiet: boolean
  /** What some member has done with: topics and values. */
  readonly processed: Set<string>
}

class Member implements Life {
  readonly name: string
  readonly #world: World
  readonly #dice: Dice
  readonly #way: Way
  readonly #slowMs: number
  readonly #consumer: Consumer
  readonly #reading: Promise<void>
  readonly #over = new Flag()
  readonly #crashed = new Flag()
  readonly #processed: Set<string>
  readonly #isQuiet: boolean
  #subscription: readonly string[] = []
  #subscribedAt = 0

  constructor(world: World, name: string, { config, isQuiet, processed }: MemberSettings) {
    this.#world = world
    this.name = name
    this.#isQuiet = isQuiet
    this.#processed = processed
    const dice = world.simulation.dice(name)
    this.#dice = dice
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

  async leave(): Promise<void> {
    if (this.#dice.chance(0.5)) this.#over.set()
    await this.#consumer.close()
    this.#over.set()
    await this.#reading
  }

  async crash(): Promise<void> {
    this.#crashed.set()
    this.#over.set()
    this.#world.loseHost(this.name)
    await this.#consumer.close(1000)
    await this.#reading
  }

  explain(): string {
    return `${this.name} (${this.#way}): ${this.#consumer.explain().join(' | ')}`
  }

  async #take(message: Message): Promise<void> {
    if (this.#crashed.isSet()) return
    const { topic, partition, offset } = message
    this.#world.note(`${this.name} got ${topic} ${partition}:${offset} ${String(message.value)}`)
    const isMeant = this.#subscription.some(each =>
      each.startsWith('^') ? new RegExp(each).test(topic) : each === topic,
    )
    const sinceMs = this.#world.now - this.#subscribedAt
    if (this.#isQuiet && !isMeant && sinceMs > SUBSCRIBED_MS)
      this.#world.complain(`${topic} ${partition}:${offset} is given to ${this.name}, which does not subscribe to it`)
    // `poll` and `readMessage` have given up a message when they give it.
    const isAtMostOnce = this.#way === 'poll' || this.#way === 'readMessage'
    if (isAtMostOnce) this.#processed.add(valueIn(topic, message.value))
    if (this.#slowMs > 0) await this.#world.sleep(this.#slowMs)
    if (!this.#crashed.isSet()) this.#processed.add(valueIn(topic, message.value))
  }
}

function valueIn(topic: string, value: Buffer | null): string {
  return `${topic} ${String(value)}`
}

interface Habits {
  readonly mostPartitions: number
  /** Between the end of a topic and the beginning of the next one of its name, ms. */
  readonly pausesMs: readonly number[]
  /** One client for everything; null: one for each act. */
  readonly client: AdminClient | null
}

/** What an administrator does, at any moment. */
class Administrator {
  readonly #world: World
  readonly #dice: Dice
  readonly #habits: Habits
  /** How many messages a topic that was made anew gets at once. */
  readonly #burst: () => number
  readonly #partitions = new Map<string, number>()
  /** Topics that have lost the end of a log. */
  readonly truncated = new Set<string>()

  constructor(world: World, habits: Habits) {
    this.#world = world
    this.#habits = habits
    this.#dice = world.simulation.dice('administrator')
    const dice = world.simulation.dice('bursts')
    this.#burst = dice.chance(0.5) ? () => dice.int(0, MOST_AT_ONCE) : () => 0
    this.#create(FIXED)
    this.#create('t-0')
  }

  get topics(): readonly string[] {
    return [...this.#partitions.keys()]
  }

  async act(scribe: Scribe): Promise<void> {
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
        await this.#world.sleep(dice.pick(this.#habits.pausesMs))
        this.#create(topic)
        // Soon it is longer than the one before, so that offsets say nothing.
        for (let i = this.#burst(); i > 0; i--) scribe.write(topic)
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
    if (increaseTo > this.#habits.mostPartitions) return
    this.#world.note(`grow ${topic} to ${increaseTo}`)
    this.#partitions.set(topic, increaseTo)
    await this.#ask(async admin => {
      const [result] = await admin.createPartitions([{ topic, increaseTo }])
      if (result?.error !== undefined) this.#world.note(`grow ${topic}: ${inWords(result.error)}`)
    })
  }

  #truncate(topic: string): void {
    const { cluster } = this.#world
    const last = cluster.messages(topic).at(-1)
    if (last === undefined) return
    const offset = Math.max(0, last.offset - this.#dice.int(0, 3))
    this.#world.note(`truncate ${topic} [${last.partition}] to ${offset}`)
    this.truncated.add(topic)
    cluster.truncate(topic, last.partition, offset)
  }

  async #deleteRecords(topic: string): Promise<void> {
    const messages = this.#world.cluster.messages(topic)
    if (messages.length === 0) return
    const { partition, offset } = this.#dice.pick(messages)
    this.#world.note(`delete records of ${topic} [${partition}] before ${offset}`)
    await this.#ask(async admin => {
      await admin.deleteRecords([{ topic, partition, offset }])
    })
  }

  async #ask(call: (admin: AdminClient) => Promise<void>): Promise<void> {
    const { client } = this.#habits
    const admin = client ?? this.#world.admin('admin')
    try {
      await call(admin)
    } finally {
      if (client === null) await admin.close()
    }
  }
}

/** Writes to whatever topics there are; each value once. */
class Scribe {
  readonly #world: World
  readonly #dice: Dice
  readonly #producer: Producer
  #number = 0

  constructor(world: World) {
    this.#world = world
    this.#dice = world.simulation.dice('scribe')
    this.#producer = world.producer('scribe', {
      'message.timeout.ms': 10_000,
      'linger.ms': world.dice.pick([0, 5]),
    })
  }

  async work(topics: () => readonly string[], until: number): Promise<void> {
    const dice = this.#dice
    while (this.#world.now < until) {
      await this.#world.work(dice.int(0, 300))
      for (let i = dice.int(1, 4); i > 0; i--) this.write(dice.pick(topics()))
    }
  }

  write(topic: string): void {
    try {
      this.#producer.produce({ topic, value: `${this.#number++}` }, () => undefined)
    } catch (error) {
      this.#world.note(`produce: ${inWords(error)}`)
    }
  }

  async close(): Promise<void> {
    await this.#world.settle(this.#producer.close(), CLOSE_LIMIT_MS, 'closing the scribe')
  }
}

export async function topics(world: World): Promise<void> {
  const { dice } = world
  const isQuiet = dice.chance(0.5)
  const protocol = dice.chance(0.5) ? 'consumer' : 'classic'
  const strategy = dice.pick(['range', 'roundrobin', 'cooperative-sticky'])
  // Members that come and go, and a writer for each topic; or the same few members all the time.
  const company = world.simulation.dice('company')
  const isCrowd = company.chance(0.5)
  world.note(`${protocol} ${strategy}, ${isQuiet ? 'quiet' : 'stormy'}, ${isCrowd ? 'a crowd' : 'a few'}`)
  const config: Partial<ConsumerConfig> = {
    ...(protocol === 'classic'
      ? {
          'partition.assignment.strategy': strategy,
          'session.timeout.ms': isCrowd ? company.pick([6000, 45_000]) : 6000,
          'heartbeat.interval.ms': 2000,
        }
      : { 'group.protocol': 'consumer' }),
    ...(isCrowd ? { 'topic.metadata.refresh.interval.ms': company.pick([1000, 10_000]) } : {}),
  }
  const client = isCrowd ? world.admin('admin') : null
  const administrator = new Administrator(
    world,
    isCrowd
      ? { mostPartitions: 6, pausesMs: [0, 10, 1000, 5000], client }
      : { mostPartitions: 4, pausesMs: [0, 100, 3000], client },
  )
  const settings = { config, isQuiet, processed: new Set<string>() }
  const group = isCrowd ? new Crowd(world, settings, company) : new Few(world, settings)
  const writers = isCrowd
    ? writtenTo.map(topic => new Writer(world, `writer-${topic}`, topic, company.chance(0.7)))
    : []
  const scribe = new Scribe(world)
  const still = new Flag()
  const acting = act(world, administrator, scribe, group, still)
  const until = world.now + world.stormMs
  const writing = scribe.work(() => administrator.topics, until)
  for (const writer of writers) writer.start(until)
  if (isQuiet) await world.sleep(world.stormMs)
  else await world.storm({ everyMs: dice.pick([1000, 3000, 10_000]), groups: [GROUP] })
  still.set()
  await world.settle(acting, CLOSE_LIMIT_MS, 'the acts')
  await writing
  await scribe.close()
  await group.settleDown()
  await Promise.all(writers.map(writer => writer.finish()))
  for (const { name, reports } of writers) {
    reports.forEach((own, number) => {
      if (own.length !== 1) world.complain(`${name}:${number} has ${own.length} reports`)
    })
  }
  checkDoubles(
    world,
    writers.filter(({ topic, isIdempotent }) => isIdempotent && !administrator.truncated.has(topic)),
  )
  for (const member of group.members) member.subscribe(everything)
  await checkRead(world, group, settings.processed)
  await group.end()
  if (client !== null) await world.settle(client.close(), CLOSE_LIMIT_MS, 'closing the administration')
}

interface Company {
  readonly members: readonly Member[]
  settleDown(): Promise<void>
  end(): Promise<void>
}

/** One or two members, which stay. */
class Few implements Company {
  readonly members: readonly Member[]
  readonly #world: World

  constructor(world: World, settings: MemberSettings) {
    this.#world = world
    this.members = Array.from({ length: world.some(1, 2) }, (_, i) => new Member(world, `member-${i}`, settings))
  }

  settleDown(): Promise<void> {
    return Promise.resolve()
  }

  async end(): Promise<void> {
    const leaving = this.members.map(member =>
      this.#world.settle(member.leave(), CLOSE_LIMIT_MS, `the end of ${member.name}`),
    )
    await Promise.all(leaving)
  }
}

/** Members that come, leave and crash. */
class Crowd implements Company {
  readonly #churn: Churn<Member>

  constructor(world: World, settings: MemberSettings, dice: Dice) {
    const crashes = settings.isQuiet ? 0 : undefined
    this.#churn = new Churn(world, 'member', name => new Member(world, name, settings), crashes)
    this.#churn.begin(Math.min(dice.int(1, 2), world.plan.most))
  }

  get members(): readonly Member[] {
    return this.#churn.lives
  }

  settleDown(): Promise<void> {
    return this.#churn.settleDown()
  }

  end(): Promise<void> {
    return this.#churn.end()
  }
}

async function act(
  world: World,
  administrator: Administrator,
  scribe: Scribe,
  group: Company,
  still: Flag,
): Promise<void> {
  const { dice } = world
  while (!still.isSet()) {
    await world.nextAct(dice.int(500, 8000))
    if (still.isSet()) break
    try {
      if (dice.chance(0.3)) dice.pick(group.members).subscribe(dice.pick(subscriptions))
      else await administrator.act(scribe)
    } catch (error) {
      world.note(`act: ${inWords(error)}`)
    }
  }
}

// What is there is processed, topics that a producer has made by itself included.
async function checkRead(world: World, group: Company, processed: ReadonlySet<string>): Promise<void> {
  const { cluster } = world
  const left = (): string[] =>
    cluster.topics().flatMap(({ name }) =>
      cluster
        .messages(name)
        .filter(({ value }) => !processed.has(valueIn(name, value)))
        .map(({ partition, offset }) => `${name} ${partition}:${offset}`),
    )
  await world.progress(
    'reading',
    CALM_LIMIT_MS,
    () => processed.size,
    () => {
      const missing = left()
      if (missing.length === 0) return null
      const who = group.members.map(member => member.explain()).join('; ')
      return `${missing.length} messages are not processed: ${missing.slice(0, 5).join(', ')}; ${who}`
    },
  )
}

// Of an idempotent producer, a message is written once, whatever has become of its topic meanwhile.
function checkDoubles(world: World, writers: readonly Writer[]): void {
  for (const { name, topic } of writers) {
    const places = new Map<string, string>()
    for (const { partition, offset, value } of world.cluster.messages(topic)) {
      const text = String(value)
      if (!text.startsWith(`${name}:`)) continue
      const place = `${topic} [${partition}] ${offset}`
      const before = places.get(text)
      if (before !== undefined) world.complain(`${text} is at ${before} and at ${place}`)
      places.set(text, place)
    }
  }
}
