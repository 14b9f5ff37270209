/** A raw client for tests of responses to members of share groups, request by request. */
import {
  AlterShareGroupOffsets,
  BatchWriter,
  CreateTopics,
  DeleteShareGroupOffsets,
  DescribeGroups,
  DescribeShareGroupOffsets,
  FindCoordinator,
  IncrementalAlterConfigs,
  ListGroups,
  Metadata,
  Produce,
  ShareAcknowledge,
  ShareFetch,
  ShareGroupDescribe,
  ShareGroupHeartbeat,
} from '@ottla/protocol'
import { WireClient } from '../harness/wire-client.ts'
import { fresh } from './world.ts'

const GROUP_RESOURCE = 32

/** First and last offset, and the acknowledgement type. */
export type Ack = readonly [firstOffset: number, lastOffset: number, ...types: number[]]

export interface FetchOptions {
  readonly acks?: readonly Ack[]
  readonly maxRecords?: number
  readonly mode?: number
  readonly waitMs?: number
  readonly renews?: boolean
  readonly partition?: number
}

export class ShareConversation {
  readonly #bootstrapServers: string
  readonly #client: WireClient
  readonly topic: string
  #topicId = ''

  private constructor(bootstrapServers: string, client: WireClient, topic: string) {
    this.#bootstrapServers = bootstrapServers
    this.#client = client
    this.topic = topic
  }

  static async begin(bootstrapServers: string): Promise<ShareConversation> {
    const client = await WireClient.connect(bootstrapServers)
    const conversation = new ShareConversation(bootstrapServers, client, fresh('share-topic'))
    const topics = [{ name: conversation.topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    await conversation.#client.ask(CreateTopics, 5, { topics, timeoutMs: 30_000 })
    conversation.#topicId = await patiently(async () => {
      const answer = await conversation.#client.ask(Metadata, 12, { topics: [{ name: conversation.topic }] })
      const found = answer.topics[0]
      return found?.errorCode === 0 && found.partitions.length === 1 ? found.topicId : null
    })
    return conversation
  }

  /** About the same topic, over a connection of its own. */
  async another(): Promise<ShareConversation> {
    const client = await WireClient.connect(this.#bootstrapServers)
    const conversation = new ShareConversation(this.#bootstrapServers, client, this.topic)
    conversation.#topicId = this.#topicId
    return conversation
  }

  /** Closes the connection. */
  end(): void {
    this.#client.close()
  }

  /** Produces one batch with this many records. */
  async produce(count: number): Promise<void> {
    const writer = new BatchWriter()
    for (let i = 0; i < count; i++) writer.append(null, `value ${i}`, null, Date.now())
    const records = Buffer.from(writer.seal({}))
    await patiently(async () => {
      const topicData = [{ name: this.topic, partitionData: [{ index: 0, records }] }]
      const answer = await this.#client.ask(Produce, 12, { acks: -1, timeoutMs: 30_000, topicData })
      return answer.responses[0]?.partitionResponses[0]?.errorCode === 0 ? answer : null
    })
  }

  /** A group whose coordinator is ready, and which reads from the beginning. */
  async group(): Promise<string> {
    const group = fresh('sharers')
    await patiently(async () => {
      const found = await this.#client.ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: [group] })
      if (found.coordinators[0]?.errorCode !== 0) return null
      const described = await this.#client.ask(DescribeGroups, 5, { groups: [group] })
      return described.groups[0]?.errorCode === 0 ? described : null
    })
    await this.configure(group, 'share.auto.offset.reset', 'earliest')
    await this.configure(group, 'share.assignment.interval.ms', '0')
    return group
  }

  async configure(group: string, name: string, value: string): Promise<void> {
    const resources = [
      { resourceType: GROUP_RESOURCE, resourceName: group, configs: [{ name, configOperation: 0, value }] },
    ]
    await this.#client.ask(IncrementalAlterConfigs, 1, { validateOnly: false, resources })
  }

  /** The error code and the partitions; null if the response has no assignment. */
  async heartbeat(
    groupId: string,
    memberId: string,
    memberEpoch: number,
    topics: string[] | null = memberEpoch === 0 ? [this.topic] : null,
  ): Promise<{ errorCode: number; epoch: number; has: string | null }> {
    const body = { groupId, memberId, memberEpoch, subscribedTopicNames: topics }
    const answer = await this.#client.ask(ShareGroupHeartbeat, 1, body)
    const has = answer.assignment?.topicPartitions.flatMap(({ partitions }) => [...partitions]).join() ?? null
    return { errorCode: answer.errorCode, epoch: answer.memberEpoch, has }
  }

  /** Joins, and waits for the partition. @returns the member epoch */
  async join(groupId: string, memberId: string): Promise<number> {
    return patiently(async () => {
      const { errorCode, epoch, has } = await this.heartbeat(groupId, memberId, 0)
      return errorCode === 0 && has === '0' ? epoch : null
    })
  }

  /** The error, or the acquired records (`0-9 x1`) and the outcome of the acknowledgement. */
  async fetch(groupId: string, memberId: string, epoch: number, options: FetchOptions = {}): Promise<unknown> {
    const { acks = [], maxRecords = 500, mode = 0, waitMs = 0, renews = false, partition = 0 } = options
    const answer = await this.#client.ask(ShareFetch, 2, {
      groupId,
      memberId,
      shareSessionEpoch: epoch,
      maxWaitMs: waitMs,
      minBytes: renews ? 0 : 1,
      maxBytes: renews ? 0 : 1e6,
      maxRecords: renews ? 0 : maxRecords,
      batchSize: 500,
      shareAcquireMode: mode,
      isRenewAck: renews,
      topics: [{ topicId: this.#topicId, partitions: [this.#asked(partition, acks)] }],
      forgottenTopicsData: [],
    })
    if (answer.errorCode !== 0) return `error ${answer.errorCode}`
    const found = answer.responses[0]?.partitions[0]
    const given = found?.acquiredRecords.map(
      ({ firstOffset, lastOffset, deliveryCount }) => `${firstOffset}-${lastOffset} x${deliveryCount}`,
    )
    const problem = found?.errorCode || found?.acknowledgeErrorCode || 0
    return problem === 0 ? (given ?? []) : [problem, ...(given ?? [])]
  }

  /** Fetches until records are acquired. */
  async take(groupId: string, memberId: string, epoch: number, options: FetchOptions = {}): Promise<unknown> {
    // A new group is initialized in the background.
    let next = epoch
    return patiently(async () => {
      const given = await this.fetch(groupId, memberId, next++, { waitMs: 500, ...options })
      return Array.isArray(given) && given.length === 0 ? null : [next, given]
    })
  }

  /** The error, of the request or of the partition. */
  async acknowledge(groupId: string, memberId: string, epoch: number, ...acks: Ack[]): Promise<number> {
    const answer = await this.#client.ask(ShareAcknowledge, 2, {
      groupId,
      memberId,
      shareSessionEpoch: epoch,
      isRenewAck: acks.some(([, , ...types]) => types.includes(4)),
      topics: acks.length === 0 ? [] : [{ topicId: this.#topicId, partitions: [this.#asked(0, acks)] }],
    })
    return answer.errorCode || (answer.responses[0]?.partitions[0]?.errorCode ?? 0)
  }

  async describe(groupId: string): Promise<unknown> {
    const answer = await this.#client.ask(ShareGroupDescribe, 1, {
      groupIds: [groupId],
      includeAuthorizedOperations: false,
    })
    const group = answer.groups[0]
    if (group === undefined || group.errorCode !== 0) return group?.errorCode
    const members = group.members.map(({ memberId }) => memberId).sort()
    return [group.groupState, group.assignorName, ...members].join()
  }

