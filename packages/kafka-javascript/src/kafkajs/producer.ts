/** `KafkaJS.Producer`. */
import type { Producer as OttlaProducer } from 'ottla'
import { Producer as RdKafkaProducer } from '@ottla/node-rdkafka'
import type { Admin } from '../types/kafkajs/admin.ts'
import type { Logger } from '../types/kafkajs/client.ts'
import type { Consumer } from '../types/kafkajs/consumer.ts'
import type { Producer, ProducerBatch, ProducerRecord, RecordMetadata, Transaction } from '../types/kafkajs/producer.ts'
import type { TopicOffsets } from '../types/kafkajs/values.ts'
import { AdminClient } from './admin.ts'
import type { Properties } from './block.ts'
import { Connection } from './connection.ts'
import { ErrorCodes, KafkaJSProtocolError } from './errors.ts'
import { called, invalid, toKafkaJSError, wrongState } from './failures.ts'
import { recordMetadata, toProducerMessage } from './records.ts'
import { loggerOf, settingsOf, type Given } from './settings.ts'

/** How long calls of a transaction may take, ms. */
const TRANSACTION_MS = 60_000
const FLUSH_MS = 500
/** The client refuses others as an argument, before a broker can. */
const LEGAL_TOPIC = /^[\w.-]{1,249}$/

/** What `sendOffsets` needs of a consumer. */
interface WithClient {
  _getInternalClient(): object | null
}

export class ProducerClient implements Producer {
  readonly #logger: Logger
  readonly #connection: Connection<RdKafkaProducer>
  #isTransactional = false
  #isInTransaction = false

  constructor(config: Given) {
    this.#logger = loggerOf(config)
    this.#connection = new Connection({
      what: 'Producer',
      logger: this.#logger,
      make: credentials => {
        const settings = settingsOf('producer', { ...config, ...credentials }, this.#logger)
        this.#isTransactional = settings.properties['transactional.id'] !== undefined
        return { settings, client: new RdKafkaProducer(lingering(settings.properties)) }
      },
      onConnected: async client => {
        if (this.#isTransactional)
          await called<void>(done => client.initTransactions(TRANSACTION_MS, error => done(error)))
      },
    })
  }

  /** Whether `connect` has been called. */
  _hasBegun(): boolean {
    return this.#connection.hasBegun
  }

  connect(): Promise<void> {
    return this.#connection.connect()
  }

  disconnect(): Promise<void> {
    return this.#connection.disconnect()
  }

  logger(): Logger {
    return this.#logger
  }

  setSaslCredentials(authInfo: { username: string; password: string }): void {
    this.#connection.setSaslCredentials(authInfo)
  }

  dependentAdmin(): Admin {
    return new AdminClient(null, this)
  }

  /** The client of `RdKafka` beneath; null unless connected. */
  _getInternalClient(): RdKafkaProducer | null {
    return this.#connection.client
  }

  async send(record: ProducerRecord): Promise<RecordMetadata[]> {
    this.#connection.require('send')
    checkOptions(record, 'send')
    const { topic, messages } = record
    if (typeof topic !== 'string' || !Array.isArray(messages))
      throw invalid('send takes an object with topic and messages: { topic, messages: [{ value }] }')
    return this.#send([{ topic, messages }])
  }

