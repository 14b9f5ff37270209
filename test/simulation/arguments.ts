/** The command line of `npm run simulate`. */
import { parseArgs } from 'node:util'
import { numbersOf } from './plan.ts'
import { nextSeedOf } from './seed-ledger.ts'
import { tempoNamed, type Tempo } from './tempo.ts'

export interface Settings {
  readonly workloads: readonly string[]
  readonly firstSeed: number
  readonly lastSeed: number
  readonly minutes: number
  /** Null: as each seed says. */
  readonly tempo: Tempo | null
  /** Prints everything that happens. */
  readonly trace: boolean
  /** Only measures how fast virtual time passes. */
  readonly speed: boolean
  readonly jobs: number
  readonly without: readonly number[]
  readonly most: number
  /** Real seconds after which no new seed begins; Infinity: all seeds are played. */
  readonly seconds: number
  /** SEEDS.md, or another file that takes note of what was played; null: none does. */
  readonly ledger: string | null
  /** Runs that may be spent on making a failing run smaller. */
  readonly shrinkRuns: number
}

export const usage = `npm run simulate -- [options]

  --seeds A..B       play these seeds (1..100)
  --seed N           play one
  --workload NAME    only this one, or several: a,b; by default each seed plays one of all, in turn
  --minutes M        virtual minutes of faults (2)
  --tempo T          dense: busy all the time; sparse: in bursts with long rests; by default as the seed says, most are
                     sparse
  --trace            print what happens, with every message on the wire; for one seed
  --speed            measure how fast virtual time passes with three brokers, five clients and a fault every second
  --jobs N           processes (as many as there are cores)
  --seconds S        begin no new seed after so many real seconds
  --without 1-5,9    leave these faults out
  --most N           at most so many clients of a kind
  --ledger FILE      enter there what was played; without --seeds, go on behind the last entry, until --seconds are over
  --shrink N         runs that are spent on making a failing run smaller (60); 0: none
`

/** Throws Error that names what is wrong. */
export function settingsOf(args: readonly string[], known: readonly string[], cores: number): Settings | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string' },
      seed: { type: 'string' },
      workload: { type: 'string' },
      minutes: { type: 'string', default: '2' },
      tempo: { type: 'string' },
      trace: { type: 'boolean', default: false },
      speed: { type: 'boolean', default: false },
      jobs: { type: 'string', default: String(cores) },
      seconds: { type: 'string', default: 'Infinity' },
      without: { type: 'string' },
      most: { type: 'string', default: 'Infinity' },
      ledger: { type: 'string' },
      shrink: { type: 'string', default: '60' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const [first = 1, last = first] = seedsOf(values)
  if (last < first) throw new Error(`--seeds ${first}..${last} goes backwards`)
  const workloads = values.workload?.split(',') ?? known
  const unknown = workloads.find(name => !known.includes(name))
  if (unknown !== undefined) throw new Error(`there is no workload '${unknown}'; there are ${known.join(', ')}`)
  if (values.trace && last > first) throw new Error('--trace is for one seed: --seed N')
  return {
    workloads,
    firstSeed: first,
    lastSeed: last,
    minutes: positive('minutes', values.minutes),
    tempo: values.tempo === undefined ? null : tempoNamed(values.tempo),
    trace: values.trace,
    speed: values.speed,
    jobs: Math.max(1, whole('jobs', values.jobs)),
    without: values.without === undefined ? [] : numbersOf(values.without),
    most: positive('most', values.most),
    seconds: positive('seconds', values.seconds),
    ledger: values.ledger ?? null,
    shrinkRuns: whole('shrink', values.shrink),
  }
}

/** @returns the first and the last */
function seedsOf({ seed, seeds, ledger }: { seed?: string; seeds?: string; ledger?: string }): readonly number[] {
  const given = seed ?? seeds
  if (given === undefined && ledger !== undefined) return [nextSeedOf(ledger), Infinity]
  return (given ?? '1..100').split('..').map(text => whole('seeds', text))
}

function whole(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`--${name} is ${text}; it must be a whole number`)
  return Number(text)
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} is ${text}; it must be a positive number`)
  return value
}
