/**
 * A program that pauses, resumes, seeks, commits and starts again at any moment: each partition is read without a gap or
 * a repeat, and what is committed is what was read.
 */
import { ErrorCode, type Consumer, type ConsumerConfig, type Message } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { ApiKey } from '@ottla/protocol'
import { Flag } from '../flag.ts'
import { refuseNowAndThen } from '../refusals.ts'
import { fetchWaitAt } from '../tempo.ts'
import { read, ways, type Way } from '../ways.ts'
import { joinLimitMs, vanishNowAndThen } from '../vanishing.ts'
import { inWords, type World } from '../world.ts'
import { checkReports, Writer } from '../writers.ts'

const TOPIC = 'orders'
const GROUP = 'reader'
const CALM_LIMIT_MS = 120_000
const CLOSE_LIMIT_MS = 120_000
/** Without faults, a commit is answered long before; one that is refused is tried again. */
const COMMIT_MS = { quiet: 500, refusals: 5000 } as const
/** Without faults, where a partition stands is committed by then. */
const REST_MS = { quiet: 3000, refusals: 8000 } as const
/** A commit from before a seek is over by then. */
const OVER_MS = 5000
const commitErrors = [
  ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE,
  ErrorCode.ERR_NOT_COORDINATOR,
  ErrorCode.ERR_UNKNOWN,
]
/** Without faults, a partition that may be delivered is, in turn with the others, who may take their time. */
const STARVED_MS = { quick: 3000, slow: 20_000 } as const
/** A broker that waits for messages hears of a seek when it has answered. */
const ANSWERED_MS = 1000
/** From so many ms for a message on, a program is slow. */
const SLOW_MS = 20
const SAMPLE_MS = 50

type Kind = 'assign' | 'classic' | 'consumer'

/** No faults at all, single commits that are refused, or everything. */
type Weather = 'quiet' | 'refusals' | 'storm'

/** What the program knows about one partition. */
class Expected {
  readonly index: number
  /** The offset that comes next; every one before was given since the last move. */
  next = 0
  /** When it was paused, virtual ms; null while it is not. */
  pausedAt: number | null = null
  /** Seeks that have not returned. */
  seeking = 0
  /** It has been assigned, and begins with what is committed. */
  isFresh = true
  movedAt = 0
  committed = -1
  /** When that was first seen, virtual ms. */
  committedAt = 0
  /** Where it has to begin after a restart; -1 if that is not known. */
  beginsAt = -1
  /** When it was last moved or a message of it was done with, in this life of the program, virtual ms; 0 for never. */
  touchedAt = 0
  /** When a message of it last came, or nothing was to come, virtual ms. */
  servedAt = 0

  constructor(index: number) {
    this.index = index
  }
}

class Reader {
  readonly #world: World
  readonly #dice: Dice
  readonly #kind: Kind
  readonly #way: Way
  readonly #slowMs: number
  readonly #config: Partial<ConsumerConfig>
  readonly #partitions: readonly Expected[]
  readonly #isQuiet: boolean
  readonly #commitMs: number
  readonly #restMs: number
  /** `fetch.wait.max.ms` */
  readonly #waitMs: number
  #consumer: Consumer
  #reading: Promise<void>
  #isOver = false
  #lives = 0
  deliveries = 0

