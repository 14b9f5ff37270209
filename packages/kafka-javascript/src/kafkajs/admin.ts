/** `KafkaJS.Admin`. */
import type { KafkaConsumer, Producer } from '@ottla/node-rdkafka'
import {
  ErrorCodes,
  KafkaJSAggregateError,
  KafkaJSCreateTopicError,
  KafkaJSDeleteGroupsError,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSProtocolError,
  type KafkaJSError,
  type KafkaJSErrorMetadata,
} from './errors.ts'
import { AdministeringClient } from '../rdkafka/admin.ts'
import { OffsetSpec } from '../rdkafka/offset-spec.ts'
import type {
  DeleteGroupsResult,
  DeleteRecordsResult,
  DescribeOptions,
  GroupDescriptions,
  GroupOverviews,
  GroupResults,
  ListGroupsOptions,
  ListOffsetsResult,
  OffsetSpecInstance,
  TopicDescription,
} from '../types/admin.ts'
import type {
  Admin,
  FetchOffsetsPartition,
  ITopicConfig,
  ITopicMetadata,
  SeekEntry,
  TopicInput,
  TopicOffsetsOptions,
} from '../types/kafkajs/admin.ts'
import type { Logger } from '../types/kafkajs/client.ts'
import { attempt, called, invalid, notImplemented, toKafkaJSError, wrongState } from './failures.ts'
import { logLine, ownLine, type LogLine } from './logging.ts'
import { loggerOf, settingsOf, type Given } from './settings.ts'

const TIMEOUT_MS = 5000

/** A producer or a consumer whose connections are shared. */
export interface Owner {
  logger(): Logger
  _getInternalClient(): Producer | KafkaConsumer | null
  _hasBegun(): boolean
}

type State =
  | { readonly is: 'init' }
  | { readonly is: 'connected'; readonly client: AdministeringClient }
  | { readonly is: 'disconnected' }

export class AdminClient implements Admin {
  readonly #config: Given | null
  readonly #owner: Owner | null
  #state: State = { is: 'init' }

  /** One of the two is given. */
  constructor(config: Given | null, owner: Owner | null) {
    this.#config = config
    this.#owner = owner
  }

