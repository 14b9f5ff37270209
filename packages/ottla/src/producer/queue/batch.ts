/** One batch of one partition: its bytes, its messages and their report sinks. */
import { BatchReader, BatchWriter, type CompressionCodec, type RecordCursor } from '@ottla/protocol'
import type { Threads } from '../../base/threads.ts'
import type { KafkaError } from '../../errors.ts'
import type { Bytes, Header, PersistenceStatus } from '../../types.ts'
import { BatchEntries, type ReportSink } from './entries.ts'
import type { PlainHeaders } from './headers.ts'
import type { AnyMessage } from './message.ts'

/** The outcome of a batch's messages. */
export interface Outcome {
  readonly status: PersistenceStatus
  /** Offset of the first record; -1 if unknown. */
  readonly baseOffset: number
  /** The broker's time for all records (`message.timestamp.type=LogAppendTime`); -1 if it keeps the records' own. */
  readonly logAppendTime: number
  /** Where the partition's log begins; -1 if unknown. */
  readonly logStartOffset: number
  readonly error: KafkaError | null
  /** Errors of single records by index (KIP-467), if they differ. */
  readonly recordErrors: ReadonlyMap<number, KafkaError> | null
}

const noEntries = new BatchEntries()

/** Sequence numbers are 0 to 2^31 - 1, then 0 again. */
export const SEQUENCES = 2 ** 31

/** The id that the cluster gave to an idempotent producer. Compared by reference. */
export interface Identity {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** Whether its batches belong to transactions. */
  readonly isTransactional: boolean
}

/** Id and sequence number of an idempotent producer's batch. */
export interface Stamp extends Identity {
  readonly baseSequence: number
}

/** A message without a partition yet: copies, because the application may reuse its buffers. */
export interface HeldRecord {
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly headers: PlainHeaders | undefined
  readonly timestamp: number
}

/**
 * Grows by `append` until it is closed; then it is sealed, sent, perhaps retried, and settled once. Its fields are
 * plain for speed: only its partition's queue and the sender touch them.
 */
export class Batch {
  /** @internal */
  readonly writer: BatchWriter
  /** The messages of its records, with their report sinks. */
  entries = new BatchEntries()
  /** Added to monotonic ms, gives ms since the epoch. */
  readonly wallOffset: number
  /** Number of its first message within the partition, counted from 0. */
  readonly baseMsgid: number
  /** Bytes of its records, as the limits of the queue count them. */
  queuedBytes = 0
  /** Its linger is over. */
  isDue = false
  /** Failed attempts. */
  failures = 0
  /** Failed attempts that may have reached the broker; limited by `message.send.max.retries`. */
  retries = 0
  /** The status of its messages if it is given up now. */
  doubt: Exclude<PersistenceStatus, 'persisted'> = 'not-persisted'
  /** An attempt was in doubt: a broker may still have its bytes, whatever the outcome of later attempts. */
  wasInDoubt = false
  /**
   * In doubt, and refused as out of order: it may be in the log of a leader that has lost its producer state. The
   * outcome of the batches behind it will show.
   */
  isSetAside = false
  /** Why the last attempt failed. */
  lastError: KafkaError | null = null
  /**
   * How many of its first messages were reported before its end, because their time was over. Their records, and what
   * these count for in the queue, stay until the batch is sent again without them (`withoutReported`), or ends.
   */
  reported = 0
  isSettled = false
  /** Whether a socket may still hold its bytes: then the buffer is not reused. */
  isBufferShared = false
  stamp: Stamp | null = null
  /** Another thread is compressing its records: it cannot be sent before that is over. */
  isCompressing = false
  /** Another thread has compressed it, or tried to. */
  isCompressed = false
  /** Its records, not encoded, while they have no partition. */
  held: HeldRecord[] | null = null
  #sealed: Buffer | null = null
  #sealedWith: Stamp | null = null

  constructor(capacity: number, baseMsgid: number, wallOffset: number) {
    this.writer = new BatchWriter(capacity)
    this.baseMsgid = baseMsgid
    this.wallOffset = wallOffset
  }

  get count(): number {
    return this.entries.count
  }

  /** Messages without a report. */
  get unreported(): number {
    return this.entries.count - this.reported
  }

  /**
   * Whether it has to stay as it was sent: a broker that may have it recognizes it by its sequence number and the number
   * of its records only (KIP-98). librdkafka takes out messages whose time is over all the same and sends the others
   * under another epoch, which writes them twice if the broker has them.
   */
  get isFixed(): boolean {
    return this.stamp !== null && this.doubt === 'possibly-persisted'
  }

  /** Bytes on the wire: exact once it is sealed, uncompressed before. */
  get sizeBytes(): number {
    return this.writer.sizeBytes
  }

  /** The status for reports if its messages are given up. */
  get unpersisted(): Exclude<PersistenceStatus, 'persisted'> {
    return this.wasInDoubt ? 'possibly-persisted' : this.doubt
  }

  get firstAt(): number {
    return this.entries.firstAt
  }

  get lastAt(): number {
    return this.entries.lastAt
  }

  /**
   * Writes a message's record.
   * @param now - monotonic ms
   * @returns by how many bytes the batch has grown
   */
  append(
    message: AnyMessage,
    sink: ReportSink,
    key: Bytes | null,
    value: Bytes | null,
    headers: PlainHeaders | undefined,
    timestamp: number,
    now: number,
  ): number {
    const bytes = this.writer.append(key, value, headers, timestamp)
    this.entries.add(message, sink, now)
    this.queuedBytes += bytes
    return bytes
  }

