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

/** A class that has another name, and is told apart by `instanceof`. */
function named(name: string, Base: typeof KafkaJSError = KafkaJSError): typeof KafkaJSError {
  const Named = class extends Base {
    override readonly name: string = name
  }
  return Object.defineProperty(Named, 'name', { value: name })
}

/** A broker has refused a request. */
export const KafkaJSProtocolError = named('KafkaJSProtocolError')
/** A broker has refused a request. */
export type KafkaJSProtocolError = KafkaJSError

/** A partition has no such offset. */
export const KafkaJSOffsetOutOfRange = named('KafkaJSOffsetOutOfRange', KafkaJSProtocolError)
/** A partition has no such offset. */
export type KafkaJSOffsetOutOfRange = KafkaJSError

/** A broker cannot be reached, or the connection to it was lost. */
export const KafkaJSConnectionError = named('KafkaJSConnectionError')
/** A broker cannot be reached, or the connection to it was lost. */
export type KafkaJSConnectionError = KafkaJSError

/** A broker took too long for a request. */
export const KafkaJSRequestTimeoutError = named('KafkaJSRequestTimeoutError')
/** A broker took too long for a request. */
export type KafkaJSRequestTimeoutError = KafkaJSError

/** An answer was incomplete. */
export const KafkaJSPartialMessageError = named('KafkaJSPartialMessageError')
/** An answer was incomplete. */
export type KafkaJSPartialMessageError = KafkaJSError

/** The credentials were refused. */
export const KafkaJSSASLAuthenticationError = named('KafkaJSSASLAuthenticationError')
/** The credentials were refused. */
export type KafkaJSSASLAuthenticationError = KafkaJSError

/** The group has no coordinator yet. */
export const KafkaJSGroupCoordinatorNotFound = named('KafkaJSGroupCoordinatorNotFound')
/** The group has no coordinator yet. */
export type KafkaJSGroupCoordinatorNotFound = KafkaJSError

/** Confluent's client does not have this. */
export const KafkaJSNotImplemented = named('KafkaJSNotImplemented')
/** Confluent's client does not have this. */
export type KafkaJSNotImplemented = KafkaJSError

/** A call took too long, with everything that was repeated. */
export const KafkaJSTimeout = named('KafkaJSTimeout')
/** A call took too long, with everything that was repeated. */
export type KafkaJSTimeout = KafkaJSError

/** No broker can be reached. */
export const KafkaJSNoBrokerAvailableError = named('KafkaJSNoBrokerAvailableError')
/** No broker can be reached. */
export type KafkaJSNoBrokerAvailableError = KafkaJSError

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
    super('Error while deleting records', { retriable: partitions.every(({ error }) => error.retriable) })
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
