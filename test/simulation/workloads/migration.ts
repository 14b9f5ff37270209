/**
 * A group moves from the classic protocol to the consumer protocol (KIP-848) and back, member by member and in any order,
 * while messages flow: nothing is lost, nothing is committed that nobody has processed, and in the end the group rests.
 */
import type { ConsumerConfig } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import { Flag } from '../flag.ts'
import { checkLeft, checkStable, endsOf } from '../group-checks.ts'
import { Ledger } from '../ledger.ts'
import { Member } from '../member.ts'
import { checkLag } from '../offsets.ts'
import { inWords, type World } from '../world.ts'
import { checkReports, Writer } from '../writers.ts'

const TOPIC = 'parcels'
const GROUP = 'movers'
const CALM_LIMIT_MS = 120_000
const LIMIT_MS = 60_000
const LEAVE_LIMIT_MS = 180_000
const CRASHES = 0.2
/** Longer than a static member's session, which has to be over before it may come back with the other protocol. */
const STATIC_PAUSE_MS = 12_000

type Protocol = 'classic' | 'consumer'

interface SeatSettings {
  readonly ledger: Ledger
  readonly isManual: boolean
  /** For classic members: all of a group have the same strategies. */
  readonly strategies: string
  /** Members have static names, which the next in their place has, too. */
  readonly isStatic: boolean
}

/** A place in the group: one member after the other, each with the one protocol or the other. */
class Seat {
  readonly name: string
  readonly #world: World
  readonly #dice: Dice
  readonly #settings: SeatSettings
  readonly #others: () => readonly Seat[]
  readonly #endings: Promise<unknown>[] = []
  #lives = 0
  #protocol: Protocol
  #member: Member | null = null
  /** The member does nothing any more. */
  #isFatal = false

  constructor(world: World, name: string, protocol: Protocol, settings: SeatSettings, others: () => readonly Seat[]) {
    this.name = name
    this.#world = world
    this.#dice = world.simulation.dice(name)
    this.#protocol = protocol
    this.#settings = settings
    this.#others = others
  }

  /** Null between two members. */
  get member(): Member | null {
    return this.#member
  }

  get hasClassicMember(): boolean {
    return this.#member !== null && this.#protocol === 'classic'
  }

  /** Ends with a member that stays, once it is over. */
  async run(isOver: () => boolean): Promise<void> {
    const dice = this.#dice
    for (;;) {
      this.#begin()
      await this.#world.nextAct(dice.int(1000, dice.pick([5000, 40_000])))
      if (isOver() && !this.#isFatal) break
      const ending = this.#end()
      // The next one may begin before this one has gone.
      if (dice.chance(0.7) || this.#settings.isStatic) await ending
      await this.#world.sleep(this.#settings.isStatic ? STATIC_PAUSE_MS : dice.pick([0, 0, 100, 3000, 15_000]))
      if (dice.chance(0.7)) this.#protocol = this.#protocol === 'classic' ? 'consumer' : 'classic'
    }
    await Promise.all(this.#endings)
  }

  /** The member leaves. */
  async leave(): Promise<void> {
    const member = this.#member
    this.#member = null
    if (member !== null) await this.#world.settle(member.leave(), LEAVE_LIMIT_MS, `the end of ${member.name}`)
  }

  #begin(): void {
    const { ledger, isManual, strategies, isStatic } = this.#settings
    const name = `${this.name}-${++this.#lives}`
    const protocol = this.#protocol
    this.#world.note(`${name} is ${protocol}`)
    this.#isFatal = false
    this.#member = new Member(this.#world, name, {
      group: GROUP,
      topic: TOPIC,
      protocol,
      config:
        protocol === 'consumer' ? modern : { ...(isStatic ? brief : {}), 'partition.assignment.strategy': strategies },
      isManual,
      ledger,
      instanceId: isStatic ? this.name : null,
      onFatal: error => {
        this.#world.note(`${name}: ${inWords(error)}`)
        if (!isStatic) this.#world.complain(`${name} (${protocol}) has ended: ${inWords(error)}`)
        this.#isFatal = true
      },
    })
  }

  #end(): Promise<void> {
    const member = this.#member
    if (member === null) return Promise.resolve()
    this.#member = null
    const crashes = !this.#settings.ledger.isQuiet && this.#dice.chance(CRASHES)
    this.#world.note(`${member.name} ${crashes ? 'crashes' : 'leaves'}`)
    // When the last member of the newer protocol goes, the group becomes a classic one: that ends the others' generation.
    const mayBeLast = this.#protocol === 'consumer' && this.#others().some(seat => seat.hasClassicMember)
    const interrupted = mayBeLast ? this.#settings.ledger.interrupted() : null
    const ending = crashes ? member.crash() : member.leave()
    const ended = this.#world.settle(ending, LEAVE_LIMIT_MS, `the end of ${member.name}`).then(() => interrupted?.())
    this.#endings.push(ended)
    return ended
  }
}

