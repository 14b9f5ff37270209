import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import * as zlib from 'node:zlib'
import { build, type BuildOptions } from 'esbuild'
import { nodeOf } from '../harness/node-versions.ts'
import { node, root, type Ended } from './program.ts'

// Outside the project, so that nothing but the bundle can be found.
let folder: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'ottla-bundle-'))
})
after(() => rmSync(folder, { recursive: true }))

// Node has zstd from 22.15 on; before that the WebAssembly package does it, which has to be installed beside a bundle.
const codecs = ['none', 'gzip', 'snappy', 'lz4', ...('zstdCompressSync' in zlib ? ['zstd'] : [])]
const natives = ['@node-rs/crc32', 'snappy', 'lz4-napi']

async function bundle(name: string, options: BuildOptions): Promise<string> {
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
  return outfile
}

async function bundleAndRun(name: string, options: BuildOptions): Promise<void> {
  const outfile = await bundle(name, options)
  const { code, out, err } = await node([outfile, ...codecs], { cwd: folder })
  assert.deepEqual({ code, out }, { code: 0, out: `read ${codecs.join(' ')}\n` }, err)
}

test('a CommonJS bundle works by itself', () => bundleAndRun('bundle.cjs', { format: 'cjs' }))

test('an ESM bundle works by itself', () => bundleAndRun('bundle.mjs', { format: 'esm' }))

test('a bundle works with the native libraries left outside', () =>
  bundleAndRun('external.cjs', { format: 'cjs', external: natives }))

test('a minified bundle works', () => bundleAndRun('minified.cjs', { format: 'cjs', minify: true }))

for (const [name, format] of [
  ['zstd.cjs', 'cjs'],
  ['zstd.mjs', 'esm'],
] as const) {
  test(`${name}: on a Node.js without zstd, a bundle says what to add, and works once it is there`, async () => {
    const outfile = await bundle(name, { format })
    const run = (): Promise<Ended> => node([outfile, 'zstd'], { cwd: folder, binary: nodeOf(20) })
    const without = await run()
    assert.equal(without.code, 1)
    assert.match(without.err, /zstd needs Node\.js 22\.15 or later, .*`npm install @bokuweb\/zstd-wasm`/)
    const modules = join(folder, 'node_modules')
    symlinkSync(join(root, 'node_modules'), modules, 'junction')
    try {
      assert.equal((await run()).out, 'read zstd\n')
    } finally {
      rmSync(modules)
    }
  })
}

/** The rooms of the client of which a bundled program has code. */
async function roomsOf(program: string): Promise<Set<string>> {
  const { metafile } = await build({
    stdin: { contents: program, resolveDir: root },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const inputs = Object.entries(Object.values(metafile.outputs)[0]?.inputs ?? {})
  const used = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path)
  return new Set(used.flatMap(path => /ottla\/dist\/esm\/(\w+)\//.exec(path)?.[1] ?? []))
}

test('a bundle leaves out the kinds of clients that a program does not use', async () => {
  const kinds = { Producer: 'producer', Consumer: 'consumer', AdminClient: 'admin' }
  for (const [name, room] of Object.entries(kinds)) {
    const rooms = await roomsOf(`import { ${name} } from 'ottla'\nglobalThis.used = ${name}`)
    const others = Object.values(kinds).filter(each => each !== room && rooms.has(each))
    assert.deepEqual({ own: rooms.has(room), others }, { own: true, others: [] })
  }
})

test('a bundle of nothing but an import is empty', async () => {
  assert.deepEqual([...(await roomsOf("import 'ottla'\nimport '@ottla/protocol'"))], [])
})
