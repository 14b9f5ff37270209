/** Producers, and a group whose members come, leave and crash, and read in every way. */
import type { Consumer, ConsumerConfig, DeadLetterSink, Message } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { Flag } from '../flag.ts'
import { read, ways, type Reading, type Way } from '../ways.ts'
import { inWords, type World } from '../world.ts'
import { checkReports, Writer } from '../writers.ts'
import { Churn, type Life } from '../churn.ts'
import { checkLag } from '../offsets.ts'

const TOPIC = 'orders'
const GROUP = 'shop'
const CALM_LIMIT_MS = 120_000
const SAMPLE_MS = 200
/** By then the sessions of those that have crashed are over, and the group rests. */
const SETTLED_MS = 90_000
/** For so long it then has to stay as it is. */
const STABLE_MS = 60_000

/** How far the group has come. */
class Ledger {
  readonly #world: World
  readonly #isOfMany: boolean
  /** Nothing goes wrong: no faults, no crashes. */
  readonly isQuiet: boolean
  /** Members that have left with a message in their hands, which another one gets. */
  readonly #leavers = new Set<string>()
  /** Who has processed a message last. */
  readonly #processors = new Map<string, Member>()
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

  constructor(world: World, protocol: string, isQuiet: boolean) {
    this.#world = world
    this.#isOfMany = protocol === 'classic'
    this.isQuiet = isQuiet
  }

