/** A raw client for tests of responses to members of groups, request by request. */
import {
  ConsumerGroupDescribe,
  ConsumerGroupHeartbeat,
  CreateTopics,
  DeleteGroups,
  DescribeGroups,
  FindCoordinator,
  Heartbeat,
  IncrementalAlterConfigs,
  JoinGroup,
  LeaveGroup,
  ListGroups,
  Metadata,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch,
  Reader,
  SyncGroup,
  Writer,
  readConsumerProtocolAssignment,
  writeConsumerProtocolAssignment,
  writeConsumerProtocolSubscription,
  type ConsumerGroupHeartbeatRequest,
  type Decoded,
  type JoinGroupRequest,
  type JoinGroupResponse,
} from '@ottla/protocol'
import { WireClient } from '../harness/wire-client.ts'
import { fresh } from './world.ts'
import { closing } from '../harness/closing.ts'

const GROUP_RESOURCE = 32
const NOT_READY: readonly number[] = [14, 15, 16]

/** The metadata with which a consumer joins. */
export function subscription(...topics: string[]): Buffer {
  const writer = new Writer()
  writer.int16(1)
  writeConsumerProtocolSubscription(writer, { topics, userData: null, ownedPartitions: [] }, 1)
  return Buffer.concat(writer.finish())
}

/** The assignment of a member by its leader. */
export function assignment(topic: string, ...partitions: number[]): Buffer {
  const writer = new Writer()
  writer.int16(1)
  writeConsumerProtocolAssignment(writer, { assignedPartitions: [{ topic, partitions }], userData: null }, 1)
  return Buffer.concat(writer.finish())
}

/** As `0,1`. */
export function partitionsOf(bytes: Buffer): string {
  if (bytes.length === 0) return 'nothing'
  const reader = new Reader(Buffer.from(bytes))
  const { assignedPartitions } = readConsumerProtocolAssignment(reader, reader.int16())
  return [...(assignedPartitions[0]?.partitions ?? [])].sort().join()
}

export interface MemberState {
  readonly errorCode: number
  readonly epoch: number
  /** As `0,1`; null if the response has no assignment. */
  readonly has: string | null
}

/** Members with their own connections, because a join is not answered before the others have joined. */
export class GroupConversation {
  readonly #bootstrapServers: string
  readonly #admin: WireClient
  readonly topic = fresh('group-topic')
  topicId = ''

  private constructor(bootstrapServers: string, admin: WireClient) {
    this.#bootstrapServers = bootstrapServers
    this.#admin = admin
  }

  static async begin(bootstrapServers: string, partitions = 4): Promise<GroupConversation> {
    const conversation = new GroupConversation(bootstrapServers, await WireClient.connect(bootstrapServers))
    conversation.topicId = await conversation.newTopic(conversation.topic, partitions)
    return conversation
  }

  end(): void {
    this.#admin.close()
  }

