import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import {
  BatchReader,
  BatchWriter,
  type CodecName,
  codecByName,
  encodeControlBatch,
  ProtocolError,
  RecordView,
  setLogAppendTime,
} from '@ottla/protocol'
import fc from 'fast-check'
import { gzipSync } from 'node:zlib'

const NOW = 1_763_900_000_000
const RECORDS_AT = 61

function sealed(count: number, codec: CodecName = 'none'): Buffer {
  const writer = new BatchWriter()
  for (let i = 0; i < count; i++) {
    writer.append(i % 3 === 0 ? null : `key ${i}`, `value ${i}`, i % 2 === 0 ? null : { header: 'h' }, NOW + i)
  }
  return Buffer.from(writer.seal({ codec: codecByName(codec) }))
}

/** A batch around hand-made record bytes, its checksum right. */
function around(recordCount: number, ...bytes: number[]): Buffer {
  const batch = Buffer.concat([sealed(1).subarray(0, RECORDS_AT), Buffer.from(bytes)])
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(recordCount, 57)
  setLogAppendTime(batch, 0, NOW)
  return batch
}

function walk(records: Uint8Array, maxBytes?: number): number {
  let count = 0
  const reader = new BatchReader(records)
  for (let batch = reader.next(); batch !== null; batch = reader.next()) {
    const cursor = batch.records(maxBytes)
    while (cursor.next()) {
      const view = new RecordView(cursor)
      count += 1 + 0 * ((view.key?.length ?? 0) + (view.value?.length ?? 0) + view.headers.length)
    }
  }
  return count
}

before(async () => {
  await codecByName('zstd').ready()
})

describe('finding batches', () => {
  test('finds several, in any memory', () => {
    const records = Buffer.concat([sealed(3), sealed(5, 'lz4'), sealed(7, 'gzip')])
    assert.equal(walk(records), 15)
    assert.equal(walk(new Uint8Array(records)), 15)
    const shifted = Buffer.concat([Buffer.from('xyz'), records])
    assert.equal(walk(shifted.subarray(3)), 15)
    assert.equal(walk(new Uint8Array(shifted.buffer, shifted.byteOffset + 3, records.length)), 15)
  })

  test('ignores a truncated batch at the end and reports its size', () => {
    const whole = sealed(3)
    const cut = sealed(5)
    for (let length = 1; length < cut.length; length++) {
      const reader = new BatchReader(Buffer.concat([whole, cut.subarray(0, length)]))
      assert.ok(reader.next())
      assert.equal(reader.next(), null)
      assert.equal(reader.next(), null)
      assert.equal(reader.position, whole.length)
      assert.equal(reader.partialBytes, length < 12 ? RECORDS_AT : cut.length)
    }
  })

  test('finds nothing in an empty field', () => {
    const reader = new BatchReader(Buffer.alloc(0))
    assert.equal(reader.next(), null)
    assert.equal(reader.partialBytes, 0)
  })

  test('refuses an unknown format and impossible sizes', () => {
    const unknown = sealed(1)
    unknown[16] = 3
    assert.throws(() => new BatchReader(unknown).next(), /format 3 is unknown/)
    for (const size of [0, -1, -(2 ** 31), 48]) {
      const batch = sealed(1)
      batch.writeInt32BE(size, 8)
      assert.throws(() => new BatchReader(batch).next(), ProtocolError)
    }
  })

  test('refuses an offset out of range', () => {
    const batch = sealed(1)
    batch.writeInt32BE(0x7fff_ffff, 0)
    assert.throws(() => new BatchReader(batch).next(), /out of range/)
  })
})

