/** Plays seeds of a mutant until one fails. */
import { join } from 'node:path'
import type { Plan } from '../plan.ts'
import { Player } from '../player.ts'
import type { Tempo } from '../tempo.ts'
import type { Mutant } from './mutant.ts'

/** How a mutant was found. */
export interface Kill {
  readonly workload: string
  readonly seed: number
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
  readonly minutes: number
  readonly tempo: Tempo
}

/** The sources as they are: a seed that fails there says nothing about a mutant. */
export class Original {
  readonly #player: Player
  readonly #known = new Map<string, Promise<boolean>>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(folder: string) {
    this.#player = playerOf(folder)
  }

  passes(plan: Plan): Promise<boolean> {
    const key = `${plan.workload} ${plan.seed}`
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

/** @param folder - the bundle with the mutant */
export async function hunt(mutant: Mutant, folder: string, original: Original, limits: Limits): Promise<Verdict> {
  const player = playerOf(folder)
  let played = 0
  try {
    for (let seed = 1; seed <= limits.seeds; seed++) {
      const workload = mutant.workloads[seed % mutant.workloads.length] ?? ''
      const plan = { workload, seed, tempo: limits.tempo, minutes: limits.minutes, without: [], most: Infinity }
      const { complaints } = await player.play(plan)
      played++
      const [complaint] = complaints
      if (complaint !== undefined && (await original.passes(plan))) {
        return { mutant, kill: { workload, seed, complaint }, played, stale: null }
      }
    }
    return { mutant, kill: null, played, stale: null }
  } finally {
    player.close()
  }
}
