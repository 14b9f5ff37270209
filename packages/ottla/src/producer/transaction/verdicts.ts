/** What the error codes of a transaction's requests mean. Like librdkafka, with KIP-890's additions. */
import { ErrorCode } from '@ottla/protocol'

export type TransactionVerdict =
  /** Done. */
  | 'ok'
  /** Retry after a short backoff. */
  | 'retry'
  /** Retry with the new coordinator. */
  | 'moved'
  /** The transaction has to be aborted. */
  | 'abort'
  /** Like `abort`; and the coordinator no longer accepts the producer id. */
  | 'renew'
  /** A newer instance has taken over the transactional id. */
  | 'fenced'
  /** The producer can no longer be used. */
  | 'fatal'

const verdicts = new Map<number, TransactionVerdict>([
  [ErrorCode.ERR_NO_ERROR, 'ok'],
  [ErrorCode.ERR_CONCURRENT_TRANSACTIONS, 'retry'],
  [ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS, 'retry'],
  [ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 'retry'],
  [ErrorCode.ERR_REQUEST_TIMED_OUT, 'retry'],
  [ErrorCode.ERR_NOT_ENOUGH_REPLICAS, 'retry'],
  [ErrorCode.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, 'retry'],
  [ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED, 'retry'],
  [ErrorCode.ERR_KAFKA_STORAGE_ERROR, 'moved'],
  [ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE, 'moved'],
  [ErrorCode.ERR_NOT_COORDINATOR, 'moved'],
  [ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, 'moved'],
  [ErrorCode.ERR_BROKER_NOT_AVAILABLE, 'moved'],
  [ErrorCode.ERR_NETWORK_EXCEPTION, 'moved'],
  [ErrorCode.ERR_UNKNOWN_PRODUCER_ID, 'renew'],
  [ErrorCode.ERR_INVALID_PRODUCER_ID_MAPPING, 'renew'],
  [ErrorCode.ERR_INVALID_PRODUCER_EPOCH, 'fenced'],
  [ErrorCode.ERR_PRODUCER_FENCED, 'fenced'],
  [ErrorCode.ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 'fatal'],
  [ErrorCode.ERR_CLUSTER_AUTHORIZATION_FAILED, 'fatal'],
  [ErrorCode.ERR_INVALID_TXN_STATE, 'fatal'],
  [ErrorCode.ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, 'fatal'],
  [ErrorCode.ERR_UNSUPPORTED_VERSION, 'fatal'],
  [ErrorCode.ERR__UNSUPPORTED_FEATURE, 'fatal'],
  [ErrorCode.ERR_INVALID_TRANSACTION_TIMEOUT, 'fatal'],
])

/** The verdict on an error code; an unknown one fails the transaction, not the producer. */
export function transactionVerdict(code: number): TransactionVerdict {
  return verdicts.get(code) ?? 'abort'
}

/** An error code and its culprit. */
export interface Finding {
  readonly errorCode: number
  readonly culprit: string
}

const order: readonly TransactionVerdict[] = ['ok', 'retry', 'moved', 'abort', 'renew', 'fenced', 'fatal']

/** The gravest of several codes, such as those of one request's partitions. */
export function gravest(findings: Iterable<Finding>): Finding {
  let worst: Finding = { errorCode: ErrorCode.ERR_NO_ERROR, culprit: '' }
  for (const finding of findings) {
    // This one failed only because the others did.
    if (finding.errorCode === ErrorCode.ERR_OPERATION_NOT_ATTEMPTED) continue
    if (gravity(finding) > gravity(worst)) worst = finding
  }
  return worst
}

function gravity({ errorCode }: Finding): number {
  return order.indexOf(transactionVerdict(errorCode))
}
