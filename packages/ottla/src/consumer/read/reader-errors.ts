/** Which errors a program that only reads messages has to be told of. */
import { ErrorCode } from '@ottla/protocol'
import { emitError, type ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'

/** Of one topic or partition: no reason to end the reading of others. */
const ofOneTopic: ReadonlySet<number> = new Set([
  ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART,
  ErrorCode.ERR_TOPIC_EXCEPTION,
  ErrorCode.ERR__UNKNOWN_PARTITION,
])

// What readMessage and the iterators reject with; everything else the client recovers from by itself.
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

/** Whether a code says something of one topic or partition only. */
export function isOfOneTopic(code: number): boolean {
  return ofOneTopic.has(code)
}

/** Those that end no reading, though others of their code do. */
const informational = new WeakSet<KafkaError>()

/** Whether a reader of messages has to be told of it. */
export function rejects(error: KafkaError): boolean {
  return (error.isFatal || rejecting.has(error.code)) && !informational.has(error)
}

/** Whether something can be read besides the topic that an error concerns. */
interface Besides {
  readsBeside(error: KafkaError, topic: string | undefined): boolean
}

/**
 * As an event; what no reader is told of by a rejection is logged when no listener hears it.
 * @param topic - that the error concerns
 */
export function tellError(context: ClientContext, error: KafkaError, wanted?: Besides, topic?: string): void {
  if (ofOneTopic.has(error.code) && !error.isFatal && wanted?.readsBeside(error, topic) === true) {
    informational.add(error)
  }
  if (rejects(error)) context.events.emit({ type: 'error', error })
  else emitError(context, error)
}
