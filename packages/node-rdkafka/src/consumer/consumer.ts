import {
  Consumer,
  ErrorCode,
  KafkaError,
  OFFSET_STORED,
  type ClientOptions,
  type TopicPartition,
  type TopicPartitionOffset as OttlaOffset,
} from 'ottla'
import { BaseClient } from '../client.ts'
import { answer, call, timeoutAndCallback } from '../translate/calling.ts'
import { configurationOf, copied, required, type Configuration } from '../translate/configuration.ts'
import { converting, disconnected, librdKafkaError, toLibrdKafkaError } from '../translate/errors.ts'
import { fromEvent, fromOffsets, toOffset, toPartition, toStart } from '../translate/partitions.ts'
import type { WatermarkOffsets } from '../types/client.ts'
import type { ConsumerGlobalConfig, ConsumerTopicConfig } from '../types/config.ts'
import type { ConsumerStream, KafkaConsumerInstance, ReadStreamOptions } from '../types/consumer.ts'
import type { LibrdKafkaError } from '../types/errors.ts'
import type { Assignment, Message, SubscribeTopicList, TopicPartitionOffset } from '../types/messages.ts'
import { Assigning, isAmong, without } from './assigning.ts'
import { ReadStream } from './read-stream.ts'
import { isOfReading, Reading } from './reading.ts'
import { Rebalances } from './rebalances.ts'

type Committed = (error: LibrdKafkaError, offsets: TopicPartitionOffset[]) => unknown
type CommitCallback = (this: unknown, error: LibrdKafkaError | undefined, offsets: TopicPartitionOffset[]) => unknown
type Given = TopicPartitionOffset | readonly TopicPartitionOffset[] | null

const CONSUME_MS = 1000
const COMMITTED_MS = 1000
const SESSION_MS = 45_000
/** How long `disconnect` waits for commits. */
const COMMITS_MS = 10_000

export class ConsumerClient extends BaseClient<Consumer> implements KafkaConsumerInstance {
  readonly #callbacks: ReadonlyMap<string, unknown>
  readonly #commits = new Set<Promise<unknown>>()
  /** Where the program wanted partitions to begin, as `assignments` tells it. */
  readonly #starts = new Map<string, number>()
  #assigning = new Assigning()
  /** Null until it has connected. */
  #reading: Reading | null = null
  #rebalances: Rebalances | null = null
  #consumeTimeoutMs = CONSUME_MS

  constructor(conf: ConsumerGlobalConfig, topicConf: ConsumerTopicConfig = {}) {
    const global = required(conf)
    const ofTopic = copied(topicConf)
    const configuration = configurationOf('consumer', { ...global }, { ...ofTopic })
    super('KafkaConsumer', global, ofTopic, configuration)
    this.#callbacks = configuration.callbacks
  }

  static createReadStream(
    conf: ConsumerGlobalConfig,
    topicConf: ConsumerTopicConfig,
    streamOptions: ReadStreamOptions | number,
  ): ConsumerStream {
    return new ReadStream(new ConsumerClient(conf, topicConf), streamOptions) as unknown as ConsumerStream
  }

