/** kafkajs's assigners, as assignors of `ottla`. */
import type { GroupMember, PartitionAssignor, TopicPartition } from 'ottla'
import type { Assigner } from '../../types/cluster.ts'
import type { GroupCluster } from './cluster.ts'
import { AssignerProtocol } from './protocol.ts'

const { MemberAssignment, MemberMetadata } = AssignerProtocol

/**
 * @param onLead called when this member, as leader, is about to assign partitions
 */
export function assignorsOf(
  assigners: readonly Assigner[],
  cluster: GroupCluster,
  onLead: (name: string) => void,
): PartitionAssignor[] {
  return assigners.map(assigner => ({
    name: assigner.name,
    userData: topics => MemberMetadata.decode(assigner.protocol({ topics: [...topics] }).metadata)?.userData ?? null,
    assign: async (members, topics) => {
      onLead(assigner.name)
      // What it may ask about topics has to be there: it asks without waiting.
      await cluster.refreshMetadata()
      const assigned = await assigner.assign({
        members: members.map(member => ({ memberId: member.memberId, memberMetadata: metadataOf(assigner, member) })),
        topics: [...topics.keys()],
      })
      return new Map(assigned.map(({ memberId, memberAssignment }) => [memberId, partitionsOf(memberAssignment)]))
    },
  }))
}

function metadataOf({ version }: Assigner, { topics, userData }: GroupMember): Buffer {
  return MemberMetadata.encode({ version, topics: [...topics], userData: userData ?? Buffer.alloc(0) })
}

function partitionsOf(bytes: Buffer): TopicPartition[] {
  const { assignment = {} } = MemberAssignment.decode(bytes) ?? {}
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map(partition => ({ topic, partition })),
  )
}
