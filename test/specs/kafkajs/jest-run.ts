/** Runs Jest on a checkout of kafkajs, from a scratch folder with what its specs need. Nothing is written to the checkout. */
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jestTests } from '../jest-results.ts'
import type { SpecTest } from '../results.ts'
import { bundleFacade, install, plainBuiltIns } from '../scratch.ts'
import type { SpecRun } from '../suite.ts'
import type { Surroundings } from './surroundings.ts'

const here = fileURLToPath(new URL('.', import.meta.url))

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

/** Installs Jest, and puts the facade and its stand-ins into the scratch folder. */
export async function prepare(scratch: string): Promise<void> {
  mkdirSync(join(scratch, 'stand-ins'), { recursive: true })
  install(scratch, packages)
  await bundleFacade('kafkajs', join(scratch, 'facade.cjs'), [plainBuiltIns])
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
  brokers,
  files,
}: SpecRun<Surroundings>): Promise<Map<string, SpecTest[]>> {
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
        SPECS_PLAIN: brokers.plain,
        SPECS_SSL: brokers.ssl,
        SPECS_SASL: brokers.sasl,
      },
    },
  )
  await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return jestTests(checkout, output)
}
