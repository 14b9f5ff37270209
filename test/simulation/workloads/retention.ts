/**
 * Topics that keep their records for a short time, are compacted, lose records and are truncated, under readers that seek:
 * what comes was there, what was asked for comes next, what is out of range leads where the policy says, and nothing that
 * is there is passed over.
 */
import type { Dice } from '@ottla/broker/simulation'
import { Flag } from '../flag.ts'
import { LogView } from '../log-view.ts'
import { REPLICATED_MS, Seeker } from '../seeker.ts'
import { inWords, replicationOf, type World } from '../world.ts'
import { Writer } from '../writers.ts'

const TOPIC = 'stream'
const CALM_LIMIT_MS = 120_000
const CLOSE_LIMIT_MS = 120_000
const SAMPLE_MS = 500
/** So often brokers apply retention by themselves. */
const RETENTION_MS = 300_000
/** By then the sessions of earlier readers are over: a group is that of the present one. */
const SETTLED_MS = 90_000

const kinds = ['by age', 'by size', 'by hand', 'compacted'] as const
type Kind = (typeof kinds)[number]

function configsOf(kind: Kind, dice: Dice): Record<string, string> {
  const segmentMs = String(dice.pick([1000, 3000]))
  switch (kind) {
    case 'by age':
      return { 'retention.ms': String(dice.pick([5000, 20_000])), 'segment.ms': segmentMs }
    case 'by size':
      return { 'retention.bytes': String(dice.pick([4000, 20_000])), 'segment.ms': segmentMs }
    case 'by hand':
      return {}
    case 'compacted':
      return { 'cleanup.policy': 'compact' }
    default:
      return kind satisfies never
  }
}

/** What makes records go. */
class Loss {
  readonly #world: World
  readonly #dice: Dice
  readonly #kind: Kind
  readonly #log: LogView
  readonly #readers: readonly Seeker[]
  readonly #mayCut: boolean
  /** Partitions that have lost their end. */
  readonly cut = new Set<number>()

  constructor(world: World, kind: Kind, log: LogView, readers: readonly Seeker[], mayCut: boolean) {
    this.#world = world
    this.#dice = world.simulation.dice('loss')
    this.#kind = kind
    this.#log = log
    this.#readers = readers
    this.#mayCut = mayCut
  }

