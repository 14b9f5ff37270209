import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32, crc32JavaScript } from '../../src/wire/crc32.ts'

test('both forms of CRC-32 agree, over any part', () => {
  assert.equal(crc32(Buffer.from('123456789'), 0, 9), 0xcbf4_3926)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 100 }), (data, cut) => {
      const start = Math.min(cut, data.length)
      assert.equal(crc32JavaScript(data.subarray(start)), crc32(data, start, data.length))
    }),
  )
})