describe('a batch', () => {
  test('with a changed byte has a wrong checksum, and the error names its offset', () => {
    const batch = sealed(4)
    batch.writeUInt32BE(77, 4)
    for (let at = 21; at < batch.length; at++) {
      batch[at] = (batch[at] ?? 0) ^ 0x10
      const read = new BatchReader(batch).next()
      assert.equal(read?.isCrcValid(), false)
      assert.throws(() => read.checkCrc(), /offset 77.*checksum/)
      batch[at] = (batch[at] ?? 0) ^ 0x10
    }
    assert.equal(new BatchReader(batch).next()?.isCrcValid(), true)
  })

  test('that decompresses to more than the limit is refused', () => {
    for (const name of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const writer = new BatchWriter()
      writer.append(null, Buffer.alloc(1_000_000), null, NOW)
      const records = Buffer.from(writer.seal({ codec: codecByName(name) }))
      assert.ok(records.length < 100_000)
      assert.throws(() => walk(records, 500_000), ProtocolError)
      assert.equal(walk(records, 1_100_000), 1)
    }
  })

  test('with an unknown codec is refused', () => {
    const batch = sealed(1)
    batch[22] = 7
    assert.throws(() => walk(batch), /codec 7/)
  })

  test('says what its control marker is', () => {
    const marker = { producerId: 1n, producerEpoch: 0, coordinatorEpoch: 0, timestamp: NOW }
    for (const type of ['abort', 'commit'] as const) {
      const batch = new BatchReader(encodeControlBatch({ ...marker, type })).next()
      assert.equal(batch?.isControl, true)
      assert.equal(batch.isTransactional, true)
      assert.equal(batch.controlType(), type)
    }
    assert.equal(new BatchReader(sealed(1)).next()?.controlType(), 'unknown')
    const later = encodeControlBatch({ ...marker, type: 'commit' })
    later.writeInt16BE(5, RECORDS_AT + 7)
    assert.equal(new BatchReader(later).next()?.controlType(), 'unknown')
    const bomb = Buffer.concat([
      encodeControlBatch({ ...marker, type: 'abort' }).subarray(0, RECORDS_AT),
      gzipSync(Buffer.alloc(1e6)),
    ])
    bomb.writeInt32BE(bomb.length - 12, 8)
    bomb.writeInt16BE(bomb.readInt16BE(21) | 1, 21)
    assert.throws(() => new BatchReader(bomb).next()?.controlType(), /more than 4096 bytes/)
  })
})

describe('records with false lengths', () => {
  const cases: [string, Buffer][] = [
    ['about how many they are', around(2 ** 31 - 1, 12, 0, 0, 0, 1, 1, 0)],
    ['with a negative count', around(-1, 12, 0, 0, 0, 1, 1, 0)],
    ['by being fewer than counted', around(2, 20, 0, 0, 0, 1, 9, 1, 2, 3, 4, 0)],
    ['by being more than counted', around(1, 12, 0, 0, 0, 1, 1, 0, 12, 0, 0, 0, 1, 1, 0)],
    ['about their size', around(1, 14, 0, 0, 0, 1, 1, 0)],
    ['with a negative size', around(1, 11, 0, 0, 0, 1, 1, 0)],
    ['with a size in too many bytes', around(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)],
    ['about the key', around(1, 12, 0, 0, 0, 40, 1, 0)],
    ['with a key of length -2', around(1, 12, 0, 0, 0, 3, 1, 0)],
    ['about the value', around(1, 12, 0, 0, 0, 1, 40, 0)],
    ['with a value of length -2', around(1, 12, 0, 0, 0, 1, 3, 0)],
    ['with a value of 2 GiB', around(1, 20, 0, 0, 0, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0)],
    ['about the number of headers', around(1, 12, 0, 0, 0, 1, 1, 80)],
    ['with a negative number of headers', around(1, 12, 0, 0, 0, 1, 1, 1)],
    ["about a header's key", around(1, 16, 0, 0, 0, 1, 1, 2, 40, 0)],
    ["with a null header's key", around(1, 16, 0, 0, 0, 1, 1, 2, 1, 0)],
    ["about a header's value", around(1, 16, 0, 0, 0, 1, 1, 2, 0, 40)],
    ['with bytes left over', around(1, 14, 0, 0, 0, 1, 1, 0, 0)],
    ['with a varint cut off', around(1, 12, 0, 0, 0, 1, 1, 0x80)],
    ['with a timestamp in too many bytes', around(1, 32, 0, ...new Array<number>(11).fill(0xff), 0, 1, 1, 0)],
  ]
  for (const [name, batch] of cases) {
    test(`${name} are refused`, () => {
      const read = new BatchReader(batch).next()
      read?.checkCrc()
      assert.throws(() => walk(batch), ProtocolError)
    })
  }

  test('of timestamps beyond the safe range are read with them rounded', () => {
    const batch = around(1, 30, 0, ...new Array<number>(9).fill(0xff), 1, 0, 1, 1, 0)
    batch.writeInt16BE(0, 21)
    const cursor = new BatchReader(batch).next()?.records()
    assert.equal(cursor?.next(), true)
    assert.ok(cursor.timestamp < -9e18)
  })
})

