/** Runs Jest on a checkout of kafkajs, from a scratch folder with what its specs need. Nothing is written to the checkout. */
import { build, type Plugin } from 'esbuild'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Surroundings } from './surroundings.ts'

export type Client = 'facade' | 'kafkajs'

export interface SpecRun {
  /** A work tree of kafkajs. */
  readonly checkout: string
  readonly scratch: string
  readonly client: Client
  readonly surroundings: Surroundings
  /** Paths in the checkout. */
  readonly files: readonly string[]
}

export interface SpecTest {
  readonly name: string
  readonly status: 'passed' | 'failed' | 'pending'
  readonly messages: readonly string[]
}

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../../../', import.meta.url))

/** As in kafkajs's package.json, less what lints. */
const packages = [
  'jest@25',
  'jest-circus@25',
  'jest-extended@0.11',
  'execa@2',
  'glob@7',
  'ip@1',
  'jsonwebtoken@9',
  'mockdate@2',
  'semver@6',
  'uuid@3',
]

/** Jest 25 does not know `node:` before a name. */
const plainBuiltIns: Plugin = {
  name: 'plain built-ins',
  setup: bundle => {
    bundle.onResolve({ filter: /^node:/ }, ({ path }) => ({ path: path.slice('node:'.length), external: true }))
  },
}

/** Installs Jest, and puts the facade and its stand-ins into the scratch folder. */
export async function prepare(scratch: string): Promise<void> {
  mkdirSync(join(scratch, 'stand-ins'), { recursive: true })
  if (!existsSync(join(scratch, 'node_modules', 'jest'))) {
    writeFileSync(join(scratch, 'package.json'), '{ "private": true }\n')
    const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts']
    execFileSync('npm', ['install', ...quiet, ...packages], { cwd: scratch, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  await build({
    entryPoints: [join(root, 'packages/kafkajs/src/index.ts')],
    outfile: join(scratch, 'facade.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    conditions: ['@ottla/source'],
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('url').pathToFileURL(__filename).href" },
    plugins: [plainBuiltIns],
    logLevel: 'error',
  })
  const { standIns, fileName } = createRequire(import.meta.url)('./jest/stand-ins.cjs') as {
    readonly standIns: Readonly<Record<string, string>>
    readonly fileName: (path: string) => string
  }
  for (const [path, text] of Object.entries(standIns)) writeFileSync(join(scratch, 'stand-ins', fileName(path)), text)
}

/** The tests of each file, by the file's path in the checkout. */
export async function runSpecs({
  checkout,
  scratch,
  client,
  surroundings,
  files,
}: SpecRun): Promise<Map<string, SpecTest[]>> {
  const config = join(scratch, `jest.config-${client}.json`)
  const output = join(scratch, `results-${client}.json`)
  rmSync(output, { force: true })
  writeFileSync(
    config,
    JSON.stringify({
      rootDir: checkout,
      moduleNameMapper: { '^testHelpers$': '<rootDir>/testHelpers/index.js' },
      modulePaths: [join(scratch, 'node_modules')],
      resolver: join(here, 'jest/resolver.cjs'),
      setupFilesAfterEnv: ['<rootDir>/testHelpers/setup.js'],
      testEnvironment: join(here, 'jest/environment.cjs'),
      testRunner: join(scratch, 'node_modules/jest-circus/runner.js'),
      testRegex: String.raw`\.spec\.js$`,
      moduleFileExtensions: ['js', 'json', 'cjs', 'node'],
      cacheDirectory: join(scratch, 'cache'),
    }),
  )
  const args = ['--config', config, '--runInBand', '--ci', '--forceExit', '--json', '--outputFile', output]
  const child = spawn(
    process.execPath,
    [join(scratch, 'node_modules/jest/bin/jest.js'), ...args, '--runTestsByPath', ...files],
    {
      cwd: checkout,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        NODE_ENV: 'test',
        NODE_OPTIONS: '',
        NODE_PATH: join(scratch, 'node_modules'),
        KAFKA_VERSION: '4.0',
        KAFKAJS_NO_PARTITIONER_WARNING: '1',
        SPECS_CHECKOUT: checkout,
        SPECS_SCRATCH: scratch,
        SPECS_FACADE: join(scratch, 'facade.cjs'),
        SPECS_CLIENT: client,
        SPECS_PLAIN: surroundings.plain,
        SPECS_SSL: surroundings.ssl,
        SPECS_SASL: surroundings.sasl,
      },
    },
  )
  await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return testsOf(checkout, output)
}

interface JestResults {
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: SpecTest['status']
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

function testsOf(checkout: string, output: string): Map<string, SpecTest[]> {
  const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as JestResults
  return new Map(
    testResults.map(({ name, message, assertionResults }) => [
      name.slice(checkout.length + 1),
      assertionResults.length === 0
        ? [{ name: 'loads', status: 'failed', messages: [message] }]
        : assertionResults.map(({ fullName, status, failureMessages }) => ({
            name: fullName,
            status,
            messages: failureMessages,
          })),
    ]),
  )
}
