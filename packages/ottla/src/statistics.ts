/**
 * The statistics of `stats` events, with librdkafka's names and units: tools that read its statistics can read these.
 * Counters count since the client was created and never go down.
 */

/**
 * A distribution since the last statistics. Its unit is that of the field which has it.
 * @since 0.1.0
 */
export interface WindowStatistics {
  /** Smallest value; 0 without any. */
  readonly min: number
  /** Largest value. */
  readonly max: number
  /** Mean. */
  readonly avg: number
  /** All values added up. */
  readonly sum: number
  /** Values counted. */
  readonly cnt: number
  /** Standard deviation. */
  readonly stddev: number
  /** Memory of the histogram, in bytes. */
  readonly hdrsize: number
  /** Median. */
  readonly p50: number
  /** 75th percentile. */
  readonly p75: number
  /** 90th percentile. */
  readonly p90: number
  /** 95th percentile. */
  readonly p95: number
  /** 99th percentile. */
  readonly p99: number
  /** 99.99th percentile. */
  readonly p99_99: number
  /** Values too large to be counted. */
  readonly outofrange: number
}

/**
 * One broker.
 * @since 0.1.0
 */
export interface BrokerStatistics {
  /** `host:port/id`, or `host:port/bootstrap`. */
  readonly name: string
  /** Its id; negative for a bootstrap address. */
  readonly nodeid: number
  /** `host:port`. */
  readonly nodename: string
  /** Whether the cluster named it (`learned`) or `bootstrap.servers` (`configured`). */
  readonly source: 'learned' | 'configured'
  /** Of its connections: one that is up makes it UP. */
  readonly state: 'INIT' | 'CONNECT' | 'UP' | 'DOWN'
  /** Time since it went up or down, in microseconds. */
  readonly stateage: number
  /** Requests that wait for a connection. */
  readonly outbuf_cnt: number
  /** Messages in them; always 0 here: messages wait in their queues. */
  readonly outbuf_msg_cnt: number
  /** Requests in flight. */
  readonly waitresp_cnt: number
  /** Messages in them. */
  readonly waitresp_msg_cnt: number
  /** Requests sent. */
  readonly tx: number
  /** Bytes sent. */
  readonly txbytes: number
  /** Requests whose connection ended before the response. */
  readonly txerrs: number
  /** Batches put back to be retried. */
  readonly txretries: number
  /** Time since the last request, in microseconds; -1 before the first. */
  readonly txidle: number
  /** Requests that timed out. */
  readonly req_timeouts: number
  /** Responses received. */
  readonly rx: number
  /** Bytes received. */
  readonly rxbytes: number
  /** Responses that could not be read; their connection was closed. */
  readonly rxerrs: number
  /** Responses to no request; always 0 here: such a connection is closed. */
  readonly rxcorriderrs: number
  /** Batches that a fetch cut short. */
  readonly rxpartial: number
  /** Time since the last response, in microseconds; -1 before the first. */
  readonly rxidle: number
  /** Of the C library's buffers; always 0 here. */
  readonly zbuf_grow: number
  /** Of the C library's buffers; always 0 here. */
  readonly buf_grow: number
  /** Of the C library's threads; always 0 here. */
  readonly wakeups: number
  /** Connection attempts, over all connections to the broker. */
  readonly connects: number
  /** Connections that ended. */
  readonly disconnects: number
  /** From `produce` to the request, of the oldest message of each batch, in microseconds. */
  readonly int_latency: WindowStatistics
  /** From a request's creation to its being written, in microseconds. */
  readonly outbuf_latency: WindowStatistics
  /** From a request's being written to its response, in microseconds. */
  readonly rtt: WindowStatistics
  /** Throttle times of responses, in milliseconds (KIP-219). */
  readonly throttle: WindowStatistics
  /** Requests sent, by name. */
  readonly req: Readonly<Record<string, number>>
  /** Partitions led by it, by `topic-partition`. */
  readonly toppars: Readonly<Record<string, { readonly topic: string; readonly partition: number }>>
}

/**
 * One partition. An offset of -1001 is not known.
 * @since 0.1.0
 */
export interface PartitionStatistics {
  /** Its number; -1 for messages that wait for a partition. */
  readonly partition: number
  /** Id of the broker that it is read from or written to; -1 for none. */
  readonly broker: number
  /** Id of its leader; -1 for none. */
  readonly leader: number
  /** Whether the application uses it. */
  readonly desired: boolean
  /** Whether the brokers do not know it. */
  readonly unknown: boolean
  /** Messages in the open batch. */
  readonly msgq_cnt: number
  /** Bytes of them. */
  readonly msgq_bytes: number
  /** Messages in batches ready to be sent. */
  readonly xmit_msgq_cnt: number
  /** Bytes of them. */
  readonly xmit_msgq_bytes: number
  /** Messages fetched and not delivered yet. */
  readonly fetchq_cnt: number
  /** Bytes of them. */
  readonly fetchq_size: number
  /** What its fetching waits for. */
  readonly fetch_state: 'none' | 'stopped' | 'offset-query' | 'validate-epoch-wait' | 'active'
  /** Offset that is being looked for, possibly a logical one. */
  readonly query_offset: number
  /** Next offset to fetch. */
  readonly next_offset: number
  /** The offset after the last delivered message, or where reading begins. */
  readonly app_offset: number
  /** What the next commit commits. */
  readonly stored_offset: number
  /** Leader epoch of the stored offset; -1 for none. */
  readonly stored_leader_epoch: number
  /** The same as `committed_offset`: librdkafka has both spellings. */
  readonly commited_offset: number
  /** What the group has committed. */
  readonly committed_offset: number
  /** Leader epoch of the committed offset; -1 for none. */
  readonly committed_leader_epoch: number
  /** The end at which a `partition-eof` was emitted last. */
  readonly eof_offset: number
  /** First offset, as of the last fetch. */
  readonly lo_offset: number
  /** High watermark, as of the last fetch. */
  readonly hi_offset: number
  /** Last stable offset, as of the last fetch. */
  readonly ls_offset: number
  /** Messages from the committed offset to `hi_offset` (`ls_offset` under read_committed); -1 if unknown. */
  readonly consumer_lag: number
  /** The same from the stored offset. */
  readonly consumer_lag_stored: number
  /** Epoch of its leader; -1 if unknown. */
  readonly leader_epoch: number
  /** Messages sent. */
  readonly txmsgs: number
  /** Bytes of them. */
  readonly txbytes: number
  /** Messages fetched. */
  readonly rxmsgs: number
  /** Bytes of them. */
  readonly rxbytes: number
  /** Messages that a consumer has fetched, or that a producer has accepted. */
  readonly msgs: number
  /** Fetch responses for a position that it has left since. */
  readonly rx_ver_drops: number
  /** Messages sent and not acknowledged yet. */
  readonly msgs_inflight: number
  /** Sequence number that is to be acknowledged next (idempotent producer). */
  readonly next_ack_seq: number
  /** The same for errors. */
  readonly next_err_seq: number
  /** Number of the last acknowledged message of the partition, counted from 1. */
  readonly acked_msgid: number
}

