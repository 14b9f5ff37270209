/** The errors of `KafkaJS`: all but `KafkaJSAggregateError` have librdkafka's codes. */
import { CODES } from '@ottla/node-rdkafka'
import type { DeleteGroupsResult } from '../types/admin.ts'

/** The codes of errors by their names. */
export const ErrorCodes: typeof CODES.ERRORS = CODES.ERRORS

/** What an error says beside its text. */
export interface KafkaJSErrorMetadata {
  retriable?: boolean
  fatal?: boolean
  abortable?: boolean
  stack?: string
  code?: number
  cause?: unknown
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
  topic?: string
  partitions: KafkaJSDeleteTopicRecordsErrorPartition[]
}

const names = new Map(
  Object.entries(CODES.ERRORS)
    .reverse() // of two names of a code the first one counts
    .map(([name, code]) => [code, name]),
)

/** The base of all of them but `KafkaJSAggregateError`. Programs look at `code`. */
export class KafkaJSError extends Error {
  override readonly message: string
  override readonly name: string = 'KafkaJSError'
  /** Whether the same call may succeed later. */
  readonly retriable: boolean
  /** Whether the client can only be disconnected. */
  readonly fatal: boolean
  /** Whether the transaction has to be aborted. */
  readonly abortable: boolean
  /** One of `ErrorCodes`. */
  readonly code: number
  /** The name of the code: `ERR_UNKNOWN_TOPIC_OR_PART`. */
  readonly type: string

  constructor(e: Error | string, metadata: KafkaJSErrorMetadata = {}) {
    const message = typeof e === 'string' ? e : e.message
    super(message, metadata.cause === undefined ? {} : { cause: metadata.cause })
    const { retriable = false, fatal = false, abortable = false, code = ErrorCodes.ERR_UNKNOWN } = metadata
    this.message = message
    this.retriable = retriable
    this.fatal = fatal
    this.abortable = abortable
    this.code = code
    this.type = names.get(code) ?? 'ERR_UNKNOWN'
    if (metadata.stack !== undefined) this.stack = metadata.stack
  }
}

/** A broker has refused a request. */
export class KafkaJSProtocolError extends KafkaJSError {
  override readonly name: string = 'KafkaJSProtocolError'
}

/** A partition has no such offset. */
export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  override readonly name: string = 'KafkaJSOffsetOutOfRange'
}

/** A broker cannot be reached, or the connection to it was lost. */
export class KafkaJSConnectionError extends KafkaJSError {
  override readonly name: string = 'KafkaJSConnectionError'
}

/** A broker took too long for a request. */
export class KafkaJSRequestTimeoutError extends KafkaJSError {
  override readonly name: string = 'KafkaJSRequestTimeoutError'
}

/** An answer was incomplete. */
export class KafkaJSPartialMessageError extends KafkaJSError {
  override readonly name: string = 'KafkaJSPartialMessageError'
}

/** The credentials were refused. */
export class KafkaJSSASLAuthenticationError extends KafkaJSError {
  override readonly name: string = 'KafkaJSSASLAuthenticationError'
}

/** The group has no coordinator yet. */
export class KafkaJSGroupCoordinatorNotFound extends KafkaJSError {
  override readonly name: string = 'KafkaJSGroupCoordinatorNotFound'
}

/** Confluent's client does not have this. */
export class KafkaJSNotImplemented extends KafkaJSError {
  override readonly name: string = 'KafkaJSNotImplemented'
}

/** A call took too long, with everything that was repeated. */
export class KafkaJSTimeout extends KafkaJSError {
  override readonly name: string = 'KafkaJSTimeout'
}

/** No broker can be reached. */
export class KafkaJSNoBrokerAvailableError extends KafkaJSError {
  override readonly name: string = 'KafkaJSNoBrokerAvailableError'
}

/** A topic could not be created. */
export class KafkaJSCreateTopicError extends KafkaJSProtocolError {
  override readonly name: string = 'KafkaJSCreateTopicError'
  readonly topic: string

  constructor(e: Error | string, topicName: string, metadata?: KafkaJSErrorMetadata) {
    super(e, metadata)
    this.topic = topicName
  }
}

/** Groups could not be deleted: `groups` has what became of all of them. */
export class KafkaJSDeleteGroupsError extends KafkaJSError {
  override readonly name: string = 'KafkaJSDeleteGroupsError'
  readonly groups: DeleteGroupsResult[]

  constructor(e: Error | string, groups: (DeleteGroupsResult | KafkaJSDeleteGroupsErrorGroups)[] = []) {
    super(e)
    this.groups = groups as DeleteGroupsResult[] // whose errors are KafkaJSError
  }
}

/** Records could not be deleted: `partitions` has those that failed. */
export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  override readonly name: string = 'KafkaJSDeleteTopicRecordsError'
  readonly partitions: KafkaJSDeleteTopicRecordsErrorPartition[]

  constructor({ partitions }: KafkaJSDeleteTopicRecordsErrorTopic) {
    super('Records could not be deleted', { retriable: partitions.every(({ error }) => error.retriable) })
    this.partitions = partitions
  }
}

/** Several errors at once. */
export class KafkaJSAggregateError extends Error {
  override readonly name: string = 'KafkaJSAggregateError'
  readonly errors: (Error | string)[]

  constructor(message: Error | string, errors: (Error | string)[]) {
    super(typeof message === 'string' ? message : message.message)
    this.errors = errors
  }
}

const rebalancing: ReadonlySet<unknown> = new Set([
  ErrorCodes.ERR_REBALANCE_IN_PROGRESS,
  ErrorCodes.ERR_NOT_COORDINATOR,
  ErrorCodes.ERR_ILLEGAL_GENERATION,
])

/** Whether an error says that the group is rebalancing, rather than that something failed. */
export function isRebalancing(error: unknown): boolean {
  return error instanceof KafkaJSError && rebalancing.has(error.code)
}

/** Whether it is an error of this client. */
export function isKafkaJSError(error: unknown): boolean {
  return error instanceof KafkaJSError
}
