/** One batch of one partition: its bytes, and whom to report each of its messages to. */
import { BatchReader, BatchWriter, type CompressionCodec, type RecordCursor } from '@ottla/protocol'
import type { KafkaError } from '../../errors.ts'
import type { Bytes, Header, PersistenceStatus } from '../../types.ts'
import { BatchEntries, type ReportSink } from './entries.ts'
import type { PlainHeaders } from './headers.ts'
import type { AnyMessage } from './message.ts'

/** How a batch's messages ended. */
export interface Outcome {
  readonly status: PersistenceStatus
  /** Of the first record; -1 where it is not known. */
  readonly baseOffset: number
  /** The broker's own time for all records (`message.timestamp.type=LogAppendTime`); -1 where it keeps theirs. */
  readonly logAppendTime: number
  readonly error: KafkaError | null
  /** Errors of single records by index (KIP-467), where they differ. */
  readonly recordErrors: ReadonlyMap<number, KafkaError> | null
}

const noEntries = new BatchEntries()

/** Sequence numbers are 0 to 2^31 - 1, then 0 again. */
export const SEQUENCES = 2 ** 31

/** An id that the cluster has given an idempotent producer. Compared by reference. */
export interface Identity {
  readonly producerId: bigint
  readonly producerEpoch: number
  /** Its batches count only when their transaction is committed. */
  readonly isTransactional: boolean
}

/** What stamps a batch of an idempotent producer. */
export interface Stamp extends Identity {
  readonly baseSequence: number
}

/** A message that has no partition yet: copies, since the program may use its buffers for something else. */
export interface HeldRecord {
  readonly key: Bytes | null
  readonly value: Bytes | null
  readonly headers: PlainHeaders | undefined
  readonly timestamp: number
}

/**
 * Grows by `append` until it is closed; then it is sealed, sent, perhaps sent again, and settled once. Its
 * fields are plain for speed: only its partition's queue and the sender touch them.
 */
export class Batch {
  /** @internal */
  readonly writer: BatchWriter
  /** Whom to report each of its records to. */
  entries = new BatchEntries()
  /** What to add to the monotonic time for ms since the epoch. */
  readonly wallOffset: number
  /** Number of its first message within the partition, counted from 0. */
  readonly baseMsgid: number
  /** Bytes of its records, as the limits of the queue count them. */
  queuedBytes = 0
  /** Its time to wait for company is over. */
  isDue = false
  /** Failed tries. */
  failures = 0
  /** Failed tries that may have reached the broker: what `message.send.max.retries` limits. */
  retries = 0
  /** What is known when it has to be given up. */
  doubt: Exclude<PersistenceStatus, 'persisted'> = 'not-persisted'
  /** Some try was in doubt: its bytes may still be in a broker's hands, whatever came of later tries. */
  wasInDoubt = false
  /**
   * In doubt, and refused as out of order: it may be in the log of a leader that has forgotten it. What becomes of those
   * behind it will tell.
   */
  isForgotten = false
  /** Why the last try failed. */
  lastError: KafkaError | null = null
  isSettled = false
  /** Whether a try left its bytes in some socket: then the buffer is not used again. */
  isBufferShared = false
  stamp: Stamp | null = null
  /** Its records are being read by another thread: it cannot leave before that is over. */
  isCompressing = false
  /** Another thread has done its work, as far as it could. */
  isCompressed = false
  /** Instead of encoded records, while they have no partition. */
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

  /** Bytes on the wire: exact once it is sealed, before that without compression. */
  get sizeBytes(): number {
    return this.writer.sizeBytes
  }

  /** What to say of its messages when they are given up. */
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
   * @returns by how many bytes it has grown
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
   * Takes a message that has no partition yet.
   * @param size - what its record will take at most
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

  /** The batch as it goes onto the wire; the same bytes again for each try, unless its stamp has changed. */
  seal(codec: CompressionCodec | null, level: number): Buffer {
    if (this.#sealed === null || this.stamp !== this.#sealedWith) {
      this.#sealed = this.writer.seal({ codec, level, ...(this.stamp ?? {}) })
      this.#sealedWith = this.stamp
    }
    return this.#sealed
  }

  /** Compresses its records on another thread, once; null when they are sealed, or the codec works on this thread only. */
  compressBeside(codec: CompressionCodec, level: number): Promise<void> | null {
    const compressing = this.writer.compressBeside(codec, level)
    if (compressing === null) return null
    this.isCompressing = true
    return compressing.then(() => {
      this.isCompressing = false
      this.isCompressed = true
    })
  }

  /** Lets go of the messages and the buffer. */
  dispose(): void {
    this.entries = noEntries
    this.held = null
    this.#sealed = null
    if (!this.isBufferShared) this.writer.release()
  }
}

/** Takes the records of a batch one by one into batches made by others. */
export type RecordTaker = (message: AnyMessage, sink: ReportSink, record: HeldRecord, enqueuedAt: number) => void

/** Hands the records of a batch to `take`. Of a batch that was encoded the views are valid during the call only. */
export function eachRecord(batch: Batch, take: RecordTaker): void {
  const { entries, held } = batch
  const cursor =
    held === null ? new BatchReader(batch.seal(null, -1)).next()?.records(batch.writer.uncompressedBytes) : null
  for (let i = 0; i < entries.count; i++) {
    const message = entries.messages[i]
    const record = held === null ? recordAt(cursor) : held[i]
    if (message === undefined || record === undefined) throw new Error('a batch has more messages than records')
    take(message, entries.sinkOf(i), record, entries.acceptedAt(i))
  }
}

function recordAt(cursor: RecordCursor | null | undefined): HeldRecord | undefined {
  if (cursor?.next() !== true) return undefined
  const headers = cursor.headerCount === 0 ? undefined : cursor.headers()
  return { key: cursor.key(), value: cursor.value(), headers, timestamp: cursor.timestamp }
}

/** Divides a batch that has not been settled before its message `at`, which is at least 1 and below the count. */
export function splitBatch(batch: Batch, at: number): [Batch, Batch] {
  const first = new Batch(batch.queuedBytes, batch.baseMsgid, batch.wallOffset)
  const second = new Batch(batch.queuedBytes, batch.baseMsgid + at, batch.wallOffset)
  for (const half of [first, second]) {
    half.failures = batch.failures
    half.retries = batch.retries
    half.doubt = batch.doubt
    half.wasInDoubt = batch.wasInDoubt
    half.lastError = batch.lastError
    half.isDue = true
  }
  if (batch.stamp !== null) {
    first.stamp = batch.stamp
    second.stamp = { ...batch.stamp, baseSequence: (batch.stamp.baseSequence + at) % SEQUENCES }
  }
  const { held } = batch
  eachRecord(batch, (message, sink, record, enqueuedAt) => {
    const half = first.count < at ? first : second
    const { key, value, headers, timestamp } = record
    if (held === null) half.append(message, sink, key, value, headers, timestamp, enqueuedAt)
    else half.hold(message, sink, record, enqueuedAt, BatchWriter.estimateSize(key, value, headers))
  })
  // Lengths and deltas may take other numbers of bytes now; what the queue has counted must stay what it gives back.
  second.queuedBytes = batch.queuedBytes - first.queuedBytes
  batch.isSettled = true
  batch.dispose()
  return [first, second]
}

function copyOf(data: Bytes | null): Bytes | null {
  if (data === null || typeof data === 'string') return data
  // A Buffer, as most programs give: one kind of bytes keeps the encoder fast.
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
