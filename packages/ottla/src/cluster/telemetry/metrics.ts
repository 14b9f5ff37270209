/** The metrics that brokers may ask for: the standard ones of KIP-714, and the application's own (KIP-1076). */
import type { Metric, MetricAttributes, MetricPoint } from '@ottla/protocol'
import type { Broker } from '../broker.ts'
import type { ClientContext } from '../context.ts'
import { connectionMetrics, type Counted, type StandardMetric } from './standard.ts'

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
  /** How the names of metrics that all clients have begin: `producer`. */
  readonly family: string
  /** About all metrics: `group_id`, say. */
  attributes(): MetricAttributes
  /** Those that only this kind of client has. */
  metrics(counted: Counted): Iterable<StandardMetric>
}

const PREFIX = 'org.apache.kafka.'

/** Turns the counters into metrics; what it takes of them starts again. */
export class MetricsCollector {
  readonly #context: ClientContext
  readonly #brokers: () => readonly Broker[]
  readonly #source: () => TelemetrySource
  readonly #own = new Map<ClientMetric, number>()
  readonly #totals = new Map<string, number>()
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
    const { clock, counters } = this.#context
    const { nowMs, lastMs } = period
    const source = this.#source()
    const brokers = this.#brokers()
    const counted = { brokers, pushed: counters.pushed, seconds: (nowMs - lastMs) / 1000, now: clock.now() }
    const connections = connectionMetrics(source.family, counted, this.#connections(brokers))
    for (const each of [...connections, ...source.metrics(counted)]) {
      const { name, description, kind, isInteger, points } = each
      const known = { name: PREFIX + name, description, unit: '' }
      if (kind === 'sum') {
        const added = points.reduce((all, { value }) => all + value, 0)
        const total = (this.#totals.get(name) ?? 0) + added
        this.#totals.set(name, total)
        yield sum(known, period, total, added, {})
        continue
      }
      const ofNodes = points.map(({ value, nodeId }) => ({
        ...point(period, value, nodeId === undefined ? {} : { node_id: nodeId }),
        isInteger,
      }))
      yield { ...known, kind: 'gauge', points: ofNodes }
    }
  }

  /** Those made since it was last called. */
  #connections(brokers: readonly Broker[]): number {
    const total = brokers.reduce((all, { counters: { connects } }) => all + connects, 0)
    // Those of a broker that is gone are no longer counted.
    const made = Math.max(0, total - this.#connects)
    this.#connects = total
    return made
  }

  *#applications(period: MetricPeriod): Iterable<Metric> {
    for (const [metric, last] of this.#own) {
      const { name, description = '', unit = '', type = 'gauge', attributes = {} } = metric
      const known = { name, description, unit }
      let value: number
      try {
        value = metric.value()
      } catch (error) {
        this.#context.logger.error('TELEMETRY', `the metric ${name} could not be read: ${String(error)}`)
        continue
      }
      if (type === 'gauge') {
        yield { ...known, kind: 'gauge', points: [point(period, value, attributes)] }
        continue
      }
      this.#own.set(metric, value)
      yield sum(known, period, value, Math.max(0, value - last), attributes)
    }
  }
}

/** Whether a subscription asks for a metric: for all (`*`), or by the beginning of its name. */
export function isRequested(name: string, requested: readonly string[]): boolean {
  return requested.some(prefix => prefix === '*' || name.startsWith(prefix))
}

/** @param added since the last push */
function sum(
  known: Pick<Metric, 'name' | 'description' | 'unit'>,
  { begunMs, lastMs, nowMs, isDelta }: MetricPeriod,
  total: number,
  added: number,
  attributes: MetricAttributes,
): Metric {
  const value = isDelta ? added : total
  const of = {
    attributes,
    startMs: isDelta ? lastMs : begunMs,
    atMs: nowMs,
    value,
    isInteger: Number.isSafeInteger(value),
  }
  return { ...known, kind: isDelta ? 'delta' : 'cumulative', points: [of] }
}

function point({ lastMs, nowMs }: MetricPeriod, value: number, attributes: MetricAttributes = {}): MetricPoint {
  return { attributes, startMs: lastMs, atMs: nowMs, value, isInteger: false }
}
