import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import {
  BATCH_HEADER_BYTES,
  BatchReader,
  BatchWriter,
  type CodecName,
  codecByName,
  type RecordCursor,
  setBaseOffset,
  setLogAppendTime,
  setPartitionLeaderEpoch,
} from '@ottla/protocol'
import fc from 'fast-check'

const codecNames: CodecName[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const NOW = 1_763_900_000_000

function cursorOf(records: Uint8Array): RecordCursor {
  const batch = new BatchReader(records).next()
  assert.ok(batch)
  batch.checkCrc()
  return batch.records()
}

before(async () => {
  await codecByName('zstd').ready()
})

describe('a batch that is compressed on another thread', () => {
  const full = (): BatchWriter => {
    const writer = new BatchWriter()
    for (let i = 0; i < 2000; i++) writer.append(`key-${i % 10}`, `value-${i}`, null, NOW + i)
    return writer
  }
  const valuesOf = (batch: Buffer): string[] => {
    const cursor = cursorOf(batch)
    const values: string[] = []
    while (cursor.next()) values.push(String(cursor.value()))
    return values
  }
  const expected = Array.from({ length: 2000 }, (_, i) => `value-${i}`)
  const beside = codecNames.map(codecByName).filter(codec => codec.compressBeside !== undefined)

  test('is possible with gzip', () => {
    assert.ok(beside.some(({ name }) => name === 'gzip'))
  })

  test('is the same as one that was compressed on this one', async () => {
    for (const codec of beside) {
      const [here, there] = [full(), full()]
      await there.compressBeside(codec, 5)
      assert.throws(() => there.append(null, 'late', null, NOW), /takes no more records/)
      assert.deepEqual(there.seal({ codec, level: 5 }), here.seal({ codec, level: 5 }))
      assert.equal(there.codecId, codec.id)
      assert.equal(there.uncompressedBytes, here.uncompressedBytes)
    }
  })

  test('stays as it is when that makes it larger', async () => {
    for (const codec of beside) {
      const writer = new BatchWriter()
      writer.append(null, 'x', null, NOW)
      await writer.compressBeside(codec, -1)
      assert.deepEqual(valuesOf(writer.seal({ codec })), ['x'])
      assert.equal(writer.codecId, 0)
    }
  })

  test('may be sealed before that is finished, compressed or not', async () => {
    for (const codec of beside) {
      for (const sealedWith of [codec, null]) {
        const writer = full()
        const compressing = writer.compressBeside(codec, -1)
        const sealed = writer.seal({ codec: sealedWith })
        assert.deepEqual(valuesOf(sealed), expected)
        await compressing
        assert.deepEqual(valuesOf(sealed), expected)
        assert.equal(writer.codecId, sealedWith?.id ?? 0)
      }
    }
  })

  test('may be released before that is finished: its buffer is not reused', async () => {
    for (const codec of beside) {
      const writer = full()
      const { buffer } = writer
      const compressing = writer.compressBeside(codec, -1)
      writer.release()
      assert.notEqual(new BatchWriter(buffer.length).buffer, buffer)
      await compressing
    }
  })

  test('is compressed on this thread when the other has failed', async () => {
    const gzip = codecByName('gzip')
    const writer = full()
    await writer.compressBeside({ ...gzip, compressBeside: () => Promise.reject(new Error('no thread')) }, -1)
    assert.deepEqual(valuesOf(writer.seal({ codec: gzip })), expected)
    assert.equal(writer.codecId, gzip.id)
  })

  test('is not offered by fast codecs', () => {
    assert.equal(full().compressBeside(codecByName('lz4'), -1), null)
  })
})

describe('an open batch', () => {
  test('knows its exact size after every record', () => {
    for (const capacity of [0, 61, 16 * 1024]) {
      const writer = new BatchWriter(capacity)
      assert.equal(writer.sizeBytes, BATCH_HEADER_BYTES)
      let expected = BATCH_HEADER_BYTES
      for (let i = 0; i < 20_000; i++) expected += writer.append('key', Buffer.alloc(i % 300), null, NOW + i)
      assert.equal(writer.sizeBytes, expected)
      assert.equal(writer.recordCount, 20_000)
      assert.equal(writer.seal({}).length, expected)
      writer.release()
    }
  })

  test('never adds more than it estimates', () => {
    const text = fc.string({ unit: 'binary' })
    const content = fc.oneof(text, fc.uint8Array(), fc.constant(null), fc.constant(undefined))
    const header = fc.record({ key: text, value: content })
    const headers = fc.oneof(fc.constant(null), fc.array(header), fc.dictionary(text, content))
    fc.assert(
      fc.property(content, content, headers, fc.maxSafeNat(), (key, value, some, timestamp) => {
        const writer = new BatchWriter()
        writer.append(null, null, null, 0)
        assert.ok(writer.append(key, value, some, timestamp) <= BatchWriter.estimateSize(key, value, some))
        writer.release()
      }),
    )
  })

  test('keeps nothing of the buffers it was given', () => {
    const writer = new BatchWriter()
    const value = Buffer.from('before')
    writer.append(value, value, { header: value }, NOW)
    value.fill(0)
    const cursor = cursorOf(writer.seal({}))
    cursor.next()
    assert.equal(String(cursor.key()), 'before')
    assert.equal(String(cursor.value()), 'before')
    assert.equal(String(cursor.headers()[0]?.value), 'before')
  })

  test('writes strings as UTF-8, whatever their length', () => {
    const texts = [
      '',
      'a',
      'é',
      'eight888',
      'nine99999',
      'ninénine9',
      '漢'.repeat(3),
      '漢字'.repeat(40_000),
      '😀',
      '\ud800',
    ]
    for (const text of texts) {
      const writer = new BatchWriter()
      writer.append(text, text, [{ key: text, value: text }], NOW)
      const cursor = cursorOf(writer.seal({}))
      assert.equal(cursor.next(), true)
      const expected = Buffer.from(text)
      assert.deepEqual(cursor.key(), expected)
      assert.deepEqual(cursor.value(), expected)
      assert.deepEqual(cursor.headers(), [{ key: expected.toString(), value: expected }])
      assert.equal(cursor.next(), false)
    }
  })

  test('writes a string that would just fill the buffer when cut off', () => {
    // Characters of two bytes: the part that fits into the buffer has as many bytes as the string has characters.
    for (let length = 15_900; length < 16_400; length++) {
      const writer = new BatchWriter()
      writer.append(null, 'é'.repeat(length), null, NOW)
      const cursor = cursorOf(writer.seal({}))
      cursor.next()
      assert.equal(cursor.valueLength, 2 * length)
      writer.release()
    }
  })

  test('takes headers as a list, with repeated keys, or as an object', () => {
    const writer = new BatchWriter()
    writer.append(null, null, [{ key: 'k', value: '1' }, { key: 'k', value: null }, { key: 'k' }], NOW)
    writer.append(null, null, { a: Buffer.from('1'), b: null, c: undefined }, NOW)
    writer.append(null, null, [], NOW)
    writer.append(null, null, {}, NOW)
    const cursor = cursorOf(writer.seal({}))
    const read: [string, string | null][][] = []
    while (cursor.next())
      read.push(cursor.headers().map(({ key, value }) => [key, value === null ? null : String(value)]))
    assert.deepEqual(read, [
      [
        ['k', '1'],
        ['k', null],
        ['k', null],
      ],
      [
        ['a', '1'],
        ['b', null],
        ['c', null],
      ],
      [],
      [],
    ])
  })

  test('refuses a timestamp that is not a whole number of milliseconds, and stays usable', () => {
    const writer = new BatchWriter()
    for (const timestamp of [NaN, Infinity, -2, 1.5, 2 ** 64]) {
      assert.throws(() => writer.append(null, 'v', null, timestamp), RangeError)
    }
    writer.append(null, 'v', null, -1)
    assert.equal(cursorOf(writer.seal({})).next(), true)
  })

  test('is not changed by a record that cannot be written', () => {
    const writer = new BatchWriter()
    writer.append('k', 'v', null, NOW)
    const size = writer.sizeBytes
    const number = 5 as unknown as string
    assert.throws(() => writer.append('k', 'v', [{ key: 'h', value: number }], NOW), TypeError)
    assert.throws(() => writer.append('k', number, null, NOW), TypeError)
    assert.throws(() => writer.append(number, 'v', null, NOW), TypeError)
    assert.equal(writer.sizeBytes, size)
    assert.equal(writer.recordCount, 1)
    const cursor = cursorOf(writer.seal({}))
    assert.deepEqual([cursor.next(), cursor.next()], [true, false])
  })

  test('holds more than the largest buffer of the pool', () => {
    const writer = new BatchWriter()
    const value = Buffer.alloc(1_000_000, 'x')
    for (let i = 0; i < 10; i++) writer.append(null, value, null, NOW)
    const cursor = cursorOf(writer.seal({}))
    for (let i = 0; i < 10; i++) {
      assert.equal(cursor.next(), true)
      assert.deepEqual(cursor.value(), value)
    }
    writer.release()
  })
})

describe('sealing', () => {
  test('gives back what was appended, with every codec', () => {
    const content = fc.oneof(fc.constant(null), fc.uint8Array({ maxLength: 200 }))
    const record = fc.record({
      key: content,
      value: fc.oneof(content, fc.uint8Array({ size: 'large' })),
      timestamp: fc.oneof(
        fc.maxSafeNat(),
        fc.nat(),
        fc.constant(-1),
        fc.integer({ min: NOW - 10_000, max: NOW + 10_000 }),
      ),
      headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: content }), { maxLength: 4 }),
    })
    fc.assert(
      fc.property(
        fc.constantFrom(...codecNames),
        fc.array(record, { minLength: 1, maxLength: 100 }),
        (name, records) => {
          const writer = new BatchWriter(64)
          for (const { key, value, headers, timestamp } of records) writer.append(key, value, headers, timestamp)
          const cursor = cursorOf(writer.seal({ codec: codecByName(name) }))
          records.forEach(({ key, value, headers, timestamp }, index) => {
            assert.equal(cursor.next(), true)
            assert.equal(cursor.offset, index)
            assert.equal(cursor.timestamp, timestamp)
            assert.deepEqual(cursor.key(), key === null ? null : Buffer.from(key))
            assert.deepEqual(cursor.value(), value === null ? null : Buffer.from(value))
            assert.deepEqual(
              cursor.headers(),
              headers.map(({ key, value }) => ({ key, value: value === null ? null : Buffer.from(value) })),
            )
          })
          assert.equal(cursor.next(), false)
          writer.release()
        },
      ),
      { numRuns: 200 },
    )
  })

  test('again changes only producer, sequence and flags', () => {
    for (const name of codecNames) {
      const writer = new BatchWriter()
      for (let i = 0; i < 500; i++) writer.append(`key ${i}`, 'value '.repeat(i % 9), null, NOW + i)
      const first = Buffer.from(
        writer.seal({ codec: codecByName(name), producerId: 5n, producerEpoch: 1, baseSequence: 7 }),
      )
      const second = writer.seal({ producerId: 2n ** 50n, producerEpoch: 0, baseSequence: 0, isTransactional: true })
      assert.deepEqual(second.subarray(BATCH_HEADER_BYTES), first.subarray(BATCH_HEADER_BYTES))
      const batch = new BatchReader(second).next()
      assert.equal(batch?.isCrcValid(), true)
      assert.equal(batch.codecId, codecByName(name).id)
      assert.equal(batch.producerId, 2n ** 50n)
      assert.equal(batch.producerEpoch, 0)
      assert.equal(batch.baseSequence, 0)
      assert.equal(batch.isTransactional, true)
      assert.equal(batch.recordCount, 500)
      assert.equal(batch.maxTimestamp, NOW + 499)
      writer.release()
    }
  })

  test('leaves a batch plain that compression would make larger', () => {
    for (const name of codecNames) {
      const writer = new BatchWriter()
      writer.append(null, Buffer.from('4f', 'hex'), null, NOW)
      const size = writer.sizeBytes
      const sealed = writer.seal({ codec: codecByName(name) })
      assert.equal(writer.codecId, 0)
      assert.equal(sealed.length, size)
      assert.equal(new BatchReader(sealed).next()?.codecId, 0)
    }
  })

  test('closes the batch to more records', () => {
    const writer = new BatchWriter()
    writer.append(null, 'v', null, NOW)
    writer.seal({})
    assert.equal(writer.isSealed, true)
    assert.throws(() => writer.append(null, 'v', null, NOW), /sealed/)
  })

  test('needs a record', () => {
    assert.throws(() => new BatchWriter().seal({}), /without records/)
  })
})

