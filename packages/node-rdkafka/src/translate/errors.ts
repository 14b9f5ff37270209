/** Errors of `ottla` as node-rdkafka's. */
import { ErrorCode, KafkaError } from 'ottla'
import type { LibrdKafkaError } from '../types/errors.ts'

/** The codes that librdkafka knows by a second name. */
const secondNames = {
  ERR_GROUP_LOAD_IN_PROGRESS: ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS,
  ERR_GROUP_COORDINATOR_NOT_AVAILABLE: ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE,
  ERR_NOT_COORDINATOR_FOR_GROUP: ErrorCode.ERR_NOT_COORDINATOR,
}

/** The codes of errors by their names. */
export const CODES: {
  readonly ERRORS: Readonly<
    Record<
      | keyof typeof ErrorCode
      | 'ERR_GROUP_LOAD_IN_PROGRESS'
      | 'ERR_GROUP_COORDINATOR_NOT_AVAILABLE'
      | 'ERR_NOT_COORDINATOR_FOR_GROUP',
      number
    >
  >
} = {
  ERRORS: { ...ErrorCode, ...secondNames },
}

class RdKafkaError extends Error implements LibrdKafkaError {
  readonly code: number
  readonly errno: number
  readonly origin: string
  readonly isFatal: boolean
  readonly isRetriable: boolean
  readonly isTxnRequiresAbort: boolean

  constructor(error: KafkaError) {
    // Clients' own codes are below -1.
    const isLocal = error.code < ErrorCode.ERR_UNKNOWN
    super(`${isLocal ? 'Local' : 'Broker'}: ${error.message}`, { cause: error })
    this.code = error.code
    this.errno = error.code
    this.origin = isLocal ? 'local' : 'kafka'
    this.isFatal = error.isFatal
    this.isRetriable = error.isRetriable
    this.isTxnRequiresAbort = error.txnRequiresAbort
  }
}

/** As node-rdkafka raises it; whatever is not an error of the client gets ERR__FAIL. */
export function toLibrdKafkaError(error: unknown): Error & LibrdKafkaError {
  if (error instanceof RdKafkaError) return error
  if (error instanceof KafkaError) return new RdKafkaError(error)
  const message = error instanceof Error ? error.message : String(error)
  return new RdKafkaError(new KafkaError(ErrorCode.ERR__FAIL, message, { cause: error }))
}

/** An error of the facade's own. */
export function librdKafkaError(code: number, message: string): Error & LibrdKafkaError {
  return new RdKafkaError(new KafkaError(code, message))
}

/** What a call that needs a connection throws without one. */
export function disconnected(what: string): Error & LibrdKafkaError {
  return librdKafkaError(ErrorCode.ERR__STATE, `${what} is disconnected`)
}

/** Runs a call of `ottla` that throws; its errors become node-rdkafka's. */
export function converting<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw toLibrdKafkaError(error)
  }
}
