/** What the errors of handlers mean. Pure. */
import { KafkaJSError, KafkaJSNonRetriableError, KafkaJSProtocolError } from '../errors.ts'

/** Errors that say that the group is rebalancing, rather than that something failed. */
const rebalancing: ReadonlySet<unknown> = new Set([
  'REBALANCE_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
  'ILLEGAL_GENERATION',
])

/** Mistakes in the program: the same call would fail again. */
const mistakes: ReadonlySet<unknown> = new Set(['RangeError', 'ReferenceError', 'SyntaxError', 'TypeError'])

interface Fields {
  readonly type?: unknown
  readonly name?: unknown
  readonly retriable?: unknown
  readonly cause?: unknown
}

// Anything may be thrown.
function fieldsOf(error: unknown): Fields {
  return typeof error === 'object' && error !== null ? error : {}
}

export function isRebalancing(error: unknown): boolean {
  return rebalancing.has(fieldsOf(error).type)
}

/** Whether it may go away when the message is processed again. */
export function isRetriable(error: unknown): boolean {
  const { retriable, name } = fieldsOf(error)
  return retriable !== false && !mistakes.has(name)
}

export function isKafkaJSError(error: unknown): boolean {
  return error instanceof KafkaJSError
}

/** Whether the consumer starts again after it: unless the program's `restartOnFailure` says otherwise. */
export function mayRestart(error: Error): boolean {
  if (error.name === 'KafkaJSNumberOfRetriesExceeded') return true
  // Below kafkajs's errors are those of `ottla` and of the system.
  let root: unknown = error
  while (fieldsOf(root).cause instanceof KafkaJSError) root = fieldsOf(root).cause
  return fieldsOf(root).retriable === true
}

/** The error of a handler that is not called again. */
export function finalError(error: unknown): KafkaJSNonRetriableError {
  const asError = error instanceof Error ? error : new Error(String(error))
  return new KafkaJSNonRetriableError(asError, { cause: asError.cause instanceof Error ? asError.cause : asError })
}

/** What `heartbeat()` rejects with when the partition goes to another member. */
export function rebalanceInProgress(groupId: string): KafkaJSProtocolError {
  const text = `The group ${groupId} is rebalancing: the partition is being given up`
  return new KafkaJSProtocolError(
    Object.assign(new Error(text), { type: 'REBALANCE_IN_PROGRESS', code: 27, retriable: false }),
  )
}
