/** kafkajs's producer. */
import type { Producer as OttlaProducer, ProducerConfig as OttlaConfig } from 'ottla'
import { KafkaJSError, KafkaJSNonRetriableError } from '../errors.ts'
import { CompressionTypes } from '../enums.ts'
import { InstrumentationEmitter, type Listener } from '../observe/emitter.ts'
import { connecting, requestTimeoutMs } from '../translate/connecting.ts'
import { toFinalError } from '../translate/errors.ts'
import { reportRequests } from '../translate/network-events.ts'
import { reach } from '../translate/reach.ts'
import { allBackoffsMs, retryPlan, type RetryPlan } from '../translate/retry.ts'
import type { Shared } from '../translate/shared.ts'
import type { Logger } from '../types/logging.ts'
import type { Producer, ProducerConfig, ProducerEvents, Sender, Transaction } from '../types/producer.ts'
import { producerEvents } from './events.ts'
import { Partitioners } from './partitioners.ts'
import { ProducerPool, type SendOptions } from './pool.ts'
import { senderOf } from './sender.ts'
import { ProducerTopics } from './topics.ts'
import { Transactions } from './transactions.ts'

const DEFAULT_METADATA_MAX_AGE_MS = 300_000
const MAX_INT = 2_147_483_647
/** What brokers remember of an idempotent producer. */
const MOST_IN_FLIGHT_IDEMPOTENT = 5
/** kafkajs sends messages of any size: the broker decides. */
const LARGEST_MESSAGE_BYTES = 100_000_000

/** @throws KafkaJSNonRetriableError */
export function createProducer(shared: Shared, config: ProducerConfig = {}): Producer {
  const client = new ProducerClient(shared, config)
  return {
    connect: () => client.connect(),
    disconnect: () => client.disconnect(),
    isIdempotent: () => client.isIdempotent,
    events: producerEvents,
    on: (eventName: string, listener: Listener) => client.emitter.on(eventName, listener),
    send: record => client.sender.send(record),
    sendBatch: batch => client.sender.sendBatch(batch),
    transaction: () => client.transaction(),
    logger: () => client.logger,
  }
}

class ProducerClient {
  readonly logger: Logger
  readonly emitter: InstrumentationEmitter<ProducerEvents>
  readonly sender: Sender
  readonly isIdempotent: boolean
  readonly #shared: Shared
  readonly #config: ProducerConfig
  readonly #plan: RetryPlan
  readonly #topics: ProducerTopics
  readonly #transactions: Transactions
  #status: 'disconnected' | 'connected' | 'disconnecting' = 'disconnected'
  #pool: ProducerPool | null = null
  #connecting: Promise<void> | null = null

