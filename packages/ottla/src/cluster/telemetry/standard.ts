/**
 * The metrics of KIP-714 (share consumers: KIP-932), by the names of Kafka's own clients and of librdkafka. As those
 * send no units, these have none either: a receiver that puts units into names would tell the clients apart.
 */
import { average, together, type Averaged } from '../../observe/statistics/averages.ts'
import type { PushedCounters } from '../../observe/statistics/pushed.ts'
import type { Broker } from '../broker.ts'

/** One metric, without the prefix of its name. */
export interface StandardMetric {
  readonly name: string
  readonly description: string
  /** `sum`: what was added since the last push, which the collector adds up. */
  readonly kind: 'gauge' | 'sum'
  readonly isInteger: boolean
  readonly points: readonly { readonly value: number; readonly nodeId?: number }[]
}

/** What has been counted since the last push; whatever is read of it starts again. */
export interface Counted {
  readonly brokers: readonly Broker[]
  readonly pushed: PushedCounters
  /** Since the last push. */
  readonly seconds: number
  /** Monotonic ms. */
  readonly now: number
}

/** Of all clients. @param family - `producer`, `consumer`, `admin.client` @param made - connections */
export function* connectionMetrics(
  family: string,
  { brokers, seconds }: Counted,
  made: number,
): Iterable<StandardMetric> {
  yield* counted(`${family}.connection.creation`, 'Connections made', made, seconds)
  const taken = brokers
    .filter(({ id }) => id >= 0)
    .map(({ id, counters: { latency } }) => ({ nodeId: id, latency: latency.take() }))
  const points = (value: (latency: Averaged) => number): StandardMetric['points'] =>
    taken.map(({ nodeId, latency }) => ({ nodeId, value: value(latency) }))
  const name = `${family}.node.request.latency`
  const what = 'time from a request to its response, in ms.'
  yield { ...gauge(`${name}.avg`, `Average ${what}`, 0), points: points(average) }
  yield { ...gauge(`${name}.max`, `Maximum ${what}`, 0), points: points(longest) }
}

export function* producerMetrics({ brokers }: Counted): Iterable<StandardMetric> {
  const taken = (of: 'throttleTime' | 'queueTime' | 'produceLatency'): Averaged =>
    together(brokers.map(({ counters }) => counters[of].take()))
  yield* averaged(
    'producer.produce.throttle.time',
    'time that a request was throttled by a broker',
    taken('throttleTime'),
  )
  yield* averaged('producer.record.queue.time', 'time that batches of records waited in the queue', taken('queueTime'))
  yield* averaged('producer.request.latency', 'time that a produce request took', taken('produceLatency'))
}

export function* consumerMetrics(counts: Counted, assignedPartitions: number): Iterable<StandardMetric> {
  const { fetchLatency, commitLatency, rebalanceLatency } = counts.pushed
  const rebalances = rebalanceLatency.take()
  const coordinator = 'consumer.coordinator'
  yield* averaged('consumer.fetch.manager.fetch.latency', 'time that a fetch took', fetchLatency.take())
  yield* averaged(`${coordinator}.commit.latency`, 'time that a commit took', commitLatency.take())
  yield* averaged(`${coordinator}.rebalance.latency`, 'time that a rebalance took', rebalances)
  yield sum(`${coordinator}.rebalance.latency.total`, 'Time that rebalances took, in ms.', Math.round(rebalances.sum))
  yield { ...gauge(`${coordinator}.assigned.partitions`, 'Assigned partitions.', assignedPartitions), isInteger: true }
  yield idleRatio('consumer', counts)
}

export function* shareConsumerMetrics(counts: Counted): Iterable<StandardMetric> {
  const { brokers, pushed, seconds } = counts
  const fetches = pushed.fetchLatency.take()
  const sizes = pushed.fetchSize.take()
  const manager = 'consumer.share.fetch.manager'
  yield* averaged(`${manager}.fetch.latency`, 'time that a fetch took', fetches)
  yield* averaged(`${manager}.fetch.size`, 'size of what a fetch brought', sizes, 'bytes')
  yield* counted(`${manager}.fetch`, 'Fetches', fetches.count, seconds)
  yield* counted(`${manager}.bytes.consumed`, 'Bytes fetched', sizes.sum, seconds)
  const throttled = together(brokers.map(({ counters }) => counters.throttleTime.take()))
  yield* averaged(`${manager}.fetch.throttle.time`, 'time that a request was throttled by a broker', throttled)
  yield* counted(`${manager}.acknowledgements.send`, 'Acknowledgements sent', pushed.acknowledgements, seconds)
  yield* counted('consumer.share.coordinator.heartbeat', 'Heartbeats sent', pushed.heartbeats, seconds)
  pushed.acknowledgements = pushed.heartbeats = 0
  yield* averaged('consumer.share.time.between.poll', 'time between two polls', pushed.pollInterval.take())
  yield idleRatio('consumer.share', counts)
}

function idleRatio(family: string, { pushed, seconds, now }: Counted): StandardMetric {
  const description = 'How much of the time the application waits for messages, instead of processing them.'
  const ratio = seconds > 0 ? pushed.idle.take(now) / 1000 / seconds : 0
  // The wall clock may have been set.
  return gauge(`${family}.poll.idle.ratio.avg`, description, Math.min(1, ratio))
}

function* averaged(name: string, what: string, taken: Averaged, unit = 'ms'): Iterable<StandardMetric> {
  yield gauge(`${name}.avg`, `Average ${what}, in ${unit}.`, average(taken))
  yield gauge(`${name}.max`, `Maximum ${what}, in ${unit}.`, longest(taken))
}

function* counted(name: string, what: string, added: number, seconds: number): Iterable<StandardMetric> {
  yield gauge(`${name}.rate`, `${what} each second.`, seconds > 0 ? added / seconds : 0)
  yield sum(`${name}.total`, `${what}.`, added)
}

function longest({ max }: Averaged): number {
  return max
}

function gauge(name: string, description: string, value: number): StandardMetric {
  return { name, description, kind: 'gauge', isInteger: false, points: [{ value }] }
}

function sum(name: string, description: string, value: number): StandardMetric {
  return { name, description, kind: 'sum', isInteger: true, points: [{ value }] }
}
