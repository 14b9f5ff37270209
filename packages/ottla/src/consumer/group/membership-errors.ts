/**
 * What a member of a group does about each error code of a coordinator: one table for both protocols and for share
 * groups. Pure; the caller carries it out.
 */
import { ErrorCode } from '@ottla/protocol'
import { isRetriable } from '../../cluster/retry.ts'

/** `ShareSession` stands for the top-level errors of ShareFetch and ShareAcknowledge. */
export type GroupApi =
  | 'FindCoordinator'
  | 'JoinGroup'
  | 'SyncGroup'
  | 'Heartbeat'
  | 'LeaveGroup'
  | 'OffsetCommit'
  | 'OffsetFetch'
  | 'ConsumerGroupHeartbeat'
  | 'ShareGroupHeartbeat'
  | 'ShareSession'

export type MemberAnswer =
  /** Transient: retried after a backoff, without a report. */
  | 'retry'
  /** Another broker is the coordinator: looks for it, then as retry. */
  | 'find-coordinator'
  /** Joins again at once with the member id in the response. */
  | 'take-member-id'
  /** The group rebalances: joins again with what it has (an EAGER member gives that up first, in order). */
  | 'rejoin'
  /** The group has moved on: the partitions are lost, and the member joins again with its id. */
  | 'lost-generation'
  /** Not a member (any more): the partitions are lost, and it joins as a new member, with epoch 0. */
  | 'lost-membership'
  /** Its epoch is stale: sends a heartbeat at once, which brings the current one; then as retry. */
  | 'refresh-epoch'
  /** The client matches the pattern itself. */
  | 'match-in-client'
  /** Opens a new session with this broker; messages that were locked in the old one are delivered again. */
  | 'new-session'
  /** An administrator may fix it: reported to the application, and retried after a backoff. */
  | 'report'
  /** Concerns the request, not the membership: the caller gets the error. */
  | 'caller'
  /** Nothing that this instance does can help: a fatal error. */
  | 'fatal'
  /** The wanted state is reached. */
  | 'done'

type Rows = Readonly<Record<number, MemberAnswer>>

const E = ErrorCode

const coordinator: Rows = {
  [E.ERR_COORDINATOR_NOT_AVAILABLE]: 'find-coordinator',
  [E.ERR_NOT_COORDINATOR]: 'find-coordinator',
  [E.ERR_COORDINATOR_LOAD_IN_PROGRESS]: 'retry',
  [E.ERR_REQUEST_TIMED_OUT]: 'retry',
}

