/** The command of a suite: `npm run specs:NAME -- --from CHECKOUT [--client facade|original] [--on embedded|real] ...`. */
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  resultsOf,
  saveResults,
  unexplained,
  type Client,
  type SpecTable,
  type SpecTest,
  type World,
} from './results.ts'

/** Brokers, as the specs expect them. */
export interface SpecBrokers {
  close(): Promise<void>
}

export interface SpecRun<B extends SpecBrokers> {
  /** A work tree of the original, which nothing is written to. */
  readonly checkout: string
  readonly scratch: string
  readonly client: Client
  /** A folder in which the original is installed; null for none. */
  readonly originals: string | null
  readonly brokers: B
  /** Paths in the checkout. */
  readonly files: readonly string[]
}

export interface Suite<B extends SpecBrokers> {
  readonly table: SpecTable
  /** What `--from` has to be, and a path that such a folder has. */
  readonly checkout: { readonly what: string; readonly marker: string }
  prepare(scratch: string, checkout: string): Promise<void>
  start(world: World): Promise<B>
  /** The tests of each file, by the file's path in the checkout. */
  run(run: SpecRun<B>): Promise<ReadonlyMap<string, readonly SpecTest[]>>
}

/** The rest is the stack of what runs the tests. */
const MESSAGE_LINES = 14

/** Ends the process: with status 1 if a test fails that has no reason. */
export async function runSuite<B extends SpecBrokers>({ table, checkout: wanted, ...suite }: Suite<B>): Promise<never> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      from: { type: 'string' },
      client: { type: 'string', default: 'facade' },
      on: { type: 'string', default: 'embedded' },
      originals: { type: 'string' },
      scratch: { type: 'string', default: join(tmpdir(), `ottla-specs-${table.folder}`) },
      save: { type: 'boolean', default: false },
    },
  })
  const client = oneOf<Client>('client', values.client, ['facade', 'original'])
  const world = oneOf<World>('on', values.on, ['embedded', 'real'])
  const checkout = resolve(values.from ?? '')
  if (values.from === undefined || !existsSync(join(checkout, wanted.marker))) stop(`--from is to be ${wanted.what}`)
  const isChosen = (path: string): boolean => positionals.length === 0 || positionals.some(part => path.includes(part))
  const files = table.publicSpecs.filter(isChosen)
  if (files.length === 0) stop(`no spec of the public API has a path with ${positionals.join(' or ')}`)

  const scratch = resolve(values.scratch)
  const originals = values.originals === undefined ? null : resolve(values.originals)
  await suite.prepare(scratch, checkout)
  const brokers = await suite.start(world)
  const run: SpecRun<B> = { checkout, scratch, client, originals, brokers, files }
  const tests = await suite.run(run).finally(() => brokers.close())
  for (const [path, all] of tests) print(path, all)
  const results = resultsOf(tests)
  if (values.save) await saveResults(table, results, client, world)
  const open = client === 'facade' ? unexplained(table, results) : []
  if (open.length > 0) console.error(`\nwithout a reason:\n${open.join('\n')}`)
  // Sockets of what failed may still be open.
  return process.exit(open.length > 0 ? 1 : 0)
}

function print(path: string, all: readonly SpecTest[]): void {
  const failed = all.filter(({ status }) => status === 'failed')
  const passed = all.filter(({ status }) => status === 'passed')
  console.log(`${path}: ${passed.length} passed, ${failed.length} failed`)
  for (const { name, messages } of failed) {
    console.log(`  ${name}`)
    const lines = messages.join('\n').split('\n').slice(0, MESSAGE_LINES)
    for (const line of lines) console.log(`      ${line}`)
  }
}

function oneOf<T extends string>(option: string, given: string, allowed: readonly T[]): T {
  const found = allowed.find(each => each === given)
  return found ?? stop(`--${option} is to be ${allowed.join(' or ')}`)
}

function stop(why: string): never {
  console.error(why)
  process.exit(2)
}
