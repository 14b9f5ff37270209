/** Which errors reach an application that only reads messages. */
import { ErrorCode } from '@ottla/protocol'
import { emitError, type ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'

/** Errors of one topic or partition, which do not stop the reading of others. */
const ofOneTopic: ReadonlySet<number> = new Set([
  ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART,
  ErrorCode.ERR_TOPIC_EXCEPTION,
  ErrorCode.ERR__UNKNOWN_PARTITION,
])

// What readMessage and the iterators reject with; the client recovers from everything else.
const rejecting: ReadonlySet<number> = new Set([
  ...ofOneTopic,
  ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED,
  ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED,
  ErrorCode.ERR_INVALID_GROUP_ID,
  ErrorCode.ERR_INVALID_SESSION_TIMEOUT,
  ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL,
  ErrorCode.ERR_GROUP_MAX_SIZE_REACHED,
  ErrorCode.ERR__AUTO_OFFSET_RESET,
  ErrorCode.ERR__LOG_TRUNCATION,
  ErrorCode.ERR__MAX_POLL_EXCEEDED,
  ErrorCode.ERR__KEY_DESERIALIZATION,
  ErrorCode.ERR__VALUE_DESERIALIZATION,
])

/** Whether a code concerns one topic or partition only. */
export function isOfOneTopic(code: number): boolean {
  return ofOneTopic.has(code)
}

/** Errors that do not end reading, although others with their code do. */
const informational = new WeakSet<KafkaError>()

/** Whether readers of messages reject with it. */
export function rejects(error: KafkaError): boolean {
  return (error.isFatal || rejecting.has(error.code)) && !informational.has(error)
}

interface WantedTopics {
  /** Whether something can be read besides the topic that an error concerns. */
  readsBeside(error: KafkaError, topic: string | undefined): boolean
}

/**
 * Emits an error event. An error that readers do not reject with is logged if no listener gets it.
 * @param topic the topic that the error concerns
 */
export function reportError(context: ClientContext, error: KafkaError, wanted?: WantedTopics, topic?: string): void {
  if (ofOneTopic.has(error.code) && !error.isFatal && wanted?.readsBeside(error, topic) === true) {
    informational.add(error)
  }
  if (rejects(error)) context.events.emit({ type: 'error', error })
  else emitError(context, error)
}