  left(member: string): void {
    this.#leavers.add(member)
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

  done(place: string, member: Member): void {
    const before = this.#processors.get(place)
    // What a loop has in its hands when its consumer is closed comes again, and what it commits by hand may, too.
    const mayRepeat = before === undefined || before.mayRepeat || (before.isLoop && this.#leavers.has(before.name))
    if (this.isQuiet && !mayRepeat)
      this.#world.complain(
        `${place} is processed by ${before.name} (${before.way}) and by ${member.name} (${member.way})`,
      )
    this.#processors.set(place, member)
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
  /** Whether handlers of its runs fail now and then, and whether that ends the run. */
  readonly #failures: 'none' | 'dead letters' | 'ends'
  /** By lane, the message that is being processed: one at a time. */
  readonly #busy = new Map<string, number>()
  /** By lane, how far messages have been begun. */
  readonly #begun = new Map<string, number>()
  /** When partitions were last assigned or given up, virtual ms. */
  rebalancedAt = 0

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
    this.#failures = this.way.startsWith('run') ? dice.pick(['none', 'dead letters', 'ends'] as const) : 'none'
    this.#consumer = world.consumer(name, {
      'group.id': GROUP,
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': !isManual,
      'auto.commit.interval.ms': dice.pick([100, 1000, 5000]),
      'fetch.wait.max.ms': dice.pick([100, 500, 2000]),
      ...(protocol === 'classic'
        ? { 'session.timeout.ms': dice.pick([6000, 10_000, 45_000]), 'heartbeat.interval.ms': 2000 }
        : {}),
      // A static member that leaves keeps its partitions for a while.
      ...(dice.chance(0.2) && !ledger.isQuiet ? { 'group.instance.id': name } : {}),
      ...config,
    })
    world.note(`${name} begins: ${this.way}, ${this.#slowMs} ms for a message`)
    this.#consumer.subscribe([TOPIC])
    this.#consumer.on('rebalance', () => (this.rebalancedAt = world.now))
    this.#reading = read(world, {
      consumer: this.#consumer,
      name,
      way: this.way,
      dice,
      isOver: () => this.#over.isSet(),
      onMessage: message => this.#process(message),
      onDone: () => this.#commit(),
      onFailure: this.#onFailure(),
    })
  }

  get mayRepeat(): boolean {
    return this.#isManual || this.#failures === 'ends'
  }

  /** A loop of the program: `poll` and `readMessage` have given up a message when they give it. */
  get isLoop(): boolean {
    return this.way === 'iterate' || this.way === 'batches' || this.way === 'partitions'
  }

  get assigned(): readonly number[] {
    return this.#consumer.assignment().map(({ partition }) => partition)
  }

  /** Its host is gone: nothing of it is heard any more. */
  async crash(): Promise<void> {
    this.#crashed.set()
    this.#over.set()
    this.#world.loseHost(this.name)
    await this.#consumer.close(1000)
    await this.#reading
  }

  async leave(): Promise<void> {
    if (this.#dice.chance(0.5)) this.#over.set()
    this.#ledger.left(this.name)
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
    const lane = this.#beginLane(message)
    if (this.#slowMs > 0) await this.#world.sleep(this.#dice.next() * 2 * this.#slowMs)
    if (lane !== null) this.#busy.delete(lane)
    if (this.#crashed.isSet()) return
    if (this.#failures !== 'none' && this.#dice.chance(0.05)) throw new Error(`${place} has failed`)
    this.#ledger.done(place, this)
    this.#world.note(`${this.name} processed ${place}`)
  }

  /** In a run, messages of a partition, or of a key, come one at a time and in order. */
  #beginLane({ partition, offset, key }: Message): string | null {
    if (!this.way.startsWith('run')) return null
    const lane = this.way === 'run' ? `${partition}` : `${partition} ${String(key)}`
    const busy = this.#busy.get(lane)
    if (busy !== undefined)
      this.#world.complain(`${this.name} processes ${partition}:${offset} beside ${partition}:${busy} (${this.way})`)
    this.#busy.set(lane, offset)
    const begun = this.#begun.get(lane) ?? -1
    if (offset < begun && !this.#ledger.processed.has(`${partition}:${offset}`))
      this.#world.complain(
        `${this.name} processes ${partition}:${offset} only after ${partition}:${begun} (${this.way})`,
      )
    this.#begun.set(lane, Math.max(begun, offset))
    return lane
  }

  #onFailure(): NonNullable<Reading['onFailure']> {
    if (this.#failures === 'none') return {}
    const retry = { retries: this.#dice.pick([0, 1, 2]), backoffMs: this.#dice.pick([1, 100, 1000]) }
    if (this.#failures === 'ends') return { retry }
    const send = async ({ headers }: Parameters<DeadLetterSink['send']>[0]): Promise<void> => {
      await this.#world.sleep(this.#dice.int(0, 20))
      if (this.#crashed.isSet()) return
      const origin = new Map(headers.map(({ key, value }) => [key, String(value)]))
      const place = `${origin.get('ottla.origin.partition')}:${origin.get('ottla.origin.offset')}`
      this.#ledger.done(place, this)
      this.#world.note(`${this.name} has a dead letter of ${place}`)
    }
    return { retry, deadLetter: { topic: 'dead', producer: { send } } }
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
  const isQuiet = dice.chance(0.25)
  if (isQuiet) world.note('quiet')
  const ledger = new Ledger(world, protocol, isQuiet)
  const watching = ledger.watch()
  const config: Partial<ConsumerConfig> =
    protocol === 'classic' ? { 'partition.assignment.strategy': strategy } : { 'group.protocol': 'consumer' }
  const churn = new Churn(
    world,
    'member',
    name => new Member(world, name, { protocol, config, isManual }, ledger),
    isQuiet ? 0 : undefined,
  )
  const writers = Array.from(
    { length: world.some(1, 3) },
    (_, i) => new Writer(world, `writer-${i}`, TOPIC, isIdempotent),
  )
  churn.begin(world.some(1, 3))
  for (const writer of writers) writer.start(world.now + world.stormMs)
  if (isQuiet) await world.sleep(world.stormMs)
  else
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
  await checkStable(world, churn.lives, partitions)
  await churn.end()
  ledger.stop()
  await watching
  ledger.check()
  // What a storm has kept from being committed by hand is not tried again.
  if (!isManual) checkLag(world, GROUP, TOPIC, endsOf(cluster.messages(TOPIC), partitions))
  if (isQuiet) await checkLeft(world)
}

function endsOf(log: readonly { readonly partition: number; readonly offset: number }[], partitions: number): number[] {
  const ends = Array.from({ length: partitions }, () => 0)
  for (const { partition, offset } of log) ends[partition] = Math.max(ends[partition] ?? 0, offset + 1)
  return ends
}

// Nobody comes or goes: nothing moves, and everyone has about the same.
async function checkStable(world: World, members: readonly Member[], partitions: number): Promise<void> {
  await world.sleep(SETTLED_MS)
  const since = world.now
  await world.sleep(STABLE_MS)
  for (const { name, rebalancedAt } of members) {
    if (rebalancedAt > since) world.complain(`${name} had a rebalance though nobody came or left`)
  }
  const assigned = members.map(member => member.assigned)
  const all = assigned.flat().sort((a, b) => a - b)
  const words = members.map(({ name }, i) => `${name}: ${assigned[i]?.join(' ')}`).join(', ')
  if (all.length !== partitions || all.some((partition, i) => partition !== i))
    world.complain(`${partitions} partitions are assigned as ${words}`)
  const counts = assigned.map(({ length }) => length)
  if (Math.max(...counts) - Math.min(...counts) > 1) world.complain(`the group is not balanced: ${words}`)
}

// A member that leaves in peace says so.
async function checkLeft(world: World): Promise<void> {
  const admin = world.admin('admin')
  const [group] =
    (await world.settle(admin.describeConsumerGroups([GROUP]), CALM_LIMIT_MS, 'describing the group')) ?? []
  const members = group !== undefined && 'members' in group ? group.members : []
  if (members.length > 0) world.complain(`${members.length} members have left and are still in the group`)
  await world.settle(admin.close(), CALM_LIMIT_MS, 'closing the administration')
}