  /**
   * Adds a message without a partition yet.
   * @param size - an upper bound of its record's bytes
   */
  hold(message: AnyMessage, sink: ReportSink, record: HeldRecord, now: number, size: number): void {
    this.held ??= []
    this.held.push({
      ...record,
      key: copyOf(record.key),
      value: copyOf(record.value),
      headers: copyOfAll(record.headers),
    })
    this.entries.add(message, sink, now)
    this.queuedBytes += size
  }

  /** The batch for the wire; the same bytes for each attempt, unless its stamp has changed. */
  seal(codec: CompressionCodec | null, level: number): Buffer {
    if (this.#sealed === null || this.stamp !== this.#sealedWith) {
      this.#sealed = this.writer.seal({ codec, level, ...(this.stamp ?? {}) })
      this.#sealedWith = this.stamp
    }
    return this.#sealed
  }

  /** Compresses its records on another thread, once; null if they are sealed, or if the codec cannot do that. */
  compressBeside(codec: CompressionCodec, level: number, threads: Threads): Promise<void> | null {
    const compressing = this.writer.compressBeside(codec, level)
    if (compressing === null) return null
    this.isCompressing = true
    return threads
      .run(() => compressing)
      .then(() => {
        this.isCompressing = false
        this.isCompressed = true
      })
  }

  /** Releases the messages and the buffer. */
  dispose(): void {
    this.entries = noEntries
    this.held = null
    this.#sealed = null
    if (!this.isBufferShared) this.writer.release()
  }
}

/** Takes the records of a batch one by one. */
export type RecordTaker = (message: AnyMessage, sink: ReportSink, record: HeldRecord, enqueuedAt: number) => void

/**
 * Passes each record of a batch to `take`. Views of an encoded batch are valid during the call only.
 * @param from - the first message's index
 * @param to - the index behind the last one
 */
export function eachRecord(batch: Batch, take: RecordTaker, from = 0, to = batch.count): void {
  const { entries, held } = batch
  const cursor =
    held === null ? new BatchReader(batch.seal(null, -1)).next()?.records(batch.writer.uncompressedBytes) : null
  for (let i = 0; i < to; i++) {
    const message = entries.messages[i]
    const record = held === null ? recordAt(cursor) : held[i]
    if (message === undefined || record === undefined) throw new Error('a batch has more messages than records')
    if (i >= from) take(message, entries.sinkOf(i), record, entries.acceptedAt(i))
  }
}

function recordAt(cursor: RecordCursor | null | undefined): HeldRecord | undefined {
  if (cursor?.next() !== true) return undefined
  const headers = cursor.headerCount === 0 ? undefined : cursor.headers()
  return { key: cursor.key(), value: cursor.value(), headers, timestamp: cursor.timestamp }
}

/** Splits an unsettled batch before its message `at`, which is at least 1 and below the count. */
export function splitBatch(batch: Batch, at: number): [Batch, Batch] {
  const first = partOf(batch, 0, at)
  const second = partOf(batch, at, batch.count)
  // Lengths and deltas may take different numbers of bytes now, but the queue must release what it has counted.
  second.queuedBytes = batch.queuedBytes - first.queuedBytes
  batch.isSettled = true
  batch.dispose()
  return [first, second]
}

/**
 * The messages of an unsettled batch that have no report yet, in a batch of their own. Afterwards `batch` counts for the
 * others only, and has to be released.
 */
export function withoutReported(batch: Batch): Batch {
  const rest = partOf(batch, batch.reported, batch.count)
  // As in splitBatch.
  rest.queuedBytes = Math.min(rest.queuedBytes, batch.queuedBytes)
  batch.queuedBytes -= rest.queuedBytes
  return rest
}

function partOf(batch: Batch, from: number, to: number): Batch {
  const part = new Batch(batch.queuedBytes, batch.baseMsgid + from, batch.wallOffset)
  part.failures = batch.failures
  part.retries = batch.retries
  part.doubt = batch.doubt
  part.wasInDoubt = batch.wasInDoubt
  part.lastError = batch.lastError
  part.reported = Math.max(0, Math.min(batch.reported, to) - from)
  part.isDue = true
  const { held, stamp } = batch
  if (stamp !== null) part.stamp = { ...stamp, baseSequence: (stamp.baseSequence + from) % SEQUENCES }
  const take: RecordTaker = (message, sink, record, enqueuedAt) => {
    const { key, value, headers, timestamp } = record
    if (held === null) part.append(message, sink, key, value, headers, timestamp, enqueuedAt)
    else part.hold(message, sink, record, enqueuedAt, BatchWriter.estimateSize(key, value, headers))
  }
  eachRecord(batch, take, from, to)
  return part
}

function copyOf(data: Bytes | null): Bytes | null {
  if (data === null || typeof data === 'string') return data
  // A Buffer, like most applications pass: a single type of bytes keeps the encoder fast.
  const copy = Buffer.allocUnsafe(data.length)
  copy.set(data)
  return copy
}

function copyOfAll(headers: PlainHeaders | undefined): PlainHeaders | undefined {
  if (headers === undefined) return undefined
  const copies: { key: string; value: Bytes | null }[] = []
  const list = Array.isArray(headers) ? (headers as readonly Header[]) : null
  if (list === null) {
    for (const [key, value] of Object.entries(headers as Readonly<Record<string, Bytes | null>>))
      copies.push({ key, value: copyOf(value) })
  } else {
    for (const { key, value } of list) copies.push({ key, value: copyOf(value ?? null) })
  }
  return copies
}
