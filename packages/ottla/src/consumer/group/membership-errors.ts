/**
 * What a member of a group does about every error that a coordinator may answer: one table for both protocols and for
 * share groups. Pure; who asks does what it says.
 */
import { ErrorCode } from '@ottla/protocol'
import { isRetriable } from '../../cluster/retry.ts'

/** `ShareSession` stands for ShareFetch and ShareAcknowledge as a whole; theirs of single partitions are a fetch's. */
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
  /** Passes by itself: again after a pause, in silence. */
  | 'retry'
  /** Its coordinator is another broker by now: looked for, then as retry. */
  | 'find-coordinator'
  /** Joins again at once with the member id that the answer has. */
  | 'take-member-id'
  /** The group rebalances: joins again with what it has (an EAGER member gives that up first, in order). */
  | 'rejoin'
  /** The group has gone on: the partitions are lost, the member joins again with its id. */
  | 'lost-generation'
  /** Not a member (any more): the partitions are lost, joins as somebody new, with epoch 0. */
  | 'lost-membership'
  /** Its next heartbeat, sent at once, brings what it should have known; then as retry. */
  | 'refresh-epoch'
  /** The pattern is matched here instead. */
  | 'match-here'
  /** The session with this broker begins anew, and what was locked in it comes again. */
  | 'new-session'
  /** Somebody may put it right: the program is told, and it is tried again after a pause. */
  | 'tell'
  /** Concerns what was asked, not the membership: whoever asked is told. */
  | 'caller'
  /** Nothing that this instance does will bring it in: told, for good. */
  | 'fatal'
  /** What was wanted is so. */
  | 'done'

type Rows = Readonly<Record<number, MemberAnswer>>

const E = ErrorCode

const coordinator: Rows = {
  [E.ERR_COORDINATOR_NOT_AVAILABLE]: 'find-coordinator',
  [E.ERR_NOT_COORDINATOR]: 'find-coordinator',
  [E.ERR_COORDINATOR_LOAD_IN_PROGRESS]: 'retry',
  [E.ERR_REQUEST_TIMED_OUT]: 'retry',
}

const told: Rows = {
  [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'tell',
  [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'tell',
  [E.ERR_CLUSTER_AUTHORIZATION_FAILED]: 'tell',
  [E.ERR_INVALID_GROUP_ID]: 'tell',
  [E.ERR_UNKNOWN]: 'tell',
}

/** Of members of classic groups that have joined. */
const inGeneration: Rows = {
  ...coordinator,
  ...told,
  [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
  [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
  [E.ERR_ILLEGAL_GENERATION]: 'lost-generation',
  [E.ERR_REBALANCE_IN_PROGRESS]: 'rejoin',
  [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
  [E.ERR_INVALID_REQUEST]: 'tell',
  [E.ERR_UNSUPPORTED_VERSION]: 'tell',
}

/** Of members of groups whose members beat with an epoch (KIP-848, KIP-932), beyond the first heartbeat. */
const modern: Rows = {
  ...coordinator,
  ...told,
  [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
  [E.ERR_FENCED_MEMBER_EPOCH]: 'lost-membership',
  [E.ERR_STALE_MEMBER_EPOCH]: 'lost-membership',
  [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
  [E.ERR_GROUP_MAX_SIZE_REACHED]: 'tell',
  [E.ERR_INVALID_REQUEST]: 'fatal',
  [E.ERR_UNSUPPORTED_VERSION]: 'fatal',
  [E.ERR__UNSUPPORTED_FEATURE]: 'fatal',
}

export const memberAnswers: Readonly<Record<GroupApi, Rows>> = {
  FindCoordinator: {
    ...coordinator,
    ...told,
    [E.ERR_INVALID_REQUEST]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'tell',
  },
  JoinGroup: {
    ...coordinator,
    ...told,
    [E.ERR_MEMBER_ID_REQUIRED]: 'take-member-id',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_ILLEGAL_GENERATION]: 'lost-generation',
    [E.ERR_REBALANCE_IN_PROGRESS]: 'retry',
    [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'tell',
    [E.ERR_GROUP_MAX_SIZE_REACHED]: 'tell',
    [E.ERR_INCONSISTENT_GROUP_PROTOCOL]: 'tell',
    [E.ERR_INVALID_SESSION_TIMEOUT]: 'tell',
    [E.ERR_INVALID_REQUEST]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'tell',
  },
  SyncGroup: { ...inGeneration, [E.ERR_INCONSISTENT_GROUP_PROTOCOL]: 'tell' },
  Heartbeat: inGeneration,
  // Whoever leaves is out, whatever the answer: at the latest when its session ends.
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
    ...told,
    [E.ERR_UNSTABLE_OFFSET_COMMIT]: 'retry',
    [E.ERR_STALE_MEMBER_EPOCH]: 'refresh-epoch',
    [E.ERR_UNKNOWN_MEMBER_ID]: 'lost-membership',
    [E.ERR_FENCED_MEMBER_EPOCH]: 'lost-membership',
    [E.ERR_GROUP_ID_NOT_FOUND]: 'lost-membership',
    [E.ERR_UNKNOWN_TOPIC_OR_PART]: 'retry',
    [E.ERR_UNKNOWN_TOPIC_ID]: 'retry',
    [E.ERR_INVALID_REQUEST]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'tell',
  },
  ConsumerGroupHeartbeat: {
    ...modern,
    [E.ERR_UNRELEASED_INSTANCE_ID]: 'fatal',
    [E.ERR_FENCED_INSTANCE_ID]: 'fatal',
    [E.ERR_UNSUPPORTED_ASSIGNOR]: 'fatal',
    [E.ERR_INVALID_REGULAR_EXPRESSION]: 'match-here',
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
    [E.ERR_GROUP_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_TOPIC_AUTHORIZATION_FAILED]: 'tell',
    [E.ERR_INVALID_REQUEST]: 'tell',
    [E.ERR_UNSUPPORTED_VERSION]: 'tell',
    [E.ERR_UNKNOWN]: 'tell',
  },
}

/** The first heartbeat of a membership has nothing to lose yet. */
const firstBeat: Rows = {
  [E.ERR_UNKNOWN_MEMBER_ID]: 'retry',
  [E.ERR_FENCED_MEMBER_EPOCH]: 'retry',
  [E.ERR_STALE_MEMBER_EPOCH]: 'retry',
  // Of another kind: there is a group of this name that these members cannot be in.
  [E.ERR_GROUP_ID_NOT_FOUND]: 'tell',
}

/**
 * What a member does about an error. One that is not in the table, perhaps of a newer broker, is told and tried again:
 * whatever it means, it neither spins nor stands still.
 * @param isJoining of the heartbeat that begins a membership
 */
export function memberAnswer(api: GroupApi, code: number, isJoining = false): MemberAnswer {
  const isBeat = api === 'ConsumerGroupHeartbeat' || api === 'ShareGroupHeartbeat'
  const found = (isJoining && isBeat ? firstBeat[code] : undefined) ?? memberAnswers[api][code]
  if (found !== undefined) return found
  // Of the way to the coordinator, not of its answer.
  if (isRetriable(code) || code === E.ERR__TIMED_OUT) return 'retry'
  if (api === 'OffsetCommit') return 'caller'
  return api === 'LeaveGroup' ? 'done' : 'tell'
}

/** The code if the same request may just be sent again, with the coordinator looked for anew or not; else none. */
export function passingCode(api: GroupApi, code: number): number {
  const answer = memberAnswer(api, code)
  return answer === 'retry' || answer === 'find-coordinator' || answer === 'refresh-epoch' ? code : E.ERR_NO_ERROR
}
