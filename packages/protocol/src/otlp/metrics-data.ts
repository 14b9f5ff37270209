/** Metrics as OpenTelemetry's protocol (OTLP) carries them, as far as Kafka's clients push them (KIP-714). */

/**
 * Metrics of one client.
 * @since 0.1.0
 */
export interface MetricsData {
  /** What all of them are about: `group_id`, say. */
  readonly resource: MetricAttributes
  /** What measured them. */
  readonly scope: { readonly name: string; readonly version: string }
  readonly metrics: readonly Metric[]
}

/** @since 0.1.0 Whole numbers are sent as such. */
export type MetricAttributes = Readonly<Record<string, string | number | boolean>>

/**
 * One metric with its points. A `sum` only grows: by how much since its `startMs`, which for `delta` is the last point's
 * time and for `cumulative` the beginning.
 * @since 0.1.0
 */
export interface Metric {
  readonly name: string
  readonly description: string
  /** As UCUM has it: `ms`, `1`. Java's client and librdkafka leave it empty. */
  readonly unit: string
  readonly kind: 'gauge' | 'delta' | 'cumulative'
  readonly points: readonly MetricPoint[]
}

/**
 * One number.
 * @since 0.1.0
 */
export interface MetricPoint {
  readonly attributes: MetricAttributes
  /** ms since the epoch, like `atMs`. */
  readonly startMs: number
  readonly atMs: number
  readonly value: number
  /** Whether it is sent as a whole number instead of a floating-point one. */
  readonly isInteger: boolean
}
