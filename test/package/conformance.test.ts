/** One program on every runtime: `test/runtimes/conformance.mjs` says what has to work. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { bun, deno, nodeOf } from '../harness/node-versions.ts'
import { root } from './program.ts'
import { runIn } from './recipes.ts'

const CHECKS = ['codecs', 'groups', 'transactions', 'share', 'scram', 'tls', 'dataDir', 'workers', 'commands']
/** Those in which native libraries have a part where there are any. */
const CODEC_CHECKS = ['codecs', 'dataDir', 'workers']

// Deno 2.9.6 and older run the compiled code of an older build at the same path if its length is the same (their issue
// 36413): each run of this file starts with an empty cache.
const denoCache = mkdtempSync(join(tmpdir(), 'ottla-deno-'))
after(() => rmSync(denoCache, { recursive: true, force: true }))

const runtimes: readonly { readonly name: string; readonly path: () => string; readonly args?: readonly string[] }[] = [
  ...[20, 22, 24].map(major => ({ name: `Node.js ${major}`, path: () => nodeOf(major) })),
  { name: 'Bun', path: bun },
  { name: 'Deno', path: deno, args: ['run', '-A'] },
]

// The first time they are downloaded, 200 MB in all.
before(() => runtimes.forEach(({ path }) => void path()))

function conforms(program: string, args: readonly string[], checks: readonly string[], env = {}): void {
  const script = join(root, 'test', 'runtimes', 'conformance.mjs')
  const { status, output } = runIn(root, program, [...args, script, ...checks], { DENO_DIR: denoCache, ...env })
  assert.deepEqual(
    { status, output },
    { status: 0, output: [...checks.map(name => `ok ${name}`), 'done', ''].join('\n') },
  )
}

for (const { name, path, args = [] } of runtimes) {
  test(`everything works on ${name}`, () => conforms(path(), args, CHECKS))

  test(`every codec works on ${name} without native libraries, in threads as well`, () => {
    conforms(path(), args, CODEC_CHECKS, { OTTLA_NO_NATIVE: '1' })
  })
}
