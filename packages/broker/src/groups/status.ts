/** What a test sees of a group. */
import type { TopicStore } from '../topics/topics.ts'
import { readAssignment } from './consumer-protocol.ts'
import type { Group } from './group.ts'
import { splitKey } from './partition-set.ts'

/**
 * The state of a group, as brokers name it: classic groups prepare and complete rebalances, those of KIP-848 assign and
 * reconcile. A streams group whose topics are missing is not ready.
 * @since 0.1.0
 */
export type GroupState =
  'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'NotReady' | 'Assigning' | 'Reconciling' | 'Stable' | 'Dead'

/**
 * A member of a group.
 * @since 0.1.0
 */
export interface GroupMember {
  readonly memberId: string
  /** `group.instance.id`, null without one and for members of share groups. */
  readonly instanceId: string | null
  readonly clientId: string
  /** The partitions that the member has now; for members of streams groups those that its active tasks read. */
  readonly assigned: readonly { readonly topic: string; readonly partition: number }[]
}

/**
 * A group with its members.
 * @since 0.1.0
 */
export interface GroupStatus {
  readonly groupId: string
  /** `classic`, `consumer` (KIP-848), `share` (KIP-932) or `streams` (KIP-1071). */
  readonly type: 'classic' | 'consumer' | 'share' | 'streams'
  readonly state: GroupState
  readonly members: readonly GroupMember[]
}

export function groupStatus(group: Group, topics: TopicStore): GroupStatus {
  return { groupId: group.id, type: group.type, state: group.state, members: membersOf(group, topics) }
}

function membersOf({ classic, consumer, share, streams }: Group, topics: TopicStore): GroupMember[] {
  if (consumer !== null) {
    return [...consumer.members.values()].map(({ id, instanceId, clientId, assigned }) => {
      return { memberId: id, instanceId, clientId, assigned: named(assigned.keys(), topics) }
    })
  }
  if (share !== null) {
    return [...share.members.values()].map(({ id, clientId, assigned }) => {
      return { memberId: id, instanceId: null, clientId, assigned: named(assigned, topics) }
    })
  }
  if (streams !== null) {
    return [...streams.members.values()].map(({ id, clientId, assigned }) => {
      const assignedPartitions = streams.partitionsOf(assigned.active.keys()).flatMap(({ topic, partitions }) => {
        return partitions.map(partition => ({ topic, partition }))
      })
      return { memberId: id, instanceId: null, clientId, assigned: assignedPartitions }
    })
  }
  return [...(classic?.members.values() ?? [])].map(({ id, groupInstanceId, clientId, assignment }) => {
    // Members that are not consumers assign something else, Connect its tasks.
    const read = classic?.protocolType === 'consumer' ? readAssignment(assignment) : null
    const assigned = (read?.assignedPartitions ?? []).flatMap(({ topic, partitions }) =>
      partitions.map(partition => ({ topic, partition })),
    )
    return { memberId: id, instanceId: groupInstanceId, clientId, assigned }
  })
}

/** Partitions by the names of their topics, without those of deleted ones. */
function named(keys: Iterable<string>, topics: TopicStore): GroupMember['assigned'] {
  return [...keys].flatMap(key => {
    const { topicId, partition } = splitKey(key)
    const topic = topics.byId(topicId)?.name
    return topic === undefined ? [] : [{ topic, partition }]
  })
}
