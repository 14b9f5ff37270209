/** `RdKafka.AdminClient`: administration with callbacks. */
import { EventEmitter } from 'node:events'
import type { GlobalConfig, KafkaConsumer, Producer } from '@ottla/node-rdkafka'
import {
  answer,
  configurationOf,
  converting,
  createPartitions,
  createTopic,
  deleteTopic,
  disconnected,
  tokenOptions,
  toLibrdKafkaError,
  type Done,
  type NewTopic,
} from '@ottla/node-rdkafka/parts'
import { AdminClient, ErrorCode, type AdminOptions, type AuthenticatedClient, type KafkaError } from 'ottla'
import { IsolationLevel } from '../enums.ts'
import type {
  AdminCallback,
  DeleteGroupsResult,
  DeleteRecordsResult,
  DescribeOptions,
  EventHandlers,
  GroupDescription,
  GroupDescriptions,
  GroupOverviews,
  GroupResults,
  IAdminClient,
  ListGroupOffsets,
  ListGroupsOptions,
  ListOffsetsResult,
  TopicDescription,
  TopicPartitionOffsetSpec,
} from '../types/admin.ts'
import {
  errorOf,
  mayBeSimple,
  stateName,
  toGroup,
  toOffsetAndMetadata,
  toOverviews,
  toTopic,
  typeName,
} from './descriptions.ts'
import { specOf } from './offset-spec.ts'

const TIMEOUT_MS = 5000
const OPERATION_TIMEOUT_MS = 60_000

/** Whether librdkafka's client beneath is there, as `createFrom` looks at it. */
interface Connected {
  isConnected(): boolean
  getClient(): AuthenticatedClient | null
}

export class AdministeringClient extends EventEmitter implements IAdminClient {
  readonly name: string
  #client: AdminClient | null

  private constructor(client: AdminClient, eventHandlers: EventHandlers = {}) {
    super()
    this.#client = client
    this.name = client.name
    for (const [event, handler] of Object.entries(eventHandlers)) this.on(event, handler)
  }

  /** @throws an error with ERR__INVALID_ARG for what cannot be configured so */
  static create(conf: GlobalConfig, eventHandlers?: EventHandlers): AdministeringClient {
    const { properties, callbacks } = configurationOf('admin', { ...conf }, {})
    const options = {
      ...tokenOptions(callbacks),
      logger: (severity: number, fac: string, message: string) => {
        made?.emit('event.log', { severity, fac, message })
      },
    }
    let made: AdministeringClient | null = null
    const client = converting(() => new AdminClient(properties, options))
    const admin = new AdministeringClient(client, eventHandlers)
    made = admin
    client.on('error', ({ error }) => void admin.emit('event.error', toLibrdKafkaError(error)))
    client.on('stats', ({ json }) => void admin.emit('event.stats', { message: json }))
    admin.emit('ready', { name: admin.name })
    return admin
  }

  /** @throws an error if the client is not connected */
  static createFrom(existing: Producer | KafkaConsumer, eventHandlers?: EventHandlers): AdministeringClient {
    const owner = existing as Connected // which its type does not tell
    const client = owner.isConnected() ? owner.getClient() : null
    if (client === null) throw new Error('Existing client must be connected before creating a new client from it')
    const admin = new AdministeringClient(AdminClient.from(client), eventHandlers)
    admin.emit('ready', { name: admin.name })
    return admin
  }

  get #connected(): AdminClient {
    if (this.#client === null) throw disconnected('Client')
    return this.#client
  }

