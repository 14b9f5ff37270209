import { ErrorCode, PARTITION_UA, Producer as OttlaProducer, type ClientOptions, type DeliveryReport } from 'ottla'
import { BaseClient } from '../client.ts'
import { answer, timeoutAndCallback } from '../translate/calling.ts'
import { configurationOf, copied, required, type Configuration } from '../translate/configuration.ts'
import { converting, disconnected, librdKafkaError, toLibrdKafkaError } from '../translate/errors.ts'
import { toHeaders, toReport } from '../translate/messages.ts'
import { toPartition } from '../translate/partitions.ts'
import type { ProducerGlobalConfig, ProducerTopicConfig } from '../types/config.ts'
import type { LibrdKafkaError } from '../types/errors.ts'
import type { MessageHeader, TopicPartitionOffset } from '../types/messages.ts'
import type { ProducerInstance, ProducerStream, WriteStreamOptions } from '../types/producer.ts'
import { messageOf } from './message.ts'
import { partitionerOf } from './partitioner.ts'
import { WriteStream } from './write-stream.ts'

type Done = (error: LibrdKafkaError) => void

const FLUSH_MS = 500
const DISCONNECT_MS = 5000
const TRANSACTION_MS = 5000

/** What `sendOffsetsToTransaction` needs of a consumer. */
interface GroupMember {
  getClient(): { groupMetadata(): Parameters<OttlaProducer['sendOffsetsToTransaction']>[1] } | null
}

export class ProducerClient extends BaseClient<OttlaProducer> implements ProducerInstance {
  defaultTopic: string | null
  defaultPartition: number
  sentMessages = 0
  readonly #hasReports: boolean
  readonly #hasValues: boolean
  /** Called for each report, whoever has asked for it. */
  readonly #waiting: (() => void)[] = []

  constructor(conf: ProducerGlobalConfig, topicConf: ProducerTopicConfig = {}) {
    const global: ProducerGlobalConfig & { topic?: unknown; partition?: unknown } = required(conf)
    const ofTopic = copied(topicConf)
    const configuration = configurationOf('producer', { ...global }, { ...ofTopic }, ['topic', 'partition'])
    super('Producer', global, ofTopic, configuration)
    const { callbacks } = configuration
    this.defaultTopic = typeof global.topic === 'string' ? global.topic : null
    this.defaultPartition = typeof global.partition === 'number' ? global.partition : PARTITION_UA
    this.#hasValues = isSet(callbacks.get('dr_msg_cb'))
    this.#hasReports = this.#hasValues || isSet(callbacks.get('dr_cb'))
    for (const name of ['dr_cb', 'dr_msg_cb']) {
      const listener = callbacks.get(name)
      if (typeof listener === 'function') this.on('delivery-report', listener as () => void)
    }
  }

  static createWriteStream(
    conf: ProducerGlobalConfig,
    topicConf: ProducerTopicConfig,
    streamOptions: WriteStreamOptions,
  ): ProducerStream {
    return new WriteStream(new ProducerClient(conf, topicConf), streamOptions) as unknown as ProducerStream
  }

