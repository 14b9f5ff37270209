/** What a workload runs in: a simulation, its clients, a trace, and what was found wrong. */
import {
  AdminClient,
  Consumer,
  Producer,
  ShareConsumer,
  type AdminConfig,
  type ConsumerConfig,
  type ProducerConfig,
  type ShareConsumerConfig,
  type ShareConsumerOptions,
  type ProducerOptions,
} from 'ottla'
import { simulate, type Dice, type Fault, type Simulation, type StormOptions } from '@ottla/broker/simulation'
import { clusterOf } from './clusters.ts'
import type { Plan } from './plan.ts'
import { consumerAt, fetchWaitAt, Rhythm } from './tempo.ts'
import { watchWire } from './watches/all.ts'
import type { ClassicJudge } from './watches/classic-members.ts'
import type { MadeConsumer, Watched } from './watches/watched.ts'

/** Clients are unhappy in a storm, but some things they say are worth a look. */
const LOUDEST_LEVEL = 3
const CLOSE_LIMIT_MS = 120_000
const MOST_COMPLAINTS = 50
/** How many there are. */
export const BROKERS = 3
/** In a sparse run so many faults strike what is on its way, 0 to 1. */
const AIMED = 0.7
/** For what comes after the storm, virtual ms. */
const MORE_MS = 7_200_000
/** From then on brokers close connections that nobody uses, virtual ms. */
const IDLE_MS = 600_000
/** So long after a storm, nothing of it is felt any more; virtual ms. */
const CALM_AFTER_MS = 60_000
/** So long after a client may log in again, it does what it does in time; virtual ms. */
const HINDERED_MS = 10_000

export type Workload = (world: World) => Promise<void>

export interface Outcome {
  readonly plan: Plan
  readonly complaints: readonly string[]
  readonly trace: readonly string[]
  readonly faults: readonly Fault[]
  /** Virtual ms. */
  readonly ms: number
}

export class World implements Watched {
  readonly plan: Plan
  readonly simulation: Simulation
  readonly dice: Dice
  readonly rhythm: Rhythm
  readonly complaints: string[] = []
  readonly trace: string[] = []
  readonly faults: Fault[] = []
  /** By host. */
  readonly consumers = new Map<string, MadeConsumer>()
  readonly members: ClassicJudge
  readonly #onLine: ((line: string) => void) | null
  #isSilent = false
  /** Since when nothing goes wrong, virtual ms; null while something may. */
  #calmSince: number | null = 0
  /** Users who cannot log in, and until when that is felt, virtual ms. */
  readonly #hindered = new Map<string, number>()

  constructor(plan: Plan, simulation: Simulation, onLine: ((line: string) => void) | null) {
    this.plan = plan
    this.simulation = simulation
    this.dice = simulation.dice('workload')
    this.rhythm = new Rhythm(plan.tempo, simulation.dice('tempo'), this.stormMs)
    this.#onLine = onLine
    this.members = watchWire(this).members
  }

  get now(): number {
    return this.simulation.now
  }

  /** ms since the epoch, by a clock that is right. */
  get wallTime(): number {
    return this.simulation.host('clock').clock.wallTime()
  }

  get cluster(): Simulation['cluster'] {
    return this.simulation.cluster
  }

  /** How long faults come, virtual ms. */
  get stormMs(): number {
    return this.plan.minutes * 60_000
  }

  /** Nothing goes wrong, nor has for a while. */
  get isCalm(): boolean {
    return this.#calmSince !== null && this.now >= this.#calmSince
  }

