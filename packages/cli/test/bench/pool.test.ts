import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { POOL, checksum, makeKeys, makeValues } from '../../src/bench/pool.ts'

// SHA-256 of all values one after another, as the JavaScript peers of the side-by-side benchmark make them.
const peers = new Map([
  [1, '49cae05a9bb3e47cbf7ef5b1ed9a41f676e85906e868fa6ad89ca9fc34afbcae'],
  [7, '70fc45f5e7f77bbe8b7017f9c3bc4619548802ee13330a7d51b98412a504b11b'],
  [100, 'aa9b173349c8a7b8ca01559c4afdd6c660a3609279f1b6dfcb9ae8010b5680ed'],
  [1024, 'd0be7c17f45236726605286c1d4cccf1edf754795349010ff3bae426e575dd84'],
])

test('the values are those of the other clients, byte for byte', () => {
  for (const [size, digest] of peers) {
    const hash = createHash('sha256')
    for (const value of makeValues(size)) hash.update(value)
    assert.equal(hash.digest('hex'), digest, `size ${size}`)
  }
})

test('an empty value stays empty', () => {
  assert.deepEqual(makeValues(0)[5], Buffer.alloc(0))
})

test('the checksum is the sum of the first bytes of the first messages', () => {
  const values = makeValues(10)
  for (const count of [0, 1, 90, 999, 1000, 1001, 123_456]) {
    let sum = 0
    for (let i = 0; i < count; i++) sum += values[i % POOL]?.[0] ?? 0
    assert.equal(checksum(count), sum)
  }
})

test('keys count from key-000 to key-999', () => {
  const keys = makeKeys().map(String)
  assert.equal(keys.length, POOL)
  assert.deepEqual([keys[0], keys[7], keys[999]], ['key-000', 'key-007', 'key-999'])
})
