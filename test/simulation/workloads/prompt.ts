/**
 * Nothing is late: messages that come now and then, when nothing else wakes what has to wake by itself, are acknowledged
 * and handed out at once, in every way of reading, and soon again after a single fault.
 */
import type { Consumer, Producer, ProducerConfig, ShareConsumer } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { Flag } from '../flag.ts'
import { Patience } from '../patience.ts'
import { read, ways, type Way } from '../ways.ts'
import { inWords, type World } from '../world.ts'

const TOPIC = 'letters'
const CALM_LIMIT_MS = 60_000
const CLOSE_LIMIT_MS = 120_000
/** By then everybody has joined and reads. */
const BEGUN_MS = 20_000
/** Beyond `linger.ms`. */
const CALM = { report: 100, handOut: 200 } as const
/** Acknowledgements that no fetch takes along go out by themselves after 100 ms. */
const CONFIRMED_MS = 300
const shareWays = ['poll', 'iterate', 'run', 'rarely'] as const

interface Letter {
  readonly at: number
  readonly lingerMs: number
}

/** What was written, and when. */
class Post {
  readonly #world: World
  readonly letters = new Map<string, Letter>()
  /** Null before it matters. */
  patience: Patience | null = null

  constructor(world: World) {
    this.#world = world
  }

  reported(value: string, error: unknown): void {
    if (error !== undefined) this.#world.complain(`${value} is not delivered: ${inWords(error)}`)
    this.#check(value, 'report', 'reported')
  }

  handedOut(value: string, name: string): void {
    this.#check(value, 'handOut', `handed out to ${name}`)
  }

  #check(value: string, step: 'report' | 'handOut', what: string): void {
    const letter = this.letters.get(value)
    if (letter === undefined || this.patience === null) return
    const ms = this.#world.now - letter.at
    const most = letter.lingerMs + this.patience.lateness(letter.at)[step]
    if (ms > most) this.#world.complain(`${value} is ${what} after ${Math.round(ms)} ms, and not within ${most} ms`)
  }
}

interface PostReader {
  readonly name: string
  readonly seen: ReadonlySet<string>
  explain(): string
  close(): Promise<void>
}

class GroupReader implements PostReader {
  readonly name: string
  readonly seen = new Set<string>()
  readonly #world: World
  readonly #way: Way
  readonly #consumer: Consumer
  readonly #reading: Promise<void>
  readonly #over = new Flag()

  constructor(world: World, name: string, post: Post) {
    this.#world = world
    this.name = name
    const dice = world.simulation.dice(name)
    this.#way = dice.pick(ways)
    const isModern = dice.chance(0.5)
    this.#consumer = world.consumer(name, {
      'group.id': name,
      'auto.offset.reset': 'earliest',
      'fetch.wait.max.ms': dice.pick([100, 500, 5000]),
      ...(isModern ? { 'group.protocol': 'consumer' } : {}),
    })
    world.note(`${name} reads: ${this.#way}, ${isModern ? 'consumer' : 'classic'}`)
    this.#consumer.subscribe([TOPIC])
    this.#reading = read(world, {
      consumer: this.#consumer,
      name,
      way: this.#way,
      dice,
      isOver: () => this.#over.isSet(),
      onMessage: ({ value }) => {
        const text = String(value)
        if (!this.seen.has(text)) post.handedOut(text, `${name} (${this.#way})`)
        this.seen.add(text)
      },
      onDone: () => undefined,
    })
  }

  explain(): string {
    return `${this.name} (${this.#way}): ${this.#consumer.explain().join(' | ')}`
  }

  async close(): Promise<void> {
    this.#over.set()
    await this.#world.settle(this.#consumer.close(), CLOSE_LIMIT_MS, `closing ${this.name}`)
    await this.#world.settle(this.#reading, CLOSE_LIMIT_MS, `the reading of ${this.name}`)
  }
}

class ShareReader implements PostReader {
  readonly name: string
  readonly seen = new Set<string>()
  readonly #world: World
  readonly #dice: Dice
  readonly #post: Post
  readonly #way: (typeof shareWays)[number]
  readonly #consumer: ShareConsumer
  readonly #reading: Promise<void>
  readonly #over = new Flag()
  /** When each message was acknowledged, by place. */
  readonly #acknowledged = new Map<string, number>()

