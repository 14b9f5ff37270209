/** A member of a group that reads in some way, and is followed. */
import type { Consumer, ConsumerConfig, DeadLetterSink, KafkaError, Message, TopicPartition } from 'ottla'
import type { Dice } from '@ottla/broker/simulation'
import type { Life } from './churn.ts'
import { Flag } from './flag.ts'
import type { StableMember } from './group-checks.ts'
import { Leisure } from './leisure.ts'
import type { Ledger, Processor } from './ledger.ts'
import { read, ways, type Reading, type Way } from './ways.ts'
import { inWords, type World } from './world.ts'

/** A member notices the end of its session with its next heartbeat, which may be so late. */
const LATE_HEARTBEAT_MS = 1000

export interface MemberSettings {
  readonly group: string
  readonly topic: string
  readonly protocol: 'classic' | 'consumer'
  readonly config: Partial<ConsumerConfig>
  /** Whether it commits by hand, after each message. */
  readonly isManual: boolean
  readonly ledger: Ledger
  /** Its static name; null: none; left out: the dice decide. */
  readonly instanceId?: string | null
  /** Until then it takes its time now and then, virtual ms; left out: it does not. */
  readonly leisureUntil?: number
  /** Called when the consumer does nothing any more. */
  readonly onFatal?: (error: KafkaError) => void
}

export class Member implements Life, Processor, StableMember {
  readonly name: string
  readonly way: Way
  readonly #world: World
  readonly #dice: Dice
  readonly #consumer: Consumer
  readonly #ledger: Ledger
  readonly #isManual: boolean
  readonly #isAtMostOnce: boolean
  readonly #slowMs: number
  /** `session.timeout.ms`; 0 in a KIP-848 group. */
  readonly #sessionMs: number
  readonly #leisure: Leisure
  /** `max.poll.interval.ms`, where it matters. */
  readonly #limitMs: number | null
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
  /** When partitions were last given up. */
  #gaveUpAt = -1

  constructor(world: World, name: string, settings: MemberSettings) {
    const { group, topic, protocol, config, isManual, ledger, onFatal } = settings
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
    const leisure = new Leisure(world, name, settings.leisureUntil ?? 0, ledger.isQuiet)
    this.#leisure = leisure
    const commitMs = dice.pick([100, 1000, 5000])
    const waitMs = dice.pick([100, 500, 2000])
    const sessionMs = protocol === 'classic' ? dice.pick([6000, 10_000, 45_000]) : 0
    this.#sessionMs = sessionMs
    // A static member that leaves keeps its partitions for a while.
    const byChance = dice.chance(0.2) && !ledger.isQuiet ? name : null
    this.#limitMs = leisure.limitMs(sessionMs)
    this.#consumer = world.consumer(name, {
      'group.id': group,
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': !isManual,
      'auto.commit.interval.ms': commitMs,
      'fetch.wait.max.ms': waitMs,
      ...(protocol === 'classic' ? { 'session.timeout.ms': sessionMs, 'heartbeat.interval.ms': 2000 } : {}),
      ...(this.#limitMs === null ? {} : { 'max.poll.interval.ms': this.#limitMs }),
      ...instanceOf(byChance, settings.instanceId),
      ...config,
    })
    const habits = [
      leisure.hasLongMessages ? ', long messages' : '',
      leisure.hasSlowCallbacks ? ', slow callbacks' : '',
    ]
    world.note(`${name} begins: ${this.way}, ${this.#slowMs} ms for a message${habits.join('')}`)
    if (leisure.hasSlowCallbacks) this.#consumer.subscribe([topic], () => leisure.withCallback())
    else this.#consumer.subscribe([topic])
    this.#consumer.on('rebalance', ({ event: { type, partitions } }) => {
      this.rebalancedAt = world.now
      if (type === 'assign') return
      this.#gaveUpAt = Math.max(this.#gaveUpAt, world.now)
      if (leisure.hasLongMessages) this.#leaveToThemselves(partitions)
    })
    if (onFatal !== undefined)
      this.#consumer.on('error', ({ error }) => {
        if (error.isFatal) onFatal(error)
      })
    ledger.began(this)
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

  mayRepeat(at: number): boolean {
    // Streams are waited for not as long as their messages may take.
    const isNotAwaited = this.way === 'partitions' && this.#leisure.hasLongMessages
    // What is behind a message that waits for its turn, or its next attempt, is not committed.
    const isAhead = this.way === 'run by key' && at <= this.#gaveUpAt
    return this.#isManual || this.#failures === 'ends' || isNotAwaited || isAhead
  }

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
    this.#ledger.ended(this)
    await this.#reading
  }

  async leave(): Promise<void> {
    if (this.#dice.chance(0.5)) this.#over.set()
    this.#ledger.left(this.name)
    this.#gaveUpAt = Infinity
    await this.#consumer.close()
    this.#ledger.ended(this)
    this.#over.set()
    await this.#reading
  }

  explain(): string {
    return `${this.name} (${this.way}): ${this.#consumer.explain().join(' | ')}`
  }

  async #process(message: Message): Promise<void> {
    if (this.#crashed.isSet()) return
    this.#checkSession(message)
    const place = this.#ledger.take(this, this.#consumer, message, this.#isAtMostOnce)
    const lane = this.#beginLane(message)
    if (this.#slowMs > 0) await this.#world.sleep(this.#dice.next() * 2 * this.#slowMs)
    await this.#leisure.withMessage(this.#limitMs)
    if (lane !== null) this.#busy.delete(lane)
    if (this.#crashed.isSet()) return
    if (this.#failures !== 'none' && this.#dice.chance(0.05)) throw new Error(`${place} has failed`)
    this.#ledger.done(place, this)
    this.#world.note(`${this.name} processed ${place}`)
  }

  /** A classic member whose heartbeats nobody answers for as long as a session has lost its partitions. */
  #checkSession({ partition, offset }: Message): void {
    const silenceMs = this.#world.members.silenceMs(this.name)
    const heartbeatMs = Number(this.#world.consumers.get(this.name)?.config['heartbeat.interval.ms'])
    if (this.#sessionMs === 0 || silenceMs <= this.#sessionMs + heartbeatMs + LATE_HEARTBEAT_MS) return
    this.#world.complain(
      `${this.name} is given ${partition}:${offset}, and has heard nothing of its group for ${Math.round(silenceMs)} ms`,
    )
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

  // What still runs when its partition has been given up is somebody else's message by now.
  #leaveToThemselves(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) {
      for (const lane of this.#busy.keys()) if (lane.split(' ')[0] === `${partition}`) this.#busy.delete(lane)
    }
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

function instanceOf(byChance: string | null, given: string | null | undefined): Partial<ConsumerConfig> {
  const instanceId = given === undefined ? byChance : given
  return instanceId === null ? {} : { 'group.instance.id': instanceId }
}
