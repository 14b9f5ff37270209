import type { GlobalConfig } from './config.ts'
import type { LibrdKafkaError } from './errors.ts'

/** A topic to create. */
export interface NewTopic {
  topic: string
  num_partitions: number
  replication_factor: number
  config?:
    | {
        'cleanup.policy'?: 'delete' | 'compact' | 'delete,compact' | 'compact,delete'
        'compression.type'?: 'gzip' | 'snappy' | 'lz4' | 'zstd' | 'uncompressed' | 'producer'
        'delete.retention.ms'?: string
        'file.delete.delay.ms'?: string
        'flush.messages'?: string
        'flush.ms'?: string
        'follower.replication.throttled.replicas'?: string
        'index.interval.bytes'?: string
        'leader.replication.throttled.replicas'?: string
        'max.compaction.lag.ms'?: string
        'max.message.bytes'?: string
        'message.format.version'?: string
        'message.timestamp.difference.max.ms'?: string
        'message.timestamp.type'?: string
        'min.cleanable.dirty.ratio'?: string
        'min.compaction.lag.ms'?: string
        'min.insync.replicas'?: string
        preallocate?: string
        'retention.bytes'?: string
        'retention.ms'?: string
        'segment.bytes'?: string
        'segment.index.bytes'?: string
        'segment.jitter.ms'?: string
        'segment.ms'?: string
        'unclean.leader.election.enable'?: string
        'message.downconversion.enable'?: string
      }
    | { [cfg: string]: string }
}

/** Creates and deletes topics. `timeout` is in ms, 5000 by default. */
export interface IAdminClient {
  /** The token for `sasl.mechanisms=OAUTHBEARER`. */
  refreshOauthBearerToken(tokenStr: string): void

  createTopic(topic: NewTopic, cb?: (err: LibrdKafkaError) => void): void
  createTopic(topic: NewTopic, timeout?: number, cb?: (err: LibrdKafkaError) => void): void

  deleteTopic(topic: string, cb?: (err: LibrdKafkaError) => void): void
  deleteTopic(topic: string, timeout?: number, cb?: (err: LibrdKafkaError) => void): void

  /** Adds partitions until the topic has so many. */
  createPartitions(topic: string, desiredPartitions: number, cb?: (err: LibrdKafkaError) => void): void
  createPartitions(
    topic: string,
    desiredPartitions: number,
    timeout?: number,
    cb?: (err: LibrdKafkaError) => void,
  ): void

  disconnect(): void
}

/** Makes admin clients. */
export interface AdminClientFactory {
  /** Connects in the background. */
  create(conf: GlobalConfig, initOauthBearerToken?: string): IAdminClient
}
