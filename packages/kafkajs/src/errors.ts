/** kafkajs's error classes, with their fields. Programs tell them apart by `instanceof`, `name`, `type` and `retriable`. */
import type { PartitionMetadata } from './types/metadata.ts'

/** What an error is made of: its text, or another error whose text it takes. */
export type ErrorInput = Error | string

/** What an error says beside its text. */
export interface KafkaJSErrorMetadata {
  retriable?: boolean
  topic?: string
  partitionId?: number
  metadata?: PartitionMetadata
  cause?: Error
}

/** The fields of KafkaJSOffsetOutOfRange. */
export interface KafkaJSOffsetOutOfRangeMetadata {
  topic: string
  partition: number
}

/** The fields of KafkaJSNumberOfRetriesExceeded: retries, and the last backoff in ms. */
export interface KafkaJSNumberOfRetriesExceededMetadata {
  retryCount: number
  retryTime: number
}

/** The fields of KafkaJSConnectionError. */
export interface KafkaJSConnectionErrorMetadata {
  broker?: string
  code?: string
}

/** The fields of KafkaJSRequestTimeoutError; times in ms since the epoch, the duration in ms. */
export interface KafkaJSRequestTimeoutErrorMetadata {
  broker: string
  clientId: string
  correlationId: number
  createdAt: number
  sentAt: number
  pendingDuration: number
}

/** The fields of KafkaJSTopicMetadataNotLoaded. */
export interface KafkaJSTopicMetadataNotLoadedMetadata {
  topic: string
}

/** The fields of KafkaJSStaleTopicMetadataAssignment. */
export interface KafkaJSStaleTopicMetadataAssignmentMetadata {
  topic: string
  unknownPartitions: PartitionMetadata[]
}

/** The fields of KafkaJSServerDoesNotSupportApiKey. */
export interface KafkaJSServerDoesNotSupportApiKeyMetadata {
  apiKey: number
  apiName: string
}

/** A group that could not be deleted, and why. */
export interface KafkaJSDeleteGroupsErrorGroups {
  groupId: string
  errorCode: number
  error: KafkaJSError
}

/** A partition whose records could not be deleted, and why. */
export interface KafkaJSDeleteTopicRecordsErrorPartition {
  partition: number
  offset: string
  error: KafkaJSError
}

/** The partitions of a topic whose records could not be deleted. */
export interface KafkaJSDeleteTopicRecordsErrorTopic {
  topic: string
  partitions: KafkaJSDeleteTopicRecordsErrorPartition[]
}

/** What a broker's refusal says beside its text. */
interface ProtocolFields {
  readonly type?: string
  readonly code?: number
  readonly retriable?: boolean
}

/** The base of all of them but `KafkaJSAggregateError`. */
export class KafkaJSError extends Error {
  override readonly message: string
  override readonly name: string = 'KafkaJSError'
  /** Whether the same call may succeed later. */
  readonly retriable: boolean
  readonly helpUrl?: string
  override readonly cause?: Error

  constructor(e: ErrorInput, { retriable = true, cause }: KafkaJSErrorMetadata = {}) {
    super(textOf(e))
    this.message = textOf(e)
    this.retriable = retriable
    const { helpUrl } = e as { helpUrl?: string }
    if (helpUrl !== undefined) this.helpUrl = helpUrl
    if (cause !== undefined) this.cause = cause
  }
}

/** What would fail again: a wrong argument, a wrong configuration, a closed client. */
export class KafkaJSNonRetriableError extends KafkaJSError {
  override readonly name: string = 'KafkaJSNonRetriableError'

  constructor(e: ErrorInput = '', { cause }: { cause?: Error } = {}) {
    super(e, { retriable: false, ...(cause === undefined ? {} : { cause }) })
  }
}

/** A broker has refused a request: `type` is the name of Kafka's error code, `code` its number. */
export class KafkaJSProtocolError extends KafkaJSError {
  override readonly name: string = 'KafkaJSProtocolError'
  readonly code: number
  readonly type: string

  constructor(e: ErrorInput, { retriable, cause }: { retriable?: boolean; cause?: Error } = {}) {
    const given = e as ProtocolFields // any error may have them
    super(e, { retriable: retriable ?? given.retriable ?? true, ...(cause === undefined ? {} : { cause }) })
    this.type = given.type as string // of a broker's refusal
    this.code = given.code as number // likewise
  }
}

/**
 * A partition has no such offset: it is past the end, or its records have been deleted. Not thrown here: the consumer
 * goes where `fromBeginning` says.
 */
export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  override readonly name: string = 'KafkaJSOffsetOutOfRange'
  readonly topic: string
  readonly partition: number

  constructor(e: ErrorInput, { topic, partition }: Partial<KafkaJSOffsetOutOfRangeMetadata> = {}) {
    super(e)
    this.topic = topic as string // unset only if the program makes one without it, as in kafkajs
    this.partition = partition as number // likewise
  }
}

