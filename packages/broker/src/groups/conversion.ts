/** Turns a group with members into one of the other protocol (KIP-848: upgrade and downgrade). */
import { ErrorCode } from '@ottla/protocol'
import type { TopicStore } from '../topics/topics.ts'
import { NO_BYTES, metadataOf, chooseProtocol, type ClassicMember, type ClassicSeed } from './classic-member.ts'
import type { ClassicGroup } from './classic.ts'
import { newConsumerMember, type ConsumerMember, type ConsumerSeed } from './consumer-member.ts'
import { readAssignment, readSubscription, writeAssignment } from './consumer-protocol.ts'
import { byTopic, partitionKey } from './partition-set.ts'
import { GroupRefusal } from './refusal.ts'

/** The members of a consumer group as those of a classic one, with their target assignments. */
export function downgraded(
  generation: number,
  members: readonly ConsumerMember[],
  targetOf: (memberId: string) => ReadonlySet<string>,
  topics: TopicStore,
): ClassicSeed {
  const classic = members.map((member): ClassicMember => ({
    id: member.id,
    groupInstanceId: member.instanceId,
    clientId: member.clientId,
    host: member.host,
    protocols: member.classic?.protocols ?? [],
    sessionTimeoutMs: member.classic?.sessionTimeoutMs ?? 0,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    assignment: NO_BYTES,
    isNew: false,
    join: null,
    sync: null,
    session: null,
  }))
  const protocol = chooseProtocol(classic)
  for (const member of classic) {
    member.assignment = encodeAssignment(targetOf(member.id), metadataOf(member, protocol), topics)
  }
  return { generation, protocolType: 'consumer', members: classic }
}

/**
 * The members of a classic group as those of a consumer group, with the assignments from their leader.
 * @throws GroupRefusal GROUP_ID_NOT_FOUND if they are not consumers, or use a custom assignor
 */
export function upgraded(group: ClassicGroup, topics: TopicStore): ConsumerSeed {
  const refuse = (why: string): GroupRefusal =>
    new GroupRefusal(
      ErrorCode.ERR_GROUP_ID_NOT_FOUND,
      `Cannot upgrade classic group ${group.id} to consumer group because ${why}.`,
    )
  if (group.protocolType !== 'consumer') throw refuse('the group does not use the consumer embedded protocol')
  const members = [...group.members.values()].map(member => {
    const subscription = readSubscription(metadataOf(member, group.protocol))
    const assignment = member.assignment.length === 0 ? null : readAssignment(member.assignment)
    if (subscription === null || (assignment === null && member.assignment.length > 0)) {
      throw refuse('the embedded consumer protocol is malformed')
    }
    if ((assignment?.userData?.length ?? 0) > 0) throw refuse('an unsupported custom assignor is in use')
    const assigned = new Map<string, number>()
    for (const { topic, partitions } of assignment?.assignedPartitions ?? []) {
      const topicId = topics.get(topic)?.id
      if (topicId === undefined) continue
      for (const index of partitions) assigned.set(partitionKey(topicId, index), group.generation)
    }
    const { sessionTimeoutMs, protocols } = member
    return {
      ...newConsumerMember(member.id),
      instanceId: member.groupInstanceId,
      rackId: subscription.rackId,
      clientId: member.clientId,
      host: member.host,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      topics: new Set(subscription.topics),
      epoch: group.generation,
      previousEpoch: group.generation,
      assigned,
      classic: { sessionTimeoutMs, protocols },
    }
  })
  return { epoch: group.generation, members }
}

/** An assignment for a classic consumer. @param like the member's metadata, which determines the version */
export function encodeAssignment(keys: Iterable<string>, like: Buffer, topics: TopicStore): Buffer {
  const assignedPartitions = byTopic(keys).flatMap(({ topicId, partitions }) => {
    const topic = topics.byId(topicId)?.name
    return topic === undefined ? [] : [{ topic, partitions }]
  })
  return writeAssignment({ assignedPartitions, userData: null }, like)
}
