/** The recipes of docs/testing.md for runners that have to be installed first, with the packages as they are published. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { packedProject, type Project } from '../harness/packed.ts'
import { recipesOf, runIn } from '../package/recipes.ts'

const recipes = recipesOf('docs/testing.md')
const runners = ['jest@30', 'mocha@11', 'bun@1', 'ts-jest@29', 'typescript@5', '@types/jest@30', '@types/node@20']
const nest = [...['common', 'core', 'testing'].map(name => `@nestjs/${name}@11`), 'reflect-metadata@0.2', 'rxjs@7']
// As Nest's own starter has them.
const tsconfig = {
  module: 'nodenext',
  target: 'ES2023',
  esModuleInterop: true,
  isolatedModules: true,
  emitDecoratorMetadata: true,
  experimentalDecorators: true,
  strictNullChecks: true,
  skipLibCheck: true,
}

let modules: Project
let commonjs: Project

before(() => {
  modules = packedProject(runners, { type: 'module' })
  commonjs = packedProject([...runners, ...nest], {})
  for (const [name, code] of recipes) {
    writeFileSync(join(modules.folder, name), code)
    writeFileSync(join(commonjs.folder, name), code)
  }
  writeFileSync(join(commonjs.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: tsconfig }))
  for (const { folder } of [modules, commonjs]) {
    config(folder, 'modules', { testMatch: ['**/*.jest.mjs'], transform: {} })
    config(folder, 'commonjs', { testMatch: ['**/*.jest.cjs'] })
    config(folder, 'nest', { testMatch: ['**/orders.spec.ts'], transform: { '^.+\\.ts$': 'ts-jest' } })
    config(folder, 'shared', { testMatch: ['**/shared-*.mjs'], transform: {}, globalSetup: './kafka-setup.js' })
  }
  for (const name of ['one', 'two']) writeFileSync(join(modules.folder, `shared-${name}.mjs`), sharedTest(name))
})

after(() => {
  modules.remove()
  commonjs.remove()
})

function config(folder: string, name: string, jest: object): void {
  const common = { testTimeout: 60_000, moduleFileExtensions: ['js', 'mjs', 'cjs', 'ts', 'json'] }
  writeFileSync(join(folder, `jest.${name}.json`), JSON.stringify({ ...common, ...jest }))
}

/** Two files of this would see each other's messages if they shared topics. */
function sharedTest(name: string): string {
  return `
    import { sharedCluster } from '@ottla/broker/testing'
    const cluster = sharedCluster({ topics: ['orders'] })
    test('sees only its own', async () => {
      await cluster.produce('orders', [{ value: '${name}' }])
      await new Promise(resolve => setTimeout(resolve, 500))
      expect((await cluster.messages('orders')).map(({ value }) => String(value))).toEqual(['${name}'])
    })
  `
}

function runs(folder: string, program: string, args: readonly string[], passed: RegExp, env = {}): void {
  const { status, output } = runIn(folder, join(folder, 'node_modules', '.bin', program), args, env)
  assert.equal(status, 0, output)
  assert.match(output, passed)
}

const MODULES = { NODE_OPTIONS: '--experimental-vm-modules' }

test('the recipe for Jest with ES modules passes', () => {
  runs(modules.folder, 'jest', ['--config', 'jest.modules.json'], /1 passed/, MODULES)
})

test('the recipe for Jest with CommonJS passes', () => {
  runs(commonjs.folder, 'jest', ['--config', 'jest.commonjs.json'], /1 passed/)
})

test('workers of Jest can share a cluster', () => {
  runs(modules.folder, 'jest', ['--config', 'jest.shared.json', '--maxWorkers=2'], /2 passed, 2 total/, MODULES)
})

test('the recipe for Mocha passes', () => {
  runs(modules.folder, 'mocha', ['--timeout', '60000', 'billing.mocha.js'], /1 passing/)
})

test('the recipe for Bun passes', () => {
  runs(modules.folder, 'bun', ['test', '--timeout', '60000', './billing.bun.test.js'], /1 pass\b/)
})

test('the recipe for a NestJS module passes', () => {
  runs(commonjs.folder, 'jest', ['--config', 'jest.nest.json'], /1 passed/)
})
