/** Producers, and a group whose members come, leave and crash, and read in every way. */
import type { Consumer, ConsumerConfig, Message } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { Flag } from '../flag.ts'
import { read, ways, type Way } from '../ways.ts'
import { inWords, type World } from '../world.ts'
import { checkReports, Writer } from '../writers.ts'
import { Churn, type Life } from '../churn.ts'

const TOPIC = 'orders'
const GROUP = 'shop'
const CALM_LIMIT_MS = 120_000
const SAMPLE_MS = 200
const LONGEST_SESSION_MS = 60_000

/** How far the group has come. */
class Ledger {
  readonly #world: World
  readonly #isOfMany: boolean
  /** Messages that may be committed, by partition and offset. */
  readonly committable = new Set<string>()
  /** Messages that some member has done with. */
  readonly processed = new Set<string>()
  /** Who had a partition in a generation. */
  readonly #owners = new Map<string, string>()
  /** By partition: everything below may be committed. */
  readonly #front = new Map<number, number>()
  #isWatching = true
  steps = 0

  constructor(world: World, protocol: string) {
    this.#world = world
    this.#isOfMany = protocol === 'classic'
  }

  take(member: string, consumer: Consumer, { partition, offset }: Message, isAtMostOnce: boolean): string {
    const place = `${partition}:${offset}`
    if (isAtMostOnce) {
      this.committable.add(place)
      this.processed.add(place)
    }
    this.steps++
    const { generationId } = consumer.groupMetadata()
    // Members of a KIP-848 group have epochs of their own.
    if (this.#isOfMany && generationId >= 0) {
      const key = `${generationId}/${partition}`
      const owner = this.#owners.get(key) ?? member
      if (owner !== member) {
        this.#world.complain(`${place} is given to ${member} in generation ${generationId}, in which ${owner} had it`)
      }
      this.#owners.set(key, member)
    }
    return place
  }

  done(place: string): void {
    this.processed.add(place)
    this.committable.add(place)
    this.steps++
  }

  /** Looks now and then whether more is committed than may be. */
  async watch(): Promise<void> {
    while (this.#isWatching) {
      this.check()
      await this.#world.sleep(SAMPLE_MS)
    }
  }

  stop(): void {
    this.#isWatching = false
  }

  check(): void {
    for (const { partition, offset } of this.#world.cluster.committedOffsets(GROUP)) {
      let front = this.#front.get(partition) ?? 0
      while (front < offset && this.committable.has(`${partition}:${front}`)) front++
      if (front < offset) {
        this.#world.complain(`${offset} is committed for partition ${partition}, and nobody is done with ${front}`)
        front = offset
      }
      this.#front.set(partition, front)
    }
  }
}

interface GroupSettings {
  readonly protocol: 'classic' | 'consumer'
  readonly config: Partial<ConsumerConfig>
  readonly isManual: boolean
}

class Member implements Life {
  readonly name: string
  readonly way: Way
  readonly #world: World
  readonly #dice: Dice
  readonly #consumer: Consumer
  readonly #ledger: Ledger
  readonly #isManual: boolean
  readonly #isAtMostOnce: boolean
  readonly #slowMs: number
  readonly #reading: Promise<void>
  readonly #over = new Flag()
  readonly #crashed = new Flag()