describe('a released batch', () => {
  test('hands its buffer to the next one, once', () => {
    const writer = new BatchWriter()
    const buffer = writer.buffer
    writer.append(null, 'v', null, NOW)
    writer.seal({})
    writer.release()
    writer.release()
    const second = new BatchWriter()
    const third = new BatchWriter()
    assert.equal(second.buffer, buffer)
    assert.notEqual(third.buffer, buffer)
    assert.throws(() => writer.append(null, 'v', null, NOW))
  })
})

describe('a batch as a broker stores it', () => {
  test('gets offset, epoch and time in place, behind another one', () => {
    const writer = new BatchWriter()
    writer.append(null, 'first', null, NOW)
    writer.append(null, 'second', null, NOW - 5)
    const log = Buffer.concat([writer.seal({}), writer.seal({})])
    const at = log.length / 2
    setBaseOffset(log, at, 2 ** 40 + 3)
    setPartitionLeaderEpoch(log, at, 12)
    setLogAppendTime(log, at, NOW + 60_000)
    const reader = new BatchReader(log)
    assert.equal(reader.next()?.baseOffset, 0)
    const batch = reader.next()
    assert.ok(batch)
    batch.checkCrc()
    assert.equal(batch.lastOffset, 2 ** 40 + 4)
    assert.equal(batch.partitionLeaderEpoch, 12)
    assert.equal(batch.timestampType, 'log-append-time')
    const cursor = batch.records()
    while (cursor.next()) assert.equal(cursor.timestamp, NOW + 60_000)
    assert.equal(reader.next(), null)
  })
})