/** A coordinator has given a new member an id to join with. Not thrown here: the client joins with it. */
export class KafkaJSMemberIdRequired extends KafkaJSProtocolError {
  override readonly name: string = 'KafkaJSMemberIdRequired'
  readonly memberId: string

  constructor(e: ErrorInput, { memberId }: { memberId: string }) {
    super(e)
    this.memberId = memberId
  }
}

/** A topic could not be created. */
export class KafkaJSCreateTopicError extends KafkaJSProtocolError {
  override readonly name: string = 'KafkaJSCreateTopicError'
  readonly topic: string

  constructor(e: ErrorInput, topicName: string) {
    super(e)
    this.topic = topicName
  }
}

/** The replicas of a partition could not be moved. */
export class KafkaJSAlterPartitionReassignmentsError extends KafkaJSProtocolError {
  override readonly name: string = 'KafkaJSAlterPartitionReassignmentsError'
  readonly topic?: string
  readonly partition?: number

  constructor(e: ErrorInput, topic?: string, partition?: number) {
    super(e)
    if (topic !== undefined) this.topic = topic
    if (partition !== undefined) this.partition = partition
  }
}

/** All retries have failed; `cause` is the error of the last attempt. */
export class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSNumberOfRetriesExceeded'
  override readonly stack: string
  readonly retryCount: number
  /** What the next backoff would have been, ms. */
  readonly retryTime: number

  constructor(e: ErrorInput, { retryCount, retryTime }: Partial<KafkaJSNumberOfRetriesExceededMetadata> = {}) {
    super(e, typeof e === 'string' ? {} : { cause: e })
    this.stack = `KafkaJSNumberOfRetriesExceeded\n  Caused by: ${typeof e === 'string' ? e : e.stack}`
    this.retryCount = retryCount as number // as in KafkaJSOffsetOutOfRange
    this.retryTime = retryTime as number // likewise
  }
}

/** A broker could not be reached, or its connection was lost. */
export class KafkaJSConnectionError extends KafkaJSError {
  override readonly name: string = 'KafkaJSConnectionError'
  /** `host:port` */
  readonly broker: string
  /** Of the system: `ECONNREFUSED`. */
  readonly code?: string

  constructor(e: ErrorInput, { broker, code, cause }: KafkaJSConnectionErrorMetadata & { cause?: Error } = {}) {
    super(e, cause === undefined ? {} : { cause })
    this.broker = broker as string // as in KafkaJSOffsetOutOfRange
    if (code !== undefined) this.code = code
  }
}

/** A broker has closed the connection. Not thrown here: it is a KafkaJSConnectionError. */
export class KafkaJSConnectionClosedError extends KafkaJSConnectionError {
  override readonly name: string = 'KafkaJSConnectionClosedError'
  readonly host: string
  readonly port: number

  constructor(e: ErrorInput, { host, port }: { host?: string; port?: number } = {}) {
    super(e, { broker: `${host}:${port}` })
    this.host = host as string // as in KafkaJSOffsetOutOfRange
    this.port = port as number // likewise
  }
}

/** A broker has not answered a request in time. */
export class KafkaJSRequestTimeoutError extends KafkaJSError {
  override readonly name: string = 'KafkaJSRequestTimeoutError'
  readonly broker: string
  readonly correlationId: number
  readonly createdAt: number
  readonly sentAt: number
  readonly pendingDuration: number

  constructor(e: ErrorInput, metadata: Partial<KafkaJSRequestTimeoutErrorMetadata> & { cause?: Error } = {}) {
    super(e, metadata.cause === undefined ? {} : { cause: metadata.cause })
    const { broker, correlationId, createdAt, sentAt, pendingDuration } = metadata as KafkaJSRequestTimeoutErrorMetadata // as in KafkaJSOffsetOutOfRange
    this.broker = broker
    this.correlationId = correlationId
    this.createdAt = createdAt
    this.sentAt = sentAt
    this.pendingDuration = pendingDuration
  }
}

/** Nothing is known of the cluster yet. */
export class KafkaJSMetadataNotLoaded extends KafkaJSError {
  override readonly name: string = 'KafkaJSMetadataNotLoaded'

  constructor(e: ErrorInput = '', options: KafkaJSErrorMetadata = {}) {
    super(e, options)
  }
}

/** Nothing is known of a topic yet; thrown by the `cluster` of a partition assigner. */
export class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
  override readonly name: string = 'KafkaJSTopicMetadataNotLoaded'
  readonly topic: string

  constructor(e: ErrorInput, { topic }: Partial<KafkaJSTopicMetadataNotLoadedMetadata> = {}) {
    super(e)
    this.topic = topic as string // as in KafkaJSOffsetOutOfRange
  }
}

/** A member is assigned partitions that it does not know. Not thrown here: the client asks for them. */
export class KafkaJSStaleTopicMetadataAssignment extends KafkaJSError {
  override readonly name: string = 'KafkaJSStaleTopicMetadataAssignment'
  readonly topic: string
  // Declared as a number, and filled with a list: both are kafkajs's.
  readonly unknownPartitions: number

