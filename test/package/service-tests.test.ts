/** The tests that the page of @ottla/broker shows are run, by the runners that they are for. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'

const root = new URL('../../', import.meta.url)
// Below the root, so that the packages are found; git takes no notice of it.
const folder = new URL(`node_modules/.cache/service-${process.pid}/`, root)
const files = ['place-order.js', 'place-order.test.js', 'place-order.spec.js']

before(() => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL('package.json', folder), '{ "type": "module" }')
  const page = readFileSync(new URL('packages/broker/README.md', root), 'utf8')
  const blocks = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(([, block = '']) => block)
  assert.equal(blocks.length, files.length)
  files.forEach((file, i) => writeFileSync(new URL(file, folder), blocks[i] ?? ''))
})

after(() => rmSync(folder, { recursive: true, force: true }))

function run(args: readonly string[]): string {
  const env = { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined, VITEST: undefined }
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: fileURLToPath(folder),
    encoding: 'utf8',
    env,
  })
  assert.equal(status, 0, stdout + stderr)
  return stdout
}

test('the test for node:test passes', () => {
  assert.match(run(['--test', 'place-order.test.js']), /pass 1\b/)
})

test('the test for Vitest passes', () => {
  const vitest = fileURLToPath(new URL('node_modules/vitest/vitest.mjs', root))
  assert.match(run([vitest, 'run', '--root', '.', 'place-order.spec.js']), /1 passed/)
})
