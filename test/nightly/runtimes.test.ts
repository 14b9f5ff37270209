/** One program on every runtime: `test/runtimes/conformance.mjs` says what has to work. */
import { test } from 'node:test'
import { nodeOf, runtime } from '../harness/node-versions.ts'
import { conforms } from '../package/conforming.ts'

const runtimes: readonly { readonly name: string; readonly path: () => string; readonly args: readonly string[] }[] = [
  ...[20, 22, 24].map(major => ({ name: `Node.js ${major}`, path: () => nodeOf(major), args: [] })),
  { name: 'Bun', path: () => runtime('bun'), args: [] },
  { name: 'Deno', path: () => runtime('deno'), args: ['run', '-A'] },
]

for (const { name, path, args } of runtimes) {
  test(`everything works on ${name}`, () => conforms(path(), args))

  test(`every codec works on ${name} without native libraries, in threads as well`, () => {
    conforms(path(), args, ['codecs', 'workers', 'dataDir'], { OTTLA_NO_NATIVE: '1' })
  })
}
