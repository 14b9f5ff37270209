import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { INT64_MAX, ProtocolError, Reader, Writer, ZERO_UUID } from '@ottla/protocol'

function written(write: (w: Writer) => void): Buffer {
  const w = new Writer(1)
  write(w)
  return w.toBuffer()
}

function readerOf(hex: string): Reader {
  return new Reader(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

test('integers come back as they were written', () => {
  const int = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
  fc.assert(
    fc.property(
      int(-0x80, 0x7f),
      int(-0x8000, 0x7fff),
      int(0, 0xffff),
      int(-0x8000_0000, 0x7fff_ffff),
      int(0, 0xffff_ffff),
      fc.maxSafeInteger(),
      (int8, int16, uint16, int32, uint32, int64) => {
        const bytes = written(w => {
          w.int8(int8)
          w.int16(int16)
          w.uint16(uint16)
          w.int32(int32)
          w.uint32(uint32)
          w.int64(int64)
          w.uvarint(uint32)
        })
        const r = new Reader(bytes)
        assert.deepEqual([r.int8(), r.int16(), r.uint16(), r.int32()], [int8, int16, uint16, int32])
        assert.deepEqual([r.uint32(), r.int64(), r.uvarint()], [uint32, int64, uint32])
        assert.equal(r.remaining, 0)
      },
    ),
  )
})

test('int64 is exact in the safe range, and a ProtocolError beyond, except for the largest value', () => {
  for (const value of [0, -1, 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
    const bytes = written(w => w.int64(value))
    assert.equal(bytes.readBigInt64BE(0), BigInt(value))
    assert.equal(new Reader(bytes).int64(), value)
  }
  assert.equal(readerOf('7fffffffffffffff').int64(), INT64_MAX)
  assert.equal(written(w => w.int64(INT64_MAX)).toString('hex'), '7fffffffffffffff')
  assert.throws(() => readerOf('0020000000000000').int64(), /9007199254740992 at byte 0/)
  assert.throws(() => readerOf('8000000000000000').int64(), ProtocolError)
  assert.throws(() => written(w => w.int64(2 ** 53)), ProtocolError)
  assert.throws(() => written(w => w.int64(0.5)), ProtocolError)
})

test('a number that a field cannot hold is refused instead of wrapped', () => {
  assert.throws(() => written(w => w.int8(128)), /128 is not a valid int8/)
  assert.throws(() => written(w => w.int16(-32_769)), /-32769 is not a valid int16/)
  assert.throws(() => written(w => w.uint16(-1)), /-1 is not a valid uint16/)
  assert.throws(() => written(w => w.int32(2 ** 31)), /2147483648 is not a valid int32/)
  assert.throws(() => written(w => w.uint32(2 ** 32)), /4294967296 is not a valid uint32/)
  assert.throws(() => written(w => w.int32(Number.NaN)), /NaN is not a valid int32/)
})

test('strings come back as they were written, in both forms', () => {
  for (const text of ['', 'a', 'grüße-漢字-😀', 'x'.repeat(126), 'x'.repeat(127), 'x'.repeat(20_000)]) {
    for (const flexible of [false, true]) {
      const bytes = written(w => {
        w.string(text, flexible)
        w.nullableString(text, flexible)
        w.nullableString(null, flexible)
      })
      const r = new Reader(bytes)
      assert.equal(r.string(flexible), text)
      assert.equal(r.nullableString(flexible), text)
      assert.equal(r.nullableString(flexible), null)
      assert.equal(r.remaining, 0)
    }
  }
  assert.throws(() => written(w => w.string('x'.repeat(32_768), false)), /32768 bytes, the limit is 32767/)
})

test('bytes are views of what is read, not copies', () => {
  for (const flexible of [false, true]) {
    const frame = written(w => {
      w.bytes(Buffer.from('abc'), flexible)
      w.nullableBytes(null, flexible)
    })
    const r = new Reader(frame)
    const bytes = r.bytes(flexible)
    assert.equal(bytes.toString(), 'abc')
    assert.equal(bytes.buffer, frame.buffer)
    assert.equal(r.nullableBytes(flexible), null)
  }
})

test('records are passed on as the chunks they are, the length in front', () => {
  const chunks = [Buffer.alloc(5000, 'one'), Buffer.alloc(0), Buffer.alloc(6000, 'two'), Buffer.from('little')]
  for (const flexible of [false, true]) {
    const w = new Writer(1)
    w.int8(1)
    w.records(chunks, flexible)
    w.int8(2)
    assert.equal(w.size, flexible ? 11_010 : 11_012)
    const out = w.finish()
    assert.ok(out.includes(chunks[0] as Buffer) && out.includes(chunks[2] as Buffer))
    const r = new Reader(Buffer.concat(out))
    assert.equal(r.int8(), 1)
    assert.ok(r.bytes(flexible).equals(Buffer.concat(chunks)))
    assert.equal(r.int8(), 2)
  }
})

test('uuids have the form that Kafka prints', () => {
  const bytes = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
  const text = new Reader(bytes).uuid()
  assert.equal(text, 'AAECAwQFBgcICQoLDA0ODw')
  assert.deepEqual(
    written(w => w.uuid(text)),
    bytes,
  )
  assert.deepEqual(
    written(w => w.uuid(ZERO_UUID)),
    Buffer.alloc(16),
  )
  assert.throws(() => written(w => w.uuid('orders')), /'orders' is not a topic id/)
  assert.throws(() => written(w => w.uuid('!'.repeat(22))), ProtocolError)
})

test('a reader stays within its part of the buffer', () => {
  const r = new Reader(Buffer.from('0102030405', 'hex'), 1, 3)
  assert.equal(r.int16(), 0x0203)
  assert.throws(() => r.int8(), /int8 of 1 bytes at byte 3, where 0 are left/)
})

test('a reader takes any Uint8Array', () => {
  const whole = Uint8Array.from([9, 9, 0, 1, 0x61, 9])
  assert.equal(new Reader(whole.subarray(2, 5)).string(false), 'a')
})

test('lengths beyond the frame and negative ones are refused before anything is allocated', () => {
  assert.throws(() => readerOf('7fff 61').string(false), /string of 32767 bytes at byte 2, where 1 are left/)
  assert.throws(() => readerOf('fffe').string(false), /negative length -2/)
  assert.throws(() => readerOf('ffff').string(false), /null where a string must be/)
  assert.throws(() => readerOf('00').string(true), /null where a string must be/)
  assert.throws(() => readerOf('7fffffff').bytes(false), /bytes of 2147483647 bytes/)
  assert.throws(() => readerOf('ffffffff0f').bytes(true), ProtocolError)
  assert.throws(() => readerOf('fffffffe').nullableBytes(false), /negative length -2/)
  assert.throws(() => readerOf('ffffffff').bytes(false), /null where bytes must be/)
  assert.throws(() => readerOf('7fffffff 00').arrayLength(false), /array of 2147483647 elements/)
  assert.throws(() => readerOf('80808080 0f').arrayLength(true), ProtocolError)
  assert.throws(() => readerOf('ffffffff').arrayLength(false), /null where an array must be/)
  assert.equal(readerOf('ffffffff').nullableArrayLength(false), -1)
  assert.equal(readerOf('00').nullableArrayLength(true), -1)
})

test('a varint of more than 32 bits is refused, whatever follows', () => {
  assert.equal(readerOf('ffffffff0f').uvarint(), 0xffff_ffff)
  assert.throws(() => readerOf('ffffffff1f').uvarint(), /more than 32 bits/)
  assert.throws(() => readerOf('ff'.repeat(20)).uvarint(), /more than 32 bits/)
  assert.throws(() => readerOf('ffff').uvarint(), /truncated/)
})

test('unknown tagged fields are skipped, and must lie within the frame', () => {
  const r = readerOf('02 05 01 aa 8f4e 03 010203 7f')
  r.skipTags()
  assert.equal(r.int8(), 0x7f)
  assert.throws(() => readerOf('01 05 04 aabb').skipTags(), /tagged field of 4 bytes/)
  assert.throws(() => readerOf('ffffffff0f 05 00').skipTags(), ProtocolError)
})

test('an identity keeps all 64 bits, a time is rounded and never refused', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), value => {
      const bytes = written(w => w.identity(value))
      assert.equal(bytes.readBigInt64BE(0), value)
      assert.equal(new Reader(bytes).identity(), value)
      const time = new Reader(bytes).time()
      assert.equal(time, Number(value))
      assert.equal(new Reader(written(w => w.time(time))).time(), time)
    }),
  )
  assert.equal(written(w => w.time(Infinity)).toString('hex'), '7fffffffffffffff')
  assert.equal(written(w => w.time(-(2 ** 70))).toString('hex'), '8000000000000000')
  assert.throws(() => written(w => w.identity(2n ** 63n)), /9223372036854775808 is not an int64/)
  assert.throws(() => written(w => w.time(0.5)), ProtocolError)
  assert.throws(() => written(w => w.time(NaN)), ProtocolError)
})