  constructor(shared: Shared, config: ProducerConfig) {
    const { idempotent = false, metadataMaxAge = DEFAULT_METADATA_MAX_AGE_MS } = config
    const { createPartitioner = Partitioners.DefaultPartitioner } = config
    this.#shared = shared
    this.#config = config
    this.isIdempotent = idempotent
    this.logger = shared.logger.namespace('Producer')
    this.emitter = new InstrumentationEmitter('producer', producerEvents, this.logger)
    this.#plan = retryPlan(shared.config.retry, config.retry)
    if (idempotent && this.#plan.retries < 1) {
      throw new KafkaJSNonRetriableError('Idempotent producer must allow retries to protect against transient errors')
    }
    this.#topics = new ProducerTopics(createPartitioner, metadataMaxAge)
    this.sender = this.#makeSender(options => this.#requirePool().get(options), idempotent)
    this.#transactions = new Transactions({
      plan: this.#plan,
      committed: shared.committed,
      connect: extra => this.#newPool(extra),
      sender: producer => this.#makeSender(({ compression }) => producer(compression), true),
    })
  }

  /** Resolves when a broker has answered. Rejects with kafkajs's errors. */
  async connect(): Promise<void> {
    this.#connecting ??= this.#connect().finally(() => (this.#connecting = null))
    await this.#connecting
    this.emitter.emit('CONNECT', () => undefined)
  }

  /** Sends what is queued, and waits for it. */
  async disconnect(): Promise<void> {
    this.#status = 'disconnecting'
    await this.#connecting?.catch(() => undefined)
    this.#status = 'disconnecting'
    const pool = this.#pool
    this.#pool = null
    await Promise.all([pool?.close(), this.#transactions.close()])
    this.#status = 'disconnected'
    this.emitter.emit('DISCONNECT', () => undefined)
  }

  async transaction(): Promise<Transaction> {
    const { transactionalId } = this.#config
    if (!transactionalId) {
      throw new KafkaJSNonRetriableError('Must provide transactional id for transactional producer')
    }
    this.#requirePool()
    return this.#transactions.begin(transactionalId, this.#config.transactionTimeout)
  }

  async #connect(): Promise<void> {
    if (this.#pool !== null) return
    try {
      const pool = await this.#newPool({})
      try {
        const producer = pool.get({ acks: -1, compression: CompressionTypes.None, timeout: undefined })
        await reach(producer, this.#shared, this.#plan)
      } catch (error) {
        await pool.close(0)
        throw error
      }
      this.#pool = pool
      this.#status = 'connected'
    } catch (error) {
      const failure = toFinalError(error, this.#plan)
      this.logger.error(failure.message)
      throw failure
    }
  }

  async #newPool(extra: Partial<OttlaConfig>): Promise<ProducerPool> {
    const { config, options } = await connecting(
      this.#shared.config,
      this.#plan,
      this.logger,
      this.#config.metadataMaxAge,
    )
    const clientId = this.#shared.config.clientId ?? 'kafkajs'
    const all = { ...config, ...this.#producerConfig(), ...extra }
    return new ProducerPool(all, { ...options, partitioner: this.#topics.partitioner }, producer => {
      reportRequests(producer, this.emitter, clientId)
    })
  }

  #producerConfig(): Partial<OttlaConfig> {
    const { maxInFlightRequests, transactionalId } = this.#config
    const timeoutMs = this.#timeoutMs
    const mostInFlight = this.isIdempotent || transactionalId ? MOST_IN_FLIGHT_IDEMPOTENT : Infinity
    return {
      'enable.idempotence': this.isIdempotent,
      'message.max.bytes': LARGEST_MESSAGE_BYTES,
      'message.send.max.retries': Math.min(MAX_INT, this.#plan.retries),
      'message.timeout.ms': timeoutMs === Infinity ? 0 : Math.min(MAX_INT, Math.ceil(timeoutMs)),
      ...(maxInFlightRequests ? { 'max.in.flight': Math.min(mostInFlight, maxInFlightRequests) } : {}),
    }
  }

  /** How long a message may take, retries included: one slow answer, and all backoffs. */
  get #timeoutMs(): number {
    return allBackoffsMs(this.#plan) + requestTimeoutMs(this.#shared.config)
  }

  #makeSender(
    producer: (options: SendOptions) => OttlaProducer | Promise<OttlaProducer>,
    isIdempotent: boolean,
  ): Sender {
    const timeoutMs = this.#timeoutMs
    return senderOf({
      plan: this.#plan,
      topics: this.#topics,
      isIdempotent,
      mayCreate: this.#config.allowAutoTopicCreation ?? true,
      timeoutMs: timeoutMs === Infinity ? -1 : timeoutMs,
      producer,
    })
  }

  #requirePool(): ProducerPool {
    const pool = this.#pool
    if (this.#status === 'disconnecting') {
      const why = "The producer is disconnecting; therefore, it can't safely accept messages anymore"
      throw new KafkaJSNonRetriableError(why)
    }
    if (pool === null) throw new KafkaJSError('The producer is disconnected')
    return pool
  }
}
