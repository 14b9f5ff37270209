/** Suites of Go modules, whose proxy has the tests, too. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder, once } from '../harness/jars.ts'
import { command, succeed } from './command.ts'
import type { Outcome, Outcomes } from './suite.ts'

/** A copy of a module that may be written to; made once. */
export async function goModule(path: string, version: string): Promise<string> {
  const name = `${path.replaceAll('/', '-')}-${version}`
  return once(name, join(cacheFolder, 'suites', name), async folder => {
    const printed = await succeed('go', ['mod', 'download', '-json', `${path}@${version}`], { cwd: cacheFolder })
    const { Dir: from } = JSON.parse(printed) as { Dir: string } // as go prints it
    mkdirSync(folder, { recursive: true })
    cpSync(from, folder, { recursive: true })
    makeWritable(folder)
  })
}

export interface GoTests {
  readonly folder: string
  readonly packages: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly flags?: readonly string[]
  readonly log: (line: string) => void
}

/** The outcome of every test that has no tests of its own. */
export async function goTests({ folder, packages, env = {}, flags = [], log }: GoTests): Promise<Outcomes> {
  const outcomes = new Map<string, Outcome>()
  const onLine = (line: string): void => {
    const event = eventOf(line)
    if (event === null) {
      log(line)
      return
    }
    const { Action: action, Package: pack = '', Test: test, Output: output } = event
    if (output !== undefined) log(output.trimEnd())
    if (test === undefined) return
    const name = `${pack.split('/').at(-1) ?? pack}: ${test}`
    if (action === 'pass') outcomes.set(name, 'passed')
    if (action === 'fail') outcomes.set(name, 'failed')
    if (action === 'skip') outcomes.set(name, 'skipped')
    // One that the end of the process cuts off has failed.
    if (action === 'run' && !outcomes.has(name)) outcomes.set(name, 'failed')
  }
  await command('go', ['test', '-mod=mod', '-json', '-count=1', ...flags, ...packages], { cwd: folder, env, onLine })
  const parents = new Set([...outcomes.keys()].map(name => name.slice(0, name.lastIndexOf('/'))))
  return new Map([...outcomes].filter(([name]) => !parents.has(name)))
}

interface GoEvent {
  readonly Action: string
  readonly Package?: string
  readonly Test?: string
  readonly Output?: string
}

function eventOf(line: string): GoEvent | null {
  try {
    return JSON.parse(line) as GoEvent // as go prints it
  } catch {
    return null
  }
}

function makeWritable(folder: string): void {
  chmodSync(folder, 0o755)
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, entry)
    if (existsSync(path)) chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644)
  }
}
