/** Reads batches for a producer's transactions, which commit the offsets. */
import type { Timer } from '../base/clock.ts'
import type { ClientContext } from '../cluster/context.ts'
import type { Portion, TransactionalReader } from '../cluster/handle.ts'
import { OFFSET_BEGINNING, type ConsumerGroupMetadata, type TopicPartitionOffset } from '../types.ts'
import type { FetchQueue } from './fetch/fetch-queue.ts'
import type { Ownership } from './ownership.ts'
import type { Cursor } from './partition/cursor.ts'
import type { OffsetStore } from './partition/offset-store.ts'
import { BatchIterator, DUE, type BatchOptions } from './read/iterators.ts'
import type { Mailbox } from './read/mailbox.ts'
import { recordBatches, type MessageBatch } from './read/message-batch.ts'
import type { Reader } from './read/reader.ts'

interface Sent {
  readonly store: OffsetStore | undefined
  readonly era: number
  readonly offset: TopicPartitionOffset
}

// As often as Kafka Streams commits: a transaction that only moves the offset past aborted messages can wait.
const GAPS_EVERY_MS = 100
const GAPS_RETRY_MS = 1000

/** Returns a batch at a time; when there is none, offsets of gaps that reading has passed. */
export class TransactionReader<K, V> implements TransactionalReader<MessageBatch<K, V>> {
  readonly #context: ClientContext
  readonly #mailbox: Mailbox
  readonly #ownership: Ownership
  readonly #metadata: () => ConsumerGroupMetadata
  readonly #batches: BatchIterator<K, V>
  #group: ConsumerGroupMetadata
  #batch: MessageBatch<K, V> | null = null
  #sent: Sent[] = []
  #isStopping = false
  #isOver = false
  /** No transaction for gaps alone before this moment (monotonic ms). */
  #gapsAt = -Infinity
  #timer: Timer | null = null

  constructor(
    options: BatchOptions,
    metadata: () => ConsumerGroupMetadata,
    context: ClientContext,
    reader: Reader<K, V>,
    queue: FetchQueue,
    mailbox: Mailbox,
    ownership: Ownership,
  ) {
    this.#context = context
    this.#mailbox = mailbox
    this.#ownership = ownership
    this.#metadata = metadata
    this.#group = metadata()
    this.#batches = new BatchIterator(reader, queue, options, {
      onTaken: () => (this.#group = metadata()),
      isDue: () => this.#isDue(),
    })
    ownership.storeOffsets(true)
  }

  async next(): Promise<Portion<MessageBatch<K, V>> | null> {
    if (this.#isOver) return null
    const found = await this.#batches.nextOr()
    this.#timer?.cancel()
    this.#timer = null
    if (found === null) return null
    this.#isOver = this.#isStopping
    if (found === DUE) return this.#sent.length === 0 ? null : { batch: null, group: this.#group }
    this.#batch = found
    if (!this.#isStopping) return { batch: found, group: this.#group }
    this.ended(false)
    return null
  }

  offsets(): TopicPartitionOffset[] {
    const batch = this.#batch
    if (batch !== null) {
      this.#batches.storeLast(true)
      this.#sent = this.#pending(batch)
    }
    return this.#sent.map(({ offset }) => offset)
  }

  ended(isCommitted: boolean): void {
    for (const { store, era, offset } of this.#sent) store?.commitEnded(era, isCommitted ? offset : null)
    this.#sent = []
    const batch = this.#batch
    this.#batch = null
    this.#gapsAt = this.#context.clock.now() + (isCommitted ? GAPS_EVERY_MS : GAPS_RETRY_MS)
    if (batch !== null && !isCommitted) this.#giveBack(batch)
  }

  stop(): void {
    this.#isStopping = true
    this.#mailbox.wake()
  }

  close(): void {
    this.#timer?.cancel()
    this.#ownership.storeOffsets(this.#context.settings['enable.auto.offset.store'])
    void this.#batches.return()
  }

  /** There is no batch: whether to commit gaps, or to end. */
  #isDue(): boolean {
    const { clock } = this.#context
    const wait = this.#isStopping ? 0 : this.#gapsAt - clock.now()
    if (wait > 0) {
      this.#timer ??= clock.setTimer(wait, () => {
        this.#timer = null
        this.#mailbox.wake()
      })
      return false
    }
    this.#group = this.#metadata()
    this.#sent = this.#pending(null)
    return this.#isStopping || this.#sent.length > 0
  }

  /**
   * The offsets that a transaction commits now. Messages that the application has read in other ways belong to no
   * transaction: their offsets wait until a batch behind them is done.
   */
  #pending(batch: MessageBatch<K, V> | null): Sent[] {
    const own = batch?.taken.cursor
    const cursors = this.#ownership.cursors.filter(cursor => {
      return cursor === own || (!cursor.offsets.coversMessages && cursor.name !== own?.name)
    })
    const sent: Sent[] = this.#ownership
      .pending(cursors)
      .map(({ offset, store }) => ({ store, era: store?.commitBegins() ?? 0, offset }))
    // The work has given the partition up, or moved it to a place that is not known yet: the batch is done all the
    // same.
    const isElsewhere = own !== undefined && (own.dropped || own.position < 0)
    if (!isElsewhere || batch === null || batch.nextOffset === null) return sent
    const { topic, partition, nextOffset } = batch
    const { era, leaderEpoch } = batch.taken
    own.offsets.commitBegins()
    sent.push({ store: own.offsets, era, offset: { topic, partition, offset: nextOffset, leaderEpoch } })
    return sent
  }

  /** Reads the batch again, unless the work itself has moved the position to or before it. */
  #giveBack({ topic, partition, firstOffset, taken }: MessageBatch<K, V>): void {
    const { cursor, era } = taken
    if (cursor.dropped) return
    if (cursor.offsets.era === era) this.#ownership.rewindTo(cursor, firstOffset, era, recordBatches(taken))
    else if (!isBefore(cursor, firstOffset)) this.#ownership.seek([{ topic, partition, offset: firstOffset }])
  }
}

function isBefore({ position, target }: Cursor, offset: number): boolean {
  return position >= 0 ? position <= offset : target === OFFSET_BEGINNING
}