/**
 * One topic.
 * @since 0.1.0
 */
export interface TopicStatistics {
  /** Its name. */
  readonly topic: string
  /** Time since the client first knew of it, in milliseconds. */
  readonly age: number
  /** Time since the last metadata of it, in milliseconds; -1 before the first. */
  readonly metadata_age: number
  /** Sizes of its batches, in bytes. */
  readonly batchsize: WindowStatistics
  /** Sizes of its batches, in messages. */
  readonly batchcnt: WindowStatistics
  /** By partition. */
  readonly partitions: Readonly<Record<string, PartitionStatistics>>
}

/**
 * The consumer's group.
 * @since 0.1.0
 */
export interface GroupStatistics {
  /** `init` without a subscription, `wait-coord` until the coordinator knows the member, then `up`. */
  readonly state: 'init' | 'wait-coord' | 'up'
  /** Time since that changed, in milliseconds. */
  readonly stateage: number
  /** Where joining the group stands, in librdkafka's words. */
  readonly join_state: string
  /** Time since partitions were last assigned or revoked, in milliseconds; 0 before the first time. */
  readonly rebalance_age: number
  /** How often they were. */
  readonly rebalance_cnt: number
  /** What happened last: `assign`, `revoke` or `lost`. */
  readonly rebalance_reason: string
  /** Partitions assigned. */
  readonly assignment_size: number
}

/**
 * An idempotent or transactional producer.
 * @since 0.1.0
 */
export interface EosStatistics {
  /** State of the producer id. */
  readonly idemp_state: string
  /** Time since that changed, in milliseconds. */
  readonly idemp_stateage: number
  /** State of the transaction; `Init` without transactions. */
  readonly txn_state: string
  /** Time since that changed, in milliseconds. */
  readonly txn_stateage: number
  /** Whether messages may be produced in the transaction. */
  readonly txn_may_enq: boolean
  /**
   * Id that the brokers gave it, -1 for none; a bigint beyond 2^53. In the JSON it is a number with all its digits, which
   * `JSON.parse` rounds.
   */
  readonly producer_id: number | bigint
  /** Epoch of that id, -1 for none. */
  readonly producer_epoch: number
  /** Ids and epochs assigned so far. */
  readonly epoch_cnt: number
}

/**
 * What a `stats` event says (`statistics.interval.ms`): `statistics` is it, `json` the same as text.
 * @since 0.1.0
 */
export interface Statistics {
  /** The client's name in its logs: `client.id#producer-1`. */
  readonly name: string
  /** `client.id`. */
  readonly client_id: string
  /** Kind of client; share consumers are consumers. */
  readonly type: 'producer' | 'consumer'
  /** When they were collected, by a monotonic clock, in microseconds. */
  readonly ts: number
  /** When they were collected, in seconds since the epoch. */
  readonly time: number
  /** Time since the client was created, in microseconds. */
  readonly age: number
  /** Events that wait for `poll`. */
  readonly replyq: number
  /** Messages accepted and not reported yet (producer). */
  readonly msg_cnt: number
  /** Bytes of them. */
  readonly msg_size: number
  /** Most messages: `queue.buffering.max.messages`. */
  readonly msg_max: number
  /** Most bytes: `queue.buffering.max.kbytes`, in bytes. */
  readonly msg_size_max: number
  /** Requests sent. */
  readonly tx: number
  /** Bytes sent. */
  readonly tx_bytes: number
  /** Responses received. */
  readonly rx: number
  /** Bytes received. */
  readonly rx_bytes: number
  /** Messages sent, retries included. */
  readonly txmsgs: number
  /** Bytes of them. */
  readonly txmsg_bytes: number
  /** Messages fetched. */
  readonly rxmsgs: number
  /** Bytes of them. */
  readonly rxmsg_bytes: number
  /** Of the C library's simple consumer; always 0 here. */
  readonly simple_cnt: number
  /** Topics whose metadata the client knows. */
  readonly metadata_cache_cnt: number
  /** By name. */
  readonly brokers: Readonly<Record<string, BrokerStatistics>>
  /** By name: those that the client uses. */
  readonly topics: Readonly<Record<string, TopicStatistics>>
  /** Only a consumer with a group has it. */
  readonly cgrp?: GroupStatistics
  /** Only an idempotent producer has it. */
  readonly eos?: EosStatistics
}