  async sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]> {
    this.#connection.require('sendBatch')
    checkOptions(batch, 'sendBatch')
    const topicMessages: unknown = batch.topicMessages ?? []
    if (!Array.isArray(topicMessages))
      throw invalid('sendBatch takes an object with topicMessages: { topicMessages: [{ topic, messages }] }')
    return this.#send(topicMessages as ProducerRecord[])
  }

  async flush(args: { timeout?: number } = { timeout: FLUSH_MS }): Promise<void> {
    const client = this.#connection.require('flush')
    const { timeout } = args
    if (timeout === undefined) throw invalid('flush takes a timeout: { timeout: 5000 }')
    await called<void>(done => client.flush(timeout, error => done(error)))
    // Whoever waits for a `send` hears of it first.
    await new Promise(resolve => setImmediate(resolve))
  }

  async transaction(): Promise<Transaction> {
    const client = this.#connection.require('transaction')
    if (this.#isInTransaction) throw wrongState('a transaction has begun already: one at a time')
    await called<void>(done => client.beginTransaction(error => done(error)))
    this.#isInTransaction = true
    return this
  }

  async commit(): Promise<void> {
    const client = this.#inTransaction('commit')
    await called<void>(done => client.commitTransaction(TRANSACTION_MS, error => done(error)))
    this.#isInTransaction = false
  }

  async abort(): Promise<void> {
    const client = this.#inTransaction('abort')
    await called<void>(done => client.abortTransaction(TRANSACTION_MS, error => done(error)))
    this.#isInTransaction = false
  }

  async sendOffsets(args: { consumer: Consumer; topics: TopicOffsets[] }): Promise<void> {
    const { consumer, topics, consumerGroupId } = args as typeof args & { consumerGroupId?: unknown }
    if (consumerGroupId !== undefined || (consumer as Consumer | undefined) === undefined)
      throw invalid('sendOffsets takes the connected consumer itself, and no consumerGroupId')
    if (!Array.isArray(topics) || topics.length === 0) throw invalid('sendOffsets takes topics, with their partitions')
    const client = this.#inTransaction('sendOffsets')
    const member = (consumer as unknown as WithClient)._getInternalClient()
    if (member === null) throw wrongState('sendOffsets needs a consumer that is connected')
    const offsets = topics.flatMap(({ topic, partitions }) =>
      // Programs pass keys of objects, whatever the type says.
      partitions.map(({ partition, offset }) => ({
        topic,
        partition: Number(partition as unknown),
        offset: Number(offset),
      })),
    )
    await called<void>(done =>
      client.sendOffsetsToTransaction(offsets, member as never, TRANSACTION_MS, error => done(error)),
    )
  }

  isActive(): boolean {
    return this.#isInTransaction
  }

  async #send(topicMessages: readonly ProducerRecord[]): Promise<RecordMetadata[]> {
    const messages = topicMessages.flatMap(({ topic, messages: list }) =>
      list.map(message => toProducerMessage(topic, message)),
    )
    if (messages.length === 0) return []
    const illegal = topicMessages.find(({ topic }) => !LEGAL_TOPIC.test(topic))
    if (illegal !== undefined) {
      const why = `'${illegal.topic}' cannot be a topic: letters, digits, '.', '_' and '-', at most 249`
      throw new KafkaJSProtocolError(why, { code: ErrorCodes.ERR_TOPIC_EXCEPTION })
    }
    const producer = this.#connection.require('send').getClient() as OttlaProducer
    try {
      const reports = await producer.sendBatch(messages)
      const failed = reports.find(({ error }) => error !== undefined)
      if (failed?.error !== undefined) throw failed.error
      return recordMetadata(reports)
    } catch (error) {
      throw toKafkaJSError(error)
    }
  }

  #inTransaction(call: string): RdKafkaProducer {
    const client = this.#connection.require(call)
    if (!this.#isInTransaction) throw wrongState(`${call} needs a transaction: await transaction() first`)
    return client
  }
}

/** A program that says how long messages linger gets that, even if nothing else is under way. */
function lingering(properties: Properties): Properties {
  const isSaid = ['linger.ms', 'queue.buffering.max.ms'].some(name => properties[name] !== undefined)
  return isSaid ? { 'ottla.linger.adaptive': false, ...properties } : properties
}

/** @throws KafkaJSError for what is an option of `send` in kafkajs, and of the producer here */
function checkOptions(options: unknown, call: string): void {
  if (typeof options !== 'object' || options === null) throw invalid(`${call} takes an object`)
  for (const key of ['acks', 'timeout', 'compression']) {
    if (Object.hasOwn(options, key))
      throw invalid(
        `'${key}' is an option of the producer, not of ${call}: kafka.producer({ kafkaJS: { ${key}: ... } })`,
      )
  }
}
