/** A program that reads a topic, seeks and begins again, and knows where it has to be. */
import {
  ErrorCode,
  OFFSET_BEGINNING,
  OFFSET_END,
  OFFSET_STORED,
  offsetTail,
  type Consumer,
  type ConsumerConfig,
  type KafkaError,
  type Message,
} from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { Course, type CourseSettings, type Policy, type Target } from './course.ts'
import type { LogView } from './log-view.ts'
import { read, ways, type Way } from './ways.ts'
import { inWords, type World } from './world.ts'

/** A leader that was elected a moment ago may not know yet how far a log is replicated. */
export const REPLICATED_MS = 30_000
const CLOSE_LIMIT_MS = 120_000
/** Without faults, a reader that is not slow has nothing left by then of what it had fetched. */
const FETCHED_MS = 5000
const AGE_MS = 10_000
const LOOK_UP_LIMIT_MS = 30_000

const policies: readonly (readonly [NonNullable<ConsumerConfig['auto.offset.reset']>, Policy])[] = [
  ['earliest', 'earliest'],
  ['latest', 'latest'],
  ['error', 'error'],
  [`by_duration:PT${AGE_MS / 1000}S`, { ageMs: AGE_MS }],
]

interface Taken {
  readonly partition: number
  readonly offset: number
  readonly value: string
  readonly at: number
}

export class Seeker {
  readonly #world: World
  readonly #dice: Dice
  readonly #group: string
  readonly #kind: 'assign' | 'classic' | 'consumer'
  readonly #way: Way
  readonly #slowMs: number
  readonly #config: Partial<ConsumerConfig>
  readonly #policy: Policy
  readonly #log: LogView
  readonly #settings: CourseSettings
  readonly #courses: readonly Course[]
  /** Not seen in the log so far. */
  #unseen: Taken[] = []
  #consumer: Consumer
  #reading: Promise<void>
  #isOver = false
  #lives = 0
  /** Everything that has come since it was rewound. */
  readonly values = new Set<string>()
  steps = 0