  /** The same for a client, which can log in besides. */
  isCalmAt(host: string): boolean {
    if (!this.isCalm) return false
    for (const [user, until] of this.#hindered)
      if (this.now < until && (host === user || host.startsWith(`${user}-`))) return false
    return true
  }

  /** A user's clients cannot log in, or can again. */
  hinder(user: string, isHindered: boolean): void {
    this.#hindered.set(user, isHindered ? Infinity : this.now + HINDERED_MS)
  }

  /** A number of clients, as the seed says or as the plan limits it. */
  some(from: number, to: number): number {
    return Math.max(1, Math.min(this.dice.int(from, to), this.plan.most))
  }

  note(line: string): void {
    const text = `${(this.now / 1000).toFixed(6)} ${line}`
    this.trace.push(text)
    this.#onLine?.(text)
  }

  complain(line: string): void {
    this.note(`COMPLAINT ${line}`)
    if (this.complaints.length < MOST_COMPLAINTS) this.complaints.push(line)
  }

  sleep(ms: number): Promise<void> {
    return this.simulation.sleep(ms)
  }

  /** Resolves when so many ms of work have passed: of a sparse run, most is rest. */
  work(ms: number): Promise<void> {
    return this.sleep(this.rhythm.workMs(this.now, ms))
  }

  /** Resolves when it is time for the next of those things that happen rarely. @param ms - as in a dense run */
  nextAct(ms: number): Promise<void> {
    return this.work(this.rhythm.actMs(ms))
  }

  /** Resolves when it is time to look again. @param ms - as in a dense run */
  lookAgain(ms: number): Promise<void> {
    return this.sleep(this.rhythm.lookMs(this.now, ms))
  }

  /** Complains when something takes longer, or fails. */
  async settle<T>(promise: Promise<T>, ms: number, what: string): Promise<T | undefined> {
    let timeout: NodeJS.Timeout | undefined
    const late = new Promise<undefined>(resolve => {
      timeout = setTimeout(() => {
        this.complain(`${what} has not ended within ${ms / 1000} s`)
        resolve(undefined)
      }, ms)
    })
    try {
      return await Promise.race([promise, late])
    } catch (error) {
      this.complain(`${what} failed: ${inWords(error)}`)
      return undefined
    } finally {
      clearTimeout(timeout)
    }
  }

  /** Complains when nothing gets better for so long. `left` says what is missing, null when nothing is. */
  async progress(what: string, limitMs: number, steps: () => number, left: () => string | null): Promise<void> {
    let movedAt = this.now
    for (let before = steps(); left() !== null;) {
      await this.sleep(1000)
      const after = steps()
      if (after !== before) movedAt = this.now
      before = after
      if (this.now - movedAt < limitMs) continue
      this.complain(`${what}: nothing in ${limitMs / 1000} s of calm, ${left() ?? 'and all at once all is well'}`)
      return
    }
  }

  async storm(options: Omit<StormOptions, 'ms' | 'without' | 'onFault' | 'wait' | 'aimed'>): Promise<void> {
    this.#calmSince = null
    await this.settle(
      this.simulation.storm({
        ...options,
        ...(this.plan.tempo === 'dense' ? {} : { wait: ms => this.nextAct(ms), aimed: AIMED }),
        ms: this.stormMs,
        without: new Set(this.plan.without),
        onFault: fault => {
          this.faults.push(fault)
          const lasts = fault.lastsMs > 0 ? `, ${fault.lastsMs} ms` : ''
          this.note(`FAULT ${fault.number} ${fault.kind}: ${fault.what}${lasts}`)
        },
      }),
      this.stormMs + CLOSE_LIMIT_MS,
      'the storm',
    )
    this.#calmSince = this.now + CALM_AFTER_MS
  }

  /** Whether clients have nothing to complain of where nothing goes wrong. */
  expectSilence(isSilent = true): void {
    this.#isSilent = isSilent
  }

  /** A client's host is gone: the brokers learn nothing of it, and it reaches none any more. */
  loseHost(name: string): void {
    this.simulation.network.lose(name)
  }

  producer(name: string, config: Partial<ProducerConfig>, more: ProducerOptions = {}): Producer {
    const producer = new Producer({ ...this.#common(name), ...config }, { ...more, ...this.#options(name) })
    producer.on('error', ({ error }) => this.#heard(name, error))
    return producer
  }

  consumer(name: string, config: Partial<ConsumerConfig>): Consumer {
    const settings = consumerAt(this.plan.tempo, config)
    const consumer = new Consumer({ ...this.#common(name), ...settings }, this.#options(name))
    consumer.on('error', ({ error }) => this.#heard(name, error))
    this.consumers.set(name, { consumer, config: settings })
    return consumer
  }

  shareConsumer(
    name: string,
    config: Partial<ShareConsumerConfig> & Pick<ShareConsumerConfig, 'group.id'>,
    more: Pick<ShareConsumerOptions<Buffer, Buffer>, 'codecs'> = {},
  ): ShareConsumer {
    const waitMs = fetchWaitAt(this.plan.tempo, config['fetch.wait.max.ms'])
    const settings = { ...this.#common(name), ...config, 'fetch.wait.max.ms': waitMs }
    const consumer = new ShareConsumer(settings, { ...more, ...this.#options(name) })
    consumer.on('error', ({ error }) => this.#heard(name, error))
    return consumer
  }

  admin(name: string, config: Partial<AdminConfig> = {}): AdminClient {
    return new AdminClient({ ...this.#common(name), ...config }, this.#options(name))
  }

  /** Nothing that clients or the cluster have made may be left. */
  async end(): Promise<void> {
    await this.settle(this.cluster.close(), CLOSE_LIMIT_MS, 'closing the cluster')
    await this.sleep(CLOSE_LIMIT_MS)
    const { connections } = this.simulation.network
    if (connections.length > 0) this.complain(`connections are left: ${connections.join(', ')}`)
    const { waitingTimers } = this.simulation
    if (waitingTimers > 0) this.complain(`${waitingTimers} timers are left`)
  }

  #heard(name: string, error: Error): void {
    this.note(`${name} says ${inWords(error)}`)
    if (this.#isSilent && this.isCalm && this.now < IDLE_MS)
      this.complain(`${name} says, though nothing is wrong: ${inWords(error)}`)
  }

  #common(name: string): { 'bootstrap.servers': string; 'client.id': string } {
    return { 'bootstrap.servers': this.simulation.bootstrapServers, 'client.id': name }
  }

  #options(name: string) {
    return {
      ...this.simulation.host(name),
      logger: (level: number, facility: string, message: string): void => {
        if (level <= LOUDEST_LEVEL || this.#onLine !== null) this.note(`${name} ${facility} ${message}`)
      },
    }
  }
}

/** Every other seed has a cluster that can lose what real ones lose. */
export function replicationOf({ seed }: Plan): 'simulated' | 'shared' {
  return seed % 2 === 0 ? 'simulated' : 'shared'
}

/** Runs a workload once. */
export async function runPlan(
  plan: Plan,
  workload: Workload,
  onLine: ((line: string) => void) | null = null,
): Promise<Outcome> {
  const options = {
    seed: plan.seed,
    cluster: { brokers: BROKERS, replication: replicationOf(plan), ...clusterOf(plan) },
    limitMs: plan.minutes * 60_000 + MORE_MS,
  }
  return simulate(options, async simulation => {
    const world = new World(plan, simulation, onLine)
    await workload(world)
    await world.end()
    const { complaints, trace, faults, now } = world
    return { plan, complaints, trace, faults, ms: now }
  })
}

export function inWords(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
