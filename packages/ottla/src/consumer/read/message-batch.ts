/** The batches that `batches()` delivers. */
import { ErrorCode, type RecordBatch, type RecordCursor } from '@ottla/protocol'
import { KafkaError } from '../../errors.ts'
import type { TopicField, TopicForm, TopicName, ValueBeside } from '../../topics.ts'
import type { Message, TopicMessage, TopicPartition } from '../../types.ts'
import type { TakenBatch, UnreadPart } from '../fetch/fetch-queue.ts'
import { batchesOf, FetchedMessage } from '../partition/message.ts'

export type { TakenBatch }

/** No message of the batch is processed. */
const NONE = -1

/**
 * Messages of one partition, in order. Iterating creates them one by one; `messages` creates them all and keeps them.
 * @since 0.1.0
 */
export class MessageBatch<K = Buffer, V = Buffer> implements TopicPartition, Iterable<Message<K, V>> {
  readonly topic: string
  readonly partition: number
  /** How many messages there are. */
  readonly length: number
  readonly firstOffset: number
  /** Of the last message, or of a later one that was compacted away. */
  readonly lastOffset: number
  /** The partition's high watermark as of the last fetch. */
  readonly highWatermark: number
  readonly #taken: TakenBatch
  #messages: readonly Message<K, V>[] | null
  #unread = true
  #processed: number | null = null
  /** @internal called when `markProcessed` says more */
  onProcessed: (() => void) | null = null

  /** @internal `decoded` where there are deserializers */
  constructor(taken: TakenBatch, decoded: readonly Message<K, V>[] | null) {
    this.topic = taken.cursor.topic
    this.partition = taken.cursor.partition
    this.length = decoded?.length ?? taken.count
    this.firstOffset = taken.firstOffset
    const isWhole = decoded === null || decoded.length === taken.count
    this.lastOffset = isWhole ? taken.lastOffset : (decoded.at(-1)?.offset ?? taken.lastOffset)
    this.highWatermark = taken.cursor.fetching.high
    this.#taken = taken
    this.#messages = decoded
  }

  /** All messages. */
  get messages(): readonly Message<K, V>[] {
    this.#messages ??= [...this]
    return this.#messages
  }

  /**
   * Says how far the batch is processed: when the next batch is asked for (in `run` at once), the offset behind this
   * message is stored instead of that behind the whole batch. The furthest of several calls counts; null means that
   * nothing is processed so far. What is not processed is delivered again only after a seek, or to the next reader of
   * the partition; in `run`, when the handler has ended.
   * @throws KafkaError ERR__INVALID_ARG for a message that is not of this batch
   */
  markProcessed(message: (TopicPartition & { readonly offset: number }) | null): void {
    if (message === null) {
      this.#processed ??= NONE
      return
    }
    const { topic, partition, offset } = message
    if (topic !== this.topic || partition !== this.partition || offset < this.firstOffset || offset > this.lastOffset) {
      const what = `message ${topic} [${partition}] at offset ${offset}`
      throw new KafkaError(ErrorCode.ERR__INVALID_ARG, `markProcessed: ${what} does not belong to this batch`)
    }
    this.#processed = Math.max(offset, this.#processed ?? NONE)
    this.onProcessed?.()
  }

  /** @internal the offset behind what has been marked; null while nothing has */
  get progress(): number | null {
    return this.#processed === null ? null : this.nextOffset
  }