describe('damaged batches', () => {
  const codecs: CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

  function survives(records: Buffer): void {
    try {
      walk(records, 1_000_000)
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String(error))
    }
  }

  test('cut off anywhere, their length adjusted, raise nothing but ProtocolError', () => {
    for (const codec of codecs) {
      const batch = sealed(40, codec)
      for (let length = RECORDS_AT; length < batch.length; length++) {
        const cut = Buffer.from(batch.subarray(0, length))
        cut.writeInt32BE(length - 12, 8)
        survives(cut)
      }
    }
  })

  test('with flipped bits raise nothing but ProtocolError', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 5 })
    for (const codec of codecs) {
      const batch = sealed(60, codec)
      fc.assert(
        fc.property(flips, places => {
          const damaged = Buffer.from(batch)
          for (const [place, bit] of places) {
            // Not the length: a longer batch is merely a truncated one.
            const at = 16 + (place % (batch.length - 16))
            damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
          }
          survives(damaged)
        }),
        { numRuns: 1500 },
      )
    }
  })

  test('of random bytes raise nothing but ProtocolError', () => {
    for (const codec of codecs) {
      const header = sealed(20, codec).subarray(0, RECORDS_AT)
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), body => {
          const batch = Buffer.concat([header, body])
          batch.writeInt32BE(batch.length - 12, 8)
          survives(batch)
        }),
        { numRuns: 500 },
      )
    }
  })
})

describe('a record kept apart from its cursor', () => {
  test('decodes its key, value and headers on first use, and once', () => {
    const cursor = new BatchReader(sealed(6)).next()?.records()
    assert.ok(cursor)
    const views: RecordView[] = []
    while (cursor.next()) views.push(new RecordView(cursor))
    const view = views[5]
    assert.ok(view)
    assert.equal(String(view.value), 'value 5')
    assert.equal(view.value, view.value)
    assert.equal(String(view.key), 'key 5')
    assert.equal(view.key, view.key)
    assert.equal(view.headers, view.headers)
    assert.deepEqual(view.headers, [{ key: 'header', value: Buffer.from('h') }])
    assert.equal(view.offset, 5)
    assert.equal(view.timestamp, NOW + 5)
    assert.equal(view.timestampType, 'create-time')
    assert.equal(view.leaderEpoch, -1)
    assert.equal(view.sizeBytes, 'key 5value 5'.length)
    assert.equal(views[0]?.sizeBytes, 'value 0'.length)
    assert.equal(views[0].key, null)
    assert.deepEqual(views[0].headers, [])
  })

  test('gives true Buffers over the received bytes', () => {
    const records = sealed(1)
    const cursor = new BatchReader(records).next()?.records()
    assert.ok(cursor)
    cursor.next()
    const value = new RecordView(cursor).value
    assert.ok(value)
    assert.ok(Buffer.isBuffer(value))
    assert.equal(Object.getPrototypeOf(value), Buffer.prototype)
    assert.equal(value.buffer, records.buffer)
    assert.deepEqual(value.subarray(0, 5), Buffer.from('value'))
  })
})
