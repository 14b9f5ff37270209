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

/** Texts of kafkajs that programs are known to compare; the error that is the cause says which topic or group. */
const messages: ReadonlyMap<number, string> = new Map([
  [
    ErrorCode.ERR_OFFSET_OUT_OF_RANGE,
    'The requested offset is not within the range of offsets maintained by the server',
  ],
  [ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 'This server does not host this topic-partition'],
  [ErrorCode.ERR_REQUEST_TIMED_OUT, 'The request timed out'],
  [ErrorCode.ERR_TOPIC_EXCEPTION, 'The request attempted to perform an operation on an invalid topic'],
  [ErrorCode.ERR_UNKNOWN_MEMBER_ID, 'The coordinator is not aware of this member'],
  [ErrorCode.ERR_REBALANCE_IN_PROGRESS, 'The group is rebalancing, so a rejoin is needed'],
  [ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED, 'Not authorized to access topics: [Topic authorization failed]'],
  [ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED, 'Not authorized to access group: Group authorization failed'],
  [ErrorCode.ERR_TOPIC_ALREADY_EXISTS, 'Topic with this name already exists'],
  [ErrorCode.ERR_INVALID_PARTITIONS, 'Number of partitions is invalid'],
  [ErrorCode.ERR_INVALID_REPLICATION_FACTOR, 'Replication-factor is invalid'],
  [ErrorCode.ERR_INVALID_REPLICA_ASSIGNMENT, 'Replica assignment is invalid'],
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
  return Object.assign(new Error(messages.get(code) ?? error.message), {
    type: protocolType(code),
    code,
    retriable: error.isRetriable,
  })
}

/** @param code the broker's, where the error has another */
export function protocolError(error: KafkaError, code = error.code): KafkaJSProtocolError {
  return new KafkaJSProtocolError(protocolFailure(error, code), { cause: error })
}
