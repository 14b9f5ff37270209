/** MUTANTS.md: what has become of each mutant. */
import type { Mutant } from './mutant.ts'
import type { Verdict } from './hunt.ts'

const HEAD = `# Mutants

Faults that were put into the client on purpose, one at a time, and how the simulation has found them:
\`npm run simulate:mutants\` writes this table. Each seed can be played again with the mutant in place
(\`-- --only ID\`). SURVIVES n seeds: none of so many has found it, which is worth a second look with more.

| mutant | area | what it breaks | found by |
| --- | --- | --- | --- |
`
const MOST_CHARACTERS = 160

export function rowOf({ mutant, kill, played, stale }: Verdict): string {
  return `| ${[mutant.id, mutant.area, mutant.breaks, fateOf(mutant, kill, played, stale)].map(cell).join(' | ')} |`
}

function fateOf(mutant: Mutant, kill: Verdict['kill'], played: number, stale: string | null): string {
  if (stale !== null) return `STALE: ${stale}`
  if (kill !== null) return `${kill.workload}, seed ${kill.seed}: ${shortened(kill.complaint)}`
  return `SURVIVES ${played} seeds${mutant.survives === undefined ? '' : `: ${mutant.survives}`}`
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