const reported: Rows = {
  [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'report',
  [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'report',
  [E.ERR_CLUSTER_AUTHORIZATION_FAILED]: 'report',
  [E.ERR_INVALID_GROUP_ID]: 'report',
  [E.ERR_UNKNOWN]: 'report',
}

/** Members of classic groups that have joined. */
const inGeneration: Rows = {
  ...coordinator,
  ...reported,
  [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
  [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
  [E.ERR_ILLEGAL_GENERATION]: 'lost-generation',
  [E.ERR_REBALANCE_IN_PROGRESS]: 'rejoin',
  [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
  [E.ERR_INVALID_REQUEST]: 'report',
  [E.ERR_UNSUPPORTED_VERSION]: 'report',
}

/** Members whose heartbeats carry an epoch (KIP-848, KIP-932), after the first heartbeat. */
const modern: Rows = {
  ...coordinator,
  ...reported,
  [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
  [E.ERR_FENCED_MEMBER_EPOCH]: 'lost-membership',
  [E.ERR_STALE_MEMBER_EPOCH]: 'lost-membership',
  [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
  [E.ERR_GROUP_MAX_SIZE_REACHED]: 'report',
  [E.ERR_INVALID_REQUEST]: 'fatal',
  [E.ERR_UNSUPPORTED_VERSION]: 'fatal',
  [E.ERR__UNSUPPORTED_FEATURE]: 'fatal',
}

export const memberAnswers: Readonly<Record<GroupApi, Rows>> = {
  FindCoordinator: {
    ...coordinator,
    ...reported,
    [E.ERR_INVALID_REQUEST]: 'report',
    [E.ERR_UNSUPPORTED_VERSION]: 'report',
  },
  JoinGroup: {
    ...coordinator,
    ...reported,
    [E.ERR_MEMBER_ID_REQUIRED]: 'take-member-id',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_ILLEGAL_GENERATION]: 'lost-generation',
    [E.ERR_REBALANCE_IN_PROGRESS]: 'retry',
    [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'report',
    [E.ERR_GROUP_MAX_SIZE_REACHED]: 'report',
    [E.ERR_INCONSISTENT_GROUP_PROTOCOL]: 'report',
    [E.ERR_INVALID_SESSION_TIMEOUT]: 'report',
    [E.ERR_INVALID_REQUEST]: 'report',
    [E.ERR_UNSUPPORTED_VERSION]: 'report',
  },
  SyncGroup: { ...inGeneration, [E.ERR_INCONSISTENT_GROUP_PROTOCOL]: 'report' },
  Heartbeat: inGeneration,
  // A member that leaves is out whatever the response, at the latest when its session times out.
  LeaveGroup: {
    ...coordinator,
    [E.ERR_UNKNOWN_MEMBER_ID]: 'done',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'done',
    [E.ERR_FENCED_INSTANCE_ID]: 'done',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'done',
    [E.ERR_INVALID_GROUP_ID]: 'done',
    [E.ERR_UNKNOWN]: 'done',
  },
  OffsetCommit: {
    ...coordinator,
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
    [E.ERR_FENCED_MEMBER_EPOCH]: 'lost-membership',
    [E.ERR_STALE_MEMBER_EPOCH]: 'refresh-epoch',
    [E.ERR_ILLEGAL_GENERATION]: 'lost-generation',
    [E.ERR_REBALANCE_IN_PROGRESS]: 'rejoin',
    [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'caller',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'caller',
    [E.ERR_UNKNOWN_TOPIC_OR_PART]: 'caller',
    [E.ERR_UNKNOWN_TOPIC_ID]: 'caller',
    [E.ERR_OFFSET_METADATA_TOO_LARGE]: 'caller',
    [E.ERR_INVALID_COMMIT_OFFSET_SIZE]: 'caller',
    [E.ERR_INVALID_GROUP_ID]: 'caller',
    [E.ERR_INVALID_REQUEST]: 'caller',
    [E.ERR_UNSUPPORTED_VERSION]: 'caller',
    [E.ERR_UNKNOWN]: 'caller',
  },
  OffsetFetch: {
    ...coordinator,
    ...reported,
    [E.ERR_UNSTABLE_OFFSET_COMMIT]: 'retry',
    [E.ERR_STALE_MEMBER_EPOCH]: 'refresh-epoch',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_FENCED_MEMBER_EPOCH]: 'lost-membership',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
    [E.ERR_UNKNOWN_TOPIC_OR_PART]: 'retry',
    [E.ERR_UNKNOWN_TOPIC_ID]: 'retry',
    [E.ERR_INVALID_REQUEST]: 'report',
    [E.ERR_UNSUPPORTED_VERSION]: 'report',
  },
  ConsumerGroupHeartbeat: {
    ...modern,
    [E.ERR_UNRELEASED_INSTANCE_ID]: 'fatal',
    [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
    [E.ERR_UNSUPPORTED_ASSIGNOR]: 'fatal',
    [E.ERR_INVALID_REGULAR_EXPRESSION]: 'match-in-client',
  },
  ShareGroupHeartbeat: modern,
  ShareSession: {
    [E.ERR_SHARE_SESSION_NOT_FOUND]: 'new-session',
    [E.ERR_INVALID_SHARE_SESSION_EPOCH]: 'new-session',
    [E.ERR_SHARE_SESSION_LIMIT_REACHED]: 'new-session',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'new-session',
    [E.ERR_FENCED_MEMBER_EPOCH]: 'new-session',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'new-session',
    [E.ERR_REQUEST_TIMED_OUT]: 'retry',
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'report',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'report',
    [E.ERR_INVALID_REQUEST]: 'report',
    [E.ERR_UNSUPPORTED_VERSION]: 'report',
    [E.ERR_UNKNOWN]: 'report',
  },
}

/** For the first heartbeat of a membership, which has nothing to lose yet. */
const firstBeat: Rows = {
  [E.ERR_UNKNOWN_MEMBER_ID]: 'retry',
  [E.ERR_FENCED_MEMBER_EPOCH]: 'retry',
  [E.ERR_STALE_MEMBER_EPOCH]: 'retry',
  // A group of another type has this name.
  [E.ERR_GROUP_ID_NOT_FOUND]: 'report',
}

/**
 * What a member does about an error. A code that is not in the table, perhaps of a newer broker, is reported and
 * retried after a backoff: whatever it means, the member neither spins nor stands still.
 * @param isJoining for the heartbeat that begins a membership
 */
export function memberAnswer(api: GroupApi, code: number, isJoining = false): MemberAnswer {
  const isBeat = api === 'ConsumerGroupHeartbeat' || api === 'ShareGroupHeartbeat'
  const found = (isJoining && isBeat ? firstBeat[code] : undefined) ?? memberAnswers[api][code]
  if (found !== undefined) return found
  // Not the coordinator's response: it could not be reached.
  if (isRetriable(code) || code === E.ERR__TIMED_OUT) return 'retry'
  if (api === 'OffsetCommit') return 'caller'
  return api === 'LeaveGroup' ? 'done' : 'report'
}

/** The code if the request can be retried as it is, perhaps at another coordinator; else ERR_NO_ERROR. */
export function transientCode(api: GroupApi, code: number): number {
  const answer = memberAnswer(api, code)
  return answer === 'retry' || answer === 'find-coordinator' || answer === 'refresh-epoch' ? code : E.ERR_NO_ERROR
}
