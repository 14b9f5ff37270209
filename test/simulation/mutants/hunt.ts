/** Plays seeds of a mutant until one fails. */
import { join } from 'node:path'
import type { Plan } from '../plan.ts'
import { Player } from '../player.ts'
import { tempos, type Tempo } from '../tempo.ts'
import type { Mutant } from './mutant.ts'

/** What has found a mutant, and finds it again. */
export type Finder = Pick<Plan, 'workload' | 'seed' | 'tempo'>

/** How a mutant was found. */
export interface Kill extends Finder {
  readonly complaint: string
}

export interface Verdict {
  readonly mutant: Mutant
  /** Null when no seed has found it. */
  readonly kill: Kill | null
  /** How many seeds were played. */
  readonly played: number
  /** Why it could not be played at all; null when it was. */
  readonly stale: string | null
}

export interface Limits {
  readonly seeds: number
  /** Virtual minutes of a dense run. */
  readonly minutes: number
  /** Null: both, in turn. */
  readonly tempo: Tempo | null
}

/** A sparse run lasts so many times as long, and costs less even so. */
export const SPARSE_IS_LONGER = 4

/** The sources as they are: a seed that fails there says nothing about a mutant. */
export class Original {
  readonly #player: Player
  readonly #known = new Map<string, Promise<boolean>>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(folder: string) {
    this.#player = playerOf(folder)
  }

  passes(plan: Plan): Promise<boolean> {
    const key = `${plan.workload} ${plan.seed} ${plan.tempo}`
    let known = this.#known.get(key)
    if (known === undefined) {
      known = this.#turn.then(async () => (await this.#player.play(plan)).complaints.length === 0)
      this.#turn = known
      this.#known.set(key, known)
    }
    return known
  }

  close(): void {
    this.#player.close()
  }
}

export function playerOf(folder: string): Player {
  return new Player(join(folder, 'play.main.mjs'))
}

/**
 * @param folder - the bundle with the mutant
 * @param last - what has found it before, and is played first; null: nothing has
 */
export async function hunt(
  mutant: Mutant,
  folder: string,
  original: Original,
  limits: Limits,
  last: Finder | null,
): Promise<Verdict> {
  const player = playerOf(folder)
  let played = 0
  try {
    for (const finder of findersOf(mutant, limits, last)) {
      const plan = planOf(finder, limits)
      const { complaints } = await player.play(plan)
      played++
      const [complaint] = complaints
      if (complaint !== undefined && (await original.passes(plan))) {
        return { mutant, kill: { ...finder, complaint }, played, stale: null }
      }
    }
    return { mutant, kill: null, played, stale: null }
  } finally {
    player.close()
  }
}

/** The seeds to be played: each workload in both tempos, and with both kinds of replication, which the seed decides. */
export function findersOf(
  { workloads }: Pick<Mutant, 'workloads'>,
  { seeds, tempo }: Limits,
  last: Finder | null,
): Finder[] {
  const finders = Array.from({ length: seeds }, (_, i): Finder => {
    const half = Math.floor(i / 2)
    const workload = workloads[Math.floor(half / tempos.length) % workloads.length] ?? ''
    return { workload, seed: i + 1, tempo: tempo ?? tempos[half % tempos.length] ?? 'dense' }
  })
  return last === null ? finders : [last, ...finders.slice(0, -1)]
}

function planOf(finder: Finder, { minutes }: Limits): Plan {
  const length = finder.tempo === 'sparse' ? minutes * SPARSE_IS_LONGER : minutes
  return { ...finder, minutes: length, without: [], most: Infinity }
}
