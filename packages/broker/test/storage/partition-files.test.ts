import { readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { PartitionLog, type AppendOptions } from '../../src/log/log.ts'
import { FilePool } from '../../src/storage/file-pool.ts'
import { PartitionFiles, type Bounds } from '../../src/storage/partition-files.ts'
import { batchOf } from '../batches.ts'
import { newFolder } from './folder.ts'

const options: AppendOptions = {
  leaderEpoch: 2,
  maxMessageBytes: 10_000,
  codec: null,
  strictSequences: false,
  logAppendTime: null,
  needsKeys: false,
  oldestTimestamp: -Infinity,
  newestTimestamp: Infinity,
}
const SEGMENT_BYTES = 300

interface Kept {
  readonly log: PartitionLog
  bounds: Bounds
}

/** The log as it is after a restart. */
function open(folder: string, bounds: Bounds = { startOffset: 0, nextOffset: 0 }): Kept {
  const log = new PartitionLog()
  const kept = { log, bounds }
  const files = new PartitionFiles(folder, new FilePool(false), moved => (kept.bounds = moved), SEGMENT_BYTES)
  const loaded = files.load(bounds)
  log.restore(loaded.batches, loaded.startOffset, loaded.nextOffset)
  log.persistTo(files)
  return kept
}

function appendTo(log: PartitionLog, count: number): void {
  for (let i = 0; i < count; i++) log.append(batchOf(2), options)
}

function segments(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.log'))
    .sort()
}

test('appended batches are read back', () => {
  const folder = newFolder()
  const { log } = open(folder)
  appendTo(log, 10)
  assert.ok(segments(folder).length > 1)
  const again = open(folder).log
  assert.equal(again.highWatermark, 20)
  assert.deepEqual(again.read(0, 1e6, false), log.read(0, 1e6, false))
  appendTo(again, 1)
  assert.equal(open(folder).log.highWatermark, 22)
})

test('a truncated batch is lost, and no other', () => {
  const folder = newFolder()
  const { log } = open(folder)
  appendTo(log, 2)
  const path = join(folder, segments(folder)[0] ?? '')
  const bytes = readFileSync(path)
  const half = bytes.length / 2
  for (const length of [half, half + 1, half + 11, half + 12, half + 17, half + 61, bytes.length - 1]) {
    writeFileSync(path, bytes.subarray(0, length))
    const again = open(folder).log
    assert.equal(again.highWatermark, 2)
    appendTo(again, 1)
    assert.equal(open(folder).log.highWatermark, 4)
  }
})

test('nothing after a damaged batch is trusted', () => {
  const folder = newFolder()
  appendTo(open(folder).log, 10)
  const names = segments(folder)
  const path = join(folder, names[1] ?? '')
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(70) ^ 1, 70)
  writeFileSync(path, bytes)
  const again = open(folder).log
  assert.equal(again.highWatermark, Number(names[1]?.slice(0, 20)))
  assert.ok(segments(folder).length <= 2)
})

test('records deleted at the start do not come back, and their files are deleted', () => {
  const folder = newFolder()
  const first = open(folder)
  appendTo(first.log, 10)
  const before = segments(folder).length
  first.log.deleteBefore(11)
  assert.ok(segments(folder).length < before)
  const again = open(folder, first.bounds)
  assert.equal(again.log.startOffset, 11)
  assert.equal(again.log.highWatermark, 20)
  again.log.deleteBefore(20)
  assert.deepEqual(segments(folder), [])
  const empty = open(folder, again.bounds).log
  assert.deepEqual([empty.startOffset, empty.highWatermark], [20, 20])
  appendTo(empty, 1)
  assert.equal(open(folder, again.bounds).log.highWatermark, 22)
})

test('a truncated tail does not come back', () => {
  const folder = newFolder()
  const first = open(folder)
  appendTo(first.log, 10)
  first.log.truncateTo(6)
  const again = open(folder, first.bounds)
  assert.equal(again.log.highWatermark, 6)
  appendTo(again.log, 1)
  assert.equal(open(folder, again.bounds).log.highWatermark, 8)
})

test('a log is rewritten as a whole or not at all', () => {
  const folder = newFolder()
  const first = open(folder)
  appendTo(first.log, 10)
  const other = newFolder()
  const replaced = open(other)
  appendTo(replaced.log, 3)
  // As if the process had ended before the old files were deleted: the new one is complete, or does not have its name yet.
  writeFileSync(join(folder, 'rewritten.tmp'), 'half of it')
  assert.equal(open(folder).log.highWatermark, 20)
  renameSync(join(other, segments(other)[0] ?? ''), join(folder, 'rewritten'))
  assert.equal(open(folder).log.highWatermark, 2 * Math.min(3, Math.floor(SEGMENT_BYTES / batchOf(2).sizeBytes)))
})
