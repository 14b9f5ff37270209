/** Times beyond 2^53 in batches: rounded the same way everywhere. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  BatchReader,
  BatchWriter,
  crc32c,
  encodeControlBatch,
  setLogAppendTime,
  type RecordBatch,
} from '@ottla/protocol'

const MIN = -(2n ** 63n)
const MAX = 2n ** 63n - 1n
const int64 = fc.oneof(
  fc.bigInt({ min: MIN, max: MAX }),
  fc.constantFrom(MIN, MIN + 1n, -(2n ** 53n), -1n, 0n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, MAX - 1n, MAX),
)

function zigzag(value: bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}

// As Kafka's client would write it: exact, with deltas that wrap around.
function batchOf(times: readonly bigint[]): RecordBatch {
  const base = times[0] ?? 0n
  const records = times.map((time, i) => {
    const body = [0, ...zigzag(BigInt.asIntN(64, time - base)), ...zigzag(BigInt(i)), 1, 2, 0x76, 0]
    return [...zigzag(BigInt(body.length)), ...body]
  })
  const bytes = Buffer.concat([Buffer.alloc(61), Buffer.from(records.flat())])
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes[16] = 2
  bytes.writeInt32BE(times.length - 1, 23)
  bytes.writeBigInt64BE(base, 27)
  bytes.writeBigInt64BE(
    times.reduce((a, b) => (a > b ? a : b)),
    35,
  )
  bytes.writeBigInt64BE(-1n, 43)
  bytes.writeInt32BE(times.length, 57)
  bytes.writeUInt32BE(crc32c(bytes, 21, bytes.length), 17)
  return readBack(bytes)
}

function readBack(bytes: Uint8Array): RecordBatch {
  const batch = new BatchReader(bytes).next()
  assert.ok(batch)
  batch.checkCrc()
  return batch
}

function timesOf(batch: RecordBatch): { rounded: number[]; exact: bigint[] } {
  const rounded: number[] = []
  const exact: bigint[] = []
  const cursor = batch.records()
  while (cursor.next()) {
    rounded.push(cursor.timestamp)
    exact.push(cursor.exactTimestamp())
  }
  return { rounded, exact }
}

describe('times of every size', () => {
  test('are read as the nearest number, and exactly where that is asked for', () => {
    fc.assert(
      fc.property(fc.array(int64, { minLength: 1, maxLength: 6 }), times => {
        const batch = batchOf(times)
        const { rounded, exact } = timesOf(batch)
        assert.deepEqual(exact, times)
        assert.deepEqual(rounded, times.map(Number))
        assert.equal(batch.maxTimestamp, Math.max(...rounded))
        assert.equal(
          batch.exactMaxTimestamp(),
          times.reduce((a, b) => (a > b ? a : b)),
        )
      }),
    )
  })

  test('are written so that records and header agree', () => {
    // Times near the edge are close enough for a short delta.
    const edge = fc.bigInt({ min: MAX - 2n ** 54n, max: MAX })
    const close = fc.bigInt({ min: MAX - 4096n, max: MAX })
    fc.assert(
      fc.property(
        fc.array(fc.oneof(int64, edge, close), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        (list, isText) => {
          const times = list.map(Number).filter(time => time >= -1)
          if (times.length === 0) return
          const writer = new BatchWriter()
          for (const time of times) writer.append(null, isText ? 'v' : Buffer.from('v'), null, time)
          const batch = readBack(writer.seal({}))
          assert.deepEqual(timesOf(batch).rounded, times)
          assert.equal(batch.maxTimestamp, Math.max(...times))
          const highest = timesOf(batch).exact.reduce((a, b) => (a > b ? a : b))
          assert.equal(batch.exactMaxTimestamp(), highest)
        },
      ),
    )
  })

  test('are stamped by a broker, in batches and markers', () => {
    for (const time of [-(2 ** 63), -1, 2 ** 53, 1.7e18, 2 ** 63]) {
      const writer = new BatchWriter()
      writer.append(null, 'v', null, 5)
      const bytes = Buffer.from(writer.seal({}))
      setLogAppendTime(bytes, 0, time)
      assert.deepEqual(timesOf(readBack(bytes)).rounded, [time])
      const ids = { producerId: MAX, producerEpoch: 0, coordinatorEpoch: 0 }
      const marker = readBack(encodeControlBatch({ type: 'abort', timestamp: time, ...ids }))
      assert.deepEqual([marker.maxTimestamp, marker.producerId], [time, MAX])
    }
  })
})

test('producer ids of every size come back from a batch', () => {
  fc.assert(
    fc.property(fc.array(int64, { minLength: 1, maxLength: 5 }), ids => {
      const batches = ids.map(producerId => {
        const writer = new BatchWriter()
        writer.append(null, 'v', null, 5)
        return Buffer.from(writer.seal({ producerId, producerEpoch: 3, baseSequence: 0 }))
      })
      const reader = new BatchReader(Buffer.concat(batches))
      for (const id of ids) assert.equal(reader.next()?.producerId, id)
    }),
  )
})