  constructor(world: World, group: string, log: LogView, settings: Omit<CourseSettings, 'policy'>) {
    this.#world = world
    this.#group = group
    this.#log = log
    const dice = world.simulation.dice(group)
    this.#dice = dice
    this.#kind = dice.pick(['assign', 'classic', 'consumer'] as const)
    // Of a partition's messages, one by one is promised.
    this.#way = dice.pick(ways.filter(way => way !== 'run by key'))
    this.#slowMs = dice.pick([0, 0, 1, 20])
    const [reset, policy] = dice.pick(policies)
    this.#policy = policy
    this.#settings = { ...settings, policy }
    this.#config = {
      'group.id': group,
      'auto.offset.reset': reset,
      'fetch.wait.max.ms': dice.pick([100, 500, 2000]),
      'auto.commit.interval.ms': dice.pick([100, 1000]),
      ...(this.#kind === 'consumer' ? { 'group.protocol': 'consumer' } : {}),
      ...(dice.chance(0.3) ? { 'queued.min.messages': 5 } : {}),
    }
    this.#courses = Array.from(
      { length: log.partitions },
      (_, partition) => new Course(world, group, log, partition, this.#settings),
    )
    world.note(`${group}: ${this.#kind}, ${this.#way}, ${reset}, ${this.#slowMs} ms for a message`)
    ;[this.#consumer, this.#reading] = this.#begin()
  }

  get host(): string {
    return `${this.#group}-${this.#lives}`
  }

  /** The log of a partition was cut: it ends here now. */
  cutAt(partition: number, offset: number): void {
    this.#courses[partition]?.cutAt(offset)
  }

  /** One thing that a program may do. */
  async act(): Promise<void> {
    const dice = this.#dice
    const course = dice.pick(this.#courses)
    const { partition } = course
    try {
      switch (
        dice.pick(['offset', 'offset', 'offset', 'beginning', 'end', 'tail', 'time', 'time', 'restart'] as const)
      ) {
        case 'offset': {
          // Also where nothing is any more, or is not yet.
          const from = Math.max(0, this.#log.start(partition) - 5)
          const end = this.#log.end(partition)
          const offset = dice.chance(0.2) ? end + dice.int(0, 50) : dice.int(from, end)
          await this.#seek(course, offset, { to: 'offset', offset })
          return
        }
        case 'beginning':
          await this.#seek(course, OFFSET_BEGINNING, { to: 'beginning' })
          return
        case 'end':
          await this.#seek(course, OFFSET_END, { to: 'end', tail: 0 })
          return
        case 'tail': {
          const tail = dice.int(1, 20)
          await this.#seek(course, offsetTail(tail), { to: 'end', tail })
          return
        }
        case 'time':
          await this.#seekTime(course, this.#world.wallTime + dice.int(-40_000, 1000))
          return
        case 'restart':
          if (dice.chance(0.5)) await this.#restart()
          return
      }
    } catch (error) {
      this.#world.note(`${this.host} act: ${inWords(error)}`)
    }
  }

  /** Everything again. */
  async rewind(): Promise<void> {
    this.values.clear()
    for (const course of this.#courses) await this.#seek(course, OFFSET_BEGINNING, { to: 'beginning' })
  }

  /** What has come must have been there. Called after a look at the log. */
  checkSeen(): void {
    const { now } = this.#world
    this.#unseen = this.#unseen.filter(({ partition, offset, value, at }) => {
      if (this.#log.has(partition, offset, value)) return false
      if (now - at < REPLICATED_MS) return true
      this.#world.complain(`${this.#group} got ${value} at ${partition}:${offset}, where it has never been`)
      return false
    })
  }

  async close(): Promise<void> {
    this.#isOver = true
    await this.#world.settle(this.#consumer.close(), CLOSE_LIMIT_MS, `closing ${this.host}`)
    await this.#world.settle(this.#reading, CLOSE_LIMIT_MS, `the reading of ${this.host}`)
  }

  explain(): string {
    return `${this.host} (${this.#way}): ${this.#consumer.explain().join(' | ')}`
  }

  #begin(): [Consumer, Promise<void>] {
    this.#lives++
    this.#isOver = false
    const world = this.#world
    const consumer = world.consumer(this.host, this.#config)
    world.note(`${this.host} begins`)
    consumer.on('error', ({ error }) => this.#heard(error, consumer))
    if (this.#kind === 'assign') {
      const all = this.#courses.map(({ partition }) => ({ topic: this.#log.topic, partition, offset: OFFSET_STORED }))
      void world.settle(consumer.assign(all), CLOSE_LIMIT_MS, 'assign')
    } else {
      consumer.subscribe([this.#log.topic], ({ type, partitions }) => {
        world.note(`${this.host} ${type} ${partitions.map(({ partition }) => partition).join(' ')}`)
        // What is committed at that moment may be old.
        if (this.#settings.isQuiet) return
        for (const { partition } of partitions) this.#courses[partition]?.sent({ to: 'anywhere' })
      })
    }
    const reading = read(world, {
      consumer,
      name: this.host,
      way: this.#way,
      dice: this.#dice.of(this.host),
      isOver: () => this.#isOver,
      onMessage: message => this.#take(message),
      onDone: () => undefined,
    })
    return [consumer, reading]
  }

  async #restart(): Promise<void> {
    await this.close()
    this.#log.look()
    const committed = new Map(
      this.#world.cluster.committedOffsets(this.#group).map(({ partition, offset }) => [partition, offset]),
    )
    for (const course of this.#courses) {
      if (this.#settings.isQuiet) course.restarted(committed.get(course.partition))
      else course.sent({ to: 'anywhere' })
    }
    ;[this.#consumer, this.#reading] = this.#begin()
  }

  async #take({ partition, offset, value }: Message): Promise<void> {
    const text = String(value)
    const { now } = this.#world
    this.steps++
    this.#world.note(`${this.host} got ${partition}:${offset} ${text}`)
    this.values.add(`${partition}:${offset} ${text}`)
    if (!this.#log.has(partition, offset, text)) this.#unseen.push({ partition, offset, value: text, at: now })
    const start = this.#log.startBefore(partition, now - FETCHED_MS)
    if (this.#settings.isQuiet && this.#slowMs === 0 && offset < start)
      this.#world.complain(`${this.#group} gets ${partition}:${offset}, and the log begins at ${start} for a while`)
    this.#courses[partition]?.take(offset, text)
    if (this.#slowMs > 0) await this.#world.sleep(this.#dice.next() * 2 * this.#slowMs)
  }

  /** @param leaderEpoch - of what is there, if it is known */
  async #seek(course: Course, offset: number, target: Target, leaderEpoch?: number): Promise<void> {
    const { partition } = course
    this.#log.look()
    this.#world.note(`${this.host} seeks [${partition}] ${JSON.stringify(target)}`)
    const at = { topic: this.#log.topic, partition, offset, ...(leaderEpoch === undefined ? {} : { leaderEpoch }) }
    const seeking = this.#consumer.seek([at])
    course.sent(target)
    const [result] = await seeking
    if (result?.error === undefined) return
    this.#world.note(`${this.host} seek: ${inWords(result.error)}`)
    course.sent({ to: 'anywhere' })
  }

  /** To the first message of a time, or a later one. */
  async #seekTime(course: Course, time: number): Promise<void> {
    const { partition } = course
    const consumer = this.#consumer
    this.#log.look()
    const before = this.#log.present(partition).filter(({ timestamp }) => timestamp >= time)
    const [found] = await consumer.offsetsForTimes(
      [{ topic: this.#log.topic, partition, offset: time }],
      LOOK_UP_LIMIT_MS,
    )
    if (found === undefined || found.error !== undefined || consumer !== this.#consumer) return
    this.#log.look()
    const { offset } = found
    const there = this.#log.present(partition)
    const passed = before.find(each => (offset < 0 || each.offset < offset) && there.some(now => isSame(now, each)))
    if (this.#settings.isExact && passed !== undefined)
      this.#world.complain(
        `[${partition}] ${passed.offset} is of ${passed.timestamp}, and ${offset} is found for ${time}`,
      )
    const at = there.find(each => each.offset === offset)
    if (this.#settings.isExact && at !== undefined && at.timestamp < time)
      this.#world.complain(`[${partition}] ${offset} is of ${at.timestamp}, and is found for ${time}`)
    if (offset < 0) await this.#seek(course, OFFSET_END, { to: 'end', tail: 0 })
    else await this.#seek(course, offset, { to: 'offset', offset }, found.leaderEpoch)
  }

  /** A program whose policy is to be told decides itself. */
  #heard(error: KafkaError, consumer: Consumer): void {
    if (error.code !== ErrorCode.ERR__AUTO_OFFSET_RESET && error.code !== ErrorCode.ERR__LOG_TRUNCATION) return
    this.#world.note(`${this.host} says ${inWords(error)}`)
    if (this.#policy !== 'error') this.#world.complain(`${this.host} stops, which is not its policy: ${inWords(error)}`)
    const course = this.#courses[Number(/\[(\d+)\]/.exec(error.message)?.[1] ?? -1)]
    if (course === undefined) {
      this.#world.complain(`${this.host} does not name the partition: ${inWords(error)}`)
      return
    }
    course.stopped(inWords(error))
    this.#beginLater(course, consumer).catch((error: unknown) => this.#world.note(`${this.host}: ${inWords(error)}`))
  }

  async #beginLater(course: Course, consumer: Consumer): Promise<void> {
    await this.#world.sleep(this.#dice.int(0, 2000))
    if (consumer !== this.#consumer || consumer.closed) return
    await this.#seek(course, OFFSET_BEGINNING, { to: 'beginning' })
  }
}

function isSame(a: { offset: number; value: string }, b: { offset: number; value: string }): boolean {
  return a.offset === b.offset && a.value === b.value
}
