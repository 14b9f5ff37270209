/** The recipes of docs/testing.md for runners that have to be installed first, with the packages as they are published. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { bun, nodeOf } from '../harness/node-versions.ts'
import { root } from '../package/program.ts'
import { recipesOf, runIn } from '../package/recipes.ts'

interface ProjectTool {
  /** An empty project with the packed packages; resolves with its folder. */
  readonly project: (
    name: string,
    options: {
      readonly dependencies: Readonly<Record<string, string>>
      readonly manifest: object
      readonly files: Readonly<Record<string, string>>
    },
  ) => Promise<string>
}

const nest = {
  ...Object.fromEntries(['common', 'core', 'testing'].map(name => [`@nestjs/${name}`, '^11'])),
  'reflect-metadata': '^0.2',
  rxjs: '^7',
}
const typescript = { 'ts-jest': '^29', typescript: '~5.9', '@types/jest': '^30', '@types/node': '^20' }
// As Nest's own starter has them.
const compilerOptions = {
  module: 'nodenext',
  target: 'ES2023',
  esModuleInterop: true,
  isolatedModules: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  strictNullChecks: true,
  skipLibCheck: true,
}
const MODULES = { NODE_OPTIONS: '--experimental-vm-modules' }

let modules: string
let commonjs: string
let containers: string

before(async () => {
  // None of the packages needs its scripts here, and one would compile.
  process.env['npm_config_ignore_scripts'] = 'true'
  // A tool of the project: it has no types.
  const { project } = (await import(
    new URL('../../tools/compatibility/project.mjs', import.meta.url).href
  )) as ProjectTool
  const files = Object.fromEntries(recipesOf('docs/testing.md'))
  modules = await project('recipes-modules', {
    dependencies: { jest: '^30', mocha: '^11' },
    manifest: { type: 'module' },
    files: {
      ...files,
      ...jest('jest', { testMatch: ['**/*.jest.mjs'], transform: {} }),
      ...jest('shared', { testMatch: ['**/met-*.mjs'], transform: {}, globalSetup: './kafka-setup.js' }),
      ...Object.fromEntries(['one', 'two'].map(name => [`met-${name}.mjs`, meeting(name)])),
      ...Object.fromEntries(['one', 'two'].map(name => [`node-${name}.mjs`, `${NODE_TEST}\n${meeting(name)}`])),
    },
  })
  commonjs = await project('recipes-commonjs', {
    dependencies: { jest: '^30', ...typescript, ...nest },
    manifest: {},
    files: {
      ...files,
      'tsconfig.json': JSON.stringify({ compilerOptions }),
      ...jest('jest', { testMatch: ['**/*.jest.cjs'] }),
      ...jest('nest', { testMatch: ['**/orders.spec.ts'], transform: { '^.+\\.ts$': 'ts-jest' } }),
    },
  })
  containers = await project('recipes-containers', {
    dependencies: { ...typescript, '@testcontainers/kafka': '^12', testcontainers: '^12' },
    manifest: { type: 'module' },
    files: {
      'members.ts': CONTAINERS,
      ...Object.fromEntries(['@ottla/broker/testing', '@testcontainers/kafka'].map(usingContainer)),
      'tsconfig.json': JSON.stringify({
        compilerOptions: { ...compilerOptions, lib: ['esnext'], strict: true, noEmit: true },
      }),
    },
  })
})

/** The page's program for users of Testcontainers, with the one line that is to be changed. */
function usingContainer(from: string, i: number): [file: string, code: string] {
  const page = readFileSync(join(root, 'docs', 'testing.md'), 'utf8')
  const [, code = ''] = /```ts\nimport \{ KafkaContainer \}.*\n([\s\S]*?)```/.exec(page) ?? []
  return [`container-${i}.ts`, `import { KafkaContainer } from '${from}'\n${code}\nexport { brokers }\n`]
}

/** Every public member, whatever its type, and what a program passes around. */
const CONTAINERS = `
  import type * as real from '@testcontainers/kafka'
  import type { StartedTestContainer, TestContainer } from 'testcontainers'
  import { KafkaContainer, StartedKafkaContainer } from '@ottla/broker/testing'

  type Missing<Real, Ours> = Exclude<keyof Real, keyof Ours>
  const missing: [
    Missing<real.KafkaContainer, KafkaContainer>,
    Missing<real.StartedKafkaContainer, StartedKafkaContainer>,
  ][] = []
  export const container: TestContainer = new KafkaContainer('apache/kafka:4.1.0')
  export const started: Promise<StartedTestContainer> = new KafkaContainer('apache/kafka:4.1.0').start()
  export const none: [never, never][] = missing
`

