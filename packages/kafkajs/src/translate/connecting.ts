/** What all clients of one `Kafka` connect with: its configuration, in the terms of `ottla`. */
import type { ClientConfig, ClientOptions } from 'ottla'
import { KafkaJSConnectionError, KafkaJSNonRetriableError } from '../errors.ts'
import { logLevel } from '../enums.ts'
import type { KafkaConfig } from '../types/client.ts'
import type { Logger } from '../types/logging.ts'
import { withRetries } from './attempts.ts'
import { pluggedInCodecs } from './codecs.ts'
import { exceeded } from './errors.ts'
import { logSink } from './logs.ts'
import type { RetryPlan } from './retry.ts'
import { saslSettings } from './sasl.ts'
import { factoryNetwork, tlsSockets } from './sockets.ts'
import { tlsProperties } from './tls.ts'

export interface Connecting {
  readonly config: ClientConfig
  readonly options: ClientOptions
}

const DEFAULT_CONNECTION_TIMEOUT_MS = 1000
const DEFAULT_AUTHENTICATION_TIMEOUT_MS = 10_000
const DEFAULT_REQUEST_TIMEOUT_MS = 30_000
const DEFAULT_METADATA_MAX_AGE_MS = 300_000
const HOUR_MS = 3_600_000
const LONGEST_SOCKET_TIMEOUT_MS = 300_000

/** How long one attempt to connect may take, ms. */
export function connectionTimeoutMs({ connectionTimeout, authenticationTimeout }: KafkaConfig): number {
  return (
    (connectionTimeout ?? DEFAULT_CONNECTION_TIMEOUT_MS) + (authenticationTimeout ?? DEFAULT_AUTHENTICATION_TIMEOUT_MS)
  )
}

/** How long a broker may take to answer, ms. */
export function requestTimeoutMs({ requestTimeout, enforceRequestTimeout }: KafkaConfig): number {
  if (enforceRequestTimeout === false) return LONGEST_SOCKET_TIMEOUT_MS
  return clamp(requestTimeout ?? DEFAULT_REQUEST_TIMEOUT_MS, 10, LONGEST_SOCKET_TIMEOUT_MS)
}

/**
 * Asks for the brokers, if they are a function, and translates everything else.
 * Rejects with KafkaJSNonRetriableError for what cannot work, KafkaJSConnectionError if the function fails.
 * @param metadataMaxAge ms
 */
export async function connecting(
  kafka: KafkaConfig,
  plan: RetryPlan,
  logger: Logger,
  metadataMaxAge = DEFAULT_METADATA_MAX_AGE_MS,
): Promise<Connecting> {
  const brokers = await askedBrokers(kafka.brokers, plan)
  const { config, options } = security(kafka, logger)
  const codecs = pluggedInCodecs()
  const maxAge = clamp(metadataMaxAge, 1, HOUR_MS)
  return {
    config: {
      ...config,
      'bootstrap.servers': brokers,
      'client.id': kafka.clientId ?? 'kafkajs',
      'socket.timeout.ms': requestTimeoutMs(kafka),
      'socket.connection.setup.timeout.ms': Math.max(1000, connectionTimeoutMs(kafka)),
      'socket.keepalive.enable': true,
      'reconnect.backoff.ms': clamp(plan.initialRetryTime, 0, HOUR_MS),
      'reconnect.backoff.max.ms': clamp(Math.max(plan.initialRetryTime, plan.maxRetryTime), 0, HOUR_MS),
      'retry.backoff.ms': clamp(plan.initialRetryTime, 1, LONGEST_SOCKET_TIMEOUT_MS),
      'retry.backoff.max.ms': clamp(Math.max(plan.initialRetryTime, plan.maxRetryTime), 1, LONGEST_SOCKET_TIMEOUT_MS),
      'topic.metadata.refresh.interval.ms': maxAge,
      'metadata.max.age.ms': 3 * maxAge,
      ...(kafka.logLevel === logLevel.DEBUG ? { debug: 'broker,cgrp,topic,metadata,security,eos' } : {}),
    },
    options: { ...options, logger: logSink(logger), ...(codecs.length === 0 ? {} : { codecs }) },
  }
}

function clamp(ms: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, Math.round(ms)))
}

/** As brokersOf; a function that fails is called again. */
async function askedBrokers(brokers: KafkaConfig['brokers'], plan: RetryPlan): Promise<string[]> {
  const hasThrown = (error: unknown): error is KafkaJSConnectionError => error instanceof KafkaJSConnectionError
  try {
    return await withRetries(plan, () => brokersOf(brokers), hasThrown)
  } catch (error) {
    throw hasThrown(error) ? exceeded(error, plan.retries, plan) : error
  }
}

async function brokersOf(brokers: KafkaConfig['brokers']): Promise<string[]> {
  let list: unknown = brokers
  if (typeof brokers === 'function') {
    try {
      list = await brokers()
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error))
      const failure = new KafkaJSConnectionError(`Failed to connect: "config.brokers" threw: ${message}`)
      failure.stack = `${failure.name}\n  Caused by: ${stack}`
      throw failure
    }
  }
  if (list === undefined || list === null) {
    throw new KafkaJSNonRetriableError('Failed to connect: brokers should not be null')
  }
  if (!Array.isArray(list) || list.length === 0) {
    throw new KafkaJSNonRetriableError('Failed to connect: brokers array is empty')
  }
  list.forEach((broker: unknown, index) => {
    if (typeof broker === 'string' && broker.length > 0) return
    throw new KafkaJSNonRetriableError(`Failed to connect: broker at index ${index} is invalid "${typeof broker}"`)
  })
  return list as string[] // each has been checked
}

/** TLS, SASL and sockets. */
function security(kafka: KafkaConfig, logger: Logger): { config: Partial<ClientConfig>; options: ClientOptions } {
  const { ssl, sasl, socketFactory } = kafka
  const isSecure = Boolean(ssl) && ssl !== undefined && ssl !== false // null is none, too
  const { config, options } = sasl === undefined ? { config: {}, options: {} } : saslSettings(sasl, logger)
  const properties = isSecure && socketFactory === undefined ? tlsProperties(ssl) : null
  const isOurs = properties !== null
  const protocol = `${sasl === undefined ? '' : 'sasl_'}${isOurs ? 'ssl' : 'plaintext'}` as const
  const factory = socketFactory ?? (isSecure && !isOurs ? tlsSockets : undefined)
  const tls = isSecure ? (ssl === true ? {} : ssl) : undefined
  return {
    config: { ...config, ...properties, 'security.protocol': protocol },
    options: { ...options, ...(factory === undefined ? {} : { network: factoryNetwork(factory, tls) }) },
  }
}
