/** The transactions of one producer, one at a time. */
import type { Producer, ProducerConfig } from 'ottla'
import { KafkaJSNonRetriableError } from '../errors.ts'
import { CompressionTypes } from '../enums.ts'
import type { CommittedOffsets } from '../translate/committed-offsets.ts'
import { toFinalError } from '../translate/errors.ts'
import { flatOffsets } from '../translate/offsets.ts'
import type { RetryPlan } from '../translate/retry.ts'
import type { Offsets } from '../types/metadata.ts'
import type { Sender, Transaction } from '../types/producer.ts'
import type { ProducerPool } from './pool.ts'

export interface TransactionsHost {
  readonly plan: RetryPlan
  readonly committed: CommittedOffsets
  /** A pool whose producers have this configuration, too. */
  connect(extra: Partial<ProducerConfig>): Promise<ProducerPool>
  /** What sends with the producer that the function gives. */
  sender(producer: (compression: CompressionTypes) => Promise<Producer>): Sender
}

const DEFAULT_TIMEOUT_MS = 60_000
/** Kafka's coordinator and `ottla` take no less. */
const LEAST_TIMEOUT_MS = 1000

/** The producer of the transactional id, and how it compresses: that is fixed once something has been sent. */
interface Current {
  readonly producer: Producer
  readonly compression: CompressionTypes
  readonly pool: ProducerPool
}

export class Transactions {
  readonly #host: TransactionsHost
  #current: Current | null = null
  #open: OpenTransaction | null = null
  /** The last change of the producer: two at once would fence each other. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(host: TransactionsHost) {
    this.#host = host
  }

  /** Begins a transaction; claims the transactional id first, if that has not been done. Rejects with kafkajs's errors. */
  async begin(transactionalId: string, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Transaction> {
    if (this.#open !== null) {
      throw new KafkaJSNonRetriableError(
        'There is already an ongoing transaction for this producer. Please end the transaction before beginning another.',
      )
    }
    const limit = Math.max(LEAST_TIMEOUT_MS, timeoutMs)
    const open = new OpenTransaction(this.#host, async compression => {
      const { producer } = await this.#use(transactionalId, limit, compression, open)
      return producer
    })
    this.#open = open
    try {
      const { compression } = this.#current ?? { compression: CompressionTypes.None }
      const { producer } = await this.#use(transactionalId, limit, compression, open)
      open.began(producer, () => (this.#open = null))
    } catch (error) {
      this.#open = null
      throw toFinalError(error, this.#host.plan)
    }
    return open.face
  }

  /** Aborts what is open, and disconnects. */
  async close(): Promise<void> {
    const current = this.#current
    this.#open?.end()
    this.#current = this.#open = null
    await current?.pool.close()
  }

  /** The producer, in a transaction: another one if nothing has been sent yet and it compresses in another way. */
  #use(id: string, timeoutMs: number, compression: CompressionTypes, open: OpenTransaction): Promise<Current> {
    const turn = this.#turn.then(async () => {
      const current = await this.#find(id, timeoutMs, compression, open)
      if (open.hasBegun) open.isUsed = true
      return current
    })
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #find(id: string, timeoutMs: number, compression: CompressionTypes, open: OpenTransaction): Promise<Current> {
    const before = this.#current
    if (before !== null && (before.compression === compression || open.isUsed)) {
      if (!open.hasBegun) before.producer.beginTransaction()
      return before
    }
    // Nothing has been sent with it: what is closed here is an empty transaction.
    await before?.pool.close()
    const pool = await this.#host.connect({
      'transactional.id': id,
      'transaction.timeout.ms': timeoutMs,
      'message.timeout.ms': timeoutMs,
    })
    const producer = pool.get({ acks: -1, compression, timeout: undefined })
    const current = { producer, compression, pool }
    try {
      await producer.initTransactions()
    } catch (error) {
      this.#current = null
      await pool.close(0)
      throw error
    }
    this.#current = current
    producer.beginTransaction()
    if (open.hasBegun) open.movedTo(producer)
    return current
  }
}

class OpenTransaction {
  readonly face: Transaction
  readonly #host: TransactionsHost
  #producer: Producer | null = null
  #onEnd: (() => void) | null = null
  /** Messages or offsets belong to it. */
  isUsed = false

  /** @param use the producer for a compression */
  constructor(host: TransactionsHost, use: (compression: CompressionTypes) => Promise<Producer>) {
    this.#host = host
    const sender = host.sender(use)
    this.face = {
      send: record => this.#guarded(() => sender.send(record)),
      sendBatch: batch => this.#guarded(() => sender.sendBatch(batch)),
      sendOffsets: offsets => this.#guarded(() => this.#sendOffsets(offsets)),
      commit: () => this.#guarded(() => this.#finish(producer => producer.commitTransaction())),
      abort: () => this.#guarded(() => this.#finish(producer => producer.abortTransaction())),
      isActive: () => this.#onEnd !== null,
    }
  }

  get hasBegun(): boolean {
    return this.#producer !== null
  }

  began(producer: Producer, onEnd: () => void): void {
    this.#producer = producer
    this.#onEnd = onEnd
  }

  movedTo(producer: Producer): void {
    this.#producer = producer
  }

  end(): void {
    const onEnd = this.#onEnd
    this.#onEnd = null
    onEnd?.()
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#onEnd === null) throw new KafkaJSNonRetriableError('Cannot continue to use transaction once ended')
    return work()
  }

  async #finish(work: (producer: Producer) => Promise<void>): Promise<void> {
    await this.#asked(work)
    this.end()
  }

  async #sendOffsets({ consumerGroupId, topics }: Offsets & { consumerGroupId: string }): Promise<void> {
    if (!consumerGroupId) throw new KafkaJSNonRetriableError(`Invalid consumerGroupId ${consumerGroupId}`)
    const offsets = flatOffsets({ topics })
    this.isUsed = true
    const group = { groupId: consumerGroupId, generationId: -1, memberId: '' }
    await this.#asked(producer => producer.sendOffsetsToTransaction(offsets, group))
    for (const { topic, partition, offset } of offsets) {
      this.#host.committed.mark(consumerGroupId, topic, partition, offset)
    }
  }

  async #asked(work: (producer: Producer) => Promise<void>): Promise<void> {
    try {
      if (this.#producer !== null) await work(this.#producer)
    } catch (error) {
      throw toFinalError(error, this.#host.plan)
    }
  }
}
