/** `KafkaJS.Consumer`. */
import { ErrorCode, KafkaError, OFFSET_INVALID } from 'ottla'
import type { Consumer as OttlaConsumer, TopicPartition as Place, TopicPartitionOffset as OttlaOffset } from 'ottla'
import { KafkaConsumer, type ConsumerGlobalConfig, type LibrdKafkaError } from '@ottla/node-rdkafka'
import type { Admin } from '../../types/kafkajs/admin.ts'
import type { Logger } from '../../types/kafkajs/client.ts'
import type {
  Consumer,
  ConsumerRunConfig,
  Subscription,
  TopicPartition,
  TopicPartitionOffset,
  TopicPartitionOffsetAndMetadata,
  TopicPartitions,
} from '../../types/kafkajs/consumer.ts'
import { AdminClient } from '../admin.ts'
import { Connection } from '../connection.ts'
import { attempt, notImplemented, toKafkaJSError, wrongState } from '../failures.ts'
import { consumerSettingsOf, loggerOf, type ConsumerSettings, type Given } from '../settings.ts'
import { checkRun, offsetToCommit, offsetToSeek, selected, topicsOf, type Selection } from './arguments.ts'
import { Handlers } from './handlers.ts'
import { PartitionMap } from './partition-map.ts'
import { rebalance } from './rebalance.ts'

/** The pauses before a handler that has failed is called again, ms. */
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 1000
const COMMITTED_MS = 60_000

/** A run, from `run` to `disconnect`. */
interface Run {
  readonly handlers: Handlers
  readonly end: AbortController
  /** Resolves when no handler is running any more. */
  readonly running: Promise<void>
}

export class ConsumerClient implements Consumer {
  readonly #logger: Logger
  readonly #connection: Connection<KafkaConsumer>
  #settings: ConsumerSettings | null = null
  #subscriptions: string[] = []
  /** For partitions that are not assigned yet. */
  readonly #seeks = new PartitionMap<OttlaOffset>()
  readonly #paused = new PartitionMap<Place>()
  /** Commits that have not ended. */
  readonly #commits = new Set<Promise<unknown>>()
  #run: Run | null = null

  constructor(config: Given) {
    this.#logger = loggerOf(config)
    this.#connection = new Connection({
      what: 'Consumer',
      logger: this.#logger,
      make: credentials => {
        const settings = consumerSettingsOf({ ...config, ...credentials }, this.#logger)
        this.#settings = settings
        const properties = { ...settings.properties, rebalance_cb: this.#rebalanced } as ConsumerGlobalConfig
        return { settings, client: new KafkaConsumer(properties) }
      },
      onConnected: () => Promise.resolve(),
    })
  }

  connect(): Promise<void> {
    return this.#connection.connect()
  }

