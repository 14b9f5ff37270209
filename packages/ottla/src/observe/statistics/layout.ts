/** The JSON of a `stats` event, with librdkafka's names and units: tools that read its statistics can read these. */

/**
 * A distribution since the last statistics, in microseconds unless stated otherwise.
 * @since 0.1.0
 */
export interface WindowStatistics {
  readonly min: number
  readonly max: number
  readonly avg: number
  readonly sum: number
  /** Values counted. */
  readonly cnt: number
  readonly stddev: number
  /** Bytes of memory of the histogram. */
  readonly hdrsize: number
  readonly p50: number
  readonly p75: number
  readonly p90: number
  readonly p95: number
  readonly p99: number
  readonly p99_99: number
  /** Values too large to be counted. */
  readonly outofrange: number
}

/**
 * One broker. Counters never go down.
 * @since 0.1.0
 */
export interface BrokerStatistics {
  readonly name: string
  /** Negative for a bootstrap address. */
  readonly nodeid: number
  readonly nodename: string
  readonly source: 'learned' | 'configured'
  readonly state: 'INIT' | 'CONNECT' | 'UP' | 'DOWN'
  /** Time since it went up or down, in microseconds. */
  readonly stateage: number
  /** Requests waiting for a connection. */
  readonly outbuf_cnt: number
  readonly outbuf_msg_cnt: number
  /** Requests in flight, and the messages in them. */
  readonly waitresp_cnt: number
  readonly waitresp_msg_cnt: number
  /** Requests and bytes sent. */
  readonly tx: number
  readonly txbytes: number
  readonly txerrs: number
  /** Batches put back to be retried. */
  readonly txretries: number
  /** Time since the last request, in microseconds; -1 before the first. */
  readonly txidle: number
  readonly req_timeouts: number
  /** Responses and bytes received. */
  readonly rx: number
  readonly rxbytes: number
  readonly rxerrs: number
  readonly rxcorriderrs: number
  readonly rxpartial: number
  /** Time since the last response, in microseconds; -1 before the first. */
  readonly rxidle: number
  readonly zbuf_grow: number
  readonly buf_grow: number
  readonly wakeups: number
  /** Connection attempts, over all connections to the broker. */
  readonly connects: number
  readonly disconnects: number
  /** From `produce` to the request, of the oldest message of each batch. */
  readonly int_latency: WindowStatistics
  /** From a request's creation to its being written. */
  readonly outbuf_latency: WindowStatistics
  /** From a request's being written to its response. */
  readonly rtt: WindowStatistics
  /** Throttle times of responses, in milliseconds (KIP-219). */
  readonly throttle: WindowStatistics
  /** Requests sent, by name. */
  readonly req: Readonly<Record<string, number>>
  /** Partitions led by it, by `topic-partition`. */
  readonly toppars: Readonly<Record<string, { readonly topic: string; readonly partition: number }>>
}

/**
 * One partition. -1001 stands for an unknown offset, -1 for an unknown lag.
 * @since 0.1.0
 */
export interface PartitionStatistics {
  /** -1 for messages waiting for a partition. */
  readonly partition: number
  /** The broker that it is read from or written to, and its leader. */
  readonly broker: number
  readonly leader: number
  /** Whether the application uses it. */
  readonly desired: boolean
  /** Whether the brokers do not know it. */
  readonly unknown: boolean
  /** Messages in the open batch. */
  readonly msgq_cnt: number
  readonly msgq_bytes: number
  /** Messages in batches ready to be sent. */
  readonly xmit_msgq_cnt: number
  readonly xmit_msgq_bytes: number
  /** Fetched and not delivered yet. */
  readonly fetchq_cnt: number
  readonly fetchq_size: number
  readonly fetch_state: 'none' | 'stopped' | 'offset-query' | 'validate-epoch-wait' | 'active'
  readonly query_offset: number
  readonly next_offset: number
  /** The offset after the last delivered message, or where reading begins. */
  readonly app_offset: number
  readonly stored_offset: number
  readonly stored_leader_epoch: number
  /** The same as committed_offset: librdkafka has both spellings. */
  readonly commited_offset: number
  readonly committed_offset: number
  readonly committed_leader_epoch: number
  readonly eof_offset: number
  readonly lo_offset: number
  readonly hi_offset: number
  /** Last stable offset. */
  readonly ls_offset: number
  /** From the committed offset to hi_offset (ls_offset under read_committed). */
  readonly consumer_lag: number
  /** From the stored offset. */
  readonly consumer_lag_stored: number
  readonly leader_epoch: number
  readonly txmsgs: number
  readonly txbytes: number
  readonly rxmsgs: number
  readonly rxbytes: number
  /** Messages fetched, or accepted. */
  readonly msgs: number
  /** Fetch responses for a position that it has left since. */
  readonly rx_ver_drops: number
  readonly msgs_inflight: number
  readonly next_ack_seq: number
  readonly next_err_seq: number
  readonly acked_msgid: number
}

/** @since 0.1.0 */
export interface TopicStatistics {
  readonly topic: string
  /** Time since the client first knew of it, in ms. */
  readonly age: number
  /** Time since the last metadata of it, in ms; -1 before the first. */
  readonly metadata_age: number
  /** In bytes. */
  readonly batchsize: WindowStatistics
  /** In messages. */
  readonly batchcnt: WindowStatistics
  readonly partitions: Readonly<Record<string, PartitionStatistics>>
}

/** @since 0.1.0 */
export interface GroupStatistics {
  readonly state: 'init' | 'wait-coord' | 'up'
  /** In ms. */
  readonly stateage: number
  readonly join_state: string
  /** Time since partitions were last assigned or revoked, in ms. */
  readonly rebalance_age: number
  readonly rebalance_cnt: number
  readonly rebalance_reason: string
  readonly assignment_size: number
}

/**
 * Idempotent producer.
 * @since 0.1.0
 */
export interface EosStatistics {
  readonly idemp_state: string
  /** In ms. */
  readonly idemp_stateage: number
  readonly txn_state: string
  readonly txn_stateage: number
  readonly txn_may_enq: boolean
  /** In the JSON, a number with all its digits; `JSON.parse` rounds it beyond 2^53. */
  readonly producer_id: number | bigint
  readonly producer_epoch: number
  /** Ids and epochs assigned so far. */
  readonly epoch_cnt: number
}

/**
 * The JSON of a `stats` event (`statistics.interval.ms`).
 * @since 0.1.0
 */
export interface Statistics {
  readonly name: string
  readonly client_id: string
  readonly type: 'producer' | 'consumer'
  /** Monotonic, in microseconds. */
  readonly ts: number
  /** Seconds since the epoch. */
  readonly time: number
  /** Time since the client was created, in microseconds. */
  readonly age: number
  /** Events waiting for `poll`. */
  readonly replyq: number
  /** Messages not reported yet, their bytes, and the limits of both. */
  readonly msg_cnt: number
  readonly msg_size: number
  readonly msg_max: number
  readonly msg_size_max: number
  readonly tx: number
  readonly tx_bytes: number
  readonly rx: number
  readonly rx_bytes: number
  readonly txmsgs: number
  readonly txmsg_bytes: number
  readonly rxmsgs: number
  readonly rxmsg_bytes: number
  readonly simple_cnt: number
  readonly metadata_cache_cnt: number
  readonly brokers: Readonly<Record<string, BrokerStatistics>>
  readonly topics: Readonly<Record<string, TopicStatistics>>
  readonly cgrp?: GroupStatistics
  readonly eos?: EosStatistics
}
