/** SEEDS.md: what has been played in several runs, a row for each stretch of seeds, so that nights add up. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** How seeds were played. */
interface Manner {
  /** `all`, or names. */
  readonly workloads: string
  /** `mixed`: as each seed says. */
  readonly tempo: string
  /** Virtual, of faults. */
  readonly minutes: number
  readonly commit: string
}

/** Seeds of which every one was played. */
interface Stretch extends Manner {
  readonly first: number
  readonly last: number
  readonly failed: readonly number[]
  readonly cpuSeconds: number
  /** The day on which the last one was played, `YYYY-MM-DD`. */
  readonly day: string
}

interface PlayedSeed {
  readonly hasFailed: boolean
  readonly cpuMs: number
}

/** Whoever ends the run loses so much at most, ms. */
const WRITE_EVERY_MS = 60_000
const SECONDS_PER_HOUR = 3600
const HEAD = `# Seeds

What has been played: \`npm run simulate -- --ledger test/simulation/SEEDS.md --minutes 10 --seconds 28800\` goes on behind the
last row, for eight hours. Each seed plays one workload, in turn.

| seeds | workloads | tempo | virtual minutes | commit | passed | failed | CPU s | until |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
`
const ROW =
  /^\| (\d+)\.\.(\d+) +\| ([a-z, ]+?) +\| ([a-z]+) +\| ([\d.]+) +\| (\S+) +\| \d+ +\| ([\d ]+|none) +\| (\d+) +\| (\S+) +\|$/

/** @returns the seed behind the last row of a ledger; 1 if it has none */
export function nextSeedOf(path: string): number {
  return (stretchesOf(textOf(path)).at(-1)?.last ?? 0) + 1
}

/** What a ledger tells of, in words: a line for each length, and how fast seeds were played. */
export function summaryOf(path: string): string {
  const sums = new Map<number, { played: number; failed: number; cpuSeconds: number }>()
  for (const { first, last, minutes, failed, cpuSeconds } of stretchesOf(textOf(path))) {
    const sum = sums.get(minutes) ?? { played: 0, failed: 0, cpuSeconds: 0 }
    sums.set(minutes, {
      played: sum.played + last - first + 1,
      failed: sum.failed + failed.length,
      cpuSeconds: sum.cpuSeconds + cpuSeconds,
    })
  }
  const line = ([minutes, { played, failed, cpuSeconds }]: [
    number,
    { [K in 'played' | 'failed' | 'cpuSeconds']: number },
  ]) => {
    const perHour = Math.round((played / Math.max(1, cpuSeconds)) * SECONDS_PER_HOUR)
    return `of ${minutes} virtual minutes: ${played - failed} seeds passed, ${failed} failed; ${perHour} per CPU hour`
  }
  return [...sums].map(line).join('\n')
}

/** Takes note of seeds, in any order, and enters those before which none is missing. */
export class SeedLedger {
  readonly #path: string
  readonly #played = new Map<number, PlayedSeed>()
  #stretch: Stretch
  #writtenAt = performance.now()

  /** @param first - the seed with which the run begins: it continues the last row if nothing else has changed */
  constructor(path: string, manner: Omit<Manner, 'commit'>, first: number, commit = commitOf()) {
    this.#path = path
    const last = stretchesOf(textOf(path)).at(-1)
    const own = { ...manner, commit, first, last: first - 1, failed: [], cpuSeconds: 0, day: today() }
    this.#stretch = last?.last === first - 1 && mannerOf(last) === mannerOf(own) ? last : own
  }

  played(seed: number, how: PlayedSeed): void {
    this.#played.set(seed, how)
    if (performance.now() - this.#writtenAt >= WRITE_EVERY_MS) this.write()
  }

  write(): void {
    this.#writtenAt = performance.now()
    const before = this.#stretch
    const failed = [...before.failed]
    let { cpuSeconds, last } = before
    for (let how = this.#played.get(last + 1); how !== undefined; how = this.#played.get(last + 1)) {
      last++
      this.#played.delete(last)
      if (how.hasFailed) failed.push(last)
      cpuSeconds += how.cpuMs / 1000
    }
    if (last === before.last) return
    this.#stretch = { ...before, last, failed, cpuSeconds, day: today() }
    writeFileSync(this.#path, withRow(textOf(this.#path), this.#stretch))
  }
}

/** @returns the ledger with a row more, in place of the one for the same first seed; whatever is behind the table stays */
function withRow(text: string, stretch: Stretch): string {
  const lines = text.split('\n')
  const known = lines.findIndex(line => stretchIn(line)?.first === stretch.first)
  if (known >= 0) lines[known] = rowOf(stretch)
  else lines.splice(lines.findLastIndex(line => line.startsWith('| ')) + 1, 0, rowOf(stretch))
  return lines.join('\n')
}

function rowOf({ first, last, workloads, tempo, minutes, commit, failed, cpuSeconds, day }: Stretch): string {
  const passed = last - first + 1 - failed.length
  const failures = failed.length === 0 ? 'none' : failed.join(' ')
  const cells = [`${first}..${last}`, workloads, tempo, minutes, commit, passed, failures, Math.round(cpuSeconds), day]
  return `| ${cells.join(' | ')} |`
}

function stretchIn(line: string): Stretch | null {
  const [, first, last, workloads = '', tempo = '', minutes, commit = '', failed = '', cpuSeconds, day = ''] =
    ROW.exec(line) ?? []
  if (first === undefined) return null
  return {
    first: Number(first),
    last: Number(last),
    workloads,
    tempo,
    minutes: Number(minutes),
    commit,
    failed: failed === 'none' ? [] : failed.split(' ').map(Number),
    cpuSeconds: Number(cpuSeconds),
    day,
  }
}

function stretchesOf(text: string): Stretch[] {
  return text
    .split('\n')
    .map(stretchIn)
    .filter(stretch => stretch !== null)
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : HEAD
}

function mannerOf({ workloads, tempo, minutes, commit }: Manner): string {
  return [workloads, tempo, minutes, commit].join(' ')
}

function today(): string {
  return new Date().toISOString().slice(0, 10)
}

function commitOf(): string {
  return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
}
