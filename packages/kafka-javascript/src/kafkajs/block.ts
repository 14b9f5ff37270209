/** The `kafkaJS` block as properties of librdkafka: with it, the defaults are kafkajs's. Pure. */
import { logLevel } from '../enums.ts'
import type { ConsumerConfig } from '../types/kafkajs/consumer.ts'
import type { KafkaConfig, OauthbearerProviderResponse } from '../types/kafkajs/client.ts'
import type { ProducerConfig } from '../types/kafkajs/producer.ts'
import { invalid, notImplemented } from './failures.ts'
import { severities } from './logging.ts'

export type Kind = 'producer' | 'consumer' | 'admin'

/** Properties, by librdkafka's names, and callbacks. */
export type Properties = Record<string, unknown>

/** What may be in a block; the types leave out what is refused. */
export type Block = Partial<KafkaConfig & ProducerConfig & ConsumerConfig> & Readonly<Record<string, unknown>>

const commonKeys = [
  'brokers',
  'clientId',
  'sasl',
  'ssl',
  'requestTimeout',
  'enforceRequestTimeout',
  'connectionTimeout',
  'authenticationTimeout',
  'retry',
  'socketFactory',
  'reauthenticationThreshold',
  'logLevel',
  'logger',
]

const ownKeys: Readonly<Record<Kind, readonly string[]>> = {
  producer: [
    'createPartitioner',
    'metadataMaxAge',
    'allowAutoTopicCreation',
    'transactionTimeout',
    'idempotent',
    'maxInFlightRequests',
    'transactionalId',
    'compression',
    'acks',
    'timeout',
  ],
  consumer: [
    'groupId',
    'partitionAssigners',
    'partitionAssignors',
    'sessionTimeout',
    'rebalanceTimeout',
    'heartbeatInterval',
    'metadataMaxAge',
    'allowAutoTopicCreation',
    'maxBytesPerPartition',
    'maxWaitTimeInMs',
    'minBytes',
    'maxBytes',
    'readUncommitted',
    'maxInFlightRequests',
    'rackId',
    'fromBeginning',
    'autoCommit',
    'autoCommitInterval',
    'autoCommitThreshold',
  ],
  admin: [],
}

const REQUEST_TIMEOUT_MS = 30_000
/** Without a limit of its own a request has this one. */
const UNENFORCED_TIMEOUT_MS = 300_000
const CONNECTION_TIMEOUT_MS = 1000
const AUTHENTICATION_TIMEOUT_MS = 10_000
/** librdkafka takes no less. */
const LEAST_SETUP_TIMEOUT_MS = 1000
const FIRST_RETRY_MS = 300
const LONGEST_RETRY_MS = 30_000
const RETRIES = 5
const TRANSACTION_TIMEOUT_MS = 60_000
const SESSION_TIMEOUT_MS = 30_000
const POLL_INTERVAL_MS = 300_000
const BYTES_PER_PARTITION = 1_048_576
const BYTES = 10_485_760
const LEAST_BYTES = 1000
const MESSAGE_BYTES = 1_000_000

/**
 * That none of kafkajs's options stands beside the block, where it would be taken for a property.
 * @throws KafkaJSError
 */
export function checkOutside(kind: Kind | 'common', config: object): void {
  const keys = kind === 'common' ? commonKeys : ownKeys[kind]
  // `acks` is a property of librdkafka, too.
  const misplaced = Object.keys(config).find(key => keys.includes(key) && key !== 'acks')
  if (misplaced === undefined) return
  throw invalid(`'${misplaced}' is an option of kafkajs: move it into the block, kafkaJS: { ${misplaced}: ... }`)
}

/**
 * @param protocol `group.protocol`, which stands beside the block
 * @throws KafkaJSError
 */
export function blockProperties(kind: Kind, block: Block, protocol: unknown): Properties {
  if (Object.keys(block).length === 0) return {}
  const unknown = Object.keys(block).find(key => !commonKeys.includes(key) && !ownKeys[kind].includes(key))
  if (unknown !== undefined) throw invalid(`'${unknown}' is not supported in the kafkaJS block of a ${kind}`)
  const common = commonProperties(block)
  switch (kind) {
    case 'producer':
      return { ...common, ...producerProperties(block, common) }
    case 'consumer':
      return { ...common, ...consumerProperties(block, protocol) }
    case 'admin':
      return common
    default:
      return kind satisfies never
  }
}