  subscribe(topics: SubscribeTopicList): this {
    if (!Array.isArray(topics)) throw new TypeError('First parameter must be an array')
    const client = this.connected
    converting(() => client.subscribe(topics, this.#rebalances?.handle.bind(this.#rebalances)))
    this.announce('subscribed', topics)
    return this
  }

  subscription(): string[] {
    return this.connected.subscription()
  }

  unsubscribe(): this {
    const { client } = this
    if (client !== null && !this.isDisconnecting && client.subscription().length > 0) {
      this.#change([], () => client.unsubscribe())
    }
    this.announce('unsubscribed', [])
    this.announce('unsubscribe', [])
    return this
  }

  assign(assignments: readonly Assignment[]): this {
    const client = this.connected
    const partitions = assignments.map(toStart)
    // Under an incremental protocol it adds, within a rebalance.
    const adds = client.rebalanceProtocol() !== 'NONE' && client.rebalanceProtocol() !== 'EAGER'
    const wanted = adds ? [...without(this.#assigned(client), partitions), ...partitions] : partitions
    this.#begin(partitions)
    this.#change(wanted, () => client.assign(partitions))
    return this
  }

  incrementalAssign(assignments: readonly Assignment[]): this {
    const client = this.connected
    const partitions = assignments.map(toStart)
    const wanted = [...without(this.#assigned(client), partitions), ...partitions]
    this.#begin(partitions)
    this.#change(wanted, () => client.incrementalAssign(partitions))
    return this
  }

  unassign(): this {
    const client = this.connected
    this.#starts.clear()
    this.#change([], () => client.unassign())
    return this
  }

  incrementalUnassign(assignments: readonly Assignment[]): this {
    const client = this.connected
    const partitions = assignments.map(toPartition)
    this.#change(without(this.#assigned(client), partitions), () => client.incrementalUnassign(partitions))
    return this
  }

  assignments(): Assignment[] {
    return this.#assigned(this.connected).map(each => {
      const { topic, partition } = each
      return { offset: this.#starts.get(keyOf(each)) ?? OFFSET_STORED, partition, topic }
    })
  }

  rebalanceProtocol(): string {
    const protocol = this.client?.rebalanceProtocol() ?? 'NONE'
    return protocol === 'CONSUMER' ? 'COOPERATIVE' : protocol
  }

  assignmentLost(): boolean {
    return this.client?.assignmentLost() ?? false
  }

  setDefaultConsumeTimeout(timeoutMs: number): void {
    this.#consumeTimeoutMs = timeoutMs
  }

  setDefaultConsumeLoopTimeoutDelay(_timeoutMs: number): void {
    // Waiting for messages needs no pauses.
  }

  consume(number?: unknown, cb?: unknown): void {
    const reading = this.client === null || this.isDisconnecting ? null : this.#reading
    if (typeof number === 'number' && number > 0) {
      if (cb !== undefined && typeof cb !== 'function') throw new TypeError('Callback must be a function')
      const callback = (cb ?? nothing) as (error: LibrdKafkaError | null, messages?: Message[]) => unknown
      if (reading === null) setImmediate(() => void callback(disconnected('KafkaConsumer')))
      else reading.take(number, this.#consumeTimeoutMs, callback)
      return
    }
    if (reading === null) throw new Error('Connect must be called before consume')
    if (reading.isFlowing) throw new Error('Consume was already called')
    const callback = typeof number === 'function' ? number : typeof cb === 'function' ? cb : nothing
    reading.flow(this.#consumeTimeoutMs, callback as () => unknown)
  }

  commit(topicPartition?: Given): this {
    this.#commit(topicPartition ?? null, false)
    return this
  }

  commitSync(topicPartition?: Given): this {
    this.#commit(topicPartition ?? null, true)
    return this
  }

  commitMessage(msg: TopicPartitionOffset): this {
    return this.commit({ ...toPartition(msg), offset: msg.offset + 1 })
  }

  commitMessageSync(msg: TopicPartitionOffset): this {
    return this.commitSync({ ...toPartition(msg), offset: msg.offset + 1 })
  }

  committed(
    toppars: readonly TopicPartition[] | number | null | undefined,
    timeout: number | Committed | null,
    cb?: Committed,
  ): this {
    const partitions = typeof toppars === 'object' ? toppars : null
    const [timeoutMs, callback] = timeoutAndCallback(
      typeof toppars === 'number' ? toppars : timeout,
      typeof timeout === 'function' ? timeout : cb,
      COMMITTED_MS,
    )
    answer(this.#askCommitted(partitions, timeoutMs), callback, fromOffsets)
    return this
  }

  position(toppars?: readonly TopicPartition[] | null): TopicPartitionOffset[] {
    const client = this.connected
    return converting(() => fromOffsets(client.position(toppars?.map(toPartition) ?? this.#assigned(client))))
  }

  seek(toppar: TopicPartitionOffset, _timeout: number | null, cb: (error: LibrdKafkaError) => unknown): this {
    const offset = toStart(toppar)
    answer(this.#seek(offset), cb, nothing)
    return this
  }

  offsetsStore(topicPartitions: readonly TopicPartitionOffset[]): number {
    const client = this.connected
    const results = converting(() => client.storeOffsets(topicPartitions.map(toOffset)))
    const [first] = results
    if (first?.error !== undefined && results.every(({ error }) => error !== undefined))
      throw toLibrdKafkaError(first.error)
    return ErrorCode.ERR_NO_ERROR
  }

  pause(topicPartitions: readonly TopicPartition[]): number {
    return this.#whenAssigned(topicPartitions, (client, partitions) => client.pause(partitions))
  }

  resume(topicPartitions: readonly TopicPartition[]): number {
    return this.#whenAssigned(topicPartitions, (client, partitions) => client.resume(partitions))
  }

  getWatermarkOffsets(topic: string, partition: number): WatermarkOffsets {
    const client = this.connected
    const { low, high } = converting(() => client.getWatermarkOffsets(topic, partition))
    return { lowOffset: low, highOffset: high }
  }

  protected override open({ properties }: Configuration, options: ClientOptions): Consumer {
    const consumer = converting(() => new Consumer(properties, options))
    this.#assigning = new Assigning()
    this.#reading = this.#newReading(consumer)
    this.#rebalances = this.#newRebalances()
    if (isWanted(this.#callbacks.get('offset_commit_cb'))) {
      consumer.on('offsets-committed', ({ offsets, error }) => this.#announceCommit(error, offsets))
    }
    return consumer
  }

  protected override async shut(client: Consumer): Promise<void> {
    this.#rebalances?.stop()
    const committed = Promise.allSettled(this.#commits)
    if (this.#commits.size > 0) await within(COMMITS_MS, committed)
    await client.close()
  }

  protected override isEvent(error: KafkaError): boolean {
    return !isOfReading(error)
  }

  #newReading(consumer: Consumer): Reading {
    const isOpen = (): boolean => this.client === consumer && !this.isDisconnecting
    return new Reading({
      poll: timeoutMs => consumer.poll(timeoutMs),
      get isOpen() {
        return isOpen()
      },
      onData: message => this.announce('data', message),
      onEof: end => this.announce('partition.eof', end),
      onWarning: error => this.announce('warning', error),
      onError: error => this.announceError(error),
    })
  }

  #newRebalances(): Rebalances | null {
    const callback = this.#callbacks.get('rebalance_cb')
    if (!isWanted(callback)) return null
    const host = {
      announce: (error: LibrdKafkaError, partitions: TopicPartitionOffset[]) =>
        this.announce('rebalance', error, partitions),
      announceFailure: (error: unknown) => this.#announceFailure(error),
      patienceMs: this.#patienceMs,
    }
    return new Rebalances(host, typeof callback === 'function' ? (callback.bind(this) as () => unknown) : null)
  }

  /** As long as the group waits for a member that says nothing. */
  get #patienceMs(): number {
    const { 'session.timeout.ms': session } = this.globalConfig as Readonly<Record<string, unknown>>
    return Number(session ?? SESSION_MS)
  }

  #assigned(client: Consumer): TopicPartition[] {
    return this.#assigning.current(() => client.assignment())
  }

  #begin(partitions: readonly OttlaOffset[]): void {
    for (const each of partitions) this.#starts.set(keyOf(each), each.offset)
  }

  #change(wanted: readonly TopicPartition[], work: () => Promise<void>): void {
    const done = this.#assigning.change(
      wanted.map(({ topic, partition }) => ({ topic, partition })),
      work,
    )
    this.#rebalances?.changing(done.catch(() => undefined))
    done.catch((error: unknown) => {
      if (this.isConnected()) this.#announceFailure(toLibrdKafkaError(error))
    })
  }

  #announceFailure(error: unknown): void {
    if (this.listenerCount('rebalance.error') > 0) this.announce('rebalance.error', error)
    else this.announceError(error)
  }

  #commit(given: Given, isSync: boolean): void {
    const { client } = this
    if (client === null) throw disconnected('KafkaConsumer')
    const offsets = given === null ? undefined : (Array.isArray(given) ? given : [given]).map(toOffset)
    const done: Promise<unknown> = client.commit(offsets).catch((error: unknown) => {
      // Other failures come with the client's own event.
      const nothing = error instanceof KafkaError && error.code === ErrorCode.ERR__NO_OFFSET
      if (nothing && isWanted(this.#callbacks.get('offset_commit_cb'))) this.#announceCommit(error, offsets ?? [])
      if (isSync) this.announceError(error)
    })
    this.#commits.add(done)
    void done.then(() => this.#commits.delete(done))
  }

  #announceCommit(error: KafkaError | undefined, offsets: readonly OttlaOffset[]): void {
    const failure = error === undefined ? undefined : toLibrdKafkaError(error)
    const list = fromEvent(offsets)
    this.announce('offset.commit', failure, list)
    const callback = this.#callbacks.get('offset_commit_cb')
    if (typeof callback === 'function') call(() => (callback as CommitCallback).call(this, failure, list))
  }

  async #askCommitted(partitions: readonly TopicPartition[] | null, timeoutMs: number): Promise<OttlaOffset[]> {
    const client = this.connected
    if (timeoutMs === 0) throw librdKafkaError(ErrorCode.ERR__TIMED_OUT, 'there was no time for an answer')
    // What the program has committed before counts.
    await Promise.allSettled(this.#commits)
    const asked = partitions ?? this.#assigned(client)
    return asked.length === 0 ? [] : client.committed(asked.map(toPartition), timeoutMs)
  }

  async #seek(offset: OttlaOffset): Promise<void> {
    const client = this.connected
    const [result] = await this.#assigning.afterwards(() => client.seek([offset]))
    if (result?.error !== undefined) throw result.error
  }

  /** For those of the partitions that are assigned; librdkafka says nothing about the others either. */
  #whenAssigned(
    given: readonly TopicPartition[],
    work: (client: Consumer, partitions: TopicPartition[]) => void,
  ): number {
    const client = this.connected
    const partitions = given.map(toPartition)
    void this.#assigning.afterwards(() => {
      const assigned = client.assignment()
      const those = partitions.filter(each => isAmong(each, assigned))
      if (those.length > 0 && !client.closed) converting(() => work(client, those))
    })
    return ErrorCode.ERR_NO_ERROR
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}\0${partition}`
}

function nothing(): undefined {
  return undefined
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([work, new Promise(resolve => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}

function isWanted(callback: unknown): boolean {
  return callback === true || typeof callback === 'function'
}
