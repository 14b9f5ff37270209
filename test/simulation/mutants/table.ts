/** MUTANTS.md: what has become of each mutant. */
import { tempos } from '../tempo.ts'
import type { Finder, Verdict } from './hunt.ts'
import type { Mutant } from './mutant.ts'

const HEAD = `# Mutants

Faults that were put into the client on purpose, one at a time, and how the simulation has found them:
\`npm run simulate:mutants\` writes this table. \`-- --only ID\` plays one again, first with the seed that has found it. A
dense run has one virtual minute of faults, a sparse one four. SURVIVES n seeds: none of so many has found it, and why not.

| mutant | area | what it breaks | found by |
| --- | --- | --- | --- |
`
const MOST_CHARACTERS = 160

export function rowOf({ mutant, kill, played, stale }: Verdict): string {
  return `| ${[mutant.id, mutant.area, mutant.breaks, fateOf(mutant, kill, played, stale)].map(cell).join(' | ')} |`
}

function fateOf(mutant: Mutant, kill: Verdict['kill'], played: number, stale: string | null): string {
  if (stale !== null) return `STALE: ${stale}`
  if (kill !== null) return `${kill.workload}, seed ${kill.seed}, ${kill.tempo}: ${shortened(kill.complaint)}`
  return `SURVIVES ${played} seeds${mutant.survives === undefined ? '' : `: ${mutant.survives}`}`
}

/** What has found each mutant, as a table tells; by id. */
export function findersIn(table: string): Map<string, Finder> {
  const finders = new Map<string, Finder>()
  for (const line of table.split('\n')) {
    const [, id, workload, seed, word] = /^\| ([a-z0-9-]+) \|.*\| ([a-z]+), seed (\d+), ([a-z]+): /.exec(line) ?? []
    const tempo = tempos.find(each => each === word)
    if (id !== undefined && workload !== undefined && tempo !== undefined)
      finders.set(id, { workload, seed: Number(seed), tempo })
  }
  return finders
}

/** @param rows - of mutants that were played now @param before - the table as it was; its other rows stay */
export function tableOf(mutants: readonly Mutant[], rows: ReadonlyMap<string, string>, before: string): string {
  const known = new Map<string, string>()
  for (const line of before.split('\n')) {
    const id = /^\| ([a-z0-9-]+) +\|/.exec(line)?.[1]
    if (id !== undefined) known.set(id, line)
  }
  const lines = mutants.map(({ id }) => rows.get(id) ?? known.get(id)).filter(line => line !== undefined)
  return `${HEAD}${lines.join('\n')}\n`
}

function shortened(text: string): string {
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}...` : text
}

function cell(text: string): string {
  return text.replaceAll('\n', ' ').replaceAll('|', '\\|').replaceAll('<', '\\<').replaceAll('*', '\\*')
}