  async act(): Promise<void> {
    const { cluster } = this.#world
    this.#log.look()
    switch (this.#kind) {
      case 'compacted':
        this.#world.note('compaction')
        cluster.compact(TOPIC)
        break
      case 'by age':
      case 'by size':
      case 'by hand':
        if (this.#mayCut && this.#dice.chance(0.2)) this.#truncate()
        else if (this.#kind === 'by hand' || this.#dice.chance(0.3)) await this.#deleteRecords()
        else {
          this.#world.note('retention')
          cluster.runRetention()
        }
        break
      default:
        this.#kind satisfies never
    }
    this.#log.look()
  }

  // Something has to be left in the log: where an empty one ends is not seen from outside.
  #truncate(): void {
    const partition = this.#dice.int(0, this.#log.partitions - 1)
    const present = this.#log.present(partition)
    const last = present.at(-1 - this.#dice.int(0, 4))
    if (last === undefined || present.length < 40) return
    this.#world.cluster.truncate(TOPIC, partition, last.offset)
    this.#log.look()
    const end = this.#log.end(partition)
    this.#world.note(`[${partition}] is truncated to ${end}`)
    this.cut.add(partition)
    for (const reader of this.#readers) reader.cutAt(partition, end)
  }

  async #deleteRecords(): Promise<void> {
    const partition = this.#dice.int(0, this.#log.partitions - 1)
    const offset = this.#dice.int(this.#log.start(partition), this.#log.end(partition))
    this.#world.note(`records of [${partition}] before ${offset} are deleted`)
    const admin = this.#world.admin('admin')
    try {
      const [result] = await admin.deleteRecords([{ topic: TOPIC, partition, offset }])
      if (result?.error !== undefined) this.#world.note(`deleting records: ${inWords(result.error)}`)
    } finally {
      await admin.close()
    }
  }
}

/** Does something now and then. */
async function nowAndThen(world: World, name: string, act: () => Promise<void>, isOver: () => boolean): Promise<void> {
  const dice = world.simulation.dice(`${name}, now and then`)
  while (!isOver()) {
    await world.nextAct(dice.int(100, 4000))
    if (isOver()) return
    try {
      await act()
    } catch (error) {
      world.note(`${name}: ${inWords(error)}`)
    }
  }
}

export async function retention(world: World): Promise<void> {
  const { dice, cluster } = world
  const partitions = dice.int(1, 3)
  const kind = dice.pick(kinds)
  const isQuiet = dice.chance(0.5)
  const isExact = isQuiet || replicationOf(world.plan) === 'shared'
  const configs = configsOf(kind, dice)
  cluster.createTopic(TOPIC, { partitions, replicationFactor: 3, configs })
  world.note(`${partitions} partitions, ${kind} ${JSON.stringify(configs)}, ${isQuiet ? 'quiet' : 'stormy'}`)
  const isCompacted = kind === 'compacted'
  const log = new LogView(world, TOPIC, partitions, isCompacted)
  const readers = Array.from(
    { length: world.some(1, 2) },
    (_, i) => new Seeker(world, `reader-${i}`, log, { isExact, isQuiet, isCompacted }),
  )
  const writers = Array.from(
    { length: world.some(1, 2) },
    (_, i) => new Writer(world, `writer-${i}`, TOPIC, dice.chance(0.7)),
  )
  // A replica that has what its leader has lost would bring it back.
  const loss = new Loss(world, kind, log, readers, isExact)
  const still = new Flag()
  const gone = new Flag()
  const sampling = (async () => {
    while (!gone.isSet()) {
      log.look()
      for (const reader of readers) reader.checkSeen()
      // Right before retention, too: it deletes what was seen by readers only.
      const dueMs = RETENTION_MS - 1 - (world.now % RETENTION_MS)
      const lookMs = world.rhythm.lookMs(world.now, SAMPLE_MS)
      await world.sleep(dueMs > 0 ? Math.min(dueMs, lookMs) : lookMs)
    }
  })()
  const acting = Promise.all([
    nowAndThen(
      world,
      'loss',
      () => loss.act(),
      () => still.isSet(),
    ),
    ...readers.map((reader, i) =>
      nowAndThen(
        world,
        `reader ${i}`,
        () => reader.act(),
        () => still.isSet(),
      ),
    ),
  ])
  for (const writer of writers) writer.start(world.now + world.stormMs)
  if (isQuiet) await world.sleep(world.stormMs)
  else
    await world.storm({
      everyMs: dice.pick([1000, 3000, 10_000]),
      hosts: () => [...writers.map(({ name }) => name), ...readers.map(({ host }) => host)],
      groups: ['reader-0', 'reader-1'],
    })
  still.set()
  await world.settle(acting, 2 * CLOSE_LIMIT_MS, 'the acts')
  await Promise.all(writers.map(writer => writer.finish()))
  await world.sleep(SETTLED_MS)
  await checkBells(world, readers, partitions)
  await checkAll(world, readers, log)
  await world.sleep(REPLICATED_MS + SAMPLE_MS)
  gone.set()
  await sampling
  checkWritten(world, writers, log, loss.cut)
  await Promise.all(readers.map(reader => reader.close()))
}

/** What is written in calm comes, wherever the readers are. */
async function checkBells(world: World, readers: readonly Seeker[], partitions: number): Promise<void> {
  const producer = world.producer('bell', {})
  const bells: string[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const ringing = producer.send({ topic: TOPIC, partition, key: 'bell', value: 'bell' })
    const report = await world.settle(ringing, CALM_LIMIT_MS, 'a message in calm')
    bells.push(`${partition}:${report?.offset} bell`)
  }
  await world.settle(producer.close(), CLOSE_LIMIT_MS, 'closing the bell')
  await checkCome(world, 'a message in calm', readers, () => bells)
}

/** Everything that is there comes to whoever begins at the beginning. */
async function checkAll(world: World, readers: readonly Seeker[], log: LogView): Promise<void> {
  for (const reader of readers) await world.settle(reader.rewind(), CLOSE_LIMIT_MS, 'the last seek')
  await checkCome(world, 'reading from the beginning', readers, () => {
    log.look()
    const all = Array.from({ length: log.partitions }, (_, partition) =>
      log.present(partition).map(({ offset, value }) => `${partition}:${offset} ${value}`),
    )
    return all.flat()
  })
}

async function checkCome(
  world: World,
  what: string,
  readers: readonly Seeker[],
  expected: () => readonly string[],
): Promise<void> {
  await world.progress(
    what,
    CALM_LIMIT_MS,
    () => readers.reduce((sum, { steps }) => sum + steps, 0),
    () => {
      const all = expected()
      const behind = readers.flatMap(reader => {
        const left = all.filter(each => !reader.values.has(each))
        return left.length === 0 ? [] : [`${left.length} have not come (${left[0]}): ${reader.explain()}`]
      })
      return behind.length === 0 ? null : behind.join('; ')
    },
  )
}

/** Every message has one report, which is true of the log as it was at some time. */
function checkWritten(world: World, writers: readonly Writer[], log: LogView, cut: ReadonlySet<number>): void {
  const places = log.places()
  for (const { name, reports, isIdempotent } of writers) {
    reports.forEach((own, number) => {
      const value = `${name}:${number}`
      const at = places.get(value) ?? []
      const where = at.join(' ') || 'no place'
      if (own.length !== 1) world.complain(`${value} has ${own.length} reports`)
      const [report] = own
      if (report === undefined) return
      const { status, partition, offset } = report
      if (status === 'persisted' && !at.includes(`${partition}:${offset}`) && (offset >= 0 || at.length === 0))
        world.complain(`${value} is said to be at ${partition}:${offset}, and was at ${where}`)
      if ((status === 'not-persisted' || status === 'refused') && at.length > 0)
        world.complain(`${value} is ${status}, and was at ${where}`)
      // What was cut off while it was in doubt is written again.
      if (isIdempotent && at.length > 1 && !cut.has(partition)) world.complain(`${value} was at ${where}`)
    })
  }
}