  createTopic(topic: NewTopic, timeout?: number | Done, cb?: Done): void {
    createTopic(this.#connected, topic, timeout, cb)
  }

  deleteTopic(topic: string, timeout?: number | Done, cb?: Done): void {
    deleteTopic(this.#connected, topic, timeout, cb)
  }

  createPartitions(topic: string, desiredPartitions: number, timeout?: number | Done, cb?: Done): void {
    createPartitions(this.#connected, topic, desiredPartitions, timeout, cb)
  }

  listTopics(options?: { timeout?: number } | AdminCallback<string[]>, cb?: AdminCallback<string[]>): void {
    const [given, callback] = optionsAndCallback(options, cb)
    const asked = this.#connected.getMetadata({ allTopics: true, timeoutMs: wholeMs(given.timeout ?? TIMEOUT_MS) })
    answer(asked, callback, ({ topics }) => topics.map(({ topic }) => topic))
  }

  listGroups(options?: ListGroupsOptions | AdminCallback<GroupOverviews>, cb?: AdminCallback<GroupOverviews>): void {
    const [given, callback] = optionsAndCallback(options, cb)
    const { matchConsumerGroupStates, matchConsumerGroupTypes } = given
    const asked = this.#connected.listConsumerGroups({
      ...timeouts(given),
      ...(matchConsumerGroupStates === undefined ? {} : { states: matchConsumerGroupStates.map(stateName) }),
      ...(matchConsumerGroupTypes === undefined ? {} : { types: matchConsumerGroupTypes.map(typeName) }),
    })
    answer(asked, callback, toOverviews)
  }

  describeGroups(
    groupIds: string[],
    options?: DescribeOptions | AdminCallback<GroupDescriptions>,
    cb?: AdminCallback<GroupDescriptions>,
  ): void {
    const [given, callback] = optionsAndCallback(options, cb)
    const client = this.#connected
    const ask = async (): Promise<GroupDescription[]> => {
      const { includeAuthorizedOperations = false } = given
      const described = client.describeConsumerGroups(groupIds, { ...timeouts(given), includeAuthorizedOperations })
      const groups = answered(await described)
      const listed = groups.some(mayBeSimple) ? (await client.listConsumerGroups(timeouts(given))).groups : []
      const simple = new Set(listed.filter(({ isSimple }) => isSimple).map(({ groupId }) => groupId))
      return groups.map(group => toGroup(group, simple.has(group.groupId)))
    }
    answer(ask(), callback, groups => ({ groups }))
  }

  deleteGroups(
    groupIds: string[],
    options?: { timeout?: number } | AdminCallback<DeleteGroupsResult[]>,
    cb?: AdminCallback<DeleteGroupsResult[]>,
  ): void {
    const [given, callback] = optionsAndCallback(options, cb)
    answer(this.#connected.deleteConsumerGroups(groupIds, timeouts(given)).then(answered), callback, results =>
      results.map(({ groupId, error }) => ({ groupId, errorCode: error?.code ?? 0, ...errorOf(error) })),
    )
  }

  listConsumerGroupOffsets(
    listGroupOffsets: ListGroupOffsets[],
    options?: { timeout?: number; requireStableOffsets?: boolean },
    cb?: AdminCallback<GroupResults[]>,
  ): void {
    const client = this.#connected
    const { requireStableOffsets = false } = options ?? {}
    const wanted = { ...timeouts(options ?? {}), requireStableOffsets }
    if (!listGroupOffsets[0]?.groupId) throw new Error('groupId must be provided')
    const ofGroup = async ({ groupId, partitions }: ListGroupOffsets): Promise<GroupResults> => {
      const offsets = await client.listConsumerGroupOffsets(groupId, partitions ?? undefined, wanted)
      return { groupId, partitions: offsets.map(toOffsetAndMetadata) }
    }
    answer(Promise.all(listGroupOffsets.map(ofGroup)), cb, results => results)
  }

  deleteRecords(
    delRecords: { topic: string; partition: number; offset: number }[],
    options?: { timeout?: number; operationTimeout?: number },
    cb?: AdminCallback<DeleteRecordsResult[]>,
  ): void {
    const client = this.#connected
    if (!Array.isArray(delRecords) || delRecords.length === 0) throw new Error('delRecords must be a non-empty array')
    const { operationTimeout = OPERATION_TIMEOUT_MS } = options ?? {}
    const asked = client.deleteRecords(delRecords, { ...timeouts(options ?? {}), operationTimeoutMs: operationTimeout })
    answer(asked, cb, results =>
      results.map(({ topic, partition, lowWatermark, error }) => ({
        topic,
        partition,
        lowWatermark,
        ...errorOf(error),
      })),
    )
  }

  describeTopics(topics: string[], options?: DescribeOptions, cb?: AdminCallback<TopicDescription[]>): void {
    const client = this.#connected
    const { includeAuthorizedOperations = false } = options ?? {}
    const ask = async (): Promise<TopicDescription[]> => {
      const given = timeouts(options ?? {})
      const [described, { nodes }] = await Promise.all([
        client.describeTopics(topics, { ...given, includeAuthorizedOperations }),
        client.describeCluster(given),
      ])
      return described.map(each => toTopic(each, nodes))
    }
    answer(ask(), cb, described => described)
  }

  listOffsets(
    partitions: TopicPartitionOffsetSpec[],
    options?: { timeout?: number; isolationLevel?: IsolationLevel },
    cb?: AdminCallback<ListOffsetsResult[]>,
  ): void {
    const { isolationLevel = IsolationLevel.READ_UNCOMMITTED } = options ?? {}
    const queries = partitions.map(({ topic, partition, offset }) => ({ topic, partition, spec: specOf(offset) }))
    const isCommitted = isolationLevel === IsolationLevel.READ_COMMITTED
    const asked = this.#connected.listOffsets(queries, {
      ...timeouts(options ?? {}),
      isolationLevel: isCommitted ? 'read_committed' : 'read_uncommitted',
    })
    answer(asked, cb, results =>
      results.map(({ topic, partition, offset, timestamp, leaderEpoch, error }) => ({
        topic,
        partition,
        offset,
        timestamp,
        ...(leaderEpoch < 0 ? {} : { leaderEpoch }),
        ...errorOf(error),
      })),
    )
  }

  disconnect(): void {
    const client = this.#client
    this.#client = null
    void client?.close()
  }
}

/** The options may be left out. */
function optionsAndCallback<O extends object, T>(
  options: O | AdminCallback<T> | null | undefined,
  cb: AdminCallback<T> | undefined,
): [options: Partial<O>, callback: AdminCallback<T> | undefined] {
  if (typeof options === 'function') return [{}, options]
  return [options ?? {}, cb]
}

function timeouts({ timeout = TIMEOUT_MS }: { timeout?: number }): AdminOptions {
  return { requestTimeoutMs: wholeMs(timeout) }
}

/** Of a fraction of a millisecond nothing is left. */
function wholeMs(timeout: number): number {
  return Math.max(0, Math.floor(timeout))
}

/** @throws the error of a call that has got no answer at all in time */
function answered<T extends { readonly error?: KafkaError | undefined }>(results: readonly T[]): readonly T[] {
  const [first] = results
  const isLate = results.every(({ error }) => error?.code === ErrorCode.ERR__TIMED_OUT)
  if (first?.error !== undefined && isLate) throw first.error
  return results
}