const modern: Partial<ConsumerConfig> = { 'group.protocol': 'consumer' }
const brief: Partial<ConsumerConfig> = { 'session.timeout.ms': 6000, 'heartbeat.interval.ms': 2000 }

export async function migration(world: World): Promise<void> {
  const { dice, cluster } = world
  const partitions = dice.int(1, 6)
  cluster.createTopic(TOPIC, { partitions, replicationFactor: 3 })
  const isQuiet = dice.chance(0.3)
  const isManual = dice.chance(0.3)
  const isStatic = !isQuiet && dice.chance(0.2)
  const strategies = dice.pick(['range', 'roundrobin', 'range,roundrobin', 'sticky', 'cooperative-sticky'])
  const heartbeatMs = dice.pick([500, 2000, 5000])
  world.note(
    `${partitions} partitions, ${strategies}, ${isQuiet ? 'quiet' : 'stormy'}, ${isManual ? 'commits by hand' : 'commits by itself'}, ${isStatic ? 'static' : 'dynamic'}`,
  )
  await setHeartbeats(world, heartbeatMs, isStatic)
  const ledger = new Ledger(world, { group: GROUP, hasGenerations: false, isQuiet })
  const watching = ledger.watch()
  const settings = { ledger, isManual, strategies, isStatic }
  const first: Protocol = dice.chance(0.7) ? 'classic' : 'consumer'
  const seats: Seat[] = []
  for (let i = world.some(1, 4); i > 0; i--) seats.push(new Seat(world, `seat-${i}`, first, settings, () => seats))
  const writers = Array.from({ length: world.some(1, 2) }, (_, i) => new Writer(world, `writer-${i}`, TOPIC, true))
  const over = new Flag()
  const running = Promise.all(seats.map(seat => seat.run(() => over.isSet())))
  for (const writer of writers) writer.start(world.now + world.stormMs)
  if (isQuiet) await world.sleep(world.stormMs)
  else
    await world.storm({
      everyMs: dice.pick([1000, 3000, 10_000]),
      hosts: () => [...writers.map(({ name }) => name), ...membersOf(seats).map(({ name }) => name)],
      groups: [GROUP],
    })
  over.set()
  await world.settle(running, LEAVE_LIMIT_MS * 2, 'the moves')
  await Promise.all(writers.map(writer => writer.finish()))
  await checkProcessed(world, ledger, seats)
  checkReports(world, writers)
  await checkStable(world, membersOf(seats), partitions)
  for (const seat of seats) await seat.leave()
  ledger.stop()
  await watching
  ledger.check()
  // What a storm has kept from being committed by hand is not tried again.
  if (!isManual) checkLag(world, GROUP, TOPIC, endsOf(cluster.messages(TOPIC), partitions))
  if (isQuiet) await checkLeft(world, GROUP)
}

function membersOf(seats: readonly Seat[]): Member[] {
  return seats.flatMap(({ member }) => member ?? [])
}

async function checkProcessed(world: World, ledger: Ledger, seats: readonly Seat[]): Promise<void> {
  const log = world.cluster.messages(TOPIC).map(({ partition, offset }) => `${partition}:${offset}`)
  await world.progress(
    'the group',
    CALM_LIMIT_MS,
    () => ledger.steps,
    () => {
      const left = log.filter(place => !ledger.processed.has(place))
      if (left.length === 0) return null
      const who = membersOf(seats).map(member => member.explain())
      return `${left.length} of ${log.length} messages are not processed: ${left.slice(0, 5).join(' ')}; ${who.join('; ')}`
    },
  )
}

async function setHeartbeats(world: World, heartbeatMs: number, isStatic: boolean): Promise<void> {
  const admin = world.admin('admin')
  const set = (name: string, ms: number) => ({ name, value: String(ms), operation: 'set' as const })
  const entries = [
    set('consumer.heartbeat.interval.ms', heartbeatMs),
    ...(isStatic ? [set('consumer.session.timeout.ms', STATIC_PAUSE_MS - 2000)] : []),
  ]
  const altering = admin.incrementalAlterConfigs([{ type: 'group', name: GROUP, entries }])
  await world.settle(altering, LIMIT_MS, 'the group settings')
  await world.settle(admin.close(), LIMIT_MS, 'closing the administration')
}
