/** Fetched messages. */
import { RecordBatch, RecordView, type RecordCursor } from '@ottla/protocol'
import type { Message } from '../../types.ts'
import type { Cursor } from './cursor.ts'

/**
 * A message without deserializers. Key, value and headers are created when they are first read, as views of the
 * fetched data, which they keep in memory: copy what you keep for long. They are accessors, so `{ ...message }` lacks
 * them; `toJSON()` returns a plain object with everything.
 * @since 0.1.0
 */
export class FetchedMessage extends RecordView implements Message {
  /** @internal the cursor that it came from */
  readonly cursor: Cursor
  /** @internal the cursor's era when it was delivered: see OffsetStore */
  readonly era: number

  /** @internal */
  constructor(records: RecordCursor, cursor: Cursor, era: number) {
    super(records)
    this.cursor = cursor
    this.era = era
  }

  /** @internal the position has moved since: a seek, a reset or a truncation */
  get isStale(): boolean {
    return this.era !== this.cursor.offsets.era
  }

  /** @internal it must not be delivered any more: its partition was given up, or it is stale */
  get isOver(): boolean {
    return this.cursor.dropped || this.isStale
  }

  get topic(): string {
    return this.cursor.topic
  }

  get partition(): number {
    return this.cursor.partition
  }

  /** All fields in a plain object: what JSON.stringify and console.log show. */
  toJSON(): Message {
    const { topic, partition, offset, leaderEpoch, timestamp, timestampType, key, value, headers } = this
    return { topic, partition, offset, leaderEpoch, timestamp, timestampType, key, value, headers }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): Message {
    return this.toJSON()
  }
}

/** The batch that a message came in. */
export function batchOf({ batch }: FetchedMessage): RecordBatch | null {
  return batch instanceof RecordBatch ? batch : null
}

/** The batches of several messages of one partition, in order. */
export function batchesOf(messages: Iterable<FetchedMessage>): RecordBatch[] {
  const batches: RecordBatch[] = []
  for (const message of messages) {
    const batch = batchOf(message)
    if (batch !== null && batches.at(-1) !== batch) batches.push(batch)
  }
  return batches
}
