import { ErrorCode } from '@ottla/protocol'

/** What the client does about an error code before a retry, or that it does not retry. */
export type RetryAction = 'none' | 'retry' | 'refresh-metadata' | 'refresh-coordinator' | 'fail'

// One table for all requests: a code means the same wherever it comes from.
const actions = new Map<number, RetryAction>([
  [ErrorCode.ERR_NO_ERROR, 'none'],
  [ErrorCode.ERR__TRANSPORT, 'refresh-metadata'],
  [ErrorCode.ERR__TIMED_OUT, 'refresh-metadata'],
  [ErrorCode.ERR__RESOLVE, 'refresh-metadata'],
  [ErrorCode.ERR__SSL, 'refresh-metadata'],
  // Credentials may be corrected while the client runs, and another broker may accept them already.
  [ErrorCode.ERR__AUTHENTICATION, 'refresh-metadata'],
  [ErrorCode.ERR__BAD_MSG, 'retry'],
  [ErrorCode.ERR_REQUEST_TIMED_OUT, 'retry'],
  [ErrorCode.ERR_NETWORK_EXCEPTION, 'refresh-metadata'],
  [ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, 'refresh-metadata'],
  [ErrorCode.ERR_UNKNOWN_TOPIC_ID, 'refresh-metadata'],
  [ErrorCode.ERR_INCONSISTENT_TOPIC_ID, 'refresh-metadata'],
  [ErrorCode.ERR_LEADER_NOT_AVAILABLE, 'refresh-metadata'],
  [ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, 'refresh-metadata'],
  [ErrorCode.ERR_BROKER_NOT_AVAILABLE, 'refresh-metadata'],
  [ErrorCode.ERR_REPLICA_NOT_AVAILABLE, 'refresh-metadata'],
  [ErrorCode.ERR_PREFERRED_LEADER_NOT_AVAILABLE, 'refresh-metadata'],
  [ErrorCode.ERR_FENCED_LEADER_EPOCH, 'refresh-metadata'],
  [ErrorCode.ERR_UNKNOWN_LEADER_EPOCH, 'refresh-metadata'],
  [ErrorCode.ERR_LISTENER_NOT_FOUND, 'refresh-metadata'],
  [ErrorCode.ERR_KAFKA_STORAGE_ERROR, 'refresh-metadata'],
  [ErrorCode.ERR_NOT_CONTROLLER, 'refresh-metadata'],
  [ErrorCode.ERR_NOT_ENOUGH_REPLICAS, 'retry'],
  [ErrorCode.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, 'retry'],
  [ErrorCode.ERR_OFFSET_NOT_AVAILABLE, 'retry'],
  [ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED, 'retry'],
  [ErrorCode.ERR_UNSTABLE_OFFSET_COMMIT, 'retry'],
  [ErrorCode.ERR_CONCURRENT_TRANSACTIONS, 'retry'],
  [ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS, 'retry'],
  // The member's next heartbeat brings its new epoch (KIP-848).
  [ErrorCode.ERR_STALE_MEMBER_EPOCH, 'retry'],
  [ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE, 'refresh-coordinator'],
  [ErrorCode.ERR_NOT_COORDINATOR, 'refresh-coordinator'],
  [ErrorCode.ERR_FETCH_SESSION_ID_NOT_FOUND, 'retry'],
  [ErrorCode.ERR_INVALID_FETCH_SESSION_EPOCH, 'retry'],
  [ErrorCode.ERR_FETCH_SESSION_TOPIC_ID_ERROR, 'retry'],
])

/** The action for a code; a code that is not in the table is final. */
export function actionFor(code: number): RetryAction {
  return actions.get(code) ?? 'fail'
}

/** Whether a retry may help. */
export function isRetriable(code: number): boolean {
  const action = actionFor(code)
  return action !== 'fail' && action !== 'none'
}