  connect(): Promise<void> {
    return attempt(() => this.#connect())
  }

  disconnect(): Promise<void> {
    return attempt(() => {
      const state = this.#state
      if (state.is !== 'connected') return
      this.#state = { is: 'disconnected' }
      state.client.disconnect()
    })
  }

  async createTopics(options: { timeout?: number; topics: ITopicConfig[] }): Promise<boolean> {
    const client = this.#connected
    for (const key of ['validateOnly', 'waitForLeaders'])
      if (Object.hasOwn(options, key)) throw notImplemented(`createTopics: '${key}' is not supported`)
    const { topics, timeout = TIMEOUT_MS } = options
    let areNew = true
    const errors: Error[] = []
    const create = async (config: ITopicConfig): Promise<void> => {
      try {
        await called<void>(done => client.createTopic(newTopicOf(config), timeout, error => done(error)))
      } catch (error) {
        const failure = toKafkaJSError(error)
        if (failure.code === ErrorCodes.ERR_TOPIC_ALREADY_EXISTS) areNew = false
        else errors.push(new KafkaJSCreateTopicError(failure, config.topic, metadataOf(failure)))
      }
    }
    await Promise.all(topics.map(create))
    if (errors.length > 0) throw new KafkaJSAggregateError('Topic creation errors', errors)
    return areNew
  }

  async deleteTopics(options: { topics: string[]; timeout?: number }): Promise<void> {
    const client = this.#connected
    const { topics, timeout = TIMEOUT_MS } = options
    await Promise.all(
      topics.map(topic => called<void>(done => client.deleteTopic(topic, timeout, error => done(error)))),
    )
  }

  async listTopics(options: { timeout?: number } = {}): Promise<string[]> {
    const client = this.#connected
    return called(done => client.listTopics(options, done))
  }

  async listGroups(options: ListGroupsOptions = {}): Promise<GroupOverviews> {
    const client = this.#connected
    return called(done => client.listGroups(options, done))
  }

  async describeGroups(groups: string[], options: DescribeOptions = {}): Promise<GroupDescriptions> {
    const client = this.#connected
    if (!Array.isArray(groups)) throw invalid('Must provide group name array')
    if (groups.length === 0) throw invalid('Must provide at least one group name')
    return called(done => client.describeGroups(groups, options, done))
  }

  async deleteGroups(groupIds: string[], options: { timeout?: number } = {}): Promise<DeleteGroupsResult[]> {
    const client = this.#connected
    const results = await called<DeleteGroupsResult[]>(done => client.deleteGroups(groupIds, options, done))
    const all = results.map(withKafkaJSError)
    if (all.some(({ error }) => error !== undefined))
      throw new KafkaJSDeleteGroupsError('Groups could not be deleted', all)
    return all
  }

  async fetchOffsets(options: {
    groupId: string
    topics?: TopicInput
    timeout?: number
    requireStableOffsets?: boolean
  }): Promise<{ topic: string; partitions: FetchOffsetsPartition[] }[]> {
    const client = this.#connected
    const { groupId, topics, timeout = TIMEOUT_MS, requireStableOffsets = false } = options
    if (Object.hasOwn(options, 'resolveOffsets'))
      throw notImplemented("fetchOffsets: 'resolveOffsets' is not supported")
    if (!groupId) throw invalid('fetchOffsets needs a groupId')
    const { names, partitions } = askedFor(topics)
    const asked = [{ groupId, partitions }]
    const [result] = await called<GroupResults[]>(done =>
      client.listConsumerGroupOffsets(asked, { timeout, requireStableOffsets }, done),
    )
    const byTopic = new Map<string, FetchOffsetsPartition[]>()
    for (const { topic, partition, offset, metadata, leaderEpoch, error } of result?.partitions ?? []) {
      if (names !== null && !names.includes(topic)) continue
      const list = byTopic.get(topic) ?? []
      list.push({
        partition,
        offset: String(offset),
        metadata: metadata ?? null,
        leaderEpoch: leaderEpoch ?? null,
        error: error ?? null,
      })
      byTopic.set(topic, list)
    }
    return Array.from(byTopic, ([topic, list]) => ({ topic, partitions: list }))
  }

  async deleteTopicRecords(options: {
    topic: string
    partitions: SeekEntry[]
    timeout?: number
    operationTimeout?: number
  }): Promise<DeleteRecordsResult[]> {
    const client = this.#connected
    const { topic, partitions } = options
    if (typeof topic !== 'string' || !Array.isArray(partitions))
      throw invalid('deleteTopicRecords takes a topic, and partitions with their offsets')
    const wanted = partitions.map(({ partition, offset }) => ({ topic, partition, offset: numberOf(offset) }))
    const results = await called<DeleteRecordsResult[]>(done => client.deleteRecords(wanted, options, done))
    const failed = results.flatMap(({ partition, lowWatermark, error }) =>
      error === undefined ? [] : [{ partition, offset: String(lowWatermark), error: toKafkaJSError(error) }],
    )
    if (failed.length > 0) throw new KafkaJSDeleteTopicRecordsError({ topic, partitions: failed })
    return results
  }

  async fetchTopicMetadata(
    options: { topics?: string[]; includeAuthorizedOperations?: boolean; timeout?: number } = {},
  ): Promise<ITopicMetadata[]> {
    const client = this.#connected
    const topics = options.topics ?? (await this.listTopics())
    const described = await called<TopicDescription[]>(done => client.describeTopics(topics, options, done))
    const failed = described.find(({ error }) => error !== undefined)
    if (failed !== undefined) throw toKafkaJSError(failed.error)
    return described.map(toTopicMetadata)
  }

  async fetchTopicOffsets(
    topic: string,
    options: TopicOffsetsOptions = {},
  ): Promise<(SeekEntry & { high: string; low: string })[]> {
    const partitions = await this.#partitionsOf(topic, options)
    const [latest, earliest] = await Promise.all([
      this.#offsets(topic, partitions, OffsetSpec.LATEST, options),
      this.#offsets(topic, partitions, OffsetSpec.EARLIEST, options),
    ])
    return partitions.map(partition => {
      const high = String(latest.get(partition))
      return { partition, offset: high, high, low: String(earliest.get(partition)) }
    })
  }

  async fetchTopicOffsetsByTimestamp(
    topic: string,
    timestamp?: number,
    options: TopicOffsetsOptions = {},
  ): Promise<SeekEntry[]> {
    const partitions = await this.#partitionsOf(topic, options)
    const latest = await this.#offsets(topic, partitions, OffsetSpec.LATEST, options)
    const found =
      timestamp === undefined ? latest : await this.#offsets(topic, partitions, new OffsetSpec(timestamp), options)
    return partitions.map(partition => {
      const offset = found.get(partition) ?? -1
      return { partition, offset: String(offset < 0 ? latest.get(partition) : offset) }
    })
  }

  get #connected(): AdministeringClient {
    if (this.#state.is !== 'connected') throw wrongState('Admin client is not connected: await connect() first')
    return this.#state.client
  }

  #connect(): void {
    if (this.#state.is !== 'init') throw wrongState('Connect has already been called: a client connects once')
    this.#state = { is: 'disconnected' }
    try {
      const client = this.#owner === null ? this.#create(this.#config ?? {}) : this.#createFrom(this.#owner)
      this.#state = { is: 'connected', client }
    } catch (error) {
      throw toKafkaJSError(error)
    }
  }

  #create(config: Given): AdministeringClient {
    const logger = loggerOf(config)
    const { properties, onStats } = settingsOf('admin', config, logger)
    const client = AdministeringClient.create(properties, {
      'event.error': ({ message }: Error) => logger.error(`Error: ${message}`, ownLine(client.name)),
      'event.log': (line: LogLine) => logLine(logger, line, undefined),
      ...(onStats === null ? {} : { 'event.stats': onStats }),
    })
    logger.info('Admin client connected', ownLine(client.name))
    return client
  }

