/** kafkajs's partitioners. */
import { murmur2 } from 'ottla'
import type { ICustomPartitioner, PartitionerArgs } from '../types/producer.ts'
import { legacyHash } from './legacy-hash.ts'

type Hash = (key: Buffer) => number

/**
 * The message's own partition; for a message with a key the partition of its hash; for others the partitions that have
 * a leader, in turn.
 */
function byHash(hash: Hash): ICustomPartitioner {
  return () => {
    const turns = new Map<string, number>()
    const next = (topic: string): number => {
      const turn = ((turns.get(topic) ?? Math.floor(Math.random() * 0x7fffffff)) + 1) & 0x7fffffff
      turns.set(topic, turn)
      return turn
    }
    return ({ topic, partitionMetadata, message: { partition, key } }: PartitionerArgs): number => {
      if (isGiven(partition)) return partition
      const count = partitionMetadata.length
      if (isGiven(key)) return (hash(bytesOf(key)) & 0x7fffffff) % count
      const turn = next(topic)
      const available = partitionMetadata.filter(({ leader }) => leader >= 0)
      return available[turn % available.length]?.partitionId ?? turn % count
    }
  }
}

// Programs in JavaScript pass numbers, too.
function bytesOf(key: unknown): Buffer {
  return Buffer.isBuffer(key) ? key : Buffer.from(String(key))
}

// Programs pass null where they have nothing.
function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined
}

const DefaultPartitioner = byHash(key => murmur2(key, key.length))

/** How `createPartitioner` may be set. */
export const Partitioners: {
  /** Puts a key where Kafka's Java client does. */
  readonly DefaultPartitioner: ICustomPartitioner
  /** Puts a key where kafkajs 1.x did. */
  readonly LegacyPartitioner: ICustomPartitioner
  /** @deprecated The name of DefaultPartitioner in kafkajs 1.x. */
  readonly JavaCompatiblePartitioner: ICustomPartitioner
} = {
  DefaultPartitioner,
  LegacyPartitioner: byHash(legacyHash),
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- it works all the same
  JavaCompatiblePartitioner: DefaultPartitioner,
}
