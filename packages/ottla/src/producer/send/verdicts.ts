/** What to do with a batch after a failed attempt. */
import { ErrorCode } from '@ottla/protocol'

/** What an error code means for the messages of a batch. */
export interface Verdict {
  /** Retry, while time and retries are left. */
  readonly retry: boolean
  /** The metadata is stale. */
  readonly refresh: boolean
  /** Whether the attempt counts against `message.send.max.retries`: it may have written the messages. */
  readonly counts: boolean
  /** Whether the messages may be in the log. */
  readonly inDoubt: boolean
  /** Backoff before the retry, if not the usual one. */
  readonly backoffMs?: number
}

const fail: Verdict = { retry: false, refresh: false, counts: false, inDoubt: false }
const failInDoubt: Verdict = { retry: false, refresh: false, counts: false, inDoubt: true }
// Stale metadata: normally, the broker refused the batch before writing it.
const moved: Verdict = { retry: true, refresh: true, counts: false, inDoubt: false }
const again: Verdict = { retry: true, refresh: false, counts: true, inDoubt: false }
const againInDoubt: Verdict = { retry: true, refresh: false, counts: true, inDoubt: true }
const busy: Verdict = { retry: true, refresh: false, counts: false, inDoubt: false }
const lost: Verdict = { retry: true, refresh: true, counts: true, inDoubt: true }
/** The request was never written. */
export const unsent: Verdict = { retry: true, refresh: true, counts: false, inDoubt: false }

// Like librdkafka, with two differences: an unknown error (-1) leaves the messages in doubt, and wrong credentials are
// retried, because they can be corrected while the client runs.
const verdicts = new Map<number, Verdict>([
  [ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, moved],
  [ErrorCode.ERR_LEADER_NOT_AVAILABLE, moved],
  [ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, moved],
  [ErrorCode.ERR_UNKNOWN_TOPIC_ID, moved],
  [ErrorCode.ERR_INCONSISTENT_TOPIC_ID, moved],
  [ErrorCode.ERR_FENCED_LEADER_EPOCH, moved],
  [ErrorCode.ERR_UNKNOWN_LEADER_EPOCH, moved],
  [ErrorCode.ERR_REPLICA_NOT_AVAILABLE, moved],
  [ErrorCode.ERR_BROKER_NOT_AVAILABLE, moved],
  [ErrorCode.ERR_LISTENER_NOT_FOUND, moved],
  [ErrorCode.ERR_KAFKA_STORAGE_ERROR, { retry: true, refresh: true, counts: true, inDoubt: false }],
  [ErrorCode.ERR_NETWORK_EXCEPTION, lost],
  [ErrorCode.ERR_NOT_ENOUGH_REPLICAS, again],
  [ErrorCode.ERR_INVALID_MSG, again],
  [ErrorCode.ERR_THROTTLING_QUOTA_EXCEEDED, again],
  // The leader could not find out from the transaction's coordinator whether it may write.
  [ErrorCode.ERR_CONCURRENT_TRANSACTIONS, { ...busy, backoffMs: 20 }],
  [ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS, busy],
  [ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE, busy],
  [ErrorCode.ERR_NOT_COORDINATOR, busy],
  [ErrorCode.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, againInDoubt],
  [ErrorCode.ERR_REQUEST_TIMED_OUT, againInDoubt],
  [ErrorCode.ERR__BAD_MSG, againInDoubt],
  [ErrorCode.ERR_UNKNOWN, failInDoubt],
])

/** A batch of an idempotent producer came too early: nothing of it was written. */
export const outOfSequence: Verdict = { retry: true, refresh: false, counts: false, inDoubt: false }

/** A batch of an idempotent producer is lost like those before it: it may still be written. */
export const behindLost: Verdict = failInDoubt

const connectionErrors = new Set<number>([
  ErrorCode.ERR__TRANSPORT,
  ErrorCode.ERR__TIMED_OUT,
  ErrorCode.ERR__RESOLVE,
  ErrorCode.ERR__SSL,
  ErrorCode.ERR__AUTHENTICATION,
])

// A leader also answers these if it loses the partition while it waits for the replicas. The messages are in its log by
// then, and stay if a replica that has them becomes the leader.
const afterAppend = new Set<number>([ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, ErrorCode.ERR_KAFKA_STORAGE_ERROR])

/**
 * The verdict on a code that a broker answered; an unknown code is final.
 * @param acks - the request's acks; -1 for all replicas
 */
export function answerVerdict(code: number, acks: number): Verdict {
  const verdict = verdicts.get(code) ?? fail
  return acks === -1 && afterAppend.has(code) ? { ...verdict, inDoubt: true } : verdict
}

/**
 * The verdict on a request without a response.
 * @param sent - whether its bytes may have reached the broker
 */
export function requestVerdict(code: number, sent: boolean): Verdict {
  if (connectionErrors.has(code)) return sent ? lost : unsent
  // Unsent: what could not be read is the handshake of the connection that it waited for.
  if (code === ErrorCode.ERR__BAD_MSG) return sent ? againInDoubt : unsent
  return sent ? failInDoubt : fail
}
