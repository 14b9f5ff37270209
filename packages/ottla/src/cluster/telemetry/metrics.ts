/** The metrics that brokers may ask for: the standard ones of KIP-714, and the application's own (KIP-1076). */
import type { Metric, MetricAttributes, MetricPoint } from '@ottla/protocol'
import { average, together, type Averaged } from '../../observe/statistics/averages.ts'
import type { Broker } from '../broker.ts'
import type { ClientContext } from '../context.ts'

/**
 * A metric of the application's own, which the client pushes with its own ones to brokers that ask for it (KIP-1076).
 * @since 0.1.0
 */
export interface ClientMetric {
  /** Brokers ask for metrics by the beginning of their names: `com.example.orders.open`. */
  readonly name: string
  readonly description?: string
  readonly unit?: string
  /** `gauge` (default): a value that goes up and down. `sum`: the total so far, which only grows. */
  readonly type?: 'gauge' | 'sum'
  readonly attributes?: MetricAttributes
  /** Called for each push. What it throws is logged, and the metric left out of that push. */
  readonly value: () => number
}

/** What one push is about. */
export interface MetricPeriod {
  /** ms since the epoch: when the client was made, when the last push was, and now. */
  readonly begunMs: number
  readonly lastMs: number
  readonly nowMs: number
  /** Sums are what was added since the last push, not the totals. */
  readonly isDelta: boolean
}

/** What the client's kind adds. */
export interface TelemetrySource {
  /** About all metrics: `group_id`, say. */
  attributes(): MetricAttributes
  /** Partitions that are assigned; null for a client without any. */
  assignedPartitions(): number | null
}

const PREFIX = 'org.apache.kafka.'

/** Turns the counters into metrics; what it takes of them starts again. */
export class MetricsCollector {
  readonly #context: ClientContext
  readonly #brokers: () => readonly Broker[]
  readonly #source: () => TelemetrySource
  readonly #own = new Map<ClientMetric, number>()
  #connects = 0

  constructor(context: ClientContext, brokers: () => readonly Broker[], source: () => TelemetrySource) {
    this.#context = context
    this.#brokers = brokers
    this.#source = source
  }

  /** @returns a function that removes it again */
  add(metric: ClientMetric): () => void {
    this.#own.set(metric, 0)
    return () => void this.#own.delete(metric)
  }

  /** All of them that have a value. */
  collect(period: MetricPeriod): Metric[] {
    return [...this.#standard(period), ...this.#applications(period)].filter(({ points }) => points.length > 0)
  }

  *#standard(period: MetricPeriod): Iterable<Metric> {
    const { kind, counters } = this.#context
    const brokers = this.#brokers()
    yield* this.#connections(kind, brokers, period)
    const latencies = brokers
      .filter(({ id }) => id >= 0)
      .map(({ id, counters: { latency } }) => [id, latency.take()] as const)
    const byNode = (value: (taken: Averaged) => number): MetricPoint[] =>
      latencies.map(([id, taken]) => point(period, value(taken), { node_id: id }))
    yield gauge(
      `${kind}.node.request.latency.avg`,
      'Average time from a request to its response.',
      'ms',
      byNode(average),
    )
    yield gauge(
      `${kind}.node.request.latency.max`,
      'Longest time from a request to its response.',
      'ms',
      byNode(longest),
    )
    if (kind === 'producer') {
      const throttle = together(brokers.map(broker => broker.counters.throttleTime.take()))
      const queue = together(brokers.map(broker => broker.counters.queueTime.take()))
      yield* averaged('producer.produce.throttle.time', 'a request was throttled by a broker', throttle, period)
      yield* averaged('producer.record.queue.time', 'batches of records waited in the queue', queue, period)
      return
    }
    if (kind !== 'consumer') return
    yield* averaged('consumer.fetch.manager.fetch.latency', 'a fetch took', counters.fetchLatency.take(), period)
    yield* averaged('consumer.coordinator.commit.latency', 'a commit took', counters.commitLatency.take(), period)
    const assigned = this.#source().assignedPartitions()
    if (assigned === null) return
    yield gauge('consumer.coordinator.assigned.partitions', 'Assigned partitions.', '{partition}', [
      { ...point(period, assigned), isInteger: true },
    ])
  }

  *#connections(kind: string, brokers: readonly Broker[], period: MetricPeriod): Iterable<Metric> {
    const total = brokers.reduce((sum, { counters: { connects } }) => sum + connects, 0)
    // Those of a broker that is gone are no longer counted.
    const made = Math.max(0, total - this.#connects)
    this.#connects = total
    const seconds = (period.nowMs - period.lastMs) / 1000
    const description = 'Connections made'
    yield gauge(`${kind}.connection.creation.rate`, `${description} each second.`, '{connection}/s', [
      point(period, seconds > 0 ? made / seconds : 0),
    ])
    yield sum(`${PREFIX}${kind}.connection.creation.total`, `${description}.`, '{connection}', period, total, made)
  }

  *#applications(period: MetricPeriod): Iterable<Metric> {
    for (const [metric, last] of this.#own) {
      const { name, description = '', unit = '', type = 'gauge', attributes = {} } = metric
      let value: number
      try {
        value = metric.value()
      } catch (error) {
        this.#context.logger.error('TELEMETRY', `the metric ${name} could not be read: ${String(error)}`)
        continue
      }
      if (type === 'gauge') {
        yield { name, description, unit, kind: 'gauge', points: [point(period, value, attributes)] }
        continue
      }
      this.#own.set(metric, value)
      const { points, ...described } = sum(name, description, unit, period, value, Math.max(0, value - last))
      yield { ...described, points: points.map(each => ({ ...each, attributes })) }
    }
  }
}

/** Whether a subscription asks for a metric: for all (`*`), or by the beginning of its name. */
export function isRequested(name: string, requested: readonly string[]): boolean {
  return requested.some(prefix => prefix === '*' || name.startsWith(prefix))
}

function* averaged(name: string, what: string, taken: Averaged, period: MetricPeriod): Iterable<Metric> {
  yield gauge(`${name}.avg`, `Average time that ${what}.`, 'ms', [point(period, average(taken))])
  yield gauge(`${name}.max`, `Longest time that ${what}.`, 'ms', [point(period, longest(taken))])
}

function longest({ max }: Averaged): number {
  return max
}

function gauge(name: string, description: string, unit: string, points: readonly MetricPoint[]): Metric {
  return { name: PREFIX + name, description, unit, kind: 'gauge', points }
}

/** @param added since the last push */
function sum(
  name: string,
  description: string,
  unit: string,
  period: MetricPeriod,
  total: number,
  added: number,
): Metric {
  const { begunMs, lastMs, nowMs, isDelta } = period
  const value = isDelta ? added : total
  const of = {
    attributes: {},
    startMs: isDelta ? lastMs : begunMs,
    atMs: nowMs,
    value,
    isInteger: Number.isSafeInteger(value),
  }
  return { name, description, unit, kind: isDelta ? 'delta' : 'cumulative', points: [of] }
}

function point({ lastMs, nowMs }: MetricPeriod, value: number, attributes: MetricAttributes = {}): MetricPoint {
  return { attributes, startMs: lastMs, atMs: nowMs, value, isInteger: false }
}
