/** A cluster, its clients' hosts and a network in one process, on virtual time: one seed decides everything. */
import { EmbeddedCluster } from '../cluster.ts'
import type { EmbeddedClusterOptions } from '../options.ts'
import { Dice } from './dice.ts'
import { replaceGlobals } from './globals.ts'
import { MemoryNetwork, type HostNetwork } from './memory-network.ts'
import { storm, type StormOptions } from './storm.ts'
import { brokerHost } from './strikes.ts'
import { VirtualTime, type Skew, type VirtualClock } from './virtual-time.ts'

/**
 * What is simulated.
 * @since 0.1.0
 */
export interface SimulationOptions {
  /** The same seed gives the same run; 1 by default. */
  readonly seed?: number
  /** Options of the cluster; three brokers by default. Its time, network and seed are the simulation's. */
  readonly cluster?: Omit<EmbeddedClusterOptions, 'clock' | 'network' | 'seed' | 'dataDir' | 'tls'>
  /** The program fails when it takes longer, virtual ms; an hour by default. */
  readonly limitMs?: number
  /**
   * Whether `setTimeout`, `setInterval`, `Date` and `performance.now` mean virtual time during the run; true by default.
   * Nothing else in the process may use timers meanwhile, another simulation included.
   */
  readonly globals?: boolean
}

/**
 * What a client on a host takes: `new Producer(config, simulation.host('orders'))`.
 * @since 0.1.0
 */
export interface SimulatedHost {
  readonly clock: VirtualClock
  readonly network: HostNetwork
  /** Numbers in [0, 1) that the seed and the host's name decide. */
  readonly random: () => number
  /** Work on threads takes virtual time, too. */
  readonly threads: { run<T>(work: () => Promise<T>): Promise<T> }
}

const HOUR_MS = 3_600_000
const MOST_THREAD_MS = 20

/**
 * A running simulation.
 * @since 0.1.0
 */
export class Simulation {
  readonly seed: number
  readonly cluster: EmbeddedCluster
  /** The network between the clients' hosts and the brokers. */
  readonly network: MemoryNetwork
  readonly #time: VirtualTime
  readonly #dice: Dice
  readonly #brokers: readonly number[]
  readonly #isReplicated: boolean
  readonly #hosts = new Map<string, SimulatedHost>()
  readonly #skews = new Map<string, Skew>()
  #storms = 0

  private constructor(
    seed: number,
    time: VirtualTime,
    network: MemoryNetwork,
    dice: Dice,
    cluster: EmbeddedCluster,
    brokers: readonly number[],
    isReplicated: boolean,
  ) {
    this.seed = seed
    this.cluster = cluster
    this.network = network
    this.#time = time
    this.#dice = dice
    this.#brokers = brokers
    this.#isReplicated = isReplicated
  }

  /** @internal */
  static async start(time: VirtualTime, options: SimulationOptions): Promise<Simulation> {
    const { seed = 1 } = options
    const dice = new Dice(seed, 'simulation')
    const network = new MemoryNetwork(time, dice.of('network'))
    const count = options.cluster?.brokers ?? 3
    const cluster = await EmbeddedCluster.start({
      // A connection that nobody cuts is not idle for ever.
      maxIdleMs: 600_000,
      ...options.cluster,
      brokers: count,
      seed,
      clock: { now: () => time.wallTime, setTimer: (ms, callback) => time.setTimer(ms, callback) },
      network: id => network.host(brokerHost(id)),
    })
    const brokers = Array.from({ length: count }, (_, i) => i + 1)
    return new Simulation(seed, time, network, dice, cluster, brokers, options.cluster?.replication === 'simulated')
  }

  /** For `bootstrap.servers`. */
  get bootstrapServers(): string {
    return this.cluster.bootstrapServers
  }

  /** Virtual ms since the beginning. */
  get now(): number {
    return this.#time.now
  }

  /** Timers that wait, the cluster's and the clients'. */
  get waitingTimers(): number {
    return this.#time.waitingTimers
  }

  /** Random choices of the program's own: the same for the same seed and name. */
  dice(name: string): Dice {
    return this.#dice.of(`program ${name}`)
  }

  /** A host of clients; faults know it by its name. */
  host(name: string): SimulatedHost {
    const known = this.#hosts.get(name)
    if (known !== undefined) return known
    const skew = { ms: 0 }
    const random = this.#dice.of(`host ${name}`).next
    const host = {
      clock: this.#time.clock(skew),
      network: this.network.host(name),
      random,
      threads: this.#threadsOf(this.#dice.of(`threads ${name}`)),
    }
    this.#skews.set(name, skew)
    this.#hosts.set(name, host)
    return host
  }

  /** Steps a host's wall time; positive: it is ahead. Throws Error for a host that was never asked for. */
  setClockSkew(name: string, ms: number): void {
    const skew = this.#skews.get(name)
    if (skew === undefined) throw new Error(`there is no host '${name}'; host('${name}') makes one`)
    skew.ms = ms
  }

  /** Resolves after so many virtual ms. */
  sleep(ms: number): Promise<void> {
    return this.#time.sleep(ms)
  }

  // Time stands still while the work is really done; then it takes as long as the dice say.
  #threadsOf(dice: Dice): SimulatedHost['threads'] {
    return {
      run: async work => {
        const ms = dice.next() * MOST_THREAD_MS
        const working = work()
        this.#time.standFor(working)
        const result = await working
        await this.#time.sleep(ms)
        return result
      },
    }
  }

  /**
   * Faults by chance for a while. Resolves when the last one has ended: all brokers are up and can be reached. Leaders,
   * coordinators and ports stay where they have moved to.
   */
  storm(options: StormOptions): Promise<void> {
    return storm(
      {
        time: this.#time,
        network: this.network,
        cluster: this.cluster,
        brokers: this.#brokers,
        isReplicated: this.#isReplicated,
        dice: this.#dice.of(`storm ${this.#storms++}`),
        hosts: () => [...this.#hosts.keys()],
      },
      options,
    )
  }
}

/**
 * Runs a program on virtual time, with a cluster of its own.
 *
 * Time passes only while the program waits: ten minutes take a second or two. What the program awaits must come from
 * timers or from the simulated network. The cluster is closed at the end.
 *
 * @returns what the program returns
 * @throws what it throws, with the seed in the message; Error when it takes longer than `limitMs`, for options that the
 * cluster refuses, and while another simulation has replaced the globals
 * @since 0.1.0
 */
export async function simulate<T>(
  options: SimulationOptions,
  program: (simulation: Simulation) => Promise<T>,
): Promise<T> {
  const time = new VirtualTime()
  const restore = (options.globals ?? true) ? replaceGlobals(time) : (): void => undefined
  try {
    const simulation = await Simulation.start(time, options)
    try {
      return await time.until(program(simulation), options.limitMs ?? HOUR_MS, 'the program')
    } catch (error) {
      throw withSeed(error, simulation.seed)
    } finally {
      await time.until(simulation.cluster.close(), HOUR_MS, 'closing the cluster')
    }
  } finally {
    restore()
  }
}

function withSeed(error: unknown, seed: number): unknown {
  if (!(error instanceof Error)) return error
  error.message = `${error.message} (seed ${seed})`
  return error
}