function commonProperties(block: Block): Properties {
  const { brokers, clientId, ssl, sasl, requestTimeout = REQUEST_TIMEOUT_MS, enforceRequestTimeout = true } = block
  const { connectionTimeout = CONNECTION_TIMEOUT_MS, authenticationTimeout = AUTHENTICATION_TIMEOUT_MS } = block
  const { initialRetryTime = FIRST_RETRY_MS, maxRetryTime = LONGEST_RETRY_MS } = block.retry ?? {}
  refuseUnsupported(block)
  if (brokers !== undefined && !Array.isArray(brokers))
    throw invalid("'brokers' must be an array of strings: ['kafka1:9092', 'kafka2:9092']")
  if (ssl !== undefined && typeof ssl !== 'boolean')
    throw invalid(
      "'ssl' must be true or false: certificates and keys are properties beside the block, 'ssl.ca.location' and so on",
    )
  return {
    ...(brokers === undefined ? {} : { 'bootstrap.servers': brokers.join(',') }),
    ...(clientId === undefined ? {} : { 'client.id': clientId }),
    ...(sasl === undefined ? {} : saslProperties(sasl)),
    ...(sasl === undefined && ssl !== true
      ? {}
      : { 'security.protocol': `${sasl === undefined ? '' : 'sasl_'}${ssl === true ? 'ssl' : 'plaintext'}` }),
    'socket.timeout.ms': enforceRequestTimeout ? requestTimeout : UNENFORCED_TIMEOUT_MS,
    'socket.connection.setup.timeout.ms': Math.max(LEAST_SETUP_TIMEOUT_MS, connectionTimeout + authenticationTimeout),
    'retry.backoff.max.ms': maxRetryTime,
    'retry.backoff.ms': initialRetryTime,
    log_level: severityOf(block),
  }
}

function refuseUnsupported(block: Block): void {
  const retry = (block.retry ?? {}) as Readonly<Record<string, unknown>>
  if (typeof retry['factor'] === 'number' || typeof retry['multiplier'] === 'number')
    throw invalid("'retry.factor' and 'retry.multiplier' cannot be changed: they are 0.2 and 2")
  if (retry['restartOnFailure']) throw invalid("'retry.restartOnFailure' has no effect: the client always goes on")
  for (const key of ['socketFactory', 'reauthenticationThreshold'])
    if (Object.hasOwn(block, key)) throw invalid(`'${key}' is not supported`)
}

function severityOf(block: Block): number {
  if (!Object.hasOwn(block, 'logLevel')) return severities[logLevel.INFO]
  const { KAFKAJS_LOG_LEVEL: word } = process.env
  const level = word ? logLevel[word.toUpperCase() as keyof typeof logLevel] : block.logLevel
  const severity = (severities as Readonly<Partial<Record<number, number>>>)[Number(level)]
  if (severity !== undefined) return severity
  throw invalid(`'logLevel' must be one of ${Object.keys(logLevel).join(', ')}, not ${String(word || block.logLevel)}`)
}

function saslProperties(given: NonNullable<KafkaConfig['sasl']>): Properties {
  const sasl: { mechanism: string } & Readonly<Record<string, unknown>> = { ...given }
  const mechanism = sasl.mechanism.toUpperCase()
  const { username, password, oauthBearerProvider: provider } = sasl
  if (mechanism === 'OAUTHBEARER') {
    if (provider === undefined) return { 'sasl.mechanism': mechanism }
    if (typeof provider !== 'function') throw invalid("'oauthBearerProvider' must be a function")
    return {
      'sasl.mechanism': mechanism,
      oauthbearer_token_refresh_cb: (config: string) => tokenOf(provider as TokenProvider, config),
    }
  }
  if (mechanism !== 'PLAIN' && !mechanism.startsWith('SCRAM'))
    throw invalid(`SASL mechanism ${mechanism} is not supported`)
  if (typeof username !== 'string' || typeof password !== 'string')
    throw invalid(`'sasl.username' and 'sasl.password' must be strings for the mechanism ${mechanism}`)
  return { 'sasl.mechanism': mechanism, 'sasl.username': username, 'sasl.password': password }
}

