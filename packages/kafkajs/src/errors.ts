/** kafkajs's error classes, with their fields. Programs tell them apart by `instanceof`, `name`, `type` and `retriable`. */
import type { PartitionMetadata } from './types/metadata.ts'

/** What an error is made of: its text, or another error whose text it takes. */
export type ErrorInput = Error | string

export interface KafkaJSErrorMetadata {
  retriable?: boolean
  topic?: string
  partitionId?: number
  metadata?: PartitionMetadata
  cause?: Error
}

export interface KafkaJSOffsetOutOfRangeMetadata {
  topic: string
  partition: number
}

export interface KafkaJSNumberOfRetriesExceededMetadata {
  retryCount: number
  retryTime: number
}

export interface KafkaJSConnectionErrorMetadata {
  broker?: string
  code?: string
}

export interface KafkaJSRequestTimeoutErrorMetadata {
  broker: string
  clientId: string
  correlationId: number
  createdAt: number
  sentAt: number
  pendingDuration: number
}

export interface KafkaJSTopicMetadataNotLoadedMetadata {
  topic: string
}

export interface KafkaJSStaleTopicMetadataAssignmentMetadata {
  topic: string
  unknownPartitions: PartitionMetadata[]
}

export interface KafkaJSServerDoesNotSupportApiKeyMetadata {
  apiKey: number
  apiName: string
}

export interface KafkaJSDeleteGroupsErrorGroups {
  groupId: string
  errorCode: number
  error: KafkaJSError
}

export interface KafkaJSDeleteTopicRecordsErrorPartition {
  partition: number
  offset: string
  error: KafkaJSError
}

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

export class KafkaJSNonRetriableError extends KafkaJSError {
  override readonly name: string = 'KafkaJSNonRetriableError'

  constructor(e: ErrorInput, { cause }: { cause?: Error } = {}) {
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

export class KafkaJSMemberIdRequired extends KafkaJSProtocolError {
  override readonly name: string = 'KafkaJSMemberIdRequired'
  readonly memberId: string

  constructor(e: ErrorInput, { memberId }: { memberId: string }) {
    super(e)
    this.memberId = memberId
  }
}

export class KafkaJSCreateTopicError extends KafkaJSProtocolError {
  override readonly name: string = 'KafkaJSCreateTopicError'
  readonly topic: string

  constructor(e: ErrorInput, topicName: string) {
    super(e)
    this.topic = topicName
  }
}

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
  readonly retryTime: number

  constructor(e: ErrorInput, { retryCount, retryTime }: Partial<KafkaJSNumberOfRetriesExceededMetadata> = {}) {
    super(e, typeof e === 'string' ? {} : { cause: e })
    this.stack = `KafkaJSNumberOfRetriesExceeded\n  Caused by: ${typeof e === 'string' ? e : e.stack}`
    this.retryCount = retryCount as number // as in KafkaJSOffsetOutOfRange
    this.retryTime = retryTime as number // likewise
  }
}

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

export class KafkaJSMetadataNotLoaded extends KafkaJSError {
  override readonly name: string = 'KafkaJSMetadataNotLoaded'

  constructor(e: ErrorInput = '', options: KafkaJSErrorMetadata = {}) {
    super(e, options)
  }
}

export class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
  override readonly name: string = 'KafkaJSTopicMetadataNotLoaded'
  readonly topic: string

  constructor(e: ErrorInput, { topic }: Partial<KafkaJSTopicMetadataNotLoadedMetadata> = {}) {
    super(e)
    this.topic = topic as string // as in KafkaJSOffsetOutOfRange
  }
}

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

export class KafkaJSBrokerNotFound extends KafkaJSError {
  override readonly name: string = 'KafkaJSBrokerNotFound'

  constructor(e: ErrorInput = '', options: KafkaJSErrorMetadata = {}) {
    super(e, options)
  }
}

/** A non-retriable error that needs no argument. */
abstract class Plain extends KafkaJSNonRetriableError {
  constructor(e: ErrorInput = '', options: { cause?: Error } = {}) {
    super(e, options)
  }
}

export class KafkaJSPartialMessageError extends Plain {
  override readonly name: string = 'KafkaJSPartialMessageError'
}

/** The broker has rejected the credentials, or does not know the mechanism. */
export class KafkaJSSASLAuthenticationError extends Plain {
  override readonly name: string = 'KafkaJSSASLAuthenticationError'
}

export class KafkaJSGroupCoordinatorNotFound extends Plain {
  override readonly name: string = 'KafkaJSGroupCoordinatorNotFound'
}

export class KafkaJSNotImplemented extends Plain {
  override readonly name: string = 'KafkaJSNotImplemented'
}

export class KafkaJSTimeout extends Plain {
  override readonly name: string = 'KafkaJSTimeout'
}

export class KafkaJSLockTimeout extends KafkaJSTimeout {
  override readonly name: string = 'KafkaJSLockTimeout'
}

export class KafkaJSUnsupportedMagicByteInMessageSet extends Plain {
  override readonly name: string = 'KafkaJSUnsupportedMagicByteInMessageSet'
}

export class KafkaJSInvariantViolation extends KafkaJSNonRetriableError {
  override readonly name: string = 'KafkaJSInvariantViolation'

  constructor(e: ErrorInput) {
    super(`Invariant violated: ${textOf(e)}`)
  }
}

// The names of these two are kafkajs's.
export class KafkaJSInvalidVarIntError extends Plain {
  override readonly name: string = 'KafkaJSNonRetriableError'
}

export class KafkaJSInvalidLongError extends Plain {
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

export class KafkaJSFetcherRebalanceError extends Error {}

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