  constructor(e: ErrorInput, metadata: Partial<KafkaJSStaleTopicMetadataAssignmentMetadata> = {}) {
    super(e)
    this.topic = metadata.topic as string // as in KafkaJSOffsetOutOfRange
    this.unknownPartitions = metadata.unknownPartitions as unknown as number // as above
  }
}

/** The broker is too old, or too new, for a request. */
export class KafkaJSServerDoesNotSupportApiKey extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSServerDoesNotSupportApiKey'
  readonly apiKey: number
  readonly apiName: string

  constructor(e: ErrorInput, { apiKey, apiName }: Partial<KafkaJSServerDoesNotSupportApiKeyMetadata> = {}) {
    super(e)
    this.apiKey = apiKey as number // as in KafkaJSOffsetOutOfRange
    this.apiName = apiName as string // likewise
  }
}

/** A broker is not in the cluster, or a partition has no leader. */
export class KafkaJSBrokerNotFound extends KafkaJSError {
  override readonly name: string = 'KafkaJSBrokerNotFound'

  constructor(e: ErrorInput = '', options: KafkaJSErrorMetadata = {}) {
    super(e, options)
  }
}

/** A record was cut off. Not thrown here: the client asks for it again. */
export class KafkaJSPartialMessageError extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSPartialMessageError'
}

/** The broker has rejected the credentials, or does not know the mechanism. */
export class KafkaJSSASLAuthenticationError extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSSASLAuthenticationError'
}

/** A group's coordinator was not found. */
export class KafkaJSGroupCoordinatorNotFound extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSGroupCoordinatorNotFound'
}

/** The call exists in kafkajs only. */
export class KafkaJSNotImplemented extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSNotImplemented'
}

/** Something took too long, such as new topics getting leaders. */
export class KafkaJSTimeout extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSTimeout'
}

/** A lock was not free in time. Not thrown here. */
export class KafkaJSLockTimeout extends KafkaJSTimeout {
  override readonly name: string = 'KafkaJSLockTimeout'
}

/** Records are in a format that is not known. Not thrown here. */
export class KafkaJSUnsupportedMagicByteInMessageSet extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSUnsupportedMagicByteInMessageSet'
}

/** Something that must always hold does not. Not thrown here. */
export class KafkaJSInvariantViolation extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSInvariantViolation'

  constructor(e: ErrorInput) {
    super(`Invariant violated: ${textOf(e)}`)
  }
}

// The names of these two are kafkajs's.
/** A number on the wire is too long. Not thrown here. */
export class KafkaJSInvalidVarIntError extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSNonRetriableError'
}

/** A number has more than 64 bits. Not thrown here. */
export class KafkaJSInvalidLongError extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSNonRetriableError'
}

/** Some groups could not be deleted; `groups` says which, and why. */
export class KafkaJSDeleteGroupsError extends KafkaJSError {
  override readonly name: string = 'KafkaJSDeleteGroupsError'
  readonly groups: { groupId: string; errorCode?: number; error?: KafkaJSProtocolError }[]

  constructor(e: ErrorInput, groups: readonly KafkaJSDeleteGroupsErrorGroups[] = []) {
    super(e)
    this.groups = groups as KafkaJSDeleteGroupsError['groups'] // the errors are a broker's
  }
}

/** Records of some partitions could not be deleted; retriable if that may succeed later for all of them. */
export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  override readonly name: string = 'KafkaJSDeleteTopicRecordsError'
  readonly partitions: KafkaJSDeleteTopicRecordsErrorPartition[]

  constructor({ partitions }: Pick<KafkaJSDeleteTopicRecordsErrorTopic, 'partitions'>) {
    super('Error while deleting records', { retriable: partitions.every(({ error }) => isRetriable(error)) })
    this.partitions = partitions
  }
}

/** Several errors of one call. */
export class KafkaJSAggregateError extends Error {
  override readonly name: string = 'KafkaJSAggregateError'
  readonly errors: ErrorInput[]

  constructor(message: ErrorInput, errors: ErrorInput[]) {
    super(textOf(message))
    this.errors = errors
  }
}

/** A rebalance has ended a fetch. Not thrown here. */
export class KafkaJSFetcherRebalanceError extends Error {}

/**
 * No broker is known that could be asked. Not thrown here: KafkaJSConnectionError names the one that could not be
 * reached.
 */
export class KafkaJSNoBrokerAvailableError extends KafkaJSError {
  override readonly name: string = 'KafkaJSNoBrokerAvailableError'

  constructor() {
    super('No broker available')
  }
}

function isRetriable(error: KafkaJSError | undefined): boolean {
  return error === undefined || error.retriable
}

function textOf(e: ErrorInput): string {
  return typeof e === 'string' ? e : e.message
}
