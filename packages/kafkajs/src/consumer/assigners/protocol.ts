/** What members of a group tell its leader, and what it tells them: bytes, in the layout of Kafka's consumers. */
import { Reader, Writer } from '@ottla/protocol'
import type { Assignment } from '../../types/metadata.ts'
import type {
  ISerializer,
  MemberAssignment as AssignmentOf,
  MemberMetadata as MetadataOf,
} from '../../types/cluster.ts'

const none = Buffer.alloc(0)

/** A subscription. */
const MemberMetadata: ISerializer<MetadataOf> = {
  encode({ version, topics, userData = none }: Partial<MetadataOf> & Pick<MetadataOf, 'version' | 'topics'>) {
    const w = new Writer()
    w.int16(version)
    w.int32(topics.length)
    for (const topic of topics) w.string(topic, false)
    w.bytes(userData, false)
    return w.toBuffer()
  },

  /** Newer versions have more behind it. */
  decode(buffer) {
    const r = new Reader(buffer)
    const version = r.int16()
    const topics = Array.from({ length: Math.max(0, r.int32()) }, () => r.string(false))
    return { version, topics, userData: r.nullableBytes(false) as Buffer } // null for none, as in kafkajs
  },
}

/** What a member is assigned. */
const MemberAssignment: ISerializer<AssignmentOf> = {
  encode({
    version,
    assignment,
    userData = none,
  }: Partial<AssignmentOf> & Pick<AssignmentOf, 'version' | 'assignment'>) {
    const w = new Writer()
    const topics = Object.entries(assignment)
    w.int16(version)
    w.int32(topics.length)
    for (const [topic, partitions] of topics) {
      w.string(topic, false)
      w.int32(partitions.length)
      for (const partition of partitions) w.int32(partition)
    }
    w.bytes(userData, false)
    return w.toBuffer()
  },

  /** Null for a member that is assigned nothing at all. */
  decode(buffer) {
    if (buffer.length < 2) return null
    const r = new Reader(buffer)
    const version = r.int16()
    const assignment: Assignment = {}
    for (let topics = r.int32(); topics > 0; topics--) {
      const topic = r.string(false)
      assignment[topic] = Array.from({ length: Math.max(0, r.int32()) }, () => r.int32())
    }
    return { version, assignment, userData: r.nullableBytes(false) as Buffer } // as above
  },
}

/** Writes and reads what members of a group and their leader tell each other, in the layout of Kafka's Java client. */
export const AssignerProtocol = { MemberMetadata, MemberAssignment }
