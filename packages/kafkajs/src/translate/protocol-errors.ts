/** The names by which kafkajs knows brokers' error codes. */
import { ErrorCode, errorName, type KafkaError } from 'ottla'
import { KafkaJSProtocolError } from '../errors.ts'

/** Where kafkajs's name is not that of librdkafka: mostly the one that Kafka had first. */
const otherNames: ReadonlyMap<number, string> = new Map([
  [ErrorCode.ERR_INVALID_MSG, 'CORRUPT_MESSAGE'],
  [ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 'UNKNOWN_TOPIC_OR_PARTITION'],
  [ErrorCode.ERR_INVALID_MSG_SIZE, 'INVALID_FETCH_SIZE'],
  [ErrorCode.ERR_MSG_SIZE_TOO_LARGE, 'MESSAGE_TOO_LARGE'],
  [ErrorCode.ERR_STALE_CTRL_EPOCH, 'STALE_CONTROLLER_EPOCH'],
  [ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS, 'GROUP_LOAD_IN_PROGRESS'],
  [ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE, 'GROUP_COORDINATOR_NOT_AVAILABLE'],
  [ErrorCode.ERR_NOT_COORDINATOR, 'NOT_COORDINATOR_FOR_GROUP'],
  [ErrorCode.ERR_TOPIC_EXCEPTION, 'INVALID_TOPIC_EXCEPTION'],
])

/** kafkajs's name of a broker's code: `UNKNOWN_TOPIC_OR_PARTITION`. */
export function protocolType(code: number): string {
  return otherNames.get(code) ?? errorName(code).replace(/^ERR_/, '')
}

/** A broker's refusal, in the fields of kafkajs's errors. */
export interface ProtocolFailure extends Error {
  readonly type: string
  readonly code: number
  readonly retriable: boolean
}

/** @param code the broker's, where the error has another */
export function protocolFailure(error: KafkaError, code = error.code): ProtocolFailure {
  return Object.assign(new Error(error.message), { type: protocolType(code), code, retriable: error.isRetriable })
}

/** @param code the broker's, where the error has another */
export function protocolError(error: KafkaError, code = error.code): KafkaJSProtocolError {
  return new KafkaJSProtocolError(protocolFailure(error, code), { cause: error })
}
