/** Runs Mocha on a copy of node-rdkafka's specs, in a scratch folder in whose `lib` the facade is. */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SpecTest } from '../results.ts'
import { bundleFacade, install } from '../scratch.ts'
import type { SpecRun } from '../suite.ts'
import type { Surroundings } from './surroundings.ts'

/** As in node-rdkafka's Makefile, ms. */
const TEST_MS = 120_000
/** For all tests of a file. */
const FILE_MS = 600_000

/** Modules that specs load, as parts of the package. */
const modules: Readonly<Record<string, string>> = {
  'index.js': '',
  'lib/producer.js': '.Producer',
  'lib/kafka-consumer.js': '.KafkaConsumer',
}

export async function prepare(scratch: string, checkout: string): Promise<void> {
  install(scratch, ['mocha@10'])
  for (const folder of ['e2e', 'test']) {
    rmSync(join(scratch, folder), { recursive: true, force: true })
    cpSync(join(checkout, folder), join(scratch, folder), { recursive: true })
  }
  await bundleFacade('node-rdkafka', join(scratch, 'facade.cjs'))
}

export async function runSpecs(run: SpecRun<Surroundings>): Promise<Map<string, SpecTest[]>> {
  link(run)
  const results = new Map<string, SpecTest[]>()
  for (const file of run.files) results.set(file, await runFile(run, file))
  return results
}

/** Puts the client where the specs look for it. */
function link({ scratch, client, originals }: SpecRun<Surroundings>): void {
  const original = join(originals ?? scratch, 'node_modules/node-rdkafka')
  const path = JSON.stringify(client === 'facade' ? join(scratch, 'facade.cjs') : original)
  mkdirSync(join(scratch, 'lib'), { recursive: true })
  for (const [file, part] of Object.entries(modules)) {
    writeFileSync(join(scratch, file), `module.exports = require(${path})${part}\n`)
  }
}

async function runFile({ scratch, brokers }: SpecRun<Surroundings>, file: string): Promise<SpecTest[]> {
  const output = join(scratch, 'results.json')
  rmSync(output, { force: true })
  const args = [
    '--exit',
    '--timeout',
    String(TEST_MS),
    '--ui',
    file.startsWith('e2e/') ? 'bdd' : 'exports',
    '--reporter',
    'json',
  ]
  const child = spawn(
    process.execPath,
    [join(scratch, 'node_modules/mocha/bin/mocha.js'), ...args, '--reporter-option', `output=${output}`, file],
    {
      cwd: scratch,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '', KAFKA_HOST: brokers.address },
      timeout: FILE_MS,
    },
  )
  await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return testsOf(output)
}

interface MochaTest {
  readonly fullTitle: string
  readonly err: { readonly message?: string; readonly stack?: string }
}

function testsOf(output: string): SpecTest[] {
  const read = (): Record<'passes' | 'failures' | 'pending', readonly MochaTest[]> =>
    JSON.parse(readFileSync(output, 'utf8')) as ReturnType<typeof read>
  try {
    const { passes, failures, pending } = read()
    return [
      ...passes.map(({ fullTitle }) => ({ name: fullTitle, status: 'passed' as const, messages: [] })),
      ...failures.map(({ fullTitle, err }) => ({
        name: fullTitle,
        status: 'failed' as const,
        messages: [err.stack ?? err.message ?? 'no message'],
      })),
      ...pending.map(({ fullTitle }) => ({ name: fullTitle, status: 'pending' as const, messages: [] })),
    ]
  } catch (error) {
    return [{ name: 'ends', status: 'failed', messages: [String(error)] }]
  }
}
