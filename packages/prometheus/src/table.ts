/** Every metric that is read from the clients' statistics when Prometheus scrapes: the one list of them. */
import type { BrokerStatistics, ChannelClient, Health, PartitionStatistics, Statistics } from 'ottla'

/** What is known of one client at a scrape. */
export interface Snapshot {
  readonly client: ChannelClient
  readonly statistics: Statistics
  readonly health: Health
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface MetricRow {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  /** Beside `client` and `client_id`, which all have. */
  readonly labels: readonly string[]
  /** The samples of one client. */
  readonly read: (snapshot: Snapshot, perPartition: boolean) => Iterable<Sample>
}

type Read = MetricRow['read']

const client = (value: (snapshot: Snapshot) => number, of?: ChannelClient['kind']): Read =>
  function* (snapshot) {
    if (of === undefined || snapshot.client.kind === of) yield { labels: {}, value: value(snapshot) }
  }

const broker = (value: (statistics: BrokerStatistics) => number): Read =>
  function* ({ statistics }) {
    for (const each of Object.values(statistics.brokers)) {
      // A bootstrap address becomes one of the brokers as soon as the cluster has named them.
      if (each.nodeid >= 0) yield { labels: { broker: String(each.nodeid) }, value: value(each) }
    }
  }

/** By topic, or by partition if that is asked for. */
const topic = (
  of: ChannelClient['kind'],
  value: (partition: PartitionStatistics) => number,
  isOwn: (partition: PartitionStatistics) => boolean = () => true,
): Read =>
  function* ({ client: { kind }, statistics }, perPartition) {
    if (kind !== of) return
    for (const { topic: name, partitions } of Object.values(statistics.topics)) {
      const known = Object.values(partitions).filter(each => each.partition >= 0 && isOwn(each))
      if (known.length === 0) continue
      if (!perPartition) {
        yield { labels: { topic: name }, value: known.reduce((sum, each) => sum + value(each), 0) }
        continue
      }
      for (const each of known) yield { labels: { topic: name, partition: String(each.partition) }, value: value(each) }
    }
  }

const isRead = ({ desired }: PartitionStatistics): boolean => desired
const hasLag = ({ desired, consumer_lag: lag }: PartitionStatistics): boolean => desired && lag >= 0

function* byApi({ statistics }: Snapshot): Iterable<Sample> {
  const sums = new Map<string, number>()
  for (const { req } of Object.values(statistics.brokers)) {
    for (const [api, count] of Object.entries(req)) sums.set(api, (sums.get(api) ?? 0) + count)
  }
  for (const [api, value] of sums) yield { labels: { api }, value }
}

function* byStatus({ health }: Snapshot): Iterable<Sample> {
  for (const status of ['ok', 'degraded', 'down']) yield { labels: { status }, value: health.status === status ? 1 : 0 }
}

function* byReason({ health }: Snapshot): Iterable<Sample> {
  for (const { code, since } of health.reasons) yield { labels: { code }, value: since / 1000 }
}

const row = (
  type: MetricRow['type'],
  name: string,
  help: string,
  labels: readonly string[],
  read: Read,
): MetricRow => ({ name: `ottla_${name}`, type, help, labels, read })

const perTopic = ['topic', 'partition'] as const

export const table: readonly MetricRow[] = [
  row('gauge', 'client_health', 'Whether the client is in this state.', ['status'], byStatus),
  row('gauge', 'client_problem_since_timestamp_seconds', 'Since when this is wrong.', ['code'], byReason),
  row('counter', 'client_requests_total', 'Requests sent, by API.', ['api'], byApi),

  row(
    'gauge',
    'broker_up',
    'Whether there is a connection.',
    ['broker'],
    broker(({ state }) => (state === 'UP' ? 1 : 0)),
  ),
  row(
    'counter',
    'broker_requests_total',
    'Requests sent.',
    ['broker'],
    broker(({ tx }) => tx),
  ),
  row(
    'counter',
    'broker_request_bytes_total',
    'Bytes of them.',
    ['broker'],
    broker(({ txbytes }) => txbytes),
  ),
  row(
    'counter',
    'broker_request_errors_total',
    'Requests lost with their connection.',
    ['broker'],
    broker(({ txerrs }) => txerrs),
  ),
  row(
    'counter',
    'broker_request_timeouts_total',
    'Requests not answered in time.',
    ['broker'],
    broker(({ req_timeouts }) => req_timeouts),
  ),
  row(
    'counter',
    'broker_batch_retries_total',
    'Batches put back to be sent again.',
    ['broker'],
    broker(({ txretries }) => txretries),
  ),
  row(
    'counter',
    'broker_responses_total',
    'Responses received.',
    ['broker'],
    broker(({ rx }) => rx),
  ),
  row(
    'counter',
    'broker_response_bytes_total',
    'Bytes of them.',
    ['broker'],
    broker(({ rxbytes }) => rxbytes),
  ),
  row(
    'counter',
    'broker_response_errors_total',
    'Responses that cannot be read.',
    ['broker'],
    broker(({ rxerrs }) => rxerrs),
  ),
  row(
    'counter',
    'broker_connects_total',
    'Attempts to connect.',
    ['broker'],
    broker(({ connects }) => connects),
  ),
  row(
    'counter',
    'broker_disconnects_total',
    'Connections lost.',
    ['broker'],
    broker(({ disconnects }) => disconnects),
  ),
  row(
    'gauge',
    'broker_requests_in_flight',
    'Requests that are not answered yet.',
    ['broker'],
    broker(({ waitresp_cnt }) => waitresp_cnt),
  ),
  row(
    'gauge',
    'broker_requests_waiting',
    'Requests that wait for a connection.',
    ['broker'],
    broker(({ outbuf_cnt }) => outbuf_cnt),
  ),

  row(
    'gauge',
    'producer_queue_messages',
    'Messages without a report.',
    [],
    client(({ statistics }) => statistics.msg_cnt, 'producer'),
  ),
  row(
    'gauge',
    'producer_queue_bytes',
    'Bytes of them.',
    [],
    client(({ statistics }) => statistics.msg_size, 'producer'),
  ),
  row(
    'gauge',
    'producer_queue_limit_messages',
    'queue.buffering.max.messages.',
    [],
    client(({ statistics }) => statistics.msg_max, 'producer'),
  ),
  row(
    'gauge',
    'producer_queue_limit_bytes',
    'queue.buffering.max.kbytes.',
    [],
    client(({ statistics }) => statistics.msg_size_max, 'producer'),
  ),
  row(
    'counter',
    'producer_messages_total',
    'Messages sent, each time that they are sent.',
    perTopic,
    topic('producer', ({ txmsgs }) => txmsgs),
  ),
  row(
    'counter',
    'producer_bytes_total',
    'Bytes of their batches, compressed.',
    perTopic,
    topic('producer', ({ txbytes }) => txbytes),
  ),

  row(
    'counter',
    'consumer_messages_total',
    'Messages fetched.',
    perTopic,
    topic('consumer', ({ rxmsgs }) => rxmsgs),
  ),
  row(
    'counter',
    'consumer_bytes_total',
    'Bytes of their batches, compressed.',
    perTopic,
    topic('consumer', ({ rxbytes }) => rxbytes),
  ),
  row(
    'gauge',
    'consumer_lag_messages',
    'Offsets from the committed one to the end.',
    perTopic,
    topic('consumer', ({ consumer_lag: lag }) => lag, hasLag),
  ),
  row(
    'gauge',
    'consumer_queue_messages',
    'Messages fetched and not delivered yet.',
    perTopic,
    topic('consumer', ({ fetchq_cnt }) => fetchq_cnt, isRead),
  ),
  row(
    'gauge',
    'consumer_queue_bytes',
    'Bytes of them.',
    perTopic,
    topic('consumer', ({ fetchq_size }) => fetchq_size, isRead),
  ),
  row('gauge', 'consumer_partitions', 'Assigned partitions.', ['topic'], (snapshot, _) =>
    topic('consumer', () => 1, isRead)(snapshot, false),
  ),
  row(
    'counter',
    'consumer_rebalances_total',
    'Partitions were assigned, revoked or lost.',
    [],
    client(({ statistics }) => statistics.cgrp?.rebalance_cnt ?? 0, 'consumer'),
  ),
]