  produce(
    topic: string,
    partition: number | null | undefined,
    message: unknown,
    key?: unknown,
    timestamp?: number | null,
    opaque?: unknown,
    headers?: readonly MessageHeader[] | null,
  ): boolean {
    this.enqueue(topic, partition, message, key, timestamp, opaque, headers, this.#report)
    return true
  }

  poll(): this {
    if (!this.isConnected()) throw disconnected('Producer')
    return this
  }

  setPollInterval(_interval: number): this {
    return this
  }

  setPollInBackground(_set: boolean): void {
    // Reports need no polling.
  }

  flush(timeout?: number | null, cb?: Done): this {
    answer(this.#flush(this.connected, timeout ?? FLUSH_MS), cb, nothing)
    return this
  }

  initTransactions(timeout: number | Done, cb?: Done): void {
    this.#inTransaction(timeout, cb, (client, timeoutMs) => client.initTransactions(timeoutMs))
  }

  beginTransaction(cb: Done): void {
    this.#inTransaction(cb, undefined, client => client.beginTransaction())
  }

  commitTransaction(timeout: number | Done, cb?: Done): void {
    this.#inTransaction(timeout, cb, (client, timeoutMs) => client.commitTransaction(timeoutMs))
  }

  abortTransaction(timeout: number | Done, cb?: Done): void {
    this.#inTransaction(timeout, cb, (client, timeoutMs) => client.abortTransaction(timeoutMs))
  }

  sendOffsetsToTransaction(
    offsets: readonly TopicPartitionOffset[],
    consumer: GroupMember,
    timeout: number | Done,
    cb?: Done,
  ): void {
    this.#inTransaction(timeout, cb, async (client, timeoutMs) => {
      const member = consumer.getClient()
      if (member === null) throw disconnected('Consumer')
      // `position` gives partitions without an offset: nothing has been read of them.
      const known = offsets.filter(({ offset }) => typeof (offset as number | undefined) === 'number')
      const given = known.map(each => ({ ...toPartition(each), offset: each.offset }))
      if (given.length > 0) await client.sendOffsetsToTransaction(given, member.groupMetadata(), timeoutMs)
    })
  }

  /** Calls `work` when the next message has been reported: there may be room in the queue. */
  onReport(work: () => void): void {
    this.#waiting.push(work)
  }

  /**
   * As `produce`, with a report of one's own.
   * @throws an error with ERR__QUEUE_FULL and so on
   */
  protected enqueue(
    topic: string,
    partition: number | null | undefined,
    message: unknown,
    key: unknown,
    timestamp: number | null | undefined,
    opaque: unknown,
    headers: readonly MessageHeader[] | null | undefined,
    report: (report: DeliveryReport) => void,
  ): void {
    const { client } = this
    if (client === null) throw new Error('Producer not connected')
    const record = messageOf(topic, partition ?? this.defaultPartition, message, key, timestamp)
    if (opaque !== undefined) record.opaque = opaque
    if (headers !== undefined && headers !== null && headers.length > 0) record.headers = toHeaders(headers)
    try {
      client.produce(record, report)
    } catch (error) {
      throw toLibrdKafkaError(error)
    }
    this.sentMessages++
  }

  /** Emits the report of a message. */
  protected deliver(report: DeliveryReport): void {
    const { error } = report
    if (this.#hasReports) {
      this.announce(
        'delivery-report',
        error === undefined ? null : toLibrdKafkaError(error),
        toReport(report, this.#hasValues),
      )
    }
    if (this.#waiting.length > 0) for (const work of this.#waiting.splice(0)) work()
  }

  protected override open({ properties, callbacks }: Configuration, options: ClientOptions): OttlaProducer {
    const partitioner = partitionerOf(callbacks)
    return converting(() => new OttlaProducer(properties, partitioner === null ? options : { ...options, partitioner }))
  }

  protected override async shut(client: OttlaProducer, timeoutMs = DISCONNECT_MS): Promise<void> {
    await client.close(timeoutMs)
  }

  protected override isEvent(): boolean {
    return true
  }

  readonly #report = (report: DeliveryReport): void => this.deliver(report)

  async #flush(client: OttlaProducer, timeoutMs: number): Promise<void> {
    const left = await client.flush(timeoutMs)
    if (left > 0) throw librdKafkaError(ErrorCode.ERR__TIMED_OUT, `${left} messages are still to be delivered`)
  }

  #inTransaction(
    timeout: number | Done,
    cb: Done | undefined,
    work: (client: OttlaProducer, timeoutMs: number) => Promise<void> | void,
  ): void {
    const [timeoutMs, callback] = timeoutAndCallback(timeout, cb, TRANSACTION_MS)
    const run = async (): Promise<void> => work(this.connected, timeoutMs)
    answer(run(), callback, nothing)
  }
}

function nothing(): undefined {
  return undefined
}

/** Whether a callback is given, or wanted as an event. */
function isSet(callback: unknown): boolean {
  return callback !== undefined && callback !== null && callback !== false
}
