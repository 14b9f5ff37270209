/** kafkajs's default assigner: the partitions of all topics in turn, in the order of the member ids. */
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
      const ids = members.map(({ memberId }) => memberId).sort()
      const assigned = new Map<string, Assignment>()
      let turn = 0
      for (const topic of topics) {
        for (const { partitionId } of cluster.findTopicPartitionMetadata(topic)) {
          const id = ids[turn++ % ids.length] ?? ''
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

/** Assigners for `partitionAssigners` of a consumer; `roundRobin` is the default. */
export const PartitionAssigners: { readonly roundRobin: PartitionAssigner } = { roundRobin }
