/**
 * Producers of all kinds, with small queues, short timeouts, purges and flushes at any moment: every message has one
 * report, in time, and the report is true.
 */
import { ErrorCode, type Bytes, type DeliveryReport, type Producer, type ProducerConfig } from 'ottla'
import type { Dice, FaultKind } from '@ottla/broker/simulation'
import { ApiKey } from '@ottla/protocol'
import { refuseNowAndThen } from '../refusals.ts'
import { restartNowAndThen } from '../restarts.ts'
import { inWords, replicationOf, type World } from '../world.ts'

const TOPIC = 'notes'
const FINISH_LIMIT_MS = 400_000
/** After its time: a scan for expired messages, and what a report waits for besides. */
const LATE_MS = 3000
/** Between two requests that time out and the restart of their broker. */
const MOST_BEFORE_RESTART_MS = 150
/** What a serializer that takes its time takes at most. */
const SLOWEST_MS = 100
/**
 * What may be sent at once is, when nothing is wrong, behind what is before it in its partition; a batch that is refused is
 * tried again soon.
 */
const LATE_WITHOUT_FAULTS_MS = { quiet: 700, refusals: 8000, doubts: Infinity } as const

/** Those that leave batches in doubt: leaders move while requests to the earlier ones are in flight. */
const doubtful: readonly FaultKind[] = [
  'leader',
  'slow',
  'black-hole',
  'down',
  'pause',
  'cut',
  'cut-midway',
  'cut-broker',
]
const produceErrors = [
  ErrorCode.ERR_NOT_LEADER_FOR_PARTITION,
  ErrorCode.ERR_REQUEST_TIMED_OUT,
  ErrorCode.ERR_NOT_ENOUGH_REPLICAS,
  ErrorCode.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
]
/** With these, the leader has appended the batch; where it waits for all replicas, that is. */
const appendedErrors = [
  ErrorCode.ERR_NOT_LEADER_FOR_PARTITION,
  ErrorCode.ERR_REQUEST_TIMED_OUT,
  ErrorCode.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
].map(code => ({ code, carriedOut: true }))

const timedOut = { code: ErrorCode.ERR_REQUEST_TIMED_OUT, carriedOut: true }

const doubts = [...produceErrors, ...appendedErrors, ...appendedErrors]

/** No faults at all, brokers that refuse batches, some of them after they have appended them, or everything. */
type Weather = 'quiet' | 'refusals' | 'doubts' | 'storm'
const weathers = ['quiet', 'refusals', 'doubts', 'storm', 'storm', 'storm'] as const

interface Note {
  readonly number: number
  readonly since: number
  /** By `send`, which waits for room; else by `produce`. */
  readonly isSent: boolean
  readonly reports: DeliveryReport[]
}

interface Kind {
  readonly acks: number
  readonly isIdempotent: boolean
  readonly maxInFlight: number
  readonly timeoutMs: number
  /** Its serializer gives promises: only `send` takes such messages, in the order in which they are ready. */
  readonly isSlow: boolean
}

class NoteWriter {
  readonly name: string
  readonly kind: Kind
  readonly notes: Note[] = []
  readonly #world: World
  readonly #dice: Dice
  readonly #producer: Producer
  readonly #weather: Weather
  readonly #sends: Promise<unknown>[] = []
  readonly #mostAtOnce: number
  /** When something was last reported, by partition; virtual ms. */
  readonly #reportedAt = new Map<number, number>()

  constructor(world: World, name: string, weather: Weather) {
    this.#world = world
    this.name = name
    this.#weather = weather
    const dice = world.simulation.dice(name)
    this.#dice = dice
    const isIdempotent = dice.chance(0.5)
    const acks = isIdempotent || weather === 'doubts' ? -1 : dice.pick([-1, -1, 1, 0])
    this.kind = {
      acks,
      isIdempotent,
      // Order is promised to idempotent producers, and to others that have one request in flight.
      maxInFlight: isIdempotent ? dice.pick([1, 5, 5, 5]) : dice.pick([1, 1, 5]),
      timeoutMs: dice.pick([2000, 10_000, 60_000]),
      isSlow: dice.chance(0.2),
    }
    const config: Partial<ProducerConfig> = {
      acks,
      'enable.idempotence': isIdempotent,
      'max.in.flight.requests.per.connection': this.kind.maxInFlight,
      'message.timeout.ms': this.kind.timeoutMs,
      'linger.ms': dice.pick([0, 0, 5, 200]),
      'batch.num.messages': dice.pick([1, 1, 3, 10_000]),
      'queue.buffering.max.messages': dice.pick([5, 100, 100_000]),
      'queue.buffering.max.kbytes': dice.pick([1, 1_048_576]),
      'compression.type': dice.pick(['none', 'none', 'gzip']),
    }
    this.#mostAtOnce = dice.pick([2, 6, 30])
    const slowly = async (value: Bytes): Promise<Bytes> => {
      await world.sleep(dice.int(0, SLOWEST_MS))
      return value
    }
    this.#producer = world.producer(name, config, this.kind.isSlow ? { value: slowly } : {})
    world.note(`${name}: ${JSON.stringify(config)}${this.kind.isSlow ? ', serializes slowly' : ''}`)
  }