  disconnect(): Promise<void> {
    return this.#connection.disconnect(() => this.#endRun())
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
  _getInternalClient(): KafkaConsumer | null {
    return this.#connection.client
  }

  /** Whether `connect` has been called. */
  _hasBegun(): boolean {
    return this.#connection.hasBegun
  }

  subscribe(subscription: Subscription): Promise<void> {
    return attempt(() => {
      const client = this.#connection.require('subscribe')
      const topics = topicsOf(subscription)
      const wanted = subscription.replace === true ? topics : [...this.#subscriptions, ...topics]
      try {
        client.subscribe(wanted)
      } catch (error) {
        throw toKafkaJSError(error)
      }
      this.#subscriptions = wanted
    })
  }

  stop(): Promise<void> {
    return Promise.reject(notImplemented('stop is not supported: disconnect ends a consumer'))
  }

  run(config: ConsumerRunConfig = {}): Promise<void> {
    return attempt(() => this.#start(config))
  }

  storeOffsets(topicPartitions: TopicPartitionOffsetAndMetadata[]): void {
    const consumer = this.#beneath('storeOffsets')
    try {
      const failed = consumer.storeOffsets(topicPartitions.map(offsetToCommit)).find(({ error }) => error !== undefined)
      if (failed !== undefined) throw toKafkaJSError(failed.error)
    } catch (error) {
      throw toKafkaJSError(error)
    }
  }

  async commitOffsets(topicPartitions?: TopicPartitionOffsetAndMetadata[] | null): Promise<void> {
    const consumer = this.#beneath('commitOffsets')
    try {
      await this.#tracked(consumer.commit(topicPartitions?.map(offsetToCommit)))
    } catch (error) {
      // There is nothing to commit.
      if (error instanceof KafkaError && error.code === ErrorCode.ERR__NO_OFFSET) return
      throw toKafkaJSError(error)
    }
  }

  async committed(
    topicPartitions?: TopicPartition[] | null,
    timeout?: number,
  ): Promise<TopicPartitionOffsetAndMetadata[]> {
    const consumer = this.#beneath('committed')
    const timeoutMs = timeout === undefined || timeout < 0 ? COMMITTED_MS : timeout
    const partitions = topicPartitions?.map(({ topic, partition }) => ({ topic, partition })) ?? this.assignment()
    if (partitions.length === 0) return []
    // What the program has committed before counts.
    await Promise.allSettled(this.#commits)
    try {
      return (await consumer.committed(partitions, timeoutMs)).map(toCommitted)
    } catch (error) {
      throw toKafkaJSError(error)
    }
  }

  seek(topicPartitionOffset: TopicPartitionOffset): void {
    const consumer = this.#beneath('seek')
    const to = offsetToSeek(topicPartitionOffset)
    const { topic, partition } = to
    if (!consumer.assignment().some(each => each.topic === topic && each.partition === partition)) {
      this.#seeks.set(to, to)
      return
    }
    this.#run?.handlers.takeAway([to])
    void this.#seek(consumer, to)
  }

  pause(topics: Selection[]): () => void {
    const consumer = this.#beneath('pause')
    const partitions = selected(topics, consumer.assignment())
    this.#run?.handlers.takeAway(partitions)
    for (const each of partitions) this.#paused.set(each, each)
    this.#whereAssigned(consumer, partitions, each => consumer.pause(each))
    return () => this.#resume(partitions)
  }

  paused(): TopicPartitions[] {
    const topics = new Map<string, number[]>()
    for (const { topic, partition } of this.#paused.values())
      topics.set(topic, [...(topics.get(topic) ?? []), partition])
    return Array.from(topics, ([topic, partitions]) => ({ topic, partitions }))
  }

  resume(topics: Selection[]): void {
    const consumer = this.#beneath('resume')
    // Without partitions: all that are paused.
    this.#resume(selected(topics, [...consumer.assignment(), ...this.#paused.values()]))
  }

  assignment(): TopicPartition[] {
    return this.#connection
      .require('assignment')
      .assignments()
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  rebalanceProtocol(): string {
    return this.#connection.client?.rebalanceProtocol() ?? 'NONE'
  }

  get #required(): ConsumerSettings {
    if (this.#settings === null) throw wrongState('the consumer is not connected')
    return this.#settings
  }

  /** The client of `ottla`. @throws KafkaJSError unless connected */
  #beneath(call: string): OttlaConsumer {
    return this.#connection.require(call).getClient() as OttlaConsumer // whose type RdKafka does not tell
  }

  #start(config: ConsumerRunConfig): void {
    const consumer = this.#beneath('run')
    checkRun(config)
    if (this.#run !== null) throw wrongState('run has been called before')
    const { isAutoCommit, maxBatchSize, maxPollIntervalMs } = this.#required
    const end = new AbortController()
    const isRunning = (): boolean => !end.signal.aborted
    const host = {
      get isRunning() {
        return isRunning()
      },
      isAutoCommit,
      pause: ({ topic, partition }: Place) => this.pause([{ topic, partitions: [partition] }]),
      commit: () => this.commitOffsets(),
      logError: (message: string) => this.#connection.error(message),
    }
    const handlers = new Handlers(host, config)
    const running = consumer.run({
      batchHandler: handlers.handle,
      concurrency: Math.max(1, Math.floor(config.partitionsConsumedConcurrently ?? 1)),
      ...(config.eachBatch === undefined || maxBatchSize === Infinity ? {} : { maxMessages: maxBatchSize }),
      retry: { retries: Infinity, backoffMs: FIRST_RETRY_MS, backoffMaxMs: LONGEST_RETRY_MS },
      drainMs: maxPollIntervalMs,
      commit: isAutoCommit,
      signal: end.signal,
    })
    const failed = (error: unknown): void =>
      this.#connection.error(`The run has ended: ${toKafkaJSError(error).message}`)
    this.#run = { handlers, end, running: running.catch(failed) }
  }

  /** Lets the running handlers end: until then they may seek and commit. */
  async #endRun(): Promise<void> {
    const run = this.#run
    if (run === null) return
    run.end.abort()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => (timer = setTimeout(resolve, this.#required.maxPollIntervalMs)))
    await Promise.race([run.running, late])
    clearTimeout(timer)
  }

  #tracked<T>(commit: Promise<T>): Promise<T> {
    const ended = (): void => void this.#commits.delete(commit)
    this.#commits.add(commit)
    commit.then(ended, ended)
    return commit
  }

  #resume(partitions: readonly Place[]): void {
    const consumer = this.#beneath('resume')
    for (const each of partitions) this.#paused.delete(each)
    this.#whereAssigned(consumer, partitions, each => consumer.resume(each))
  }

  #whereAssigned(
    consumer: OttlaConsumer,
    partitions: readonly Place[],
    work: (partitions: readonly Place[]) => void,
  ): void {
    const assigned = consumer.assignment()
    const those = partitions.filter(one =>
      assigned.some(({ topic, partition }) => topic === one.topic && partition === one.partition),
    )
    if (those.length > 0) work(those)
  }

  /** Rejects never. */
  async #seek(consumer: OttlaConsumer, to: OttlaOffset): Promise<void> {
    try {
      const [result] = await consumer.seek([to])
      if (result?.error !== undefined) throw result.error
      // As kafkajs does: a restart goes on from there.
      if (this.#required.isAutoCommit && to.offset >= 0) await consumer.commit([to])
    } catch (error) {
      if (this.#connection.client !== null) this.#connection.error(`seek: ${toKafkaJSError(error).message}`)
    }
  }

  readonly #rebalanced = (error: LibrdKafkaError, partitions: readonly TopicPartition[]): void => {
    const client = this.#connection.leaving
    if (client === null) return
    if (error.code === ErrorCode.ERR__REVOKE_PARTITIONS) this.#run?.handlers.takeAway(partitions)
    void rebalance(error, partitions, {
      client,
      onRebalance: this.#required.onRebalance,
      sought: place => this.#seeks.take(place)?.offset,
      onAssigned: () => {
        const consumer = this.#beneath('assignment')
        this.#whereAssigned(consumer, [...this.#paused.values()], each => consumer.pause(each))
      },
      info: message => this.#connection.info(message),
      failed: message => this.#connection.error(message),
    })
  }
}

function toCommitted(given: OttlaOffset): TopicPartitionOffsetAndMetadata {
  const { topic, partition, offset, metadata = null, leaderEpoch } = given
  const place = { topic, partition, ...(leaderEpoch === undefined || leaderEpoch < 0 ? {} : { leaderEpoch }) }
  // Nothing is committed: null, whatever the type says.
  return { ...place, offset: offset === OFFSET_INVALID ? (null as unknown as string) : String(offset), metadata }
}
