import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import {
  BatchReader,
  BatchWriter,
  codecByName,
  encodeControlBatch,
  type RecordBatch,
  RecordView,
  setBaseOffset,
  setLogAppendTime,
  setPartitionLeaderEpoch,
} from '@ottla/protocol'

interface GoldenRecord {
  offset: number
  timestamp: number
  key: string | null
  value: string | null
  headers: [string, string | null][]
}

interface GoldenBatch {
  magic: number
  baseOffset: number
  lastOffset: number
  partitionLeaderEpoch: number
  codec: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  timestampType: string
  isTransactional: boolean
  isControl: boolean
  producerId: number
  producerEpoch: number
  baseSequence: number
  maxTimestamp: number
  sizeBytes: number
  recordCount: number
  digest: string
  records: GoldenRecord[]
}

interface Golden {
  name: string
  bytes: string
  batches: GoldenBatch[]
}

/** Batches of Apache Kafka's own library: see fixtures/RecordFixtures.java. */
const goldens: Golden[] = gunzipSync(readFileSync(new URL('fixtures/records.jsonl.gz', import.meta.url)))
  .toString()
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as Golden)

const timestampTypes: Record<string, string> = {
  CreateTime: 'create-time',
  LogAppendTime: 'log-append-time',
  NoTimestampType: 'not-available',
}

function base64(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString('base64')
}

function readBatches(records: Buffer): RecordBatch[] {
  const reader = new BatchReader(records)
  const batches: RecordBatch[] = []
  for (let batch = reader.next(); batch !== null; batch = reader.next()) batches.push(batch)
  assert.equal(reader.partialBytes, 0)
  assert.equal(reader.position, records.length)
  return batches
}

before(async () => {
  await codecByName('zstd').ready()
})

describe('batches that Kafka wrote', () => {
  for (const golden of goldens) {
    test(`${golden.name} are read as Kafka reads them`, () => {
      const batches = readBatches(Buffer.from(golden.bytes, 'base64'))
      assert.equal(batches.length, golden.batches.length)
      batches.forEach((batch, index) => {
        const expected = golden.batches[index]
        assert.ok(expected)
        batch.checkCrc()
        const digest = createHash('sha256')
        const records: GoldenRecord[] = []
        const views: RecordView[] = []
        const cursor = batch.records()
        while (cursor.next()) {
          digest.update(`${cursor.offset} ${cursor.timestamp} `)
          digest.update(cursor.key() ?? '')
          digest.update(cursor.value() ?? '')
          views.push(new RecordView(cursor))
        }
        for (const view of views) {
          assert.equal(view.timestampType, timestampTypes[expected.timestampType])
          records.push({
            offset: view.offset,
            timestamp: view.timestamp,
            key: base64(view.key),
            value: base64(view.value),
            headers: view.headers.map(({ key, value }) => [Buffer.from(key).toString('base64'), base64(value)]),
          })
        }
        assert.deepEqual(
          {
            magic: batch.magic,
            baseOffset: batch.baseOffset,
            lastOffset: batch.lastOffset,
            partitionLeaderEpoch: batch.partitionLeaderEpoch,
            codec: codecByName(expected.codec).id,
            timestampType: batch.timestampType,
            isTransactional: batch.isTransactional,
            isControl: batch.isControl,
            producerId: Number(batch.producerId),
            producerEpoch: batch.producerEpoch,
            baseSequence: batch.baseSequence,
            maxTimestamp: batch.maxTimestamp,
            sizeBytes: batch.sizeBytes,
            recordCount: batch.recordCount,
            digest: digest.digest('base64'),
            records: expected.records.length === 0 ? [] : records,
          },
          { ...expected, codec: batch.codecId, timestampType: timestampTypes[expected.timestampType] },
        )
      })
    })
  }
})

describe('batches written here', () => {
  for (const golden of goldens) {
    const expected = golden.batches[0]
    const isPlain = golden.batches.length === 1 && expected?.magic === 2 && expected.codec === 'none'
    // Compacted batches have gaps, and records show only the result of the log append time.
    if (!isPlain || expected.isControl || /compacted|append/.test(golden.name)) continue
    test(`are the same bytes as Kafka's: ${golden.name}`, () => {
      const theirs = Buffer.from(golden.bytes, 'base64')
      const writer = new BatchWriter()
      const source = readBatches(theirs)[0]?.records()
      assert.ok(source)
      while (source.next()) {
        const size = writer.append(source.key(), source.value(), source.headers(), source.timestamp)
        assert.equal(size, source.sizeBytes)
      }
      const { producerId, producerEpoch, baseSequence, isTransactional, partitionLeaderEpoch } = expected
      const ours = writer.seal({ producerId: BigInt(producerId), producerEpoch, baseSequence, isTransactional })
      setBaseOffset(ours, 0, expected.baseOffset)
      setPartitionLeaderEpoch(ours, 0, partitionLeaderEpoch)
      assert.equal(ours.toString('hex'), theirs.toString('hex'))
    })
  }

  test("stamped with the log's time again stay the same bytes", () => {
    const golden = goldens.find(({ name }) => name === 'v2 zstd log append time')
    assert.ok(golden)
    const theirs = Buffer.from(golden.bytes, 'base64')
    const ours = Buffer.from(theirs)
    setLogAppendTime(ours, 0, golden.batches[0]?.maxTimestamp ?? 0)
    assert.deepEqual(ours, theirs)
  })

  test("control markers are the same bytes as Kafka's", () => {
    for (const type of ['commit', 'abort'] as const) {
      const golden = goldens.find(({ name }) => name === `v2 ${type} marker`)
      assert.ok(golden)
      const theirs = Buffer.from(golden.bytes, 'base64')
      const batch = readBatches(theirs)[0]
      assert.equal(batch?.controlType(), type)
      const { baseOffset, maxTimestamp, partitionLeaderEpoch, producerId, producerEpoch } = batch
      const ours = encodeControlBatch({
        type,
        producerId,
        producerEpoch,
        coordinatorEpoch: 17,
        timestamp: maxTimestamp,
        baseOffset,
        partitionLeaderEpoch,
      })
      assert.equal(ours.toString('hex'), theirs.toString('hex'))
    }
  })
})
