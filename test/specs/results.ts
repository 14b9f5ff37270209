/** The results of runs: results.json beside the suite, and the table that its SPECS.md shows of it. */
import { format, resolveConfig } from 'prettier'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export type Client = 'facade' | 'original'
export type World = 'embedded' | 'real'

export interface SpecTest {
  readonly name: string
  readonly status: 'passed' | 'failed' | 'pending'
  readonly messages: readonly string[]
}

/** Why tests do not pass with the facade. */
export interface Reason {
  /** Of a spec's path. */
  readonly spec: string
  /** In the names of its tests. */
  readonly tests: RegExp
  readonly reason: string
}

/** Which specs there are, and where their results go. */
export interface SpecTable {
  /** The name of the original, as in npm. */
  readonly original: string
  /** The facade's folder in `packages/`; its SPECS.md has the table. */
  readonly facade: string
  /** The suite's folder in `test/specs/`. */
  readonly folder: string
  /** Paths of the specs of public behaviour in the checkout. */
  readonly publicSpecs: readonly string[]
  /** Specs that only know the original's internals, which cannot run. */
  readonly internalSpecs: readonly (readonly [path: string, what: string])[]
  readonly reasons: readonly Reason[]
  /** A spec's path, as the table has it. */
  readonly short: (path: string) => string
}

interface FileResult {
  readonly passed: number
  /** Names of tests. */
  readonly failed: readonly string[]
}

/** By the path of the file. */
export type RunResult = Record<string, FileResult>
type Results = Record<World, Record<Client, RunResult>>

const worlds = ['embedded', 'real'] as const
const clients = ['facade', 'original'] as const
const begin = '<!-- The results of the specs, which their command writes here. -->'
const end = '<!-- end of the results -->'

export function resultsOf(tests: ReadonlyMap<string, readonly SpecTest[]>): RunResult {
  const names = (all: readonly SpecTest[], wanted: SpecTest['status']): string[] =>
    all.filter(({ status }) => status === wanted).map(({ name }) => name)
  return Object.fromEntries(
    [...tests].map(([path, all]) => [path, { passed: names(all, 'passed').length, failed: names(all, 'failed') }]),
  )
}

/** Puts the results of one run beside the others, those of files that were not run included, and writes the table. */
export async function saveResults(table: SpecTable, run: RunResult, client: Client, world: World): Promise<void> {
  const all = readResults(table)
  Object.assign(all[world][client], run)
  const file = resultsFile(table)
  writeFileSync(file, await format(JSON.stringify(all), { ...(await resolveConfig(file)), parser: 'json' }))
  await writePage(table, all)
}

/** Tests that fail with the facade and have no reason. */
export function unexplained(table: SpecTable, run: RunResult): string[] {
  return Object.entries(run).flatMap(([path, { failed }]) =>
    failed.filter(name => reasonOf(table, path, name) === undefined).map(name => `${path}: ${name}`),
  )
}

function reasonOf({ reasons }: SpecTable, path: string, name: string): string | undefined {
  return reasons.find(({ spec, tests }) => path.includes(spec) && tests.test(name))?.reason
}

function resultsFile({ folder }: SpecTable): string {
  return fileURLToPath(new URL(`${folder}/results.json`, import.meta.url))
}

function readResults(table: SpecTable): Results {
  const nothing = (): Record<Client, RunResult> => ({ facade: {}, original: {} })
  const file = resultsFile(table)
  if (!existsSync(file)) return { embedded: nothing(), real: nothing() }
  return JSON.parse(readFileSync(file, 'utf8')) as Results
}

async function writePage(table: SpecTable, all: Results): Promise<void> {
  const page = fileURLToPath(new URL(`../../packages/${table.facade}/SPECS.md`, import.meta.url))
  const before = readFileSync(page, 'utf8')
  const [head = '', rest = ''] = before.split(begin)
  const [, tail = ''] = rest.split(end)
  const parts = [begin, '', summary(table, all), '', 'What does not pass:', '', failures(table, all), '']
  const text = [...parts, internals(table), '', end].join('\n')
  const options = await resolveConfig(page)
  writeFileSync(page, await format(`${head}${text}${tail}`, { ...options, parser: 'markdown' }))
}

/** A row for each spec file: what passes of its tests. */
function summary({ original, publicSpecs, short }: SpecTable, all: Results): string {
  const runs = worlds.flatMap(world => clients.map(client => all[world][client]))
  const cell = (result: FileResult | undefined): string =>
    result === undefined ? '' : `${result.passed} of ${result.passed + result.failed.length}`
  const rows = publicSpecs.map(path => row([short(path), ...runs.map(run => cell(run[path]))]))
  const sum = runs.map(run => {
    const files = Object.values(run)
    const count = (of: (result: FileResult) => number): number => files.reduce((total, each) => total + of(each), 0)
    return files.length === 0
      ? ''
      : cell({ passed: count(each => each.passed), failed: files.flatMap(each => each.failed) })
  })
  const heads = worlds.flatMap(world =>
    clients.map(client => `${client === 'facade' ? client : original}, ${world === 'real' ? 'Kafka' : world}`),
  )
  return tableOf(['spec', ...heads], [...rows, row(['**all**', ...sum])])
}

/** A row for each test that does not pass with the facade. */
function failures(table: SpecTable, all: Results): string {
  const { original, publicSpecs, short } = table
  const rows = publicSpecs.flatMap(path => {
    const failed = new Set(worlds.flatMap(world => all[world].facade[path]?.failed ?? []))
    return [...failed].map(name => {
      const where = worlds.filter(world => all[world].facade[path]?.failed.includes(name))
      const on = where.length === worlds.length ? 'both' : where[0] === 'real' ? 'Kafka' : 'embedded'
      const theirs = where.map(world => all[world].original[path])
      const failsToo = theirs.every(run => run?.failed.includes(name))
      const itself = theirs.includes(undefined) ? 'not run' : failsToo ? 'fails, too' : 'passes'
      return row([short(path), name, on, itself, reasonOf(table, path, name) ?? ''])
    })
  })
  return tableOf(['spec', 'test', 'on', `${original} itself`, 'reason'], rows)
}

function internals({ internalSpecs, short }: SpecTable): string {
  const rows = internalSpecs.map(([path, what]) => row([short(path), what]))
  return ['Specs of internals, which are not run:', '', tableOf(['spec', 'of what'], rows)].join('\n')
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function tableOf(heads: readonly string[], rows: readonly string[]): string {
  return [row(heads), row(heads.map(() => '---')), ...rows].join('\n')
}