/** A configuration of Jest. It remembers nothing of another run: of fast files it would run one after the other. */
function jest(name: string, options: object): Record<string, string> {
  const extensions = ['js', 'mjs', 'cjs', 'ts', 'json']
  const common = { testTimeout: 60_000, moduleFileExtensions: extensions, cacheDirectory: './cache' }
  return { [`jest.${name}.json`]: JSON.stringify({ ...common, ...options }) }
}

const NODE_TEST = "import { describe, it } from 'node:test'"

/** A test file that goes on only once another one has written to a topic of the same name. */
function meeting(name: string): string {
  return `
    import assert from 'node:assert/strict'
    import { eventually, sharedCluster } from '@ottla/broker/testing'
    import { AdminClient } from 'ottla'

    describe('${name}', () => {
      const cluster = sharedCluster({ topics: ['orders'] })
      it('sees only its own', async () => {
        await cluster.produce('orders', [{ value: '${name}' }])
        const admin = new AdminClient({ 'bootstrap.servers': cluster.bootstrapServers })
        try {
          await admin.createTopics([{ topic: 'met-${name}', numPartitions: 1 }])
          await eventually(async () => {
            const topics = await admin.describeTopics(['met-one', 'met-two'])
            return topics.every(({ error }) => error === undefined)
          })
        } finally {
          await admin.close()
        }
        assert.deepEqual((await cluster.messages('orders')).map(({ value }) => String(value)), ['${name}'])
      })
    })
  `
}

function runs(folder: string, program: string, args: readonly string[], passed: RegExp, env = {}): void {
  const { status, output } = runIn(folder, program, args, env)
  assert.equal(status, 0, output)
  assert.match(output, passed)
}

function runsTool(folder: string, script: string, args: readonly string[], passed: RegExp, env = {}): void {
  runs(folder, process.execPath, [join(folder, 'node_modules', script), ...args], passed, env)
}

test('the recipe for Jest with ES modules passes', () => {
  runsTool(modules, 'jest/bin/jest.js', ['--config', 'jest.jest.json'], /1 passed/, MODULES)
})

test('the recipe for Jest with CommonJS passes', () => {
  runsTool(commonjs, 'jest/bin/jest.js', ['--config', 'jest.jest.json'], /1 passed/)
})

test('the recipe for Mocha passes', () => {
  runsTool(modules, 'mocha/bin/mocha.js', ['--timeout', '60000', 'billing.mocha.js'], /1 passing/)
})

test('the recipe for Bun passes', () => {
  runs(modules, bun(), ['test', '--timeout', '60000', './billing.bun.test.js'], /1 pass\b/)
})

test('the recipe for a NestJS module passes', () => {
  runsTool(commonjs, 'jest/bin/jest.js', ['--config', 'jest.nest.json'], /1 passed/)
})

test('workers of Jest share a cluster and do not see the topics of each other', () => {
  runsTool(
    modules,
    'jest/bin/jest.js',
    ['--config', 'jest.shared.json', '--maxWorkers=2'],
    /2 passed, 2 total/,
    MODULES,
  )
})

test('workers of Mocha share a cluster and do not see the topics of each other', () => {
  const options = ['--parallel', '--jobs', '2', '--require', './kafka-setup.js', '--timeout', '60000']
  runsTool(modules, 'mocha/bin/mocha.js', [...options, 'met-one.mjs', 'met-two.mjs'], /2 passing/)
})

test('processes of node:test share a cluster and do not see the topics of each other', () => {
  const options = ['--test', '--test-concurrency=2', '--test-global-setup=./kafka-setup.js']
  runs(modules, nodeOf(24), [...options, 'node-one.mjs', 'node-two.mjs'], /pass 2\b/)
})

test('for the compiler, the cluster in the place of a container is one', () => {
  runsTool(containers, 'typescript/bin/tsc', ['-p', '.'], /^$/)
})