  async work(until: number): Promise<void> {
    const dice = this.#dice
    while (this.#world.now < until) {
      // After a while without new messages nothing else wakes what should wake by itself.
      if (dice.chance(0.01)) await this.#world.nextAct(dice.int(5000, 15_000))
      else await this.#world.work(dice.int(0, 400))
      for (let i = dice.int(1, this.#mostAtOnce); i > 0; i--) {
        if (this.kind.isSlow || dice.chance(0.3)) this.#send()
        else this.#produce()
      }
      if (dice.chance(0.02)) await this.#flush(dice.pick([0, 10, 1000, -1]))
      if ((this.#weather === 'storm' || this.#weather === 'doubts') && dice.chance(0.01)) this.#purge()
      if (this.#weather === 'storm' && dice.chance(0.005)) this.#maroon()
    }
  }

  async finish(): Promise<void> {
    const settle = async (): Promise<void> => {
      await this.#flush(-1)
      await Promise.all(this.#sends)
      this.#checkRoom()
      await this.#producer.close()
    }
    await this.#world.settle(settle(), FINISH_LIMIT_MS, `${this.name}'s flush and close`)
  }

  #note(isSent: boolean): { note: Note; message: { topic: string; key: string; value: string } } {
    const number = this.notes.length
    const note = { number, since: this.#world.now, isSent, reports: [] }
    this.notes.push(note)
    const value = `${this.name}:${number}:${'.'.repeat(this.#dice.int(0, 200))}`
    return { note, message: { topic: TOPIC, key: `k${number % 7}`, value } }
  }

  #produce(): void {
    const { note, message } = this.#note(false)
    try {
      this.#producer.produce(message, report => {
        const before = this.#reportedAt.get(report.partition) ?? 0
        this.#reported(note, report)
        this.#checkTime(note, before)
      })
    } catch (error) {
      this.notes.splice(this.notes.indexOf(note), 1, { ...note, reports: [refused] })
      this.#world.note(`${this.name} ${note.number} refused: ${inWords(error)}`)
    }
  }

  #send(): void {
    const { note, message } = this.#note(true)
    const sending = this.#producer.send(message).then(
      report => this.#reported(note, report),
      (error: unknown) => this.#reported(note, (error as { report?: DeliveryReport }).report ?? refused),
    )
    this.#sends.push(sending)
  }

  #reported(note: Note, report: DeliveryReport): void {
    note.reports.push(report)
    const { status, partition, offset, error } = report
    this.#reportedAt.set(partition, this.#world.now)
    this.#world.note(`${this.name} ${note.number} ${status} [${partition}] ${offset} ${error?.code ?? ''}`)
  }

  /** @param before - when something was last reported of its partition, where one waits for the other */
  #checkTime({ number, since }: Note, before: number): void {
    const isStorm = this.#weather === 'storm'
    const ms = this.#world.now - (isStorm ? since : Math.max(since, before))
    const mostMs = isStorm ? this.kind.timeoutMs + LATE_MS : LATE_WITHOUT_FAULTS_MS[this.#weather]
    if (ms > mostMs) this.#world.complain(`${this.name}:${number} was reported only after ${Math.round(ms)} ms`)
  }

  async #flush(timeoutMs: number): Promise<void> {
    const before = [...this.notes]
    const left = await this.#producer.flush(timeoutMs)
    // A flush that ends early does not count what is being serialized.
    if (timeoutMs !== -1 && (left > 0 || this.kind.isSlow)) return
    // The reports of `send` come as promises.
    await this.#world.sleep(0)
    const open = before.filter(({ number }) => this.notes[number]?.reports.length === 0)
    if (open.length > 0) {
      this.#world.complain(
        `${this.name}: flush has ended, and ${open.length} messages have no report: ${open[0]?.number}`,
      )
    }
  }

  /** Reaches no broker for a while. */
  #maroon(): void {
    const { network } = this.#world.simulation
    const way = this.#dice.pick(['refused', 'black-hole'] as const)
    const ms = this.#dice.int(5000, 40_000)
    this.#world.note(`${this.name} is cut off for ${ms} ms: ${way}`)
    for (let id = 1; id <= 3; id++) network.setWay(this.name, `broker-${id}`, way)
    if (way === 'refused') network.cut(this.name)
    setTimeout(() => {
      for (let id = 1; id <= 3; id++) network.setWay(this.name, `broker-${id}`, 'open')
    }, ms)
  }

  #purge(): void {
    this.#world.note(`${this.name} purges`)
    this.#producer.purge(this.#dice.pick([{}, { inFlight: false }, { queue: false }]))
  }

  // Everything is reported: the queue has room again.
  #checkRoom(): void {
    if (this.kind.isSlow) return
    for (let i = 0; i < 2; i++) {
      const { note, message } = this.#note(false)
      try {
        this.#producer.produce(message, report => this.#reported(note, report))
      } catch (error) {
        this.#world.complain(`${this.name} has nothing queued and accepts no message: ${inWords(error)}`)
      }
    }
  }
}

