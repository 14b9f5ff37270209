import { test } from 'node:test'
import assert from 'node:assert/strict'
import { codecByName } from '@ottla/protocol'
import { codecOf, copyBatch, rebuildBatch } from '../../src/log/rebuild-batch.ts'
import { batchBytes, batchOf, readBack } from '../batches.ts'

function values(bytes: Buffer): string[] {
  const cursor = readBack(bytes).records()
  const found: string[] = []
  while (cursor.next()) found.push(`${cursor.offset} ${String(cursor.value())}`)
  return found
}

test('a copy is compressed as the topic demands, with the same records and a valid checksum', () => {
  const expected = ['0 value-0', '1 value-1']
  for (const [from, to] of [
    ['none', 'gzip'],
    ['gzip', 'none'],
    ['gzip', 'lz4'],
  ] as const) {
    const copy = copyBatch(batchOf(2, { codec: codecByName(from) }), codecByName(to))
    const batch = readBack(copy)
    assert.equal(batch.codecId, codecByName(to).id)
    assert.ok(batch.isCrcValid())
    assert.deepEqual(values(copy), expected, `${from} to ${to}`)
  }
})

test('a copy does not share memory with the request, even if nothing changes', () => {
  const batch = batchOf(1)
  const copy = copyBatch(batch, null)
  batch.buffer.fill(0)
  assert.deepEqual(values(copy), ['0 value-0'])
})

test('an empty batch is uncompressed and keeps its header', () => {
  const empty = readBack(rebuildBatch(batchBytes(2, { producerId: 9n, producerEpoch: 1 }), [], 0, codecByName('gzip')))
  assert.deepEqual([empty.recordCount, empty.codecId, empty.producerId], [0, 0, 9n])
  assert.ok(empty.isCrcValid())
})

test('a topic either names a codec, asks for none, or leaves it to the producer', () => {
  assert.equal(codecOf('lz4')?.name, 'lz4')
  assert.equal(codecOf('uncompressed')?.name, 'none')
  assert.equal(codecOf('producer'), null)
})