  /** @returns the member id */
  async newTopic(name: string, numPartitions: number): Promise<string> {
    const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }]
    await this.#admin.ask(CreateTopics, 5, { topics, timeoutMs: 30_000 })
    return patiently(async () => {
      const answer = await this.#admin.ask(Metadata, 12, { topics: [{ name }] })
      const found = answer.topics[0]
      return found?.errorCode === 0 && found.partitions.length === numPartitions ? found.topicId : null
    })
  }

  /** A group whose coordinator is ready, and computes assignments without delay. */
  async group(): Promise<string> {
    const group = fresh('group')
    await patiently(async () => {
      const found = await this.#admin.ask(FindCoordinator, 4, { keyType: 0, coordinatorKeys: [group] })
      if (found.coordinators[0]?.errorCode !== 0) return null
      const described = await this.#admin.ask(DescribeGroups, 5, { groups: [group] })
      return NOT_READY.includes(described.groups[0]?.errorCode ?? 0) ? null : described
    })
    const configs = [{ name: 'consumer.assignment.interval.ms', configOperation: 0, value: '0' }]
    const resources = [{ resourceType: GROUP_RESOURCE, resourceName: group, configs }]
    await this.#admin.ask(IncrementalAlterConfigs, 1, { validateOnly: false, resources })
    return group
  }

  async member(group: string): Promise<ClassicMemberTalk> {
    const client = await WireClient.connect(this.#bootstrapServers)
    closing(client)
    return new ClassicMemberTalk(client, group, this.topic)
  }

  async heartbeat(
    groupId: string,
    memberId: string,
    memberEpoch: number,
    more: Partial<ConsumerGroupHeartbeatRequest> = {},
    version = 1,
  ): Promise<MemberState> {
    const joining = {
      rebalanceTimeoutMs: 30_000,
      subscribedTopicNames: [this.topic],
      topicPartitions: [],
    }
    const body = { groupId, memberId, memberEpoch, ...(memberEpoch === 0 ? joining : {}), ...more }
    const answer = await this.#admin.ask(ConsumerGroupHeartbeat, version, body)
    const topics = answer.assignment?.topicPartitions
    const has = topics === undefined ? null : [...(topics[0]?.partitions ?? [])].sort().join()
    return { errorCode: answer.errorCode, epoch: answer.memberEpoch, has }
  }

  /** `heartbeat` with the partitions that the member claims to own. */
  owning(groupId: string, memberId: string, epoch: number, ...partitions: number[]): Promise<MemberState> {
    return this.heartbeat(groupId, memberId, epoch, { topicPartitions: [{ topicId: this.topicId, partitions }] })
  }

  /** Heartbeats until the answer is this one. */
  async becomes(groupId: string, memberId: string, epoch: number, wanted: Partial<MemberState>): Promise<MemberState> {
    return patiently(async () => {
      const state = await this.heartbeat(groupId, memberId, epoch)
      const isWanted = Object.entries(wanted).every(([name, value]) => state[name as keyof MemberState] === value)
      return isWanted || state.errorCode !== 0 ? state : null
    })
  }

  /** Rejoins until it is assigned this. @returns the error code and the assignment */
  async rejoins(
    groupId: string,
    memberId: string,
    more: Partial<ConsumerGroupHeartbeatRequest>,
    wanted: string,
  ): Promise<[number, string | null]> {
    return patiently(async () => {
      const { errorCode, has } = await this.heartbeat(groupId, memberId, 0, more)
      return has === wanted || errorCode !== 0 ? [errorCode, has] : null
    })
  }

  async describeConsumers(groupId: string, version = 1): Promise<unknown> {
    const answer = await this.#admin.ask(ConsumerGroupDescribe, version, {
      groupIds: [groupId],
      includeAuthorizedOperations: false,
    })
    const group = answer.groups[0]
    if (group === undefined || group.errorCode !== 0) return group?.errorCode
    const { groupState, groupEpoch, assignmentEpoch, assignorName } = group
    const members = group.members
      .map(member => ({
        member: member.memberId.length > 20 ? 'made up' : member.memberId,
        instance: member.instanceId,
        epoch: member.memberEpoch,
        type: member.memberType,
        has: [...(member.assignment.topicPartitions[0]?.partitions ?? [])].sort().join(),
        target: [...(member.targetAssignment.topicPartitions[0]?.partitions ?? [])].sort().join(),
      }))
      .sort((a, b) => (a.member < b.member ? -1 : 1))
    return { groupState, groupEpoch, assignmentEpoch, assignorName, members }
  }

  /** State, protocol, and the members' metadata and assignments. */
  async describe(group: string, version = 5): Promise<unknown> {
    const answer = await this.#admin.ask(DescribeGroups, version, { groups: [group] })
    const found = answer.groups[0]
    if (found === undefined) return null
    const { errorCode, groupState, protocolType, protocolData, members } = found
    const said = members.map(({ memberMetadata, memberAssignment, groupInstanceId }) => ({
      metadata: memberMetadata.length > 0,
      assignment: partitionsOf(memberAssignment),
      ...(version >= 4 ? { groupInstanceId } : {}),
    }))
    return { errorCode, groupState, protocolType, protocolData, members: said }
  }

  async list(group: string, statesFilter: string[] = [], typesFilter: string[] = []): Promise<unknown> {
    const answer = await this.#admin.ask(ListGroups, 5, { statesFilter, typesFilter })
    const found = answer.groups.find(({ groupId }) => groupId === group)
    return found === undefined ? null : [found.protocolType, found.groupState, found.groupType].join()
  }

  async delete(group: string): Promise<number> {
    const answer = await this.#admin.ask(DeleteGroups, 2, { groupsNames: [group] })
    return answer.results[0]?.errorCode ?? -1
  }

  async commit(
    groupId: string,
    memberId: string,
    epoch: number,
    options: { version?: number; partitions?: number[]; topic?: string; metadata?: string } = {},
  ): Promise<number[]> {
    const { version = 9, partitions = [0], topic = this.topic, metadata = 'm' } = options
    const place = version >= 10 ? { topicId: topic } : { name: topic }
    const list = partitions.map(partitionIndex => ({
      partitionIndex,
      committedOffset: 7,
      committedMetadata: metadata,
    }))
    const answer = await this.#admin.ask(OffsetCommit, version, {
      groupId,
      memberId,
      generationIdOrMemberEpoch: epoch,
      topics: [{ ...place, partitions: list }],
    })
    return answer.topics.flatMap(each =>
      [...each.partitions].sort((a, b) => a.partitionIndex - b.partitionIndex).map(({ errorCode }) => errorCode),
    )
  }

  /** As `0:7`, or the error code of the group. */
  async offsets(groupId: string, all = false, memberId: string | null = null, memberEpoch = -1): Promise<string> {
    const topics = all ? null : [{ name: this.topic, partitionIndexes: [0, 1] }]
    const groups = [{ groupId, memberId, memberEpoch, topics }]
    const answer = await this.#admin.ask(OffsetFetch, 9, { groups, requireStable: false })
    const group = answer.groups[0]
    if (group === undefined || group.errorCode !== 0) return `error ${group?.errorCode}`
    return group.topics
      .flatMap(each => each.partitions.map(p => `${p.partitionIndex}:${p.committedOffset}`))
      .sort()
      .join()
  }

  async deleteOffset(groupId: string, topic = this.topic): Promise<number[]> {
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0 }] }]
    const answer = await this.#admin.ask(OffsetDelete, 0, { groupId, topics })
    return [answer.errorCode, ...answer.topics.flatMap(each => each.partitions.map(({ errorCode }) => errorCode))]
  }
}

