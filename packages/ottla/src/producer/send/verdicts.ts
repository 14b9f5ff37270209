/** What becomes of a batch whose try has failed. */
import { ErrorCode } from '@ottla/protocol'

/** What an error code means for the messages that it was the answer to. */
export interface Verdict {
  /** Send again, as long as time and retries are left. */
  readonly retry: boolean
  /** The picture of the cluster is stale. */
  readonly refresh: boolean
  /** Whether the try counts against `message.send.max.retries`: it may have written the messages. */
  readonly counts: boolean
  /** Whether the messages may be in the log all the same. */
  readonly inDoubt: boolean
  /** Pause before the next try, where it is not the usual one. */
  readonly pauseMs?: number
}

const fail: Verdict = { retry: false, refresh: false, counts: false, inDoubt: false }
const failInDoubt: Verdict = { retry: false, refresh: false, counts: false, inDoubt: true }
// Stale metadata: as a rule the broker refused before it wrote.
const moved: Verdict = { retry: true, refresh: true, counts: false, inDoubt: false }
const again: Verdict = { retry: true, refresh: false, counts: true, inDoubt: false }
const againInDoubt: Verdict = { retry: true, refresh: false, counts: true, inDoubt: true }
const busy: Verdict = { retry: true, refresh: false, counts: false, inDoubt: false }
const lost: Verdict = { retry: true, refresh: true, counts: true, inDoubt: true }
const unsent: Verdict = { retry: true, refresh: true, counts: false, inDoubt: false }

// As librdkafka, with two additions: what a broker answers without knowing why (-1) leaves the messages in doubt, and
// wrong credentials are waited out, because they can be put right while the client runs.
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
  // The leader could not learn from the transaction's coordinator whether it may write.
  [ErrorCode.ERR_CONCURRENT_TRANSACTIONS, { ...busy, pauseMs: 20 }],
  [ErrorCode.ERR_COORDINATOR_LOAD_IN_PROGRESS, busy],
  [ErrorCode.ERR_COORDINATOR_NOT_AVAILABLE, busy],
  [ErrorCode.ERR_NOT_COORDINATOR, busy],
  [ErrorCode.ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, againInDoubt],
  [ErrorCode.ERR_REQUEST_TIMED_OUT, againInDoubt],
  [ErrorCode.ERR__BAD_MSG, againInDoubt],
  [ErrorCode.ERR_UNKNOWN, failInDoubt],
])

/** A batch of an idempotent producer that came before its turn: nothing of it was written. */
export const outOfSequence: Verdict = { retry: true, refresh: false, counts: false, inDoubt: false }

/** A batch of an idempotent producer that is as lost as those before it: it may be written yet. */
export const behindLost: Verdict = failInDoubt

const connectionTrouble = new Set<number>([
  ErrorCode.ERR__TRANSPORT,
  ErrorCode.ERR__TIMED_OUT,
  ErrorCode.ERR__RESOLVE,
  ErrorCode.ERR__SSL,
  ErrorCode.ERR__AUTHENTICATION,
])

// What a leader answers, too, if it stops being the leader while it waits for the replicas: the messages are in its log
// by then, and if a replica has them that becomes the leader, they stay.
const afterAppend = new Set<number>([ErrorCode.ERR_NOT_LEADER_FOR_PARTITION, ErrorCode.ERR_KAFKA_STORAGE_ERROR])

/**
 * The verdict on a code that a broker answered with; one that is not known is final.
 * @param acks - that were asked for; -1: of all replicas
 */
export function answerVerdict(code: number, acks: number): Verdict {
  const verdict = verdicts.get(code) ?? fail
  return acks === -1 && afterAppend.has(code) ? { ...verdict, inDoubt: true } : verdict
}

/**
 * The verdict on a request that got no answer.
 * @param sent - whether its bytes may have reached the broker
 */
export function requestVerdict(code: number, sent: boolean): Verdict {
  if (connectionTrouble.has(code)) return sent ? lost : unsent
  if (code === ErrorCode.ERR__BAD_MSG) return sent ? againInDoubt : fail
  return sent ? failInDoubt : fail
}
