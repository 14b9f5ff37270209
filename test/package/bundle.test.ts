import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as zlib from 'node:zlib'
import { build, type BuildOptions } from 'esbuild'
import { node, root } from './program.ts'

// Outside the project, so that nothing but the bundle can be found.
let folder: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'ottla-bundle-'))
})
after(() => rmSync(folder, { recursive: true }))

// Node has zstd from 22.15 on; before that the WebAssembly package does it, which has to be installed beside a bundle.
const codecs = ['none', 'gzip', 'snappy', 'lz4', ...('zstdCompressSync' in zlib ? ['zstd'] : [])]
const natives = ['@node-rs/crc32', 'snappy', 'lz4-napi']

async function bundleAndRun(name: string, options: BuildOptions): Promise<void> {
  const outfile = join(folder, name)
  const { warnings } = await build({
    entryPoints: [join(root, 'test', 'package', 'programs', 'round-trip.mjs')],
    bundle: true,
    platform: 'node',
    target: 'node20',
    outfile,
    logLevel: 'silent',
    ...options,
  })
  // Without a file name the code falls back to import.meta, which esbuild leaves empty in CommonJS, where there is one.
  const worth = warnings.filter(warning => warning.id !== 'empty-import-meta')
  assert.deepEqual(worth, [])
  const { code, out, err } = await node([outfile, ...codecs], { cwd: folder })
  assert.deepEqual({ code, out }, { code: 0, out: `read ${codecs.join(' ')}\n` }, err)
}

test('a CommonJS bundle works by itself', () => bundleAndRun('bundle.cjs', { format: 'cjs' }))

test('an ESM bundle works by itself', () => bundleAndRun('bundle.mjs', { format: 'esm' }))

test('a bundle works with the native libraries left outside', () =>
  bundleAndRun('external.cjs', { format: 'cjs', external: natives }))

test('a minified bundle works', () => bundleAndRun('minified.cjs', { format: 'cjs', minify: true }))