/** One member of the classic protocol. */
export class ClassicMemberTalk {
  readonly #client: WireClient
  readonly #group: string
  readonly #topic: string
  id = ''

  constructor(client: WireClient, group: string, topic: string) {
    this.#client = client
    this.#group = group
    this.#topic = topic
  }

  async join(more: Partial<JoinGroupRequest> = {}, version = 9): Promise<Decoded<JoinGroupResponse>> {
    const answer = await this.#client.ask(JoinGroup, version, {
      groupId: this.#group,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId: this.id,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscription(this.#topic) }],
      ...more,
    })
    if (answer.errorCode === 0 || answer.errorCode === 79) this.id = answer.memberId
    return answer
  }

  /** Joins with an id, as version 4 and later require. */
  async joinTwice(more: Partial<JoinGroupRequest> = {}): Promise<Decoded<JoinGroupResponse>> {
    const first = await this.join(more)
    return first.errorCode === 79 ? this.join(more) : first
  }

  /** The error code, and the partitions if there is no error. */
  async sync(
    generationId: number,
    shares: Record<string, readonly number[]> = {},
    more: { memberId?: string; protocolName?: string; groupInstanceId?: string } = {},
  ): Promise<string> {
    const assignments = Object.entries(shares).map(([memberId, partitions]) => ({
      memberId,
      assignment: assignment(this.#topic, ...partitions),
    }))
    const answer = await this.#client.ask(SyncGroup, 5, {
      groupId: this.#group,
      generationId,
      memberId: this.id,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments,
      ...more,
    })
    return answer.errorCode === 0 ? partitionsOf(answer.assignment) : `error ${answer.errorCode}`
  }

  async heartbeat(generationId: number, groupInstanceId: string | null = null, memberId = this.id): Promise<number> {
    const body = { groupId: this.#group, generationId, memberId, groupInstanceId }
    return (await this.#client.ask(Heartbeat, 4, body)).errorCode
  }

  async leave(...members: { memberId: string; groupInstanceId?: string }[]): Promise<number[]> {
    const leaving = members.length > 0 ? members : [{ memberId: this.id }]
    const answer = await this.#client.ask(LeaveGroup, 5, { groupId: this.#group, members: leaving })
    return [answer.errorCode, ...answer.members.map(({ errorCode }) => errorCode)]
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
