import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { node, root } from './program.ts'

const folder = join(root, 'examples')
const shared = 'cluster.ts'
const examples = readdirSync(folder).filter(name => name.endsWith('.ts') && name !== shared)

before(async () => {
  const compiler = join(root, 'node_modules', 'typescript-native', 'bin', 'tsc')
  const { code, out, err } = await node([compiler, '-p', join(folder, 'tsconfig.build.json')])
  assert.equal(code, 0, out + err)
})

for (const name of examples) {
  test(`the example ${name} compiles, runs and ends by itself`, async () => {
    const { code, out, err } = await node([join(folder, 'dist', name.replace(/\.ts$/, '.js'))])
    assert.equal(code, 0, out + err)
    assert.notEqual(out, '')
    assert.equal(err, '')
  })
}
