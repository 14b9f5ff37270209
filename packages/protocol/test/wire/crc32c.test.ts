import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c, implementations } from '@ottla/protocol'
import fc from 'fast-check'
import { crc32cJavaScript, loadNativeCrc32c } from '../../src/wire/crc32c.ts'

test('CRC-32C is right for the vectors of RFC 3720', () => {
  const vectors: [Buffer, number][] = [
    [Buffer.alloc(0), 0],
    [Buffer.from('123456789'), 0xe306_9283],
    [Buffer.alloc(32), 0x8a91_36aa],
    [Buffer.alloc(32, 0xff), 0x62a8_ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd_794e],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113f_db5c],
  ]
  for (const [data, expected] of vectors) {
    assert.equal(crc32c(data), expected)
    assert.equal(crc32cJavaScript(data, 0), expected)
  }
})

test('both forms agree, over any part and in any number of steps', () => {
  const native = loadNativeCrc32c()
  assert.equal(implementations().crc32c, native === null ? 'javascript' : '@node-rs/crc32')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(), (data, first, second) => {
      const start = first % (data.length + 1)
      const end = start + (second % (data.length - start + 1))
      const expected = crc32cJavaScript(data.slice(start, end), 0)
      assert.equal(crc32c(data, start, end), expected)
      assert.equal(native?.(data.slice(start, end), 0) ?? expected, expected)
      const middle = Math.floor((start + end) / 2)
      assert.equal(crc32c(data, middle, end, crc32c(data, start, middle)), expected)
      assert.equal(crc32cJavaScript(data.slice(middle, end), crc32cJavaScript(data.slice(start, middle), 0)), expected)
    }),
  )
})
