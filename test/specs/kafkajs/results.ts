/** The results of runs: results.json beside this, and the table that packages/kafkajs/SPECS.md shows of it. */
import { format, resolveConfig } from 'prettier'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Client, SpecTest } from './jest-run.ts'
import { reasonOf } from './reasons.ts'
import { internalSpecs, publicSpecs } from './specs.ts'
import type { World } from './surroundings.ts'

interface FileResult {
  readonly passed: number
  /** Names of tests. */
  readonly failed: readonly string[]
}

/** By the path of the file. */
type RunResult = Record<string, FileResult>
type Results = Record<World, Record<Client, RunResult>>

const worlds = ['embedded', 'real'] as const
const clients = ['facade', 'kafkajs'] as const
const file = fileURLToPath(new URL('results.json', import.meta.url))
const page = fileURLToPath(new URL('../../../packages/kafkajs/SPECS.md', import.meta.url))
const begin = '<!-- The results of `npm run specs:kafkajs`, which writes them here. -->'
const end = '<!-- end of the results -->'

export function resultsOf(tests: ReadonlyMap<string, readonly SpecTest[]>): RunResult {
  const names = (all: readonly SpecTest[], wanted: SpecTest['status']): string[] =>
    all.filter(({ status }) => status === wanted).map(({ name }) => name)
  return Object.fromEntries(
    [...tests].map(([path, all]) => [path, { passed: names(all, 'passed').length, failed: names(all, 'failed') }]),
  )
}

export function readResults(): Results {
  const nothing = (): Record<Client, RunResult> => ({ facade: {}, kafkajs: {} })
  if (!existsSync(file)) return { embedded: nothing(), real: nothing() }
  return JSON.parse(readFileSync(file, 'utf8')) as Results
}

/** Puts the results of one run beside the others, those of files that were not run included. */
export async function saveResults(run: RunResult, client: Client, world: World): Promise<void> {
  const all = readResults()
  Object.assign(all[world][client], run)
  writeFileSync(file, await format(JSON.stringify(all), { ...(await resolveConfig(file)), parser: 'json' }))
}

/** Tests that fail with the facade and have no reason in reasons.ts. */
export function unexplained(run: RunResult): string[] {
  return Object.entries(run).flatMap(([path, { failed }]) =>
    failed.filter(name => reasonOf(path, name) === undefined).map(name => `${path}: ${name}`),
  )
}

/** Writes the table. */
export async function writePage(): Promise<void> {
  const before = readFileSync(page, 'utf8')
  const [head = '', rest = ''] = before.split(begin)
  const [, tail = ''] = rest.split(end)
  const text = [begin, '', summary(), '', 'What does not pass:', '', failures(), '', internals(), '', end].join('\n')
  const options = await resolveConfig(page)
  writeFileSync(page, await format(`${head}${text}${tail}`, { ...options, parser: 'markdown' }))
}

/** A row for each spec file: what passes of its tests. */
function summary(): string {
  const all = readResults()
  const runs = worlds.flatMap(world => clients.map(client => all[world][client]))
  const cell = (result: FileResult | undefined): string =>
    result === undefined ? '' : `${result.passed} of ${result.passed + result.failed.length}`
  const rows = publicSpecs.map(path => row([shortName(path), ...runs.map(run => cell(run[path]))]))
  const sum = runs.map(run => {
    const files = Object.values(run)
    const count = (of: (result: FileResult) => number): number => files.reduce((total, each) => total + of(each), 0)
    return files.length === 0
      ? ''
      : cell({ passed: count(each => each.passed), failed: files.flatMap(each => each.failed) })
  })
  const heads = worlds.flatMap(world => clients.map(client => `${client}, ${world === 'real' ? 'Kafka' : world}`))
  return table(['spec', ...heads], [...rows, row(['**all**', ...sum])])
}

/** A row for each test that does not pass with the facade. */
function failures(): string {
  const all = readResults()
  const rows = publicSpecs.flatMap(path => {
    const failed = new Set(worlds.flatMap(world => all[world].facade[path]?.failed ?? []))
    return [...failed].map(name => {
      const where = worlds.filter(world => all[world].facade[path]?.failed.includes(name))
      const on = where.length === worlds.length ? 'both' : where[0] === 'real' ? 'Kafka' : 'embedded'
      const theirs = where.map(world => all[world].kafkajs[path])
      const failsToo = theirs.every(run => run?.failed.includes(name))
      const itself = theirs.includes(undefined) ? 'not run' : failsToo ? 'fails, too' : 'passes'
      return row([shortName(path), name, on, itself, reasonOf(path, name) ?? ''])
    })
  })
  return table(['spec', 'test', 'on', 'kafkajs itself', 'reason'], rows)
}

function internals(): string {
  const rows = internalSpecs.map(([path, what]) => row([shortName(path), what]))
  return ['Specs of internals, which are not run:', '', table(['spec', 'of what'], rows)].join('\n')
}

function shortName(path: string): string {
  return `\`${path
    .replace(/^src\//, '')
    .replace(/__tests__\//, '')
    .replace(/\.spec\.js$/, '')}\``
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function table(heads: readonly string[], rows: readonly string[]): string {
  return [row(heads), row(heads.map(() => '---')), ...rows].join('\n')
}