  #createFrom(owner: Owner): AdministeringClient {
    const client = owner._getInternalClient()
    if (!owner._hasBegun()) throw wrongState('Underlying client is not connected.')
    if (client === null) throw wrongState('Existing client must be connected before creating a new client from it')
    return AdministeringClient.createFrom(client)
  }

  async #partitionsOf(topic: string, { timeout = TIMEOUT_MS }: TopicOffsetsOptions): Promise<number[]> {
    const [found] = await this.fetchTopicMetadata({ topics: [topic], timeout })
    return (found?.partitions ?? []).map(({ partitionId }) => partitionId)
  }

  async #offsets(
    topic: string,
    partitions: readonly number[],
    offset: OffsetSpecInstance,
    options: TopicOffsetsOptions,
  ): Promise<Map<number, number>> {
    const client = this.#connected
    const asked = partitions.map(partition => ({ topic, partition, offset }))
    const results = await called<ListOffsetsResult[]>(done => client.listOffsets(asked, options, done))
    const failed = results.find(({ error }) => error !== undefined)
    if (failed !== undefined) throw toKafkaJSError(failed.error)
    return new Map(results.map(result => [result.partition, result.offset]))
  }
}

function metadataOf({ code, retriable, fatal, abortable, cause }: KafkaJSError): KafkaJSErrorMetadata {
  return { code, retriable, fatal, abortable, cause }
}

function newTopicOf(given: ITopicConfig): Parameters<AdministeringClient['createTopic']>[0] {
  const { topic, numPartitions = -1, replicationFactor = -1, configEntries = [] } = given
  if (Object.hasOwn(given, 'replicaAssignment'))
    throw notImplemented("createTopics: 'replicaAssignment' is not supported")
  // The client refuses these as an argument, before a broker can.
  refuseCount(topic, 'partitions', numPartitions, ErrorCodes.ERR_INVALID_PARTITIONS)
  refuseCount(topic, 'replicas', replicationFactor, ErrorCodes.ERR_INVALID_REPLICATION_FACTOR)
  const config = Object.fromEntries(configEntries.map(({ name, value }) => [name, value]))
  return { topic, num_partitions: numPartitions, replication_factor: replicationFactor, config }
}

/** @param count -1 for the broker's default */
function refuseCount(topic: string, what: string, count: number, code: number): void {
  if (count === 0 || count < -1) throw new KafkaJSProtocolError(`${topic} cannot have ${count} ${what}`, { code })
}

/** @returns the topics, of which all partitions are asked for; the partitions; null for no limit */
function askedFor(topics: TopicInput | null | undefined): {
  names: readonly string[] | null
  partitions: { topic: string; partition: number }[] | null
} {
  if (topics === undefined || topics === null || topics.length === 0) return { names: null, partitions: null }
  if (topics.every(each => typeof each === 'string')) return { names: topics, partitions: null }
  const partitions = topics.flatMap(each => {
    if (typeof each === 'string' || !Array.isArray(each.partitions))
      throw invalid('fetchOffsets: topics must be all names, or all objects with a topic and its partitions')
    return each.partitions.map(partition => ({ topic: each.topic, partition }))
  })
  return { names: null, partitions }
}

function withKafkaJSError({ error, ...result }: DeleteGroupsResult): DeleteGroupsResult {
  // In its place, as Confluent's.
  return error === undefined ? result : { ...result, error: toKafkaJSError(error) as unknown as typeof error }
}

function numberOf(offset: unknown): number {
  const number = offset === null || offset === undefined || offset === '' ? NaN : Number(offset)
  if (Number.isNaN(number)) throw invalid(`each partition needs an offset, not ${String(offset)}`)
  return number
}

function toTopicMetadata({
  name,
  topicId,
  isInternal,
  partitions,
  authorizedOperations,
}: TopicDescription): ITopicMetadata {
  return {
    name,
    topicId,
    isInternal,
    partitions: partitions.map(({ partition, leader, replicas, isr }) => ({
      partitionErrorCode: ErrorCodes.ERR_NO_ERROR,
      partitionId: partition,
      leader: leader?.id ?? -1,
      leaderNode: leader,
      replicas: replicas.map(({ id }) => id),
      replicaNodes: replicas,
      isr: isr.map(({ id }) => id),
      isrNodes: isr,
    })),
    authorizedOperations,
  }
}
