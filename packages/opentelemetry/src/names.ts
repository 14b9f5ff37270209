/**
 * Names of OpenTelemetry's semantic conventions for messaging, which are still in development: kept here, so that they
 * change in one place.
 */
import type { Attributes } from '@opentelemetry/api'

export const SYSTEM = 'kafka'

export const attribute = {
  system: 'messaging.system',
  systemName: 'messaging.system.name',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
  destination: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
  group: 'messaging.consumer.group.name',
  clientId: 'messaging.client.id',
  batchCount: 'messaging.batch.message_count',
  bodySize: 'messaging.message.body.size',
  offset: 'messaging.kafka.offset',
  tombstone: 'messaging.kafka.message.tombstone',
  errorType: 'error.type',
  /** Ours: how often a message was tried, or a batch sent; left out for the first time. */
  attempt: 'ottla.attempt',
  /** Ours: the client's name in the process. */
  client: 'ottla.client',
} as const

export const metric = {
  operationDuration: 'messaging.client.operation.duration',
  sent: 'messaging.client.sent.messages',
  consumed: 'messaging.client.consumed.messages',
  processDuration: 'messaging.process.duration',
  lag: 'ottla.consumer.lag',
  fetchQueue: 'ottla.consumer.queue.messages',
  produceQueue: 'ottla.producer.queue.messages',
  produceQueueBytes: 'ottla.producer.queue.size',
  connections: 'ottla.client.connections',
  rebalances: 'ottla.consumer.rebalances',
  throttle: 'ottla.client.throttle.duration',
  requestDuration: 'ottla.client.request.duration',
} as const

/** From the conventions, in seconds. */
export const DURATION_BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/**
 * The attributes that name the system: the older one, or with `messaging` in OTEL_SEMCONV_STABILITY_OPT_IN the newer one,
 * or with `messaging/dup` both.
 */
export function systemAttributes(optIn = process.env['OTEL_SEMCONV_STABILITY_OPT_IN'] ?? ''): Attributes {
  const words = optIn.split(',').map(word => word.trim())
  const older = { [attribute.system]: SYSTEM }
  const newer = { [attribute.systemName]: SYSTEM }
  if (words.includes('messaging/dup')) return { ...older, ...newer }
  return words.includes('messaging') ? newer : older
}

/** A low-cardinality word for an error. */
export function errorType(error: unknown): string {
  return error instanceof Error ? error.name : '_OTHER'
}
