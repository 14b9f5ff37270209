/** Writes metrics as OTLP. */
import * as fields from './fields.ts'
import type { Metric, MetricAttributes, MetricPoint, MetricsData } from './metrics-data.ts'
import { MessageWriter } from './protobuf.ts'

const NANOS = 1_000_000n

/**
 * Metrics as a `MetricsData` message of OTLP, for PushTelemetry.
 * @since 0.1.0
 */
export function encodeMetrics({ resource, scope, metrics }: MetricsData): Buffer {
  const ofScope = new MessageWriter().text(fields.scope.name, scope.name).text(fields.scope.version, scope.version)
  const inScope = new MessageWriter().message(fields.scopeMetrics.scope, ofScope)
  for (const each of metrics) inScope.message(fields.scopeMetrics.metrics, metricOf(each))
  const ofResource = withAttributes(new MessageWriter(), fields.resource.attributes, resource)
  const inResource = new MessageWriter()
    .message(fields.resourceMetrics.resource, ofResource)
    .message(fields.resourceMetrics.scopeMetrics, inScope)
  return new MessageWriter().message(fields.metricsData.resourceMetrics, inResource).finish()
}

function metricOf({ name, description, unit, kind, points }: Metric): MessageWriter {
  const data = new MessageWriter()
  for (const each of points) data.message(fields.points.dataPoints, pointOf(each))
  if (kind !== 'gauge') {
    data.int(fields.points.temporality, fields.temporality[kind]).bool(fields.points.isMonotonic, true)
  }
  return new MessageWriter()
    .text(fields.metric.name, name)
    .text(fields.metric.description, description)
    .text(fields.metric.unit, unit)
    .message(kind === 'gauge' ? fields.metric.gauge : fields.metric.sum, data)
}

function pointOf({ attributes, startMs, atMs, value, isInteger }: MetricPoint): MessageWriter {
  const point = new MessageWriter()
    .fixed64(fields.point.startNanos, nanos(startMs))
    .fixed64(fields.point.atNanos, nanos(atMs))
  if (isInteger) point.fixed64(fields.point.integer, BigInt(Math.round(value)))
  else point.double(fields.point.double, value)
  return withAttributes(point, fields.point.attributes, attributes)
}

function withAttributes(message: MessageWriter, field: number, attributes: MetricAttributes): MessageWriter {
  for (const [key, value] of Object.entries(attributes)) {
    const ofKey = new MessageWriter().text(fields.keyValue.key, key).message(fields.keyValue.value, anyValue(value))
    message.message(field, ofKey)
  }
  return message
}

function anyValue(value: string | number | boolean): MessageWriter {
  const message = new MessageWriter()
  // One of several: even an empty text is written.
  if (typeof value === 'string') return message.bytes(fields.anyValue.text, Buffer.from(value))
  if (typeof value === 'boolean') return message.bool(fields.anyValue.bool, value)
  if (Number.isSafeInteger(value)) return message.int(fields.anyValue.integer, value)
  return message.double(fields.anyValue.double, value)
}

function nanos(ms: number): bigint {
  return BigInt(Math.round(ms)) * NANOS
}
