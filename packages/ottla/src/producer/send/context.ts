/** What the sender uses of the cluster and the client. */
import type { CompressionCodec, Decoded, Produce, ProduceRequest, ProduceResponse } from '@ottla/protocol'
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Threads } from '../../base/threads.ts'
import type { BrokerRequestOptions, LaneName } from '../../cluster/broker.ts'
import type { ChannelClient } from '../../observe/channel-payloads.ts'
import type { Logger } from '../../observe/logger.ts'
import type { BrokerCounters, ClientCounters } from '../../observe/statistics/counters.ts'

/** The part of a broker that the sender uses. */
export interface ProduceBroker {
  request(
    api: typeof Produce,
    body: (version: number) => ProduceRequest,
    options: BrokerRequestOptions,
  ): Promise<Decoded<ProduceResponse>>
  preconnect(lane: LaneName): void
  readonly counters?: BrokerCounters | null
}

/** The part of the cluster that the sender uses. */
export interface ProduceCluster {
  broker(id: number): ProduceBroker | undefined
  readonly metadata: {
    requestRefresh(reason: string, topics?: readonly string[]): void
    applyLeaderHint(
      topic: string,
      partition: number,
      leaderId: number,
      leaderEpoch: number,
      endpoints: readonly { nodeId: number; host: string; port: number; rack: string | null }[],
    ): void
  }
}

export interface SenderSettings {
  /** -1, 0 or 1. */
  readonly acks: number
  /** `request.timeout.ms`: how long the broker may wait for replicas. */
  readonly requestTimeoutMs: number
  /** How long the response may take. */
  readonly wireTimeoutMs: number
  /** `message.timeout.ms`; Infinity for none. */
  readonly messageTimeoutMs: number
  /** `message.max.bytes`: limit of a request's batches together; a larger batch is sent alone. */
  readonly maxRequestBytes: number
  /** `max.in.flight`, per broker. */
  readonly maxInFlight: number
  /** `message.send.max.retries` */
  readonly maxRetries: number
  readonly backoffMs: number
  readonly backoffMaxMs: number
  readonly codec: CompressionCodec | null
  /** `compression.level` */
  readonly level: number
}

/** What all senders of a client share. */
export interface SenderContext {
  /** As channels name it. */
  readonly client: ChannelClient
  readonly clock: Clock
  readonly random: Random
  readonly threads: Threads
  readonly logger: Logger
  /** Null or undefined without statistics. */
  readonly counters?: ClientCounters | null
}
