import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { implementations } from '@ottla/protocol'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const tests = fileURLToPath(new URL('../', import.meta.url))

/** The environment without the variables that a test runner sets for its children. */
function environment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...rest } = process.env
  return { ...rest, ...more }
}

test('records are written and read the same with the native add-ons switched off', () => {
  const files = readdirSync(join(tests, 'record'))
    .filter(name => name.endsWith('.test.ts'))
    .map(name => join(tests, 'record', name))
  const run = spawnSync(
    process.execPath,
    ['--conditions=@ottla/source', '--import', 'tsx', '--test', '--test-reporter=dot', ...files],
    { cwd: root, env: environment({ OTTLA_NO_NATIVE: '1' }), encoding: 'utf8' },
  )
  assert.equal(run.status, 0, run.stdout + run.stderr)
})

describe('a bundle', () => {
  const program = `
    import { BatchReader, BatchWriter, codecByName, implementations } from '@ottla/protocol'
    const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
    const main = async () => {
      const worked = {}
      for (const name of names) {
        const codec = codecByName(name)
        try { await codec.ready() } catch (error) { worked[name] = error.message; continue }
        const writer = new BatchWriter()
        for (let i = 0; i < 1000; i++) writer.append('key ' + i, 'value', null, 1763900000000)
        const batch = new BatchReader(writer.seal({ codec })).next()
        batch.checkCrc()
        const cursor = batch.records()
        let count = 0
        while (cursor.next()) count++
        worked[name] = batch.codecId === codec.id && count === 1000
      }
      console.log(JSON.stringify({ worked, table: implementations() }))
    }
    main()
  `
  interface Outcome {
    worked: Record<string, boolean | string>
    table: Record<string, string>
  }
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'ottla-bundle-'))
  })
  after(() => {
    rmSync(folder, { recursive: true })
  })

  function bundle(format: 'esm' | 'cjs', name: string): Outcome {
    const outfile = join(folder, `${name}.${format === 'esm' ? 'mjs' : 'cjs'}`)
    buildSync({
      stdin: { contents: program, resolveDir: root, loader: 'ts' },
      bundle: true,
      platform: 'node',
      target: 'node20',
      format,
      outfile,
      conditions: ['@ottla/source'],
      logLevel: 'error',
    })
    const printed = execFileSync(process.execPath, [outfile], { cwd: folder, env: environment(), encoding: 'utf8' })
    return JSON.parse(printed) as Outcome // what the program above prints
  }

  for (const format of ['esm', 'cjs'] as const) {
    test(`as ${format} works without any other package`, () => {
      const { worked, table } = bundle(format, 'alone')
      assert.equal(table['snappy'], 'javascript')
      assert.equal(table['lz4'], 'javascript')
      assert.equal(table['crc32c'], 'javascript')
      for (const name of ['none', 'gzip', 'snappy', 'lz4']) assert.equal(worked[name], true, name)
      // Node 20 has no zstd of its own.
      if (table['zstd'] === 'node:zlib') assert.equal(worked['zstd'], true)
      else assert.match(String(worked['zstd']), /Node\.js 22\.15 .*npm install/)
    })

    test(`as ${format} uses the native add-ons where they are installed`, () => {
      const here = join(folder, 'node_modules')
      symlinkSync(join(root, 'node_modules'), here)
      try {
        const { worked, table } = bundle(format, 'installed')
        assert.deepEqual(worked, { none: true, gzip: true, snappy: true, lz4: true, zstd: true })
        assert.deepEqual(table, implementations())
      } finally {
        rmSync(here)
      }
    })
  }
})
