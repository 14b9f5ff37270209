/** The statistics that all clients have: totals and brokers. */
import type { BrokerCounters, ClientCounters } from '../observe/statistics/counters.ts'
import type { ReadWindow } from '../observe/statistics/window.ts'
import type { BrokerStatistics, PartitionStatistics, Statistics } from '../statistics.ts'
import { OFFSET_INVALID } from '../types.ts'
import type { Broker } from './broker.ts'
import type { Cluster } from './cluster.ts'
import type { ClientContext } from './context.ts'
import type { Snapshot } from './snapshot.ts'

/** What a client adds to the statistics of a broker. */
export interface BrokerExtras {
  /** The broker's partitions, by `topic-partition`. */
  readonly toppars: Record<string, { readonly topic: string; readonly partition: number }>
  messagesInFlight: number
}

const MICROSECONDS = 1000

/** Collects `BrokerExtras` by the broker's id. */
export class ExtrasByBroker {
  readonly #extras = new Map<number, BrokerExtras>()

  of(brokerId: number): BrokerExtras {
    let extras = this.#extras.get(brokerId)
    if (extras === undefined) this.#extras.set(brokerId, (extras = { toppars: {}, messagesInFlight: 0 }))
    return extras
  }

  add(topic: string, partition: number, brokerId: number): void {
    if (brokerId >= 0 && partition >= 0) this.of(brokerId).toppars[`${topic}-${partition}`] = { topic, partition }
  }
}

type Common = Omit<
  Statistics,
  'topics' | 'cgrp' | 'eos' | 'replyq' | 'msg_cnt' | 'msg_size' | 'msg_max' | 'msg_size_max'
>

/** Totals and brokers. @param read - starts new windows, or only looks */
export function commonStatistics(
  context: ClientContext,
  cluster: Cluster,
  counters: ClientCounters,
  extras: ExtrasByBroker,
  read: ReadWindow,
): Common {
  const { clock, settings } = context
  const now = clock.now()
  const brokers: Record<string, BrokerStatistics> = {}
  for (const broker of cluster.allBrokers()) {
    brokers[broker.name] = brokerStatistics(broker, broker.counters, extras.of(broker.id), read, now)
  }
  return {
    name: context.name,
    client_id: settings['client.id'],
    type: context.kind === 'consumer' ? 'consumer' : 'producer',
    ts: Math.floor(now * MICROSECONDS),
    time: Math.floor(clock.wallTime() / 1000),
    age: Math.floor((now - counters.since) * MICROSECONDS),
    tx: counters.tx,
    tx_bytes: counters.txBytes,
    rx: counters.rx,
    rx_bytes: counters.rxBytes,
    txmsgs: counters.txMessages,
    txmsg_bytes: counters.txMessageBytes,
    rxmsgs: counters.rxMessages,
    rxmsg_bytes: counters.rxMessageBytes,
    simple_cnt: 0,
    metadata_cache_cnt: cluster.metadata.snapshot.topics.size,
    brokers,
  }
}

function brokerStatistics(
  broker: Broker,
  counters: BrokerCounters,
  extras: BrokerExtras,
  read: ReadWindow,
  now: number,
): BrokerStatistics {
  const { name, id } = broker
  const idle = (since: number): number => (since < 0 ? -1 : Math.floor((now - since) * MICROSECONDS))
  return {
    name,
    nodeid: id,
    nodename: name.slice(0, name.lastIndexOf('/')),
    source: id < 0 ? 'configured' : 'learned',
    state: broker.state,
    stateage: idle(counters.stateAt),
    outbuf_cnt: broker.queuedRequests,
    outbuf_msg_cnt: 0,
    waitresp_cnt: broker.requestsInFlight,
    waitresp_msg_cnt: extras.messagesInFlight,
    tx: counters.tx,
    txbytes: counters.txBytes,
    txerrs: counters.txErrors,
    txretries: counters.txRetries,
    txidle: idle(counters.lastSentAt),
    req_timeouts: counters.timeouts,
    rx: counters.rx,
    rxbytes: counters.rxBytes,
    rxerrs: counters.rxErrors,
    rxcorriderrs: 0,
    rxpartial: counters.rxPartial,
    rxidle: idle(counters.lastReceivedAt),
    zbuf_grow: 0,
    buf_grow: 0,
    wakeups: 0,
    connects: counters.connects,
    disconnects: counters.disconnects,
    int_latency: read(counters.internalLatency),
    outbuf_latency: read(counters.outbufLatency),
    rtt: read(counters.roundTrip),
    throttle: read(counters.throttle),
    req: Object.fromEntries(counters.requests),
    toppars: extras.toppars,
  }
}

/** A partition's statistics from metadata and counters only; clients overwrite what they know. */
export function plainPartition(
  snapshot: Snapshot,
  counters: ClientCounters,
  topic: string,
  partition: number,
): PartitionStatistics {
  const known = snapshot.topics.get(topic)?.partitions[partition]
  const counted = counters.topics.get(topic)?.partitions.get(partition)
  return {
    partition,
    broker: known?.leader ?? -1,
    leader: known?.leader ?? -1,
    desired: false,
    unknown: known === undefined && partition >= 0,
    msgq_cnt: 0,
    msgq_bytes: 0,
    xmit_msgq_cnt: 0,
    xmit_msgq_bytes: 0,
    fetchq_cnt: 0,
    fetchq_size: 0,
    fetch_state: 'none',
    query_offset: OFFSET_INVALID,
    next_offset: 0,
    app_offset: OFFSET_INVALID,
    stored_offset: OFFSET_INVALID,
    stored_leader_epoch: -1,
    commited_offset: OFFSET_INVALID,
    committed_offset: OFFSET_INVALID,
    committed_leader_epoch: -1,
    eof_offset: OFFSET_INVALID,
    lo_offset: OFFSET_INVALID,
    hi_offset: OFFSET_INVALID,
    ls_offset: OFFSET_INVALID,
    consumer_lag: -1,
    consumer_lag_stored: -1,
    leader_epoch: known?.leaderEpoch ?? -1,
    txmsgs: counted?.txMessages ?? 0,
    txbytes: counted?.txBytes ?? 0,
    rxmsgs: counted?.rxMessages ?? 0,
    rxbytes: counted?.rxBytes ?? 0,
    msgs: counted?.rxMessages ?? 0,
    rx_ver_drops: counted?.rxDrops ?? 0,
    msgs_inflight: 0,
    next_ack_seq: 0,
    next_err_seq: 0,
    acked_msgid: 0,
  }
}
