/** The command line of `npm run simulate:mutants`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Plugin } from 'esbuild'
import { mutants } from './all.ts'
import { hunt, Original, type Finder, type Limits, type Verdict } from './hunt.ts'
import type { Mutant } from './mutant.ts'
import { mutation } from './patch.ts'
import { tempoNamed } from '../tempo.ts'
import { findersIn, rowOf, tableOf } from './table.ts'

const usage = `npm run simulate:mutants -- [options]

  --only ID,...   only these mutants
  --area NAME     only those of one area
  --seeds N       give up after so many seeds of a mutant (200)
  --minutes M     virtual minutes of faults of a dense run (1); a sparse one has four times as many
  --tempo T       dense or sparse; both by default, in turn
  --jobs N        mutants at a time (1)
  --list          name the mutants
`

export interface Tools {
  readonly root: string
  /** @returns a folder with the bundled simulation */
  bundle(plugins: readonly Plugin[]): Promise<string>
  remove(folder: string): void
}

/** @returns the exit status */
export async function main(tools: Tools, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      area: { type: 'string' },
      seeds: { type: 'string', default: '200' },
      minutes: { type: 'string', default: '1' },
      tempo: { type: 'string' },
      jobs: { type: 'string', default: '1' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const chosen = choose(values.only?.split(','), values.area)
  if (values.list) {
    for (const { id, area, breaks } of chosen) process.stdout.write(`${id} (${area}): ${breaks}\n`)
    return 0
  }
  const limits = {
    seeds: positive('seeds', values.seeds),
    minutes: positive('minutes', values.minutes),
    tempo: values.tempo === undefined ? null : tempoNamed(values.tempo),
  }
  const table = new Table(join(tools.root, 'test', 'simulation', 'MUTANTS.md'))
  return report(await huntAll(tools, chosen, limits, positive('jobs', values.jobs), table))
}

/** MUTANTS.md, which is right at any time. */
class Table {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  get text(): string {
    return existsSync(this.#path) ? readFileSync(this.#path, 'utf8') : ''
  }

  enter(verdict: Verdict): void {
    const row = rowOf(verdict)
    process.stdout.write(`${row}\n`)
    writeFileSync(this.#path, tableOf(mutants, new Map([[verdict.mutant.id, row]]), this.text))
  }
}

function choose(ids: readonly string[] | undefined, area: string | undefined): readonly Mutant[] {
  const unknown = ids?.find(id => !mutants.some(mutant => mutant.id === id))
  if (unknown !== undefined) throw new Error(`there is no mutant '${unknown}'; --list names them`)
  const chosen = mutants.filter(mutant => ids?.includes(mutant.id) !== false && (area ?? mutant.area) === mutant.area)
  if (chosen.length === 0) throw new Error(`there is no mutant of the area '${area ?? ''}'; --list names them`)
  return chosen
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} is ${text}; it must be a positive number`)
  return value
}

async function huntAll(
  tools: Tools,
  chosen: readonly Mutant[],
  limits: Limits,
  jobs: number,
  table: Table,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  const unchanged = await tools.bundle([])
  const original = new Original(unchanged)
  const finders = findersIn(table.text)
  let next = 0
  const work = async (): Promise<void> => {
    for (let mutant = chosen[next++]; mutant !== undefined; mutant = chosen[next++]) {
      const verdict = await huntOne(tools, mutant, original, limits, finders.get(mutant.id) ?? null)
      verdicts.push(verdict)
      table.enter(verdict)
    }
  }
  try {
    await Promise.all(Array.from({ length: jobs }, work))
  } finally {
    original.close()
    tools.remove(unchanged)
  }
  return verdicts
}

async function huntOne(
  tools: Tools,
  mutant: Mutant,
  original: Original,
  limits: Limits,
  last: Finder | null,
): Promise<Verdict> {
  let plugin: Plugin
  try {
    plugin = mutation(tools.root, mutant)
  } catch (error) {
    return { mutant, kill: null, played: 0, stale: error instanceof Error ? error.message : String(error) }
  }
  const folder = await tools.bundle([plugin])
  try {
    return await hunt(mutant, folder, original, limits, last)
  } finally {
    tools.remove(folder)
  }
}

function report(verdicts: readonly Verdict[]): number {
  const stale = verdicts.filter(verdict => verdict.stale !== null)
  const killed = verdicts.filter(({ kill }) => kill !== null)
  const missed = verdicts.filter(({ mutant, kill, stale: why }) => {
    return kill === null && why === null && mutant.survives === undefined
  })
  const found = killed.filter(({ mutant }) => mutant.survives !== undefined)
  process.stdout.write(`${verdicts.length} mutants, ${killed.length} found, ${stale.length} stale\n`)
  say('not found, though they should be', missed)
  say('found, though they are said to survive', found)
  say('stale', stale)
  return missed.length + stale.length > 0 ? 1 : 0
}

function say(what: string, verdicts: readonly Verdict[]): void {
  if (verdicts.length > 0) process.stdout.write(`${what}: ${verdicts.map(({ mutant }) => mutant.id).join(', ')}\n`)
}
