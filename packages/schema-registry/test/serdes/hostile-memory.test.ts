/** Messages of a few bytes that claim gigabytes allocate next to nothing. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const program = fileURLToPath(new URL('hostile-memory.main.ts', import.meta.url))

/** Less than the smallest claim takes, by far; a JIT compiler and the messages themselves fit. */
const MOST = 2 ** 26

interface Measured {
  readonly read: number
  readonly refused: number
  readonly arrayBuffers: number
  readonly rss: number
}

/** In a process of its own, whose heap an array of claimed length would not fit into. */
async function measured(...args: string[]): Promise<Measured> {
  const options = ['--max-old-space-size=96', '--conditions=@ottla/source', '--import', import.meta.resolve('tsx')]
  const { stdout } = await promisify(execFile)(process.execPath, [...options, program, ...args])
  return JSON.parse(stdout) as Measured
}

test('Avro, Protobuf and JSON that claim gigabytes are refused without allocating them', async () => {
  const { read, refused, arrayBuffers, rss } = await measured()
  assert.equal(read, 0)
  assert.ok(refused > 2000, String(refused))
  assert.ok(arrayBuffers < MOST, `${arrayBuffers} bytes of buffers`)
  assert.ok(rss < MOST * 2, `${rss} bytes of memory`)
})

test('the measurement sees what a naive reader would allocate', async () => {
  const { arrayBuffers } = await measured('--probe')
  assert.ok(arrayBuffers > MOST, `${arrayBuffers} bytes of buffers`)
})