  constructor(world: World, name: string, post: Post) {
    this.#world = world
    this.name = name
    this.#post = post
    const dice = world.simulation.dice(name)
    this.#dice = dice
    this.#way = dice.pick(shareWays)
    this.#consumer = world.shareConsumer(name, {
      'group.id': name,
      'share.acknowledgement.mode': 'explicit',
      'fetch.wait.max.ms': dice.pick([100, 500, 5000]),
    })
    world.note(`${name} shares: ${this.#way}`)
    this.#consumer.subscribe([TOPIC])
    this.#consumer.on('acknowledged', ({ partition, offsets }) => {
      for (const offset of offsets) this.#confirmed(`${partition}:${offset}`)
    })
    this.#reading = this.#read()
  }

  explain(): string {
    return `${this.name} (share, ${this.#way})`
  }

  async close(): Promise<void> {
    this.#over.set()
    await this.#world.settle(this.#consumer.close(), CLOSE_LIMIT_MS, `closing ${this.name}`)
    await this.#world.settle(this.#reading, CLOSE_LIMIT_MS, `the reading of ${this.name}`)
  }

  #confirmed(place: string): void {
    const since = this.#acknowledged.get(place)
    if (since === undefined) return
    this.#acknowledged.delete(place)
    const ms = this.#world.now - since
    const most = CONFIRMED_MS + (this.#post.patience?.lateness(since).handOut ?? Infinity)
    if (ms > most)
      this.#world.complain(`${place} is confirmed to ${this.name} (${this.#way}) only after ${Math.round(ms)} ms`)
  }

  #take(value: string): void {
    // A program that rarely asks is late by itself.
    if (!this.seen.has(value) && this.#way !== 'rarely') this.#post.handedOut(value, this.explain())
    this.seen.add(value)
  }

  async #read(): Promise<void> {
    const consumer = this.#consumer
    while (!this.#over.isSet()) {
      try {
        if (this.#way === 'run') {
          await consumer.run({ handler: async ({ value }) => this.#take(String(value)) })
        } else if (this.#way === 'iterate') {
          for await (const message of consumer) {
            this.#take(String(message.value))
            consumer.acknowledge(message)
          }
        } else {
          const event = await consumer.poll(500)
          if (event?.type === 'message') {
            const { message } = event
            this.#take(String(message.value))
            this.#acknowledged.set(`${message.partition}:${message.offset}`, this.#world.now)
            consumer.acknowledge(message)
          } else await this.#world.sleep(1)
          if (this.#way === 'rarely') await this.#world.sleep(this.#dice.int(0, 3000))
        }
      } catch (error) {
        this.#world.note(`${this.name}: ${inWords(error)}`)
        await this.#world.sleep(1)
      }
    }
  }
}

/** Writes now and then; sometimes nothing for a while. */
class PostWriter {
  readonly name: string
  readonly #world: World
  readonly #dice: Dice
  readonly #post: Post
  readonly #partitions: number
  readonly #lingerMs: number
  readonly #producer: Producer
  #written = 0

  constructor(world: World, name: string, post: Post, partitions: number) {
    this.#world = world
    this.name = name
    this.#post = post
    this.#partitions = partitions
    const dice = world.simulation.dice(name)
    this.#dice = dice
    this.#lingerMs = dice.pick([0, 5, 100, 400])
    const config: Partial<ProducerConfig> = {
      'linger.ms': this.#lingerMs,
      'enable.idempotence': dice.chance(0.5),
      'compression.type': dice.pick(['none', 'gzip']),
      acks: -1,
    }
    world.note(`${name}: ${JSON.stringify(config)}`)
    this.#producer = world.producer(name, config)
  }

  async write(until: number): Promise<void> {
    const dice = this.#dice
    while (this.#world.now < until) {
      const most = dice.pick([50, 50, 1000, 15_000])
      await this.#world.sleep(dice.int(0, most))
      for (let i = dice.int(1, 3); i > 0; i--) this.#produce()
    }
  }

  async close(): Promise<void> {
    const end = async (): Promise<void> => {
      await this.#producer.flush()
      await this.#producer.close()
    }
    await this.#world.settle(end(), CLOSE_LIMIT_MS, `${this.name}'s flush and close`)
  }

  #produce(): void {
    const value = `${this.name}:${this.#written++}`
    this.#post.letters.set(value, { at: this.#world.now, lingerMs: this.#lingerMs })
    const partition = this.#dice.int(0, this.#partitions - 1)
    this.#producer.produce({ topic: TOPIC, partition, value }, ({ error }) => this.#post.reported(value, error))
  }
}

export async function prompt(world: World): Promise<void> {
  const { dice, cluster } = world
  const partitions = dice.int(1, 4)
  cluster.createTopic(TOPIC, { partitions, replicationFactor: 3 })
  const post = new Post(world)
  const groups = Array.from({ length: world.some(1, 3) }, (_, i) => `group-${i}`)
  const shares = Array.from({ length: world.some(1, 2) }, (_, i) => `share-${i}`)
  await beginAtTheStart(world, shares)
  const readers: PostReader[] = [
    ...groups.map(name => new GroupReader(world, name, post)),
    ...shares.map(name => new ShareReader(world, name, post)),
  ]
  const writers = Array.from(
    { length: world.some(1, 2) },
    (_, i) => new PostWriter(world, `writer-${i}`, post, partitions),
  )
  // Everybody finds what it needs.
  await Promise.all(writers.map(writer => writer.write(world.now + 1)))
  await world.sleep(BEGUN_MS)
  const hosts = [...readers, ...writers].map(({ name }) => name)
  post.patience = new Patience(world, TOPIC, partitions, hosts, CALM)
  const until = world.now + world.stormMs
  const writing = Promise.all(writers.map(writer => writer.write(until)))
  if (dice.chance(0.7)) await post.patience.try(until)
  await writing
  await Promise.all(writers.map(writer => writer.close()))
  await world.progress(
    'the post',
    CALM_LIMIT_MS,
    () => readers.reduce((sum, { seen }) => sum + seen.size, 0),
    () => {
      const behind = readers.filter(({ seen }) => seen.size < post.letters.size)
      if (behind.length === 0) return null
      return behind.map(reader => `${reader.explain()}: ${reader.seen.size} of ${post.letters.size}`).join('; ')
    },
  )
  for (const reader of readers) await reader.close()
}

async function beginAtTheStart(world: World, groups: readonly string[]): Promise<void> {
  const admin = world.admin('admin')
  const entries = [{ name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' as const }]
  const resources = groups.map(name => ({ type: 'group' as const, name, entries }))
  await world.settle(admin.incrementalAlterConfigs(resources), CLOSE_LIMIT_MS, 'the group settings')
  await world.settle(admin.close(), CLOSE_LIMIT_MS, 'closing the administration')
}