const refused = { status: 'refused', partition: -1, offset: -1 } as unknown as DeliveryReport

interface Place {
  readonly partition: number
  readonly offset: number
}

function check(
  world: World,
  writer: NoteWriter,
  weather: Weather,
  places: ReadonlyMap<string, readonly Place[]>,
): void {
  const { name, kind, notes } = writer
  for (const { number, reports } of notes) {
    const value = `${name}:${number}`
    const at = places.get(value) ?? []
    const where = at.map(({ partition, offset }) => `${partition}:${offset}`).join(' ') || 'no place'
    if (reports.length !== 1) world.complain(`${value} has ${reports.length} reports`)
    const [report] = reports
    if (report === undefined) continue
    const { status, partition, offset } = report
    if (status === 'persisted') {
      const isThere = at.some(place => place.partition === partition && (offset < 0 || place.offset === offset))
      // What only the leader has is lost with it, where replicas have logs of their own.
      const mayBeLost = kind.acks === 1 && weather === 'storm' && replicationOf(world.plan) === 'simulated'
      if (!isThere && !(mayBeLost && at.length === 0))
        world.complain(`${value} is said to be at ${partition}:${offset}, and is at ${where}`)
    } else if (status !== 'possibly-persisted' && at.length > 0) {
      world.complain(`${value} is ${status}, and is at ${where}`)
    }
    if (kind.isIdempotent && at.length > 1) world.complain(`${value} is there ${at.length} times: ${where}`)
  }
  // Where nothing goes wrong, nothing is retried.
  const isOrdered = kind.isIdempotent || kind.maxInFlight === 1 || weather === 'quiet'
  if (isOrdered && !kind.isSlow) checkOrder(world, writer, places)
}

// Of messages that are in doubt, an attempt that was given up may arrive late.
function checkOrder(world: World, { name, notes }: NoteWriter, places: ReadonlyMap<string, readonly Place[]>): void {
  const last = new Map<string, number>()
  for (const { number, isSent, reports } of notes) {
    if (reports[0]?.status !== 'persisted') continue
    const [first] = places.get(`${name}:${number}`) ?? []
    if (first === undefined) continue
    // What waits for room is overtaken by what finds some.
    const key = `${first.partition} ${isSent}`
    const before = last.get(key) ?? -1
    if (first.offset < before) {
      world.complain(`${name}:${number} at ${first.partition}:${first.offset} stands before an older one at ${before}`)
    }
    last.set(key, Math.max(before, first.offset))
  }
}

/** Brokers refuse what they have appended; in some seeds, they then restart, and know only the last batch of it again. */
async function doubt(world: World, until: number): Promise<void> {
  const { dice, cluster } = world
  const refusing = refuseNowAndThen(
    world,
    { api: ApiKey.Produce, faults: doubts, everyMs: dice.pick([100, 500]) },
    until,
  )
  if (dice.chance(0.5))
    await restartNowAndThen(world, until, async id => {
      cluster.failNextOn(id, ApiKey.Produce, [timedOut, timedOut])
      await world.sleep(dice.int(0, MOST_BEFORE_RESTART_MS))
    })
  await refusing
}

export async function writes(world: World): Promise<void> {
  const { dice, cluster } = world
  const partitions = dice.int(1, 4)
  const weather = dice.pick(weathers)
  world.note(weather)
  cluster.createTopic(TOPIC, { partitions, replicationFactor: 3 })
  const writers = Array.from({ length: world.some(1, 4) }, (_, i) => new NoteWriter(world, `writer-${i}`, weather))
  const until = world.now + world.stormMs
  const writing = Promise.all(writers.map(writer => writer.work(until)))
  if (weather === 'quiet') await world.sleep(world.stormMs)
  else if (weather === 'refusals')
    await refuseNowAndThen(world, { api: ApiKey.Produce, faults: produceErrors, everyMs: 3000 }, until)
  else if (weather === 'doubts') await doubt(world, until)
  else {
    const kinds = dice.chance(0.5) ? { kinds: doubtful } : {}
    const everyMs = dice.pick([100, 1000, Infinity])
    const refusing = refuseNowAndThen(world, { api: ApiKey.Produce, faults: produceErrors, everyMs }, until)
    await world.storm({ everyMs: dice.pick([100, 300, 1000, 3000]), ...kinds })
    await refusing
  }
  await world.settle(writing, FINISH_LIMIT_MS, 'the writers')
  await Promise.all(writers.map(writer => writer.finish()))
  // What is still on its way arrives.
  await world.sleep(60_000)
  const places = new Map<string, Place[]>()
  for (const { partition, offset, value } of cluster.messages(TOPIC)) {
    const [writer = '', number = ''] = String(value).split(':')
    const key = `${writer}:${number}`
    const at = places.get(key)
    if (at === undefined) places.set(key, [{ partition, offset }])
    else at.push({ partition, offset })
  }
  for (const writer of writers) check(world, writer, weather, places)
}
