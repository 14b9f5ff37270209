/** What has been played in several runs, a line of JSON for each stretch of seeds, so that nights add up. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'

/** Seeds of which every one was played. */
interface Stretch {
  readonly commit: string
  readonly first: number
  readonly last: number
  /** Virtual, of faults. */
  readonly minutes: number
  readonly failed: readonly number[]
}

/** Whoever ends the run loses so much at most, ms. */
const WRITE_EVERY_MS = 60_000

/** @returns the seed behind the last one that a file tells of; 1 if it tells of none */
export function nextSeedOf(path: string): number {
  return Math.max(0, ...stretchesOf(path).map(({ last }) => last)) + 1
}

/** What a file tells of, in words: a line for each commit and length. */
export function summaryOf(path: string): string {
  const sums = new Map<string, { seeds: number; failed: number }>()
  for (const { commit, first, last, minutes, failed } of stretchesOf(path)) {
    const key = `${commit}: seeds of ${minutes} virtual minutes`
    const sum = sums.get(key) ?? { seeds: 0, failed: 0 }
    sums.set(key, { seeds: sum.seeds + last - first + 1, failed: sum.failed + failed.length })
  }
  return [...sums].map(([key, { seeds, failed }]) => `${key}: ${seeds} played, ${failed} failed`).join('\n')
}

/** Takes note of seeds, in any order, and writes down those before which none is missing. */
export class Recorder {
  readonly #path: string
  readonly #minutes: number
  readonly #commit = commitOf()
  readonly #played = new Map<number, boolean>()
  #first: number
  #writtenAt = performance.now()

  /** @param first - the seed with which the run begins */
  constructor(path: string, minutes: number, first: number) {
    this.#path = path
    this.#minutes = minutes
    this.#first = first
  }

  played(seed: number, hasFailed: boolean): void {
    this.#played.set(seed, hasFailed)
    if (performance.now() - this.#writtenAt >= WRITE_EVERY_MS) this.write()
  }

  write(): void {
    this.#writtenAt = performance.now()
    const failed: number[] = []
    let next = this.#first
    for (let has = this.#played.get(next); has !== undefined; has = this.#played.get(++next)) {
      this.#played.delete(next)
      if (has) failed.push(next)
    }
    if (next === this.#first) return
    const stretch: Stretch = {
      commit: this.#commit,
      first: this.#first,
      last: next - 1,
      minutes: this.#minutes,
      failed,
    }
    appendFileSync(this.#path, `${JSON.stringify(stretch)}\n`)
    this.#first = next
  }
}

function stretchesOf(path: string): Stretch[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter(line => line !== '').map(line => JSON.parse(line) as Stretch)
}

function commitOf(): string {
  return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
}
