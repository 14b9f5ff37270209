import { ErrorCode, errorText } from '@ottla/protocol'

/** What is known of an error code. */
export interface ErrorTraits {
  /** A retry may help, once what it needs (fresh metadata, another coordinator) is there. */
  readonly retriable: boolean
  /** What it means, as the end of a sentence. */
  readonly text: string
}

const E = ErrorCode

const retriable = new Set<number>([
  E.ERR__TRANSPORT,
  E.ERR__TIMED_OUT,
  E.ERR__RESOLVE,
  E.ERR__ALL_BROKERS_DOWN,
  E.ERR__QUEUE_FULL,
  E.ERR__TIMED_OUT_QUEUE,
  E.ERR__WAIT_COORD,
  E.ERR__IN_PROGRESS,
  E.ERR__PREV_IN_PROGRESS,
  E.ERR__RETRY,
  E.ERR_INVALID_MSG,
  E.ERR_UNKNOWN_TOPIC_OR_PART,
  E.ERR_LEADER_NOT_AVAILABLE,
  E.ERR_NOT_LEADER_FOR_PARTITION,
  E.ERR_REQUEST_TIMED_OUT,
  E.ERR_REPLICA_NOT_AVAILABLE,
  E.ERR_BROKER_NOT_AVAILABLE,
  E.ERR_NETWORK_EXCEPTION,
  E.ERR_COORDINATOR_LOAD_IN_PROGRESS,
  E.ERR_COORDINATOR_NOT_AVAILABLE,
  E.ERR_NOT_COORDINATOR,
  E.ERR_NOT_ENOUGH_REPLICAS,
  E.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  E.ERR_NOT_CONTROLLER,
  E.ERR_CONCURRENT_TRANSACTIONS,
  E.ERR_KAFKA_STORAGE_ERROR,
  E.ERR_FETCH_SESSION_ID_NOT_FOUND,
  E.ERR_INVALID_FETCH_SESSION_EPOCH,
  E.ERR_FETCH_SESSION_TOPIC_ID_ERROR,
  E.ERR_LISTENER_NOT_FOUND,
  E.ERR_FENCED_LEADER_EPOCH,
  E.ERR_UNKNOWN_LEADER_EPOCH,
  E.ERR_OFFSET_NOT_AVAILABLE,
  E.ERR_PREFERRED_LEADER_NOT_AVAILABLE,
  E.ERR_ELIGIBLE_LEADERS_NOT_AVAILABLE,
  E.ERR_UNSTABLE_OFFSET_COMMIT,
  E.ERR_THROTTLING_QUOTA_EXCEEDED,
  E.ERR_UNKNOWN_TOPIC_ID,
  E.ERR_INCONSISTENT_TOPIC_ID,
])

/** Retriability and meaning of a code; an unknown code is not retriable. */
export function errorTraits(code: number): ErrorTraits {
  return { retriable: retriable.has(code), text: errorText(code) }
}
