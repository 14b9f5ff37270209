/** What the members of a classic group exchange through the coordinator, to which it is opaque. */
import {
  ProtocolError,
  Reader,
  Writer,
  readConsumerProtocolAssignment,
  readConsumerProtocolSubscription,
  writeConsumerProtocolAssignment,
  writeConsumerProtocolSubscription,
} from '@ottla/protocol'
import { groupBy } from '../../base/grouping.ts'
import type { TopicPartition } from '../../types.ts'

const SUBSCRIPTION_VERSION = 3
// All versions have the same layout; every client understands the oldest.
const ASSIGNMENT_VERSION = 0

export interface MemberSubscription {
  readonly topics: readonly string[]
  readonly ownedPartitions: readonly TopicPartition[]
  /** The generation in which the partitions were owned, -1 for none. */
  readonly generationId: number
  readonly rackId: string | null
  /** What the strategy adds. */
  readonly userData: Buffer | null
}

export function encodeSubscription(subscription: MemberSubscription): Buffer {
  const { topics, ownedPartitions, generationId, rackId, userData } = subscription
  return encode(SUBSCRIPTION_VERSION, w =>
    writeConsumerProtocolSubscription(
      w,
      { topics, userData, ownedPartitions: byTopic(ownedPartitions), generationId, rackId },
      SUBSCRIPTION_VERSION,
    ),
  )
}

/** Throws ProtocolError. A newer version begins with all fields of ours. */
export function decodeSubscription(bytes: Buffer): MemberSubscription {
  const reader = new Reader(bytes)
  const version = readVersion(reader, 'subscription')
  const read = readConsumerProtocolSubscription(reader, Math.min(version, SUBSCRIPTION_VERSION))
  const { topics, generationId, rackId, userData } = read
  return { topics, ownedPartitions: flat(read.ownedPartitions), generationId, rackId, userData }
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  return encode(ASSIGNMENT_VERSION, w =>
    writeConsumerProtocolAssignment(w, { assignedPartitions: byTopic(partitions), userData: null }, ASSIGNMENT_VERSION),
  )
}

/** Throws ProtocolError. A member without partitions may get no bytes at all. */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return []
  const reader = new Reader(bytes)
  readVersion(reader, 'assignment')
  return flat(readConsumerProtocolAssignment(reader, ASSIGNMENT_VERSION).assignedPartitions)
}

function encode(version: number, write: (w: Writer) => void): Buffer {
  const writer = new Writer()
  writer.int16(version)
  write(writer)
  return Buffer.concat(writer.finish())
}

function readVersion(reader: Reader, what: string): number {
  const version = reader.int16()
  if (version < 0) throw new ProtocolError(`a group member's ${what} has version ${version}`)
  return version
}

/** Groups partitions by topic, in the order of first appearance. */
export function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = groupBy(
    partitions,
    each => each.topic,
    each => each.partition,
  )
  return Array.from(topics, ([topic, numbers]) => ({ topic, partitions: numbers }))
}

function flat(topics: readonly { topic: string; partitions: readonly number[] }[]): TopicPartition[] {
  return topics.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
}
