/** One program on every runtime: `test/runtimes/conformance.mjs` says what has to work. */
import { test } from 'node:test'
import { nodeOf, runtime } from '../harness/node-versions.ts'
import { conforms } from '../package/conforming.ts'

for (const major of [20, 22, 24]) {
  test(`everything works on Node.js ${major}`, () => conforms(nodeOf(major), []))
}

test('everything works on Bun', () => conforms(runtime('bun'), []))

test('everything works on Deno', () => conforms(runtime('deno'), ['run', '-A']))
