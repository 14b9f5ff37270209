/** One fault at a time, and how late a message may be after it. */
import { ErrorCode } from 'ottla'
import { ApiKey } from '@ottla/protocol'
import type { Dice } from '@ottla/broker/simulation'
import { BROKERS, inWords, type World } from './world.ts'

/** Between two faults, virtual ms. */
const LEAST_BETWEEN_MS = 8000
const MOST_BETWEEN_MS = 15_000
/** What was on its way is struck, too. */
const BEFORE_MS = 1000

/** How late a message may be, ms. */
export interface Lateness {
  readonly report: number
  readonly handOut: number
}

interface Trouble extends Lateness {
  readonly from: number
  readonly until: number
}

/** What strikes, and how late it makes the messages of the next so many ms; Infinity: nobody knows whom it strikes. */
interface Blow extends Lateness {
  readonly what: string
  readonly lastsMs: number
  strike(): void
  end?(): Promise<void>
}

export class Patience {
  readonly #world: World
  readonly #dice: Dice
  readonly #topic: string
  readonly #partitions: number
  readonly #hosts: readonly string[]
  readonly #calm: Lateness
  readonly #troubles: Trouble[] = []
  /** Partitions that have refused, or are about to refuse, a write: a second refusal could meet the same message. */
  readonly #refusing = new Set<number>()

  /** @param calm - how late messages are where nothing goes wrong */
  constructor(world: World, topic: string, partitions: number, hosts: readonly string[], calm: Lateness) {
    this.#world = world
    this.#dice = world.simulation.dice('patience')
    this.#topic = topic
    this.#partitions = partitions
    this.#hosts = hosts
    this.#calm = calm
  }

  /** For a message of that moment, beyond what it lingers. */
  lateness(at: number): Lateness {
    const troubles = this.#troubles.filter(({ from, until }) => at >= from && at <= until)
    return {
      report: Math.max(this.#calm.report, ...troubles.map(({ report }) => report)),
      handOut: Math.max(this.#calm.handOut, ...troubles.map(({ handOut }) => handOut)),
    }
  }

  /** Strikes now and then until a moment; the last fault is over when it resolves. */
  async try(until: number): Promise<void> {
    const dice = this.#dice
    for (;;) {
      await this.#world.sleep(dice.int(LEAST_BETWEEN_MS, MOST_BETWEEN_MS))
      if (this.#world.now >= until) return
      const blow = this.#blow()
      const { now } = this.#world
      this.#world.note(`BLOW ${blow.what}`)
      const { report, handOut } = blow
      this.#troubles.push({ from: now - BEFORE_MS, until: now + blow.lastsMs, report, handOut })
      blow.strike()
      if (blow.end === undefined) continue
      await this.#world.sleep(dice.int(LEAST_BETWEEN_MS, MOST_BETWEEN_MS))
      await blow.end()
      this.#troubles.push({ from: this.#world.now - BEFORE_MS, until: this.#world.now + blow.lastsMs, report, handOut })
    }
  }

  #blow(): Blow {
    const { cluster, simulation } = this.#world
    const dice = this.#dice
    const host = dice.pick(this.#hosts)
    const broker = dice.int(1, BROKERS)
    const partition = dice.int(0, this.#partitions - 1)
    const { report, handOut } = this.#calm
    const kind = dice.pick(['refused write', 'refused write', 'refused fetch', 'cut', 'leader', 'down'] as const)
    switch (kind === 'refused write' && this.#refusing.has(partition) ? 'cut' : kind) {
      case 'refused write': {
        this.#refusing.add(partition)
        // Waits for one backoff, of 120 ms at most.
        const code = dice.pick([ErrorCode.ERR_NOT_ENOUGH_REPLICAS, ErrorCode.ERR_REQUEST_TIMED_OUT])
        const strike = (): void => cluster.failPartition(this.#topic, partition, ApiKey.Produce, [code])
        const what = `a write to [${partition}] is refused`
        return { what, strike, lastsMs: Infinity, report: report + 150, handOut: handOut + 150 }
      }
      case 'refused fetch': {
        const code = ErrorCode.ERR_REPLICA_NOT_AVAILABLE
        const api = dice.pick([ApiKey.Fetch, ApiKey.ShareFetch])
        const strike = (): void => cluster.failPartition(this.#topic, partition, api, [code])
        return {
          what: `a fetch of [${partition}] is refused`,
          strike,
          lastsMs: Infinity,
          report,
          handOut: handOut + 300,
        }
      }
      case 'cut': {
        const strike = (): void => void simulation.network.cut(host)
        return { what: `${host} loses its connections`, strike, lastsMs: 2000, report: 1500, handOut: 1500 }
      }
      case 'leader': {
        const strike = (): void => this.#setLeader(partition, broker)
        return { what: `broker-${broker} leads [${partition}]`, strike, lastsMs: 3000, report: 2000, handOut: 2000 }
      }
      case 'down':
        return {
          what: `broker-${broker} is down`,
          lastsMs: 10_000,
          report: 10_000,
          handOut: 10_000,
          strike: () => void this.#world.settle(cluster.brokerDown(broker), 10_000, 'a broker that goes down'),
          end: () => cluster.brokerUp(broker),
        }
    }
  }

  #setLeader(partition: number, broker: number): void {
    try {
      this.#world.cluster.setLeader(this.#topic, partition, broker)
    } catch (error) {
      // It is not in sync, say.
      this.#world.note(inWords(error))
    }
  }
}