  constructor(world: World, partitions: number, weather: Weather) {
    this.#world = world
    this.#isQuiet = weather !== 'storm'
    const calm = weather === 'storm' ? 'quiet' : weather
    this.#commitMs = COMMIT_MS[calm]
    this.#restMs = REST_MS[calm]
    const dice = world.simulation.dice('reader')
    this.#dice = dice
    this.#kind = dice.pick(['assign', 'classic', 'consumer'] as const)
    // Of a partition's messages, one by one is promised.
    this.#way = dice.pick(ways.filter(way => way !== 'run by key'))
    this.#slowMs = dice.pick([0, 1, 20, 100, 500])
    this.#partitions = Array.from({ length: partitions }, (_, i) => new Expected(i))
    const joinMs = joinLimitMs(world)
    this.#config = {
      'group.id': GROUP,
      ...(joinMs === undefined ? {} : { 'max.poll.interval.ms': joinMs }),
      'auto.offset.reset': 'earliest',
      'fetch.wait.max.ms': dice.pick([100, 500, 2000]),
      'auto.commit.interval.ms': dice.pick([100, 1000]),
      ...(this.#kind === 'consumer' ? { 'group.protocol': 'consumer' } : {}),
      ...(dice.chance(0.3) ? { 'queued.min.messages': 5 } : {}),
      ...(dice.chance(0.3) ? { 'queued.max.messages.kbytes': 1 } : {}),
      'enable.auto.commit': dice.chance(0.7),
    }
    this.#waitMs = fetchWaitAt(world.plan.tempo, this.#config['fetch.wait.max.ms'])
    world.note(`${partitions} partitions, ${this.#way}, ${this.#kind}, ${this.#slowMs} ms for a message, ${weather}`)
    ;[this.#consumer, this.#reading] = this.#begin()
  }

  get hosts(): string[] {
    return [this.#name]
  }

  get #name(): string {
    return `reader-${this.#lives}`
  }

  /** Null when everything in the log was read since the last move. */
  left(): string | null {
    const ends = this.#ends()
    const behind = this.#partitions.filter(({ index, next }) => next < (ends[index] ?? 0))
    if (behind.length === 0) return null
    const where = behind.map(({ index, next }) => `[${index}] stands at ${next} of ${ends[index] ?? 0}`)
    return `${this.#way}: ${where.join(', ')}; ${this.#consumer.explain().join(' | ')}`
  }

  /** One thing that a program may do. */
  async act(): Promise<void> {
    const dice = this.#dice
    // What is done to a partition of which the program has a message in its hands is the hardest.
    const inHand = this.#partitions.filter(({ touchedAt }) => touchedAt === Infinity)
    const partition = dice.pick(inHand.length > 0 && dice.chance(0.7) ? inHand : this.#partitions)
    const at = [{ topic: TOPIC, partition: partition.index }]
    const consumer = this.#consumer
    try {
      switch (
        dice.pick([
          'pause',
          'resume',
          'seek',
          'seek',
          'commit',
          'commit and seek',
          'pause and seek',
          'position',
          'restart',
        ] as const)
      ) {
        case 'pause':
          consumer.pause(at)
          partition.pausedAt ??= this.#world.now
          this.#world.note(`pause ${partition.index}`)
          return
        case 'resume':
          partition.pausedAt = null
          consumer.resume(at)
          this.#world.note(`resume ${partition.index}`)
          return
        case 'seek':
          await this.#seek(partition)
          return
        case 'commit':
          consumer.commit().catch((error: unknown) => this.#world.note(`commit: ${inWords(error)}`))
          return
        case 'commit and seek':
          consumer.commit().catch((error: unknown) => this.#world.note(`commit: ${inWords(error)}`))
          await this.#seek(partition)
          return
        case 'pause and seek':
          // As a program does that tries a message again later.
          consumer.pause(at)
          partition.pausedAt ??= this.#world.now
          this.#world.note(`pause ${partition.index}`)
          await this.#seek(partition)
          return
        case 'position':
          consumer.position()
          return
        case 'restart':
          if (dice.chance(0.3)) await this.restart()
          return
      }
    } catch (error) {
      // Not assigned at the moment, say.
      this.#world.note(`act: ${inWords(error)}`)
      partition.pausedAt = null
    }
  }

  /** Every partition goes on. */
  resumeAll(): void {
    for (const partition of this.#partitions) {
      if (partition.pausedAt === null) continue
      partition.pausedAt = null
      try {
        this.#consumer.resume([{ topic: TOPIC, partition: partition.index }])
      } catch (error) {
        this.#world.note(`resume: ${inWords(error)}`)
      }
    }
  }

  async restart(): Promise<void> {
    await this.close()
    const committed = new Map(
      this.#world.cluster.committedOffsets(GROUP).map(({ partition, offset }) => [partition, offset]),
    )
    for (const partition of this.#partitions) {
      partition.pausedAt = null
      partition.isFresh = true
      partition.seeking = 0
      partition.servedAt = this.#world.now
      partition.beginsAt = committed.get(partition.index) ?? 0
      partition.touchedAt = 0
    }
    ;[this.#consumer, this.#reading] = this.#begin()
  }

  async close(): Promise<void> {
    this.#isOver = true
    await this.#world.settle(this.#consumer.close(), CLOSE_LIMIT_MS, `closing ${this.#name}`)
    await this.#world.settle(this.#reading, CLOSE_LIMIT_MS, `the reading of ${this.#name}`)
    this.#checkCommitted()
  }

  /** Looks whether more is committed than was read. */
  async watch(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      this.#checkCommitted()
      this.#checkServed()
      this.#checkAtRest()
      await this.#world.lookAgain(SAMPLE_MS)
    }
  }

  #begin(): [Consumer, Promise<void>] {
    this.#lives++
    this.#isOver = false
    const world = this.#world
    const consumer = world.consumer(this.#name, this.#config)
    world.note(`${this.#name} begins`)
    consumer.on('error', ({ error }) => world.note(`error: ${inWords(error)}`))
    consumer.on('rebalance', ({ event: { type, partitions } }) => {
      // While the client still asks for the committed offset.
      if (type !== 'assign' || consumer !== this.#consumer || !this.#dice.chance(0.3)) return
      const partition = this.#partitions[this.#dice.pick(partitions).partition]
      if (partition !== undefined)
        this.#seek(partition).catch((error: unknown) => world.note(`seek: ${inWords(error)}`))
    })
    if (this.#kind === 'assign') {
      const all = this.#partitions.map(({ index, next }) => ({ topic: TOPIC, partition: index, offset: next }))
      for (const partition of this.#partitions) {
        partition.isFresh = false
        partition.beginsAt = -1
      }
      void world.settle(Promise.resolve(consumer.assign(all)), CLOSE_LIMIT_MS, 'assign')
    } else {
      consumer.subscribe([TOPIC], event => {
        world.note(`${event.type} ${event.partitions.map(({ partition }) => partition).join(' ')}`)
        for (const { partition: index } of event.partitions) {
          const partition = this.#partitions[index]
          if (partition === undefined) continue
          partition.isFresh = true
          partition.pausedAt = null
        }
      })
    }
    const reading = read(world, {
      consumer,
      name: this.#name,
      way: this.#way,
      dice: this.#dice.of(this.#name),
      isOver: () => this.#isOver,
      onMessage: message => this.#take(message),
      onDone: () => undefined,
    })
    return [consumer, reading]
  }

  async #take({ partition: index, offset }: Message): Promise<void> {
    const world = this.#world
    const partition = this.#partitions[index]
    if (partition === undefined) throw new Error(`partition ${index} was never made`)
    this.deliveries++
    const { next, pausedAt, seeking, isFresh, beginsAt } = partition
    world.note(`got ${index}:${offset}`)
    partition.servedAt = world.now
    if (isFresh && seeking === 0 && beginsAt >= 0 && offset !== beginsAt && this.#isQuiet)
      world.complain(`${index}:${offset} comes first after a restart, and ${beginsAt} was committed (${this.#way})`)
    partition.beginsAt = -1
    if (pausedAt !== null && world.now > pausedAt)
      world.complain(`${index}:${offset} is given while the partition is paused (${this.#way})`)
    if (seeking === 0 && !isFresh && offset !== next)
      world.complain(`${index}:${offset} is given, and ${next} was next (${this.#way})`)
    partition.next = offset + 1
    partition.isFresh = false
    partition.touchedAt = Infinity
    if (this.#slowMs > 0) await world.sleep(this.#dice.next() * 2 * this.#slowMs)
    partition.touchedAt = world.now
  }

  async #seek(partition: Expected): Promise<void> {
    const offset = this.#dice.int(0, this.#ends()[partition.index] ?? 0)
    const consumer = this.#consumer
    partition.seeking++
    partition.beginsAt = -1
    try {
      this.#world.note(`seek ${partition.index}:${offset}`)
      await consumer.seek([{ topic: TOPIC, partition: partition.index, offset }])
      this.#world.note(`sought ${partition.index}:${offset}`)
      partition.next = offset
      partition.isFresh = false
      partition.movedAt = partition.touchedAt = this.#world.now
    } finally {
      partition.seeking = Math.max(0, partition.seeking - 1)
    }
  }

  // What was committed before a seek stays until something is committed after it.
  #checkCommitted(): void {
    for (const { partition: index, offset } of this.#world.cluster.committedOffsets(GROUP)) {
      const partition = this.#partitions[index]
      if (partition === undefined || partition.committed === offset) continue
      const { next, movedAt, seeking } = partition
      const isSettled = this.#isQuiet && seeking === 0 && this.#world.now > movedAt + this.#commitMs + 2 * this.#slowMs
      if (isSettled && offset > next) {
        this.#world.complain(
          `${offset} is committed for partition ${index}, which was read up to ${next} (${this.#way})`,
        )
      }
      const isSought = seeking > 0 || movedAt > partition.committedAt - OVER_MS
      if (this.#isQuiet && offset < partition.committed && !isSought) {
        this.#world.complain(
          `${offset} is committed for partition ${index} after ${partition.committed}, and nobody has sought (${this.#way})`,
        )
      }
      partition.committed = offset
      partition.committedAt = this.#world.now
    }
  }

  /** Everything that could be read has been: the group knows it. */
  async checkSettled(): Promise<void> {
    if (!this.#isQuiet || this.#config['enable.auto.commit'] === false) return
    await this.#world.sleep(5000)
    const committed = this.#world.cluster.committedOffsets(GROUP)
    for (const { index, next } of this.#partitions) {
      const offset = committed.find(({ partition }) => partition === index)?.offset ?? 0
      if (offset === next) continue
      this.#world.complain(
        `${offset} is committed for partition ${index}, which was read up to ${next} a while ago (${this.#way})`,
      )
    }
  }

  /** Where nothing has happened for a while, the group knows where the program stands. */
  #checkAtRest(): void {
    if (!this.#isQuiet || this.#config['enable.auto.commit'] === false) return
    const committed = this.#world.cluster.committedOffsets(GROUP)
    for (const partition of this.#partitions) {
      const { index, next, seeking, touchedAt, isFresh } = partition
      if (touchedAt === 0 || seeking > 0 || isFresh || this.#world.now - touchedAt < this.#restMs) continue
      const offset = committed.find(each => each.partition === index)?.offset ?? 0
      if (offset === next) continue
      this.#world.complain(`${offset} is committed for partition ${index}, which rests at ${next} (${this.#way})`)
      partition.touchedAt = 0
    }
  }

  #checkServed(): void {
    if (!this.#isQuiet) return
    const ends = this.#ends()
    const { now } = this.#world
    for (const partition of this.#partitions) {
      const { index, next, pausedAt, seeking, servedAt, movedAt } = partition
      const hasNothing = next >= (ends[index] ?? 0) || pausedAt !== null || seeking > 0 || this.#isOver
      if (hasNothing) partition.servedAt = now
      const since = Math.max(servedAt, movedAt)
      const starvedMs = STARVED_MS[this.#slowMs < SLOW_MS ? 'quick' : 'slow'] + this.#fullQueueMs(ends)
      const mostMs = Math.max(starvedMs, this.#waitMs + ANSWERED_MS)
      if (hasNothing || now - since < mostMs) continue
      this.#world.complain(
        `nothing of partition ${index} has come for ${mostMs / 1000} s; it stands at ${next} of ${ends[index] ?? 0} (${this.#way})`,
      )
      partition.servedAt = now
    }
  }

  /** A queue that is full of others keeps a partition from being fetched: until all that there is is handled, at most. */
  #fullQueueMs(ends: readonly number[]): number {
    if (this.#config['queued.max.messages.kbytes'] === undefined) return 0
    return this.#slowMs * ends.reduce((sum, end) => sum + end, 0)
  }

  #ends(): number[] {
    return this.#partitions.map(({ index }) => this.#world.cluster.watermarks(TOPIC, index).high)
  }
}

export async function moves(world: World): Promise<void> {
  const { dice, cluster } = world
  const partitions = dice.int(1, 5)
  const isQuiet = dice.chance(0.5)
  const isRefused = isQuiet && world.simulation.dice('weather').chance(0.4)
  const weather = isRefused ? 'refusals' : isQuiet ? 'quiet' : 'storm'
  cluster.createTopic(TOPIC, { partitions, replicationFactor: 3 })
  const writer = new Writer(world, 'writer-0', TOPIC, true)
  const reader = new Reader(world, partitions, weather)
  const still = new Flag()
  const watching = reader.watch(() => still.isSet())
  const acting = (async () => {
    while (!still.isSet()) {
      await world.nextAct(dice.int(1, dice.pick([50, 3000])))
      if (!still.isSet()) await reader.act()
    }
  })()
  const until = world.now + world.stormMs
  writer.start(until)
  if (isRefused)
    await refuseNowAndThen(
      world,
      { api: ApiKey.OffsetCommit, faults: commitErrors, everyMs: dice.pick([1000, 3000]) },
      until,
    )
  else if (isQuiet) await world.sleep(world.stormMs)
  else {
    const vanishing = vanishNowAndThen(world, until)
    await world.storm({ everyMs: dice.pick([500, 1000, 3000, 10_000]), groups: [GROUP] })
    await vanishing
  }
  await writer.finish()
  still.set()
  await world.settle(acting, CLOSE_LIMIT_MS * 2, 'the acts')
  await watching
  reader.resumeAll()
  await world.progress(
    'reading',
    CALM_LIMIT_MS,
    () => reader.deliveries,
    () => reader.left(),
  )
  checkReports(world, [writer])
  await reader.checkSettled()
  await reader.close()
}