  async list(group: string): Promise<string | null> {
    const answer = await this.#client.ask(ListGroups, 5, { statesFilter: [], typesFilter: ['share'] })
    const found = answer.groups.find(({ groupId }) => groupId === group)
    return found === undefined ? null : [found.protocolType, found.groupState, found.groupType].join()
  }

  /** Start offset and lag of the partition, or the error of the group. */
  async offset(groupId: string): Promise<unknown> {
    const topics = [{ topicName: this.topic, partitions: [0] }]
    const answer = await this.#client.ask(DescribeShareGroupOffsets, 1, { groups: [{ groupId, topics }] })
    const group = answer.groups[0]
    if (group === undefined || group.errorCode !== 0) return `error ${group?.errorCode}`
    const found = group.topics[0]?.partitions[0]
    return [found?.errorCode, found?.startOffset, found?.lag].join()
  }

  async alter(groupId: string, startOffset: number, partition = 0): Promise<number[]> {
    const topics = [{ topicName: this.topic, partitions: [{ partitionIndex: partition, startOffset }] }]
    const answer = await this.#client.ask(AlterShareGroupOffsets, 0, { groupId, topics })
    return [answer.errorCode, ...answer.responses.flatMap(each => each.partitions.map(({ errorCode }) => errorCode))]
  }

  async forget(groupId: string, topicName = this.topic): Promise<number[]> {
    const answer = await this.#client.ask(DeleteShareGroupOffsets, 0, { groupId, topics: [{ topicName }] })
    return [answer.errorCode, ...answer.responses.map(({ errorCode }) => errorCode)]
  }

  #asked(
    partitionIndex: number,
    acks: readonly Ack[],
  ): {
    partitionIndex: number
    acknowledgementBatches: { firstOffset: number; lastOffset: number; acknowledgeTypes: number[] }[]
  } {
    const acknowledgementBatches = acks.map(([firstOffset, lastOffset, ...acknowledgeTypes]) => {
      return { firstOffset, lastOffset, acknowledgeTypes }
    })
    return { partitionIndex, acknowledgementBatches }
  }
}

async function patiently<T>(ask: () => Promise<T | null>): Promise<T> {
  const end = Date.now() + 30_000
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (Date.now() > end) throw new Error('the cluster does not get that far')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
