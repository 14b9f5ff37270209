/** The recipes of docs/testing.md for the runners that are at hand; test/nightly has those that are to be installed. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { recipesOf, runIn } from './recipes.ts'
import { root } from './program.ts'

// Below the root, so that the packages are found; git takes no notice of it.
const folder = join(root, 'node_modules', '.cache', `testing-${process.pid}`)
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const recipes = recipesOf('docs/testing.md')

before(() => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  for (const [name, code] of recipes) writeFileSync(join(folder, name), code)
  // The same file again, for another worker.
  writeFileSync(join(folder, 'shared-too.spec.js'), recipes.get('shared.spec.js') ?? '')
  writeFileSync(join(folder, 'vitest.shared.js'), "export default { test: { globalSetup: './kafka-setup.js' } }\n")
})

after(() => rmSync(folder, { recursive: true, force: true }))

test('the page has a recipe for every runner', () => {
  assert.deepEqual([...recipes.keys()].sort(), [
    'billing.bun.test.js',
    'billing.jest.mjs',
    'billing.js',
    'billing.mocha.js',
    'billing.spec.js',
    'billing.test.js',
    'kafka-setup.js',
    'orders.module.ts',
    'orders.spec.ts',
    'place-order.jest.cjs',
    'shared.spec.js',
  ])
})

test('a recipe takes ten lines at most, beside its imports', () => {
  const long = [...recipes].filter(([name, code]) => {
    const own = code.split('\n').filter(line => /\w/.test(line) && !/^import |^const .* = require\(/.test(line))
    return /test|spec|jest|mocha/.test(name) && own.length > 10
  })
  assert.deepEqual(long, [])
})

test('the recipe for node:test passes', () => {
  const { status, output } = runIn(folder, process.execPath, ['--test', 'billing.test.js'])
  assert.equal(status, 0, output)
  assert.match(output, /pass 1\b/)
})

test('the recipe for Vitest passes', () => {
  const { status, output } = runIn(folder, process.execPath, [
    vitest,
    'run',
    '--root',
    '.',
    '--testTimeout=60000',
    'billing.spec.js',
  ])
  assert.equal(status, 0, output)
  assert.match(output, /1 passed/)
})

test('the files of a run can share a cluster, side by side', () => {
  const args = [
    'run',
    '--root',
    '.',
    '--config',
    'vitest.shared.js',
    '--testTimeout=60000',
    '--hookTimeout=60000',
    'shared',
  ]
  const { status, output } = runIn(folder, process.execPath, [vitest, ...args])
  assert.equal(status, 0, output)
  assert.match(output, /Tests +2 passed/)
})