  constructor(world: World, name: string, { protocol, config, isManual }: GroupSettings, ledger: Ledger) {
    this.name = name
    this.#world = world
    this.#ledger = ledger
    this.#isManual = isManual
    const dice = world.simulation.dice(name)
    this.#dice = dice
    // In these ways of reading a program cannot commit after each message.
    this.way = isManual ? dice.pick(['poll', 'readMessage', 'iterate', 'batches'] as const) : dice.pick(ways)
    this.#isAtMostOnce = !isManual && (this.way === 'poll' || this.way === 'readMessage')
    this.#slowMs = dice.pick([0, 0, 1, 20, 200])
    this.#consumer = world.consumer(name, {
      'group.id': GROUP,
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': !isManual,
      'auto.commit.interval.ms': dice.pick([100, 1000, 5000]),
      'fetch.wait.max.ms': dice.pick([10, 500]),
      ...(protocol === 'classic'
        ? { 'session.timeout.ms': dice.pick([6000, 10_000, 45_000]), 'heartbeat.interval.ms': 2000 }
        : {}),
      ...(dice.chance(0.2) ? { 'group.instance.id': name } : {}),
      ...config,
    })
    world.note(`${name} begins: ${this.way}, ${this.#slowMs} ms for a message`)
    this.#consumer.subscribe([TOPIC])
    this.#reading = read(world, {
      consumer: this.#consumer,
      name,
      way: this.way,
      dice,
      isOver: () => this.#over.isSet(),
      onMessage: message => this.#process(message),
      onDone: () => this.#commit(),
    })
  }

  /** Its host is gone: nothing of it is heard any more. */
  async crash(): Promise<void> {
    this.#crashed.set()
    this.#over.set()
    for (let id = 1; id <= 3; id++) this.#world.simulation.network.setWay(this.name, `broker-${id}`, 'refused')
    this.#world.simulation.network.vanish(this.name)
    await this.#consumer.close(1000)
    await this.#reading
  }

  async leave(atRest = false): Promise<void> {
    if (!atRest && this.#dice.chance(0.5)) this.#over.set()
    await this.#consumer.close()
    this.#over.set()
    await this.#reading
  }

  explain(): string {
    return `${this.name} (${this.way}): ${this.#consumer.explain().join(' | ')}`
  }

  async #process(message: Message): Promise<void> {
    if (this.#crashed.isSet()) return
    const place = this.#ledger.take(this.name, this.#consumer, message, this.#isAtMostOnce)
    if (this.#slowMs > 0) await this.#world.sleep(this.#dice.next() * 2 * this.#slowMs)
    if (this.#crashed.isSet()) return
    this.#ledger.done(place)
    this.#world.note(`${this.name} processed ${place}`)
  }

  async #commit(): Promise<void> {
    if (!this.#isManual || this.#over.isSet()) return
    try {
      await this.#consumer.commit()
    } catch (error) {
      this.#world.note(`${this.name} commit: ${inWords(error)}`)
    }
  }
}

export async function groups(world: World): Promise<void> {
  const { dice, cluster } = world
  const partitions = dice.int(1, 6)
  cluster.createTopic(TOPIC, { partitions, replicationFactor: 3 })
  const isIdempotent = dice.chance(0.7)
  const protocol = dice.chance(0.4) ? 'consumer' : 'classic'
  const strategy = dice.pick(['range', 'roundrobin', 'cooperative-sticky'])
  const isManual = dice.chance(0.3)
  world.note(
    `${partitions} partitions, ${isIdempotent ? 'idempotent' : 'plain'}, ${protocol} ${strategy}, ${isManual ? 'commits by hand' : 'commits by itself'}`,
  )
  const ledger = new Ledger(world, protocol)
  const watching = ledger.watch()
  const config: Partial<ConsumerConfig> =
    protocol === 'classic' ? { 'partition.assignment.strategy': strategy } : { 'group.protocol': 'consumer' }
  const churn = new Churn(world, 'member', name => new Member(world, name, { protocol, config, isManual }, ledger))
  const writers = Array.from(
    { length: world.some(1, 3) },
    (_, i) => new Writer(world, `writer-${i}`, TOPIC, isIdempotent),
  )
  churn.begin(world.some(1, 3))
  for (const writer of writers) writer.start(world.now + world.stormMs)
  await world.storm({
    everyMs: dice.pick([500, 1000, 3000, 10_000]),
    hosts: () => [...writers.map(writer => writer.name), ...churn.names],
    groups: [GROUP],
  })
  await churn.settleDown()
  await Promise.all(writers.map(writer => writer.finish()))
  const log = cluster.messages(TOPIC).map(message => `${message.partition}:${message.offset}`)
  const missing = (): string[] => log.filter(place => !ledger.processed.has(place))
  await world.progress(
    'the group',
    CALM_LIMIT_MS,
    () => ledger.steps,
    () => {
      const left = missing()
      return left.length === 0
        ? null
        : `${left.length} of ${log.length} messages are not processed: ${left.slice(0, 5).join(' ')}; ${churn.lives.map(member => member.explain()).join('; ')}`
    },
  )
  checkReports(world, writers)
  // What members that have crashed had not committed, others have read again by then.
  await world.sleep(LONGEST_SESSION_MS)
  await churn.end()
  ledger.stop()
  await watching
  ledger.check()
  checkLag(world, log, isManual)
}

// Everything was processed, and the members have left in peace: nothing is left to be read.
function checkLag(world: World, log: readonly string[], isManual: boolean): void {
  const ends = new Map<number, number>()
  for (const place of log) {
    const [partition = 0, offset = 0] = place.split(':').map(Number)
    ends.set(partition, Math.max(ends.get(partition) ?? 0, offset + 1))
  }
  const committed = new Map(world.cluster.committedOffsets(GROUP).map(({ partition, offset }) => [partition, offset]))
  for (const [partition, end] of ends) {
    const offset = committed.get(partition) ?? 0
    // A program that commits by hand, in the loop, does not commit its last message.
    if (offset < end && !isManual)
      world.complain(`only ${offset} is committed for partition ${partition}, which ends at ${end}`)
    if (offset > end) world.complain(`${offset} is committed for partition ${partition}, which ends at ${end}`)
  }
}