type TokenProvider = (config: string) => Promise<OauthbearerProviderResponse>

async function tokenOf(provider: TokenProvider, config: string): Promise<unknown> {
  const token = await provider(config)
  for (const field of ['value', 'principal', 'lifetime'])
    if (!Object.hasOwn(token, field)) throw invalid(`the token of oauthBearerProvider needs '${field}'`)
  const { value, principal, lifetime, extensions } = token
  return { tokenValue: value, principal, lifetime, extensions }
}

function producerProperties(block: Block, common: Properties): Properties {
  if (Object.hasOwn(block, 'createPartitioner'))
    throw notImplemented(
      "'createPartitioner' is not supported: 'partitioner', beside the block, chooses one of librdkafka's",
    )
  const transactionTimeoutMs = block.transactionTimeout ?? TRANSACTION_TIMEOUT_MS
  return {
    partitioner: 'murmur2_random',
    'transaction.timeout.ms': transactionTimeoutMs,
    'socket.timeout.ms': Math.min(Number(common['socket.timeout.ms']), transactionTimeoutMs + 100),
    retries: block.retry?.retries ?? RETRIES,
    ...given({
      'topic.metadata.refresh.interval.ms': block.metadataMaxAge,
      'allow.auto.create.topics': block.allowAutoTopicCreation,
      'enable.idempotence': block.idempotent,
      'max.in.flight': block.maxInFlightRequests,
      'transactional.id': block.transactionalId,
      'compression.codec': block.compression,
      acks: block.acks,
      'request.timeout.ms': block.timeout,
    }),
  }
}

function consumerProperties(block: Block, protocol: unknown): Properties {
  if (Object.hasOwn(block, 'autoCommitThreshold')) throw notImplemented("'autoCommitThreshold' is not supported")
  const isClassic = protocol === undefined || (typeof protocol === 'string' && protocol.toLowerCase() === 'classic')
  const { readUncommitted, fromBeginning, maxBytes = BYTES } = block
  return {
    ...(isClassic ? classicProperties(block) : refusingClassic(block)),
    'max.poll.interval.ms': block.rebalanceTimeout ?? POLL_INTERVAL_MS,
    'allow.auto.create.topics': block.allowAutoTopicCreation ?? true,
    'max.partition.fetch.bytes': block.maxBytesPerPartition ?? BYTES_PER_PARTITION,
    'fetch.max.bytes': Math.max(LEAST_BYTES, maxBytes),
    // Which may not be more.
    'message.max.bytes': Math.min(MESSAGE_BYTES, Math.max(LEAST_BYTES, maxBytes)),
    'enable.auto.commit': block.autoCommit ?? true,
    ...given({
      'group.id': block.groupId,
      'topic.metadata.refresh.interval.ms': block.metadataMaxAge,
      'fetch.wait.max.ms': block.maxWaitTimeInMs,
      'fetch.min.bytes': block.minBytes,
      'isolation.level':
        readUncommitted === undefined ? undefined : readUncommitted ? 'read_uncommitted' : 'read_committed',
      'max.in.flight': block.maxInFlightRequests,
      'client.rack': block.rackId,
      'auto.offset.reset': fromBeginning === undefined ? undefined : fromBeginning ? 'earliest' : 'latest',
      'auto.commit.interval.ms': block.autoCommitInterval,
    }),
  }
}

function classicProperties(block: Block): Properties {
  const assigners: unknown = block.partitionAssigners ?? block.partitionAssignors ?? ['roundrobin']
  if (!Array.isArray(assigners) || !assigners.every(each => typeof each === 'string'))
    throw invalid("'partitionAssignors' must be an array of PartitionAssignors")
  return {
    'partition.assignment.strategy': assigners.join(','),
    'session.timeout.ms': block.sessionTimeout ?? SESSION_TIMEOUT_MS,
    ...given({ 'heartbeat.interval.ms': block.heartbeatInterval }),
  }
}

/** With `group.protocol=consumer` the broker decides about these. */
function refusingClassic(block: Block): Properties {
  for (const key of ['partitionAssigners', 'partitionAssignors', 'sessionTimeout', 'heartbeatInterval'])
    if (Object.hasOwn(block, key)) throw invalid(`'${key}' needs group.protocol=classic`)
  return {}
}

/** Those that are set. */
function given(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined && value !== null))
}
