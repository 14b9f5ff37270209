import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { ProtocolError } from '@ottla/protocol'
import { inflateLimited } from '../../src/compression/zlib-limit.ts'

const inflate = (data: Buffer, maxBytes: number): Buffer => inflateLimited('gzip', gunzipSync, data, maxBytes)

test('exactly as many bytes as the limit pass, one more does not, nor any if none may', () => {
  const data = gzipSync('abc')
  assert.equal(inflate(data, 3).toString(), 'abc')
  assert.equal(inflate(gzipSync(''), 0).length, 0)
  for (const limit of [2, 0]) assert.throws(() => inflate(data, limit), new RegExp(`more than ${limit} bytes`))
  assert.throws(() => inflate(gzipSync('a'), 0), /more than 0 bytes/, 'the smallest limit of zlib is 1')
})

test('a limit beyond what a Buffer can hold is no error', () => {
  assert.equal(inflate(gzipSync('abc'), Infinity).toString(), 'abc')
})

test('what is not compressed data is corrupt, with the error of zlib as the cause', () => {
  assert.throws(
    () => inflate(Buffer.from('text'), 9),
    (error: unknown) => error instanceof ProtocolError && /corrupt/.test(error.message) && error.cause instanceof Error,
  )
})
