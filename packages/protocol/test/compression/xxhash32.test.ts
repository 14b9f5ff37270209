import assert from 'node:assert/strict'
import { test } from 'node:test'
import { xxhash32 } from '../../src/compression/xxhash32.ts'

test('hashes are those of the reference, with less than a stripe and with more', () => {
  const vectors: [string, number][] = [
    ['', 0x02cc_5d05],
    ['a', 0x550d_7456],
    ['abc', 0x32d1_53ff],
    ['Nobody inspects the spammish repetition', 0xe229_3b2f],
  ]
  for (const [text, hash] of vectors) {
    const data = Buffer.from(`<${text}>`)
    assert.equal(xxhash32(data, 1, data.length - 1), hash, text)
  }
})
