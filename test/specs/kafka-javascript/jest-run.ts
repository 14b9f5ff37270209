/** Runs Jest on a copy of Confluent's specs, in a scratch folder in whose `lib` the facade is. */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jestTests } from '../jest-results.ts'
import type { SpecTest } from '../results.ts'
import { bundleFacade, install } from '../scratch.ts'
import type { SpecRun } from '../suite.ts'
import type { Surroundings } from './surroundings.ts'

/** What the specs' helpers take from the package's internals: a promise that others resolve. */
const common = `
class DeferredPromise extends Promise {
  constructor(executor) {
    let resolve
    super(given => (resolve = given))
    this.resolved = false
    this.resolve = value => {
      this.resolved = true
      resolve(value)
    }
    if (executor) executor(this.resolve, () => {})
  }
}
module.exports = { DeferredPromise }
`

/** Jest's own `--json` cannot write what fails with a bigint. */
const reporter = `
const { writeFileSync } = require('fs')
module.exports = class {
  constructor(_, { output }) {
    this.output = output
  }
  onRunComplete(_, { testResults }) {
    const files = testResults.map(({ testFilePath, failureMessage, testResults }) => ({
      name: testFilePath,
      message: failureMessage,
      assertionResults: testResults.map(({ fullName, status, failureMessages }) => ({ fullName, status, failureMessages })),
    }))
    writeFileSync(this.output, JSON.stringify({ testResults: files }))
  }
}
`

export async function prepare(scratch: string, checkout: string): Promise<void> {
  install(scratch, ['jest@29'])
  rmSync(join(scratch, 'test'), { recursive: true, force: true })
  cpSync(join(checkout, 'test/promisified'), join(scratch, 'test/promisified'), { recursive: true })
  // The group has no name yet where this spec reads it: Confluent's client calls it `undefined`, the facade refuses it.
  const early = join(scratch, 'test/promisified/consumer/incrementalRebalance.spec.js')
  writeFileSync(early, readFileSync(early, 'utf8').replace('{ groupId };', "{ groupId: 'undefined' };"))
  await bundleFacade('kafka-javascript', join(scratch, 'facade.cjs'))
}

export async function runSpecs(run: SpecRun<Surroundings>): Promise<Map<string, SpecTest[]>> {
  const { scratch, brokers, files } = run
  link(run)
  const output = join(scratch, 'results.json')
  rmSync(output, { force: true })
  writeFileSync(join(scratch, 'reporter.js'), reporter)
  const config = {
    rootDir: scratch,
    testRegex: String.raw`\.spec\.js$`,
    cacheDirectory: join(scratch, 'cache'),
    reporters: [[join(scratch, 'reporter.js'), { output }]],
  }
  writeFileSync(join(scratch, 'jest.config.json'), JSON.stringify(config))
  const args = ['--config', 'jest.config.json', '--runInBand', '--ci', '--forceExit', '--silent']
  const child = spawn(
    process.execPath,
    [join(scratch, 'node_modules/jest/bin/jest.js'), ...args, '--runTestsByPath', ...files],
    {
      cwd: scratch,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '', KAFKA_HOST: brokers.address },
    },
  )
  await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return jestTests(scratch, output)
}

/** Puts the client where the specs look for it. */
function link({ scratch, client, originals }: SpecRun<Surroundings>): void {
  const original = join(originals ?? scratch, 'node_modules/@confluentinc/kafka-javascript')
  const path = JSON.stringify(client === 'facade' ? join(scratch, 'facade.cjs') : original)
  mkdirSync(join(scratch, 'lib/kafkajs'), { recursive: true })
  writeFileSync(join(scratch, 'lib/index.js'), `module.exports = require(${path})\n`)
  writeFileSync(join(scratch, 'lib/kafkajs/_common.js'), common)
}
