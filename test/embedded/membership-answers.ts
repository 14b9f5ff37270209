/** What a member does about each error of a request of its group, as the programs of members see it. */
import { ErrorCode } from 'ottla'

export type Answer =
  | 'retry'
  | 'find-coordinator'
  | 'take-member-id'
  | 'rejoin'
  | 'lost-generation'
  | 'lost-membership'
  | 'refresh-epoch'
  | 'match-here'
  | 'new-session'
  | 'tell'
  | 'caller'
  | 'fatal'
  | 'done'

const E = ErrorCode

/** Stands for all codes that the client does not know. */
export const NEVER_HEARD_OF = 9999

export const answers = {
  FindCoordinator: {
    [E.ERR_REQUEST_TIMED_OUT]: 'retry',
    [E.ERR_COORDINATOR_LOAD_IN_PROGRESS]: 'retry',
    [E.ERR_COORDINATOR_NOT_AVAILABLE]: 'find-coordinator',
    [E.ERR_NOT_COORDINATOR]: 'find-coordinator',
    [E.ERR_INVALID_GROUP_ID]: 'tell',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_CLUSTER_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'tell',
    [E.ERR_INVALID_REQUEST]: 'tell',
    [E.ERR_UNKNOWN]: 'tell',
    [NEVER_HEARD_OF]: 'tell',
  },
  JoinGroup: {
    [E.ERR_REQUEST_TIMED_OUT]: 'retry',
    [E.ERR_COORDINATOR_LOAD_IN_PROGRESS]: 'retry',
    [E.ERR_COORDINATOR_NOT_AVAILABLE]: 'find-coordinator',
    [E.ERR_NOT_COORDINATOR]: 'find-coordinator',
    [E.ERR_ILLEGAL_GENERATION]: 'lost-generation',
    [E.ERR_INCONSISTENT_GROUP_PROTOCOL]: 'tell',
    [E.ERR_INVALID_GROUP_ID]: 'tell',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_INVALID_SESSION_TIMEOUT]: 'tell',
    [E.ERR_REBALANCE_IN_PROGRESS]: 'retry',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_CLUSTER_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'tell',
    [E.ERR_INVALID_REQUEST]: 'tell',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'tell',
    [E.ERR_MEMBER_ID_REQUIRED]: 'take-member-id',
    [E.ERR_GROUP_MAX_SIZE_REACHED]: 'tell',
    [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
    [E.ERR_UNKNOWN]: 'tell',
    [NEVER_HEARD_OF]: 'tell',
  },
  SyncGroup: {
    [E.ERR_REQUEST_TIMED_OUT]: 'retry',
    [E.ERR_COORDINATOR_LOAD_IN_PROGRESS]: 'retry',
    [E.ERR_COORDINATOR_NOT_AVAILABLE]: 'find-coordinator',
    [E.ERR_NOT_COORDINATOR]: 'find-coordinator',
    [E.ERR_ILLEGAL_GENERATION]: 'lost-generation',
    [E.ERR_INCONSISTENT_GROUP_PROTOCOL]: 'tell',
    [E.ERR_INVALID_GROUP_ID]: 'tell',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_REBALANCE_IN_PROGRESS]: 'rejoin',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_CLUSTER_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'tell',
    [E.ERR_INVALID_REQUEST]: 'tell',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
    [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
    [E.ERR_UNKNOWN]: 'tell',
    [NEVER_HEARD_OF]: 'tell',
  },
  Heartbeat: {
    [E.ERR_REQUEST_TIMED_OUT]: 'retry',
    [E.ERR_COORDINATOR_LOAD_IN_PROGRESS]: 'retry',
    [E.ERR_COORDINATOR_NOT_AVAILABLE]: 'find-coordinator',
    [E.ERR_NOT_COORDINATOR]: 'find-coordinator',
    [E.ERR_ILLEGAL_GENERATION]: 'lost-generation',
    [E.ERR_INVALID_GROUP_ID]: 'tell',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_REBALANCE_IN_PROGRESS]: 'rejoin',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_CLUSTER_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'tell',
    [E.ERR_INVALID_REQUEST]: 'tell',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
    [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
    [E.ERR_UNKNOWN]: 'tell',
    [NEVER_HEARD_OF]: 'tell',
  },
  LeaveGroup: {
    [E.ERR_REQUEST_TIMED_OUT]: 'retry',
    [E.ERR_COORDINATOR_LOAD_IN_PROGRESS]: 'retry',
    [E.ERR_COORDINATOR_NOT_AVAILABLE]: 'find-coordinator',
    [E.ERR_NOT_COORDINATOR]: 'find-coordinator',
    [E.ERR_INVALID_GROUP_ID]: 'done',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'done',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'done',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'done',
    [E.ERR_FENCED_INSTANCE_ID]: 'done',
    [E.ERR_UNKNOWN]: 'done',
    [NEVER_HEARD_OF]: 'done',
  },
  OffsetCommit: {
    [E.ERR_UNKNOWN_TOPIC_OR_PART]: 'caller',
    [E.ERR_REQUEST_TIMED_OUT]: 'retry',
    [E.ERR_OFFSET_METADATA_TOO_LARGE]: 'caller',
    [E.ERR_COORDINATOR_LOAD_IN_PROGRESS]: 'retry',
    [E.ERR_COORDINATOR_NOT_AVAILABLE]: 'find-coordinator',
    [E.ERR_NOT_COORDINATOR]: 'find-coordinator',
    [E.ERR_ILLEGAL_GENERATION]: 'lost-generation',
    [E.ERR_INVALID_GROUP_ID]: 'caller',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_REBALANCE_IN_PROGRESS]: 'rejoin',
    [E.ERR_INVALID_COMMIT_OFFSET_SIZE]: 'caller',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'caller',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'caller',
    [E.ERR_UNSUPPORTED_VERSION]: 'caller',
    [E.ERR_INVALID_REQUEST]: 'caller',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
    [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
    [E.ERR_UNKNOWN_TOPIC_ID]: 'caller',
    [E.ERR_FENCED_MEMBER_EPOCH]: 'lost-membership',
    [E.ERR_STALE_MEMBER_EPOCH]: 'refresh-epoch',
    [E.ERR_UNKNOWN]: 'caller',
    [NEVER_HEARD_OF]: 'caller',
  },
  OffsetFetch: {
    [E.ERR_UNKNOWN_TOPIC_OR_PART]: 'retry',
    [E.ERR_REQUEST_TIMED_OUT]: 'retry',
    [E.ERR_COORDINATOR_LOAD_IN_PROGRESS]: 'retry',
    [E.ERR_COORDINATOR_NOT_AVAILABLE]: 'find-coordinator',
    [E.ERR_NOT_COORDINATOR]: 'find-coordinator',
    [E.ERR_INVALID_GROUP_ID]: 'tell',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_CLUSTER_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'tell',
    [E.ERR_INVALID_REQUEST]: 'tell',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
    [E.ERR_UNSTABLE_OFFSET_COMMIT]: 'retry',
    [E.ERR_UNKNOWN_TOPIC_ID]: 'retry',
    [E.ERR_FENCED_MEMBER_EPOCH]: 'lost-membership',
    [E.ERR_STALE_MEMBER_EPOCH]: 'refresh-epoch',
    [E.ERR_UNKNOWN]: 'tell',
    [NEVER_HEARD_OF]: 'tell',
  },
  ConsumerGroupHeartbeat: {
    [E.ERR_REQUEST_TIMED_OUT]: 'retry',
    [E.ERR_COORDINATOR_LOAD_IN_PROGRESS]: 'retry',
    [E.ERR_COORDINATOR_NOT_AVAILABLE]: 'find-coordinator',
    [E.ERR_NOT_COORDINATOR]: 'find-coordinator',
    [E.ERR_INVALID_GROUP_ID]: 'tell',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_CLUSTER_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'fatal',
    [E.ERR_INVALID_REQUEST]: 'fatal',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
    [E.ERR_GROUP_MAX_SIZE_REACHED]: 'tell',
    [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
    [E.ERR_FENCED_MEMBER_EPOCH]: 'lost-membership',
    [E.ERR_UNRELEASED_INSTANCE_ID]: 'fatal',
    [E.ERR_UNSUPPORTED_ASSIGNOR]: 'fatal',
    [E.ERR_STALE_MEMBER_EPOCH]: 'lost-membership',
    [E.ERR_INVALID_REGULAR_EXPRESSION]: 'match-here',
    [E.ERR_UNKNOWN]: 'tell',
    [NEVER_HEARD_OF]: 'tell',
  },
  ShareGroupHeartbeat: {
    [E.ERR_REQUEST_TIMED_OUT]: 'retry',
    [E.ERR_COORDINATOR_LOAD_IN_PROGRESS]: 'retry',
    [E.ERR_COORDINATOR_NOT_AVAILABLE]: 'find-coordinator',
    [E.ERR_NOT_COORDINATOR]: 'find-coordinator',
    [E.ERR_INVALID_GROUP_ID]: 'tell',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_CLUSTER_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'fatal',
    [E.ERR_INVALID_REQUEST]: 'fatal',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
    [E.ERR_GROUP_MAX_SIZE_REACHED]: 'tell',
    [E.ERR_FENCED_MEMBER_EPOCH]: 'lost-membership',
    [E.ERR_STALE_MEMBER_EPOCH]: 'lost-membership',
    [E.ERR_UNKNOWN]: 'tell',
    [NEVER_HEARD_OF]: 'tell',
  },
  ShareSession: {
    [E.ERR_REQUEST_TIMED_OUT]: 'retry',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'new-session',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'tell',
    [E.ERR_INVALID_REQUEST]: 'tell',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'new-session',
    [E.ERR_FENCED_MEMBER_EPOCH]: 'new-session',
    [E.ERR_SHARE_SESSION_NOT_FOUND]: 'new-session',
    [E.ERR_INVALID_SHARE_SESSION_EPOCH]: 'new-session',
    [E.ERR_SHARE_SESSION_LIMIT_REACHED]: 'new-session',
    [E.ERR_UNKNOWN]: 'tell',
    [NEVER_HEARD_OF]: 'tell',
  },
} satisfies Record<string, Readonly<Record<number, Answer>>>

export type GroupApi = keyof typeof answers

// The first heartbeat of a membership has nothing to lose yet.
const firstBeat: Readonly<Record<number, Answer>> = {
  [E.ERR_UNKNOWN_MEMBER_ID]: 'retry',
  [E.ERR_FENCED_MEMBER_EPOCH]: 'retry',
  [E.ERR_STALE_MEMBER_EPOCH]: 'retry',
  [E.ERR_GROUP_ID_NOT_FOUND]: 'tell',
}

export function codesOf(api: GroupApi): number[] {
  return Object.keys(answers[api]).map(Number)
}

export function answerTo(api: GroupApi, code: number, isJoining = false): Answer {
  const isBeat = api === 'ConsumerGroupHeartbeat' || api === 'ShareGroupHeartbeat'
  const rows: Readonly<Record<number, Answer>> = answers[api]
  const answer = (isJoining && isBeat ? firstBeat[code] : undefined) ?? rows[code]
  if (answer === undefined) throw new Error(`no row for ${api} ${code}`)
  return answer
}
