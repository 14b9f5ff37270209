import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BatchReader, codecByName, ProtocolError } from '@ottla/protocol'
import fc from 'fast-check'
import { crc32 } from '../../src/wire/crc32.ts'

interface OldMessage {
  magic: number
  offset: number
  timestamp?: number
  attributes?: number
  key?: Buffer | null
  value?: Buffer | null
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(value))
  return bytes
}

function field(bytes: Buffer | null | undefined): Buffer {
  return bytes === null || bytes === undefined ? int32(-1) : Buffer.concat([int32(bytes.length), bytes])
}

function message({ magic, offset, timestamp = -1, attributes = 0, key, value }: OldMessage): Buffer {
  const timed = magic === 1 ? int64(timestamp) : Buffer.alloc(0)
  const body = Buffer.concat([Buffer.from([magic, attributes]), timed, field(key), field(value)])
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(body, 0, body.length))
  return Buffer.concat([int64(offset), int32(4 + body.length), checksum, body])
}

function compressed(outer: Omit<OldMessage, 'value'>, inner: Buffer): Buffer {
  return message({ ...outer, attributes: (outer.attributes ?? 0) | 1, value: codecByName('gzip').compress(inner) })
}

function read(records: Buffer): { offset: number; timestamp: number; value: string }[] {
  const found: { offset: number; timestamp: number; value: string }[] = []
  const reader = new BatchReader(records)
  for (let batch = reader.next(); batch !== null; batch = reader.next()) {
    batch.checkCrc()
    const cursor = batch.records(1_000_000)
    while (cursor.next())
      found.push({ offset: cursor.offset, timestamp: cursor.timestamp, value: String(cursor.value()) })
  }
  return found
}

const a = Buffer.from('a')
const b = Buffer.from('b')

describe('message sets of magic 1', () => {
  test('number inner messages from the first, the outer one having the last offset', () => {
    const inner = Buffer.concat([
      message({ magic: 1, offset: 0, timestamp: 5, value: a }),
      message({ magic: 1, offset: 3, timestamp: 9, value: b }),
    ])
    assert.deepEqual(read(compressed({ magic: 1, offset: 1003, timestamp: 9 }, inner)), [
      { offset: 1000, timestamp: 5, value: 'a' },
      { offset: 1003, timestamp: 9, value: 'b' },
    ])
  })

  test('are read with true offsets inside as well', () => {
    const inner = Buffer.concat([
      message({ magic: 1, offset: 1000, timestamp: 5, value: a }),
      message({ magic: 1, offset: 1003, timestamp: 9, value: b }),
    ])
    const offsets = read(compressed({ magic: 1, offset: 1003, timestamp: 9 }, inner)).map(({ offset }) => offset)
    assert.deepEqual(offsets, [1000, 1003])
  })

  test("give every message the log's time where the outer one says so", () => {
    const inner = Buffer.concat([
      message({ magic: 1, offset: 0, timestamp: 5, value: a }),
      message({ magic: 1, offset: 1, timestamp: 9, value: b }),
    ])
    const times = read(compressed({ magic: 1, offset: 1, timestamp: 77, attributes: 8 }, inner))
    assert.deepEqual(
      times.map(({ timestamp }) => timestamp),
      [77, 77],
    )
  })

  test('keep any timestamp, also far from the others', () => {
    for (const timestamp of [-1, 0, 2 ** 31, 2 ** 53 - 1]) {
      const inner = Buffer.concat([
        message({ magic: 1, offset: 0, timestamp, value: a }),
        message({ magic: 1, offset: 1, timestamp: 9, value: b }),
      ])
      assert.equal(read(compressed({ magic: 1, offset: 1, timestamp: 9 }, inner))[0]?.timestamp, timestamp)
    }
  })
})

describe('a damaged message set', () => {
  const good = message({ magic: 1, offset: 0, timestamp: 5, value: a })
  const cases: [string, Buffer][] = [
    ['with another format inside', compressed({ magic: 1, offset: 0 }, message({ magic: 0, offset: 0, value: a }))],
    ['compressed twice', compressed({ magic: 1, offset: 0 }, compressed({ magic: 1, offset: 0 }, good))],
    ['with nothing inside', compressed({ magic: 1, offset: 0 }, Buffer.alloc(0))],
    ['with a message cut off inside', compressed({ magic: 1, offset: 1 }, Buffer.concat([good, good.subarray(0, 20)]))],
    ['with a null value that should be compressed', message({ magic: 1, offset: 0, attributes: 1 })],
    [
      'with an offset below zero inside',
      compressed({ magic: 0, offset: 3 }, message({ magic: 0, offset: -5, value: a })),
    ],
    [
      'with offsets too far apart inside',
      compressed(
        { magic: 0, offset: 3 },
        Buffer.concat([message({ magic: 0, offset: 0 }), message({ magic: 0, offset: 2 ** 40 })]),
      ),
    ],
  ]
  for (const [name, records] of cases) {
    test(`${name} is refused`, () => {
      assert.throws(() => read(records), ProtocolError)
    })
  }

  test('with a key or value longer than the message is refused', () => {
    for (const at of [26, 30]) {
      for (const length of [100, -2, 2 ** 31 - 1]) {
        const records = Buffer.from(good)
        records.writeInt32BE(length, at)
        assert.throws(() => new BatchReader(records).next()?.records(), ProtocolError)
      }
    }
  })

  test('has a wrong checksum', () => {
    const records = Buffer.from(good)
    records[records.length - 1] = 0
    assert.throws(() => read(records), /checksum/)
  })

  test('with flipped bits raises nothing but ProtocolError', () => {
    const inner = Buffer.concat([good, good, good])
    const bomb = compressed({ magic: 1, offset: 2, timestamp: 9 }, inner)
    fc.assert(
      fc.property(fc.nat(), fc.nat(7), fc.boolean(), (place, bit, isInside) => {
        const damaged = Buffer.from(isInside ? inner : bomb)
        const at = 17 + (place % (damaged.length - 17))
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
        const records = isInside ? compressed({ magic: 1, offset: 2, timestamp: 9 }, damaged) : damaged
        try {
          const reader = new BatchReader(records)
          for (let batch = reader.next(); batch !== null; batch = reader.next()) {
            const cursor = batch.records(100_000)
            while (cursor.next()) cursor.value()
          }
        } catch (error) {
          assert.ok(error instanceof ProtocolError, String(error))
        }
      }),
      { numRuns: 3000 },
    )
  })
})
