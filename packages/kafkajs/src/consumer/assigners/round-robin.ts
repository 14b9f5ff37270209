/**
 * kafkajs's default assigner: the partitions of all topics in turn, in the order of the member ids; each goes to a member that
 * has subscribed to its topic.
 */
import type { Assigner, PartitionAssigner } from '../../types/cluster.ts'
import type { Assignment } from '../../types/metadata.ts'
import { AssignerProtocol } from './protocol.ts'

const { MemberAssignment, MemberMetadata } = AssignerProtocol

export const roundRobin: PartitionAssigner = ({ cluster }) => {
  const name = 'RoundRobinAssigner'
  const version = 0
  const userData = Buffer.alloc(0)
  const assigner: Assigner = {
    name,
    version,
    assign({ members, topics }) {
      const sorted = members
        .map(({ memberId, memberMetadata }) => ({ memberId, topics: topicsOf(memberMetadata) }))
        .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
      const assigned = new Map<string, Assignment>()
      let turn = 0
      for (const topic of topics) {
        const takers = sorted.filter(member => member.topics?.includes(topic) ?? true)
        if (takers.length === 0) continue
        for (const { partitionId } of cluster.findTopicPartitionMetadata(topic)) {
          const id = takers[turn++ % takers.length]?.memberId ?? ''
          // A topic may be called `constructor`.
          const assignment = assigned.get(id) ?? (Object.create(null) as Assignment)
          ;(assignment[topic] ??= []).push(partitionId)
          assigned.set(id, assignment)
        }
      }
      const assignments = Array.from(assigned, ([memberId, assignment]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({ version, assignment, userData }),
      }))
      return Promise.resolve(assignments)
    },
    protocol: ({ topics }) => ({ name, metadata: MemberMetadata.encode({ version, topics, userData }) }),
  }
  return assigner
}

/** What a member has subscribed to; null if its metadata does not say. */
function topicsOf(metadata: Buffer | undefined): readonly string[] | null {
  return metadata === undefined ? null : (MemberMetadata.decode(metadata)?.topics ?? null)
}

/** Assigners for `partitionAssigners` of a consumer; `roundRobin` is the default. */
export const PartitionAssigners: { readonly roundRobin: PartitionAssigner } = { roundRobin }
