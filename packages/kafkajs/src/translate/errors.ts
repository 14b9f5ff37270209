/** Errors of `ottla` as kafkajs's. */
import { ErrorCode, KafkaError } from 'ottla'
import {
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSGroupCoordinatorNotFound,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
  KafkaJSServerDoesNotSupportApiKey,
} from '../errors.ts'
import { protocolError } from './protocol-errors.ts'
import { retryTime, type RetryPlan } from './retry.ts'

/** Codes of the client that stand for a broker's refusal. */
const standFor: ReadonlyMap<number, number> = new Map([
  [ErrorCode.ERR__UNKNOWN_TOPIC, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART],
  [ErrorCode.ERR__UNKNOWN_PARTITION, ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART],
  [ErrorCode.ERR__FENCED, ErrorCode.ERR_INVALID_PRODUCER_EPOCH],
])

/** The error as kafkajs would raise it, with the original as its cause; anything but a KafkaError as it is. */
export function toKafkaJSError(error: unknown): Error {
  if (!(error instanceof KafkaError))
    return error instanceof Error ? error : new KafkaJSNonRetriableError(String(error))
  const { code, message } = error
  if (code >= -1) return protocolError(error)
  const broker = standFor.get(code)
  if (broker !== undefined) return protocolError(error, broker)
  switch (code) {
    case ErrorCode.ERR__AUTHENTICATION:
      // By kafkajs's names of the mechanisms.
      return new KafkaJSSASLAuthenticationError(message.replace(/SCRAM-SHA-/g, 'SCRAM SHA'), { cause: error })
    case ErrorCode.ERR__SSL:
    case ErrorCode.ERR__TRANSPORT:
    case ErrorCode.ERR__RESOLVE:
    case ErrorCode.ERR__ALL_BROKERS_DOWN:
      return connectionError(error)
    case ErrorCode.ERR__TIMED_OUT:
    case ErrorCode.ERR__MSG_TIMED_OUT:
    case ErrorCode.ERR__TIMED_OUT_QUEUE: {
      const inner = connectionCause(error)
      return inner === null ? new KafkaJSRequestTimeoutError(message, { cause: error }) : connectionError(error)
    }
    case ErrorCode.ERR__WAIT_COORD:
      return new KafkaJSGroupCoordinatorNotFound(message, { cause: error })
    case ErrorCode.ERR__UNSUPPORTED_FEATURE:
      return new KafkaJSServerDoesNotSupportApiKey(error, {})
    default:
      return error.isRetriable
        ? new KafkaJSError(message, { cause: error })
        : new KafkaJSNonRetriableError(message, { cause: error })
  }
}

/** As toKafkaJSError, for a call that `ottla` has retried for as long as the plan allows. */
export function toFinalError(error: unknown, plan: RetryPlan): Error {
  const translated = toKafkaJSError(error)
  const isRetried = error instanceof KafkaError && translated instanceof KafkaJSError && translated.retriable
  return isRetried ? exceeded(translated, plan.retries, plan) : translated
}

/** All retries have failed with this error. */
export function exceeded(error: Error, retryCount: number, plan: RetryPlan): KafkaJSNumberOfRetriesExceeded {
  return new KafkaJSNumberOfRetriesExceeded(error, { retryCount, retryTime: retryTime(plan, retryCount + 1) })
}

function connectionError(error: KafkaError): KafkaJSConnectionError {
  const code = systemCode(error)
  const broker = /\b[\w.-]+:\d+\b|\[[\da-f:]+\]:\d+/i.exec(error.message)?.[0]
  return new KafkaJSConnectionError(`Connection error: ${error.message}`, {
    cause: error,
    ...(broker === undefined ? {} : { broker }),
    ...(code === undefined ? {} : { code }),
  })
}

/** Why no broker could be reached, if that is why it took too long. */
function connectionCause(error: KafkaError): KafkaError | null {
  const { cause } = error
  if (!(cause instanceof KafkaError)) return null
  const isConnection = [
    ErrorCode.ERR__TRANSPORT,
    ErrorCode.ERR__RESOLVE,
    ErrorCode.ERR__ALL_BROKERS_DOWN,
    ErrorCode.ERR__SSL,
  ]
  return (isConnection as readonly number[]).includes(cause.code) ? cause : connectionCause(cause)
}

/** The system's code at the root of it: `ECONNREFUSED`. */
function systemCode(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException
    if (typeof code === 'string') return code
  }
  return undefined
}