  /** @internal offset to store when the next batch is asked for; null for none */
  get nextOffset(): number | null {
    const processed = this.#processed
    if (processed === NONE) return null
    if (processed === null || processed >= this.#lastMessage()) return this.lastOffset + 1
    return processed + 1
  }

  // Offsets that were compacted away behind it are done with it.
  #lastMessage(): number {
    const part = this.#taken.parts.at(-1)
    if (part === undefined || isMade(part) || this.lastOffset !== this.#taken.lastOffset) return this.lastOffset
    const { batch } = part
    if (batch.recordCount === batch.lastOffset - batch.baseOffset + 1) return batch.lastOffset
    const records = batch.records()
    let last = this.lastOffset
    while (records.next()) last = records.offset
    return last
  }

  /** @internal */
  get taken(): TakenBatch {
    return this.#taken
  }

  [Symbol.iterator](): IterableIterator<Message<K, V>> {
    if (this.#messages !== null) return this.#messages[Symbol.iterator]()
    const first = this.#unread
    this.#unread = false
    // Without deserializers, K and V are Buffer.
    return new Walk(this.#taken, first) as unknown as IterableIterator<Message<K, V>>
  }
}

/**
 * A batch of one topic, for typed topics.
 * @since 0.1.0
 */
export interface TopicBatch<N extends string, K, V> extends MessageBatch<K, V> {
  readonly topic: N
  /** All messages. */
  readonly messages: readonly TopicMessage<N, K, V>[]
  [Symbol.iterator](): IterableIterator<TopicMessage<N, K, V>>
}

/**
 * What `batches()` of a `Consumer<K, V>` delivers: for typed topics, batches that their `topic` tells apart.
 * @since 0.1.0
 */
export type ConsumedBatch<K = Buffer, V = ValueBeside<K, Buffer>> = {
  readonly plain: MessageBatch<K, V>
  readonly topics: {
    [N in TopicName<K>]: TopicBatch<N, TopicField<K[N], 'key', Buffer>, TopicField<K[N], 'value', Buffer>>
  }[TopicName<K>]
}[TopicForm<K, V>]

/** The messages as they were fetched, once. */
export function fetchedMessages(taken: TakenBatch): Iterator<FetchedMessage, undefined> {
  return new Walk(taken, true)
}

/** The record batches that it was taken from. */
export function recordBatches({ parts }: TakenBatch): RecordBatch[] {
  return parts.flatMap(part => (isMade(part) ? batchesOf(part) : part.batch))
}

/** Iterates over the parts; hot, hence no generator. */
class Walk implements IterableIterator<FetchedMessage> {
  readonly #taken: TakenBatch
  readonly #isFirst: boolean
  #next = 0
  #made: readonly FetchedMessage[] | null = null
  #at = 0
  #records: RecordCursor | null = null
  #first: FetchedMessage | null = null

  constructor(taken: TakenBatch, isFirst: boolean) {
    this.#taken = taken
    this.#isFirst = isFirst
  }

  /** Throws ProtocolError where the bytes of a batch are not what its header promised. */
  next(): IteratorResult<FetchedMessage, undefined> {
    for (;;) {
      const records = this.#records
      if (records !== null) {
        const first = this.#first
        if (first !== null) {
          this.#first = null
          return { value: first, done: false }
        }
        if (records.next())
          return { value: new FetchedMessage(records, this.#taken.cursor, this.#taken.era), done: false }
        this.#records = null
      }
      const made = this.#made
      if (made !== null) {
        const value = made[this.#at++]
        if (value !== undefined) return { value, done: false }
        this.#made = null
      }
      const part = this.#taken.parts[this.#next++]
      if (part === undefined) return { value: undefined, done: true }
      this.#enter(part)
    }
  }

  [Symbol.iterator](): this {
    return this
  }

  #enter(part: UnreadPart | readonly FetchedMessage[]): void {
    if (isMade(part)) {
      this.#made = part
      this.#at = 0
      return
    }
    this.#first = part.first
    // The cursor that came with the part can be walked only once.
    this.#records = this.#isFirst ? part.records : again(part.batch, part.first.offset)
  }
}

function isMade(part: UnreadPart | readonly FetchedMessage[]): part is readonly FetchedMessage[] {
  return Array.isArray(part)
}

function again(batch: RecordBatch, offset: number): RecordCursor {
  const records = batch.records()
  while (records.next() && records.offset < offset);
  return records
}
