/** The segment files of one partition: batches one after the other, as consumers get them. */
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { BatchReader, ProtocolError, type RecordBatch } from '@ottla/protocol'
import type { LogPersistence } from '../log/log.ts'
import { storedBatch, type StoredBatch } from '../log/stored-batch.ts'
import type { FilePool } from './file-pool.ts'
import { replaceFile } from './replace-file.ts'

interface Segment {
  readonly baseOffset: number
  readonly path: string
  size: number
}

/** Where a log starts and ends, which its files alone do not show. */
export interface Bounds {
  readonly startOffset: number
  readonly nextOffset: number
}

export interface LoadedLog extends Bounds {
  readonly batches: readonly StoredBatch[]
}

// The start of a log is deleted by whole segments.
const SEGMENT_BYTES = 64 * 1024 * 1024
const OFFSET_DIGITS = 20
const REWRITTEN = 'rewritten'

export class PartitionFiles implements LogPersistence {
  readonly #folder: string
  readonly #files: FilePool
  readonly #onBounds: (bounds: Bounds) => void
  readonly #segmentBytes: number
  #segments: Segment[] = []
  #nextOffset = 0

  /** @param onBounds called with bounds that have to be stored */
  constructor(folder: string, files: FilePool, onBounds: (bounds: Bounds) => void, segmentBytes = SEGMENT_BYTES) {
    this.#folder = folder
    this.#files = files
    this.#onBounds = onBounds
    this.#segmentBytes = segmentBytes
  }

  /** Reads the log up to the first damaged batch, and deletes the rest. */
  load(bounds: Bounds): LoadedLog {
    mkdirSync(this.#folder, { recursive: true })
    this.#finishRewriting()
    const batches: StoredBatch[] = []
    let nextOffset = 0
    let isWhole = true
    for (const name of readdirSync(this.#folder).sort()) {
      if (!name.endsWith('.log')) continue
      const path = join(this.#folder, name)
      if (!isWhole) {
        rmSync(path)
        continue
      }
      const bytes = readFileSync(path)
      const valid = readSegment(bytes, nextOffset, batches)
      nextOffset = (batches.at(-1)?.lastOffset ?? -1) + 1
      isWhole = valid === bytes.length
      if (!isWhole) truncateSync(path, valid)
      this.#segments.push({ baseOffset: Number(name.slice(0, OFFSET_DIGITS)), path, size: valid })
    }
    const { startOffset } = bounds
    this.#nextOffset = Math.max(nextOffset, startOffset, bounds.nextOffset)
    return {
      batches: batches.filter(({ lastOffset }) => lastOffset >= startOffset),
      startOffset,
      nextOffset: this.#nextOffset,
    }
  }

  appended(batch: StoredBatch): void {
    let segment = this.#segments.at(-1)
    if (segment === undefined || segment.size + batch.bytes.length > this.#segmentBytes) {
      if (segment === undefined) mkdirSync(this.#folder, { recursive: true })
      else this.#files.close(segment.path)
      segment = { baseOffset: batch.baseOffset, path: this.#pathOf(batch.baseOffset), size: 0 }
      this.#segments.push(segment)
    }
    this.#files.append(segment.path, batch.bytes, segment.size)
    segment.size += batch.bytes.length
    this.#nextOffset = batch.lastOffset + 1
  }

  startMoved(startOffset: number): void {
    this.#onBounds({ startOffset, nextOffset: this.#nextOffset })
    while (this.#segments.length > 0) {
      const end = this.#segments[1]?.baseOffset ?? this.#nextOffset
      if (end > startOffset) return
      const segment = this.#segments.shift() as Segment // the length was checked
      this.#files.close(segment.path)
      rmSync(segment.path, { force: true })
    }
  }

  rewritten(batches: readonly StoredBatch[], startOffset: number, nextOffset: number): void {
    // The bounds are right for the old batches, too, should the process end before they are replaced.
    this.#onBounds({ startOffset, nextOffset })
    for (const { path } of this.#segments) this.#files.close(path)
    mkdirSync(this.#folder, { recursive: true })
    replaceFile(
      join(this.#folder, REWRITTEN),
      batches.map(({ bytes }) => bytes),
    )
    this.#finishRewriting()
    const size = batches.reduce((sum, { bytes }) => sum + bytes.length, 0)
    this.#segments = [{ baseOffset: 0, path: this.#pathOf(0), size }]
    this.#nextOffset = nextOffset
  }

  /** Deletes all files. */
  remove(): void {
    for (const { path } of this.#segments) this.#files.close(path)
    this.#segments = []
    rmSync(this.#folder, { recursive: true, force: true })
  }

  // Once the new file has its name, it replaces the old ones, even if the process ends before these are deleted.
  #finishRewriting(): void {
    const path = join(this.#folder, REWRITTEN)
    rmSync(`${path}.tmp`, { force: true })
    if (!existsSync(path)) return
    for (const name of readdirSync(this.#folder)) if (name.endsWith('.log')) rmSync(join(this.#folder, name))
    renameSync(path, this.#pathOf(0))
  }

  #pathOf(baseOffset: number): string {
    return join(this.#folder, `${String(baseOffset).padStart(OFFSET_DIGITS, '0')}.log`)
  }
}

// Returns how many bytes of a segment are valid batches with ascending offsets.
function readSegment(bytes: Buffer, from: number, batches: StoredBatch[]): number {
  const reader = new BatchReader(bytes)
  let nextOffset = from
  let valid = 0
  for (;;) {
    const batch = readBatch(reader)
    if (batch?.magic !== 2 || batch.baseOffset < nextOffset || !batch.isCrcValid()) return valid
    const { baseOffset, lastOffset, maxTimestamp, partitionLeaderEpoch: leaderEpoch } = batch
    const copy = Buffer.from(bytes.subarray(batch.start, batch.start + batch.sizeBytes))
    batches.push(storedBatch(copy, { baseOffset, lastOffset, maxTimestamp, leaderEpoch }))
    nextOffset = lastOffset + 1
    valid = reader.position
  }
}

function readBatch(reader: BatchReader): RecordBatch | null {
  try {
    return reader.next()
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}
