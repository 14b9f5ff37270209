/** How busy a run is: all the time, or in bursts with long rests between them, which cost next to nothing. */
import type { ConsumerConfig } from 'ottla'
import { Dice } from '@ottla/broker/simulation'

export const tempos = ['dense', 'sparse'] as const

export type Tempo = (typeof tempos)[number]

/** One seed of so many is dense, and costs as much as some twenty others. */
const DENSE_EVERY = 50
/** In a sparse run, what happens rarely happens so much sooner: there is less time for it. */
const HASTE = 4
/** While a run rests, whoever looks now and then looks so many times more rarely. */
const PATIENCE = 10
const SHORTEST_BURST_MS = 500
const LONGEST_BURST_MS = 4000
const SHORTEST_REST_MS = 1000
const longestRestsMs = [10_000, 60_000, 150_000] as const
/** What is asked for again and again without faults, in a sparse run: so many times as long, and at most so long. */
const SLOWNESS = 20
const LONGEST_COMMIT_MS = 2000
const COMMIT_SLOWNESS = 5
const USUAL_COMMIT_MS = 5000
const LONGEST_FETCH_MS = 10_000
const USUAL_FETCH_MS = 500
const LONGEST_HEARTBEAT_MS = 6000
const USUAL_HEARTBEAT_MS = 3000
const HEARTBEATS_PER_SESSION = 2
const USUAL_SESSION_MS = 45_000

/** The tempo of a seed for which none was chosen. */
export function tempoOf(seed: number): Tempo {
  return new Dice(seed, 'tempo').int(1, DENSE_EVERY) === 1 ? 'dense' : 'sparse'
}

/** Throws Error for a name that none has. */
export function tempoNamed(name: string): Tempo {
  const tempo = tempos.find(each => each === name)
  if (tempo === undefined) throw new Error(`there is no tempo '${name}'; there are ${tempos.join(', ')}`)
  return tempo
}

interface Burst {
  readonly from: number
  readonly until: number
}

/** When a run is at work: writers write, members come and go, and faults strike; virtual ms. */
export class Rhythm {
  readonly tempo: Tempo
  readonly #dice: Dice
  readonly #until: number
  readonly #bursts: Burst[] = []

  /** @param until - from then on it is at work all the time, for what is left to do */
  constructor(tempo: Tempo, dice: Dice, until: number) {
    this.tempo = tempo
    this.#dice = dice
    this.#until = until
  }

  /** Nobody does anything at the moment. */
  isAtRest(now: number): boolean {
    return this.tempo === 'sparse' && now < this.#until && this.#burstAt(now).from > now
  }

  /** How long it takes until so many ms of work have passed. */
  workMs(now: number, ms: number): number {
    if (this.tempo === 'dense' || now >= this.#until) return ms
    let at = now
    for (let left = ms; ;) {
      const { from, until } = this.#burstAt(at)
      at = Math.max(at, from)
      if (left < until - at) return at + left - now
      left -= until - at
      at = until
    }
  }

  /** The time between two things that happen rarely, of work; given as in a dense run. */
  actMs(ms: number): number {
    return this.tempo === 'dense' ? ms : ms / HASTE
  }

  /** The time between two looks; given as in a dense run. */
  lookMs(now: number, ms: number): number {
    if (!this.isAtRest(now)) return ms
    return Math.max(ms, Math.min(ms * PATIENCE, this.#burstAt(now).from - now))
  }

  /** The burst at a time, or the next one. */
  #burstAt(at: number): Burst {
    let last = this.#bursts.at(-1) ?? this.#add(undefined)
    while (last.until <= at) last = this.#add(last)
    return this.#bursts.find(({ until }) => until > at) ?? last
  }

  // The last one lasts until the end, so that there is something left to do.
  #add(last: Burst | undefined): Burst {
    const dice = this.#dice
    const ms = dice.int(SHORTEST_BURST_MS, LONGEST_BURST_MS)
    const restMs = dice.int(SHORTEST_REST_MS, dice.pick(longestRestsMs))
    const earliest = last?.until ?? -restMs
    const from = Math.min(earliest + restMs, Math.max(earliest, this.#until - ms))
    const burst = { from, until: from + ms < this.#until ? from + ms : Infinity }
    this.#bursts.push(burst)
    return burst
  }
}

/** What a consumer asks for again and again is asked for more rarely in a sparse run. */
export function consumerAt(tempo: Tempo, config: Partial<ConsumerConfig>): Partial<ConsumerConfig> {
  if (tempo === 'dense') return config
  const commitMs = Number(config['auto.commit.interval.ms'] ?? USUAL_COMMIT_MS)
  const heartbeatMs = Number(config['heartbeat.interval.ms'] ?? USUAL_HEARTBEAT_MS)
  const sessionMs = Number(config['session.timeout.ms'] ?? USUAL_SESSION_MS)
  const mostMs = Math.min(LONGEST_HEARTBEAT_MS, Math.floor(sessionMs / HEARTBEATS_PER_SESSION))
  return {
    ...config,
    'fetch.wait.max.ms': fetchWaitAt(tempo, config['fetch.wait.max.ms']),
    'auto.commit.interval.ms': Math.max(commitMs, Math.min(LONGEST_COMMIT_MS, commitMs * COMMIT_SLOWNESS)),
    // Members of a KIP-848 group are told when to send one.
    ...(config['group.protocol'] === 'consumer' ? {} : { 'heartbeat.interval.ms': Math.max(heartbeatMs, mostMs) }),
  }
}

/** `fetch.wait.max.ms`, given as in a dense run. */
export function fetchWaitAt(
  tempo: Tempo,
  ms: NonNullable<ConsumerConfig['fetch.wait.max.ms']> = USUAL_FETCH_MS,
): number {
  return tempo === 'dense' ? Number(ms) : Math.min(LONGEST_FETCH_MS, Number(ms) * SLOWNESS)
}
