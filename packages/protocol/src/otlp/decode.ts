/** Reads metrics that clients have pushed as OTLP. */
import * as fields from './fields.ts'
import type { Metric, MetricAttributes, MetricPoint, MetricsData } from './metrics-data.ts'
import { doubleOf, fieldsOf, type Field } from './protobuf.ts'

const NANOS = 1_000_000n

/**
 * The metrics in a `MetricsData` message of OTLP, as clients push them: gauges and sums. Histograms and other kinds,
 * which none of Kafka's clients pushes, are left out.
 * @throws ProtocolError if it is not such a message
 * @since 0.1.0
 */
export function decodeMetrics(message: Uint8Array): MetricsData[] {
  const found: MetricsData[] = []
  for (const ofResource of messagesIn(message, fields.metricsData.resourceMetrics)) {
    const [resource] = messagesIn(ofResource, fields.resourceMetrics.resource)
    const attributes = resource === undefined ? {} : attributesIn(resource, fields.resource.attributes)
    for (const ofScope of messagesIn(ofResource, fields.resourceMetrics.scopeMetrics)) {
      const [scope = new Uint8Array()] = messagesIn(ofScope, fields.scopeMetrics.scope)
      found.push({
        resource: attributes,
        scope: { name: textIn(scope, fields.scope.name), version: textIn(scope, fields.scope.version) },
        metrics: messagesIn(ofScope, fields.scopeMetrics.metrics).flatMap(metricIn),
      })
    }
  }
  return found
}

function metricIn(message: Uint8Array): Metric[] {
  const [gauge] = messagesIn(message, fields.metric.gauge)
  const [sum] = messagesIn(message, fields.metric.sum)
  const data = gauge ?? sum
  if (data === undefined) return []
  const isDelta = numberIn(data, fields.points.temporality) === BigInt(fields.temporality.delta)
  return [
    {
      name: textIn(message, fields.metric.name),
      description: textIn(message, fields.metric.description),
      unit: textIn(message, fields.metric.unit),
      kind: gauge !== undefined ? 'gauge' : isDelta ? 'delta' : 'cumulative',
      points: messagesIn(data, fields.points.dataPoints).map(pointIn),
    },
  ]
}

function pointIn(message: Uint8Array): MetricPoint {
  const integer = numberIn(message, fields.point.integer)
  return {
    attributes: attributesIn(message, fields.point.attributes),
    startMs: Number((numberIn(message, fields.point.startNanos) ?? 0n) / NANOS),
    atMs: Number((numberIn(message, fields.point.atNanos) ?? 0n) / NANOS),
    value:
      integer === undefined
        ? doubleOf(numberIn(message, fields.point.double) ?? 0n)
        : Number(BigInt.asIntN(64, integer)),
    isInteger: integer !== undefined,
  }
}

function attributesIn(message: Uint8Array, field: number): MetricAttributes {
  const found: Record<string, string | number | boolean> = {}
  for (const each of messagesIn(message, field)) {
    const [value] = messagesIn(each, fields.keyValue.value)
    const read = value === undefined ? undefined : anyValueIn(value)
    if (read !== undefined) found[textIn(each, fields.keyValue.key)] = read
  }
  return found
}

function anyValueIn(message: Uint8Array): string | number | boolean | undefined {
  for (const field of fieldsOf(message)) {
    if (field.type === 'bytes') {
      if (field.number === fields.anyValue.text) return Buffer.from(field.bytes).toString()
    } else if (field.number === fields.anyValue.bool) return field.bits !== 0n
    else if (field.number === fields.anyValue.integer) return Number(BigInt.asIntN(64, field.bits))
    else if (field.number === fields.anyValue.double) return doubleOf(field.bits)
  }
  return undefined
}

function messagesIn(message: Uint8Array, number: number): Uint8Array[] {
  return [...fieldsOf(message)].flatMap(field => (isBytes(field) && field.number === number ? [field.bytes] : []))
}

function isBytes(field: Field): field is Extract<Field, { type: 'bytes' }> {
  return field.type === 'bytes'
}

function textIn(message: Uint8Array, number: number): string {
  return Buffer.from(messagesIn(message, number).at(-1) ?? new Uint8Array()).toString()
}

function numberIn(message: Uint8Array, number: number): bigint | undefined {
  let found: bigint | undefined
  for (const field of fieldsOf(message)) {
    if (field.type !== 'bytes' && field.number === number) found = field.bits
  }
  return found
}
