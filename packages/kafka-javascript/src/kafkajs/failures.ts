/** Errors of the clients beneath as those of `KafkaJS`. */
import type { LibrdKafkaError } from '@ottla/node-rdkafka'
import { toLibrdKafkaError } from '@ottla/node-rdkafka/parts'
import {
  ErrorCodes,
  KafkaJSConnectionError,
  KafkaJSError,
  KafkaJSGroupCoordinatorNotFound,
  KafkaJSNoBrokerAvailableError,
  KafkaJSNotImplemented,
  KafkaJSOffsetOutOfRange,
  KafkaJSPartialMessageError,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSSASLAuthenticationError,
  KafkaJSTimeout,
  type KafkaJSErrorMetadata,
} from './errors.ts'

type ErrorClass = new (e: Error | string, metadata: KafkaJSErrorMetadata) => KafkaJSError

const classes: ReadonlyMap<number, ErrorClass> = new Map<number, ErrorClass>([
  [ErrorCodes.ERR_OFFSET_OUT_OF_RANGE, KafkaJSOffsetOutOfRange],
  [ErrorCodes.ERR_REQUEST_TIMED_OUT, KafkaJSRequestTimeoutError],
  [ErrorCodes.ERR__PARTIAL, KafkaJSPartialMessageError],
  [ErrorCodes.ERR__AUTHENTICATION, KafkaJSSASLAuthenticationError],
  [ErrorCodes.ERR_COORDINATOR_NOT_AVAILABLE, KafkaJSGroupCoordinatorNotFound],
  [ErrorCodes.ERR__NOT_IMPLEMENTED, KafkaJSNotImplemented],
  [ErrorCodes.ERR__TIMED_OUT, KafkaJSTimeout],
  [ErrorCodes.ERR__ALL_BROKERS_DOWN, KafkaJSNoBrokerAvailableError],
  [ErrorCodes.ERR__TRANSPORT, KafkaJSConnectionError],
])

/** As `KafkaJS` raises it; what is an error of `KafkaJS` already stays as it is. */
export function toKafkaJSError(error: unknown): KafkaJSError {
  if (error instanceof KafkaJSError) return error
  const given: LibrdKafkaError = toLibrdKafkaError(error)
  const { code, isRetriable = false, isFatal = false, isTxnRequiresAbort = false } = given
  const metadata = { code, retriable: isRetriable, fatal: isFatal, abortable: isTxnRequiresAbort, cause: error }
  const Class = classes.get(code) ?? (code > 0 ? KafkaJSProtocolError : KafkaJSError)
  return new Class(given.message, metadata)
}

/** A call that makes no sense now: before `connect`, twice, after `disconnect`. */
export function wrongState(message: string): KafkaJSError {
  return new KafkaJSError(message, { code: ErrorCodes.ERR__STATE })
}

export function invalid(message: string): KafkaJSError {
  return new KafkaJSError(message, { code: ErrorCodes.ERR__INVALID_ARG })
}

export function notImplemented(message: string): KafkaJSError {
  return new KafkaJSError(message, { code: ErrorCodes.ERR__NOT_IMPLEMENTED })
}

/** Runs it at once; what it throws is what the promise rejects with. */
export function attempt<T>(work: () => T): Promise<T> {
  return new Promise(resolve => resolve(work()))
}

/** The outcome of a call with a callback. Rejects with KafkaJSError. */
export function called<T>(
  call: (done: (error: LibrdKafkaError | null | undefined, value: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    try {
      call((error, value) => {
        if (error !== null && error !== undefined) reject(toKafkaJSError(error))
        else resolve(value)
      })
    } catch (error) {
      reject(toKafkaJSError(error))
    }
  })
}
