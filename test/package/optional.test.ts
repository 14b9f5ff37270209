import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { node, root } from './program.ts'

const program = join(root, 'test', 'package', 'programs', 'round-trip.mjs')
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

test('the built packages produce and consume with every codec', async () => {
  const { code, out, err } = await node([program, ...codecs])
  assert.deepEqual({ code, out }, { code: 0, out: `read ${codecs.join(' ')}\n` }, err)
})

test('they do so without the optional native libraries (npm ci --omit=optional)', async () => {
  const { code, out, err } = await node([program, ...codecs], { env: { OTTLA_NO_NATIVE: '1' } })
  assert.deepEqual({ code, out }, { code: 0, out: `read ${codecs.join(' ')}\n` }, err)
})
