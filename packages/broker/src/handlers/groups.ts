/** The classic group protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup. */
import {
  ErrorCode,
  HeartbeatServer,
  JoinGroupServer,
  LeaveGroupServer,
  SyncGroupServer,
  type Decoded,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type JoinGroupRequest,
  type JoinGroupResponse,
  type LeaveGroupRequest,
  type LeaveGroupResponse,
  type SyncGroupRequest,
  type SyncGroupResponse,
} from '@ottla/protocol'
import { checkSessionTimeout, type JoinInput } from '../groups/classic-member.ts'
import { route, type RequestContext, type Route } from './request.ts'
import { errorCodeOnly } from './refusals.ts'
import type { Stores } from './stores.ts'
import { canDescribe, checkGroup, hostOf } from './group-access.ts'

export const groupRoutes: readonly Route[] = [
  route(JoinGroupServer, join, ({ memberId }, errorCode, { version }) => refusedJoin(memberId, errorCode, version)),
  route(SyncGroupServer, sync, (_body, errorCode) => refusedSync(errorCode)),
  route(HeartbeatServer, heartbeat, errorCodeOnly),
  route(LeaveGroupServer, leave, errorCodeOnly),
]

type GroupStores = Pick<Stores, 'coordinators' | 'groups'>

// The first versions of JoinGroup that give a new member its id first (KIP-394), and that have the members' instance
// ids, the protocol type, and the skipped assignment.
const KNOWN_MEMBER_VERSION = 4
const INSTANCE_VERSION = 5
const PROTOCOL_TYPE_VERSION = 7
const SKIP_ASSIGNMENT_VERSION = 9
const SYNC_PROTOCOL_VERSION = 5
const BATCHED_LEAVE_VERSION = 3

function join(
  request: Decoded<JoinGroupRequest>,
  context: RequestContext,
  { coordinators, groups }: GroupStores,
): Promise<JoinGroupResponse> {
  const { groupId, memberId, sessionTimeoutMs } = request
  const { version } = context
  const refuse = (errorCode: number): Promise<JoinGroupResponse> =>
    Promise.resolve(refusedJoin(memberId, errorCode, version))
  if (!context.allows('read', 'group', groupId)) return refuse(ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED)
  if (groupId === '') return refuse(ErrorCode.ERR_INVALID_GROUP_ID)
  const problem =
    checkSessionTimeout(sessionTimeoutMs, groups.sessionLimits) || coordinators.check(context.brokerId, groupId)
  if (problem !== ErrorCode.ERR_NO_ERROR) return refuse(problem)
  if (memberId !== '' && !groups.has(groupId)) return refuse(ErrorCode.ERR_UNKNOWN_MEMBER_ID)
  const classic = groups.getOrCreate(groupId).asClassic(true, canDescribe(context))
  if (classic === null) return refuse(ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL)
  const input: JoinInput = {
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: context.clientId,
    host: hostOf(context),
    protocolType: request.protocolType,
    // A copy, so that the group does not keep the whole frame.
    protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
    sessionTimeoutMs,
    rebalanceTimeoutMs: version >= 1 ? request.rebalanceTimeoutMs : sessionTimeoutMs,
    requiresMemberId: version >= KNOWN_MEMBER_VERSION,
    canSkipAssignment: version >= SKIP_ASSIGNMENT_VERSION,
  }
  return new Promise(resolve => {
    classic.join(input, output => {
      resolve({
        throttleTimeMs: 0,
        errorCode: output.errorCode,
        generationId: output.generationId,
        protocolName: output.protocolName ?? noName(version),
        leader: output.leader,
        memberId: output.memberId,
        members: output.members.map(({ memberId: id, groupInstanceId, metadata }) => ({
          memberId: id,
          metadata,
          ...(version >= INSTANCE_VERSION ? { groupInstanceId } : {}),
        })),
        ...(version >= PROTOCOL_TYPE_VERSION ? { protocolType: output.protocolType } : {}),
        ...(version >= SKIP_ASSIGNMENT_VERSION ? { skipAssignment: output.skipAssignment } : {}),
      })
    })
  })
}

function refusedJoin(memberId: string, errorCode: number, version: number): JoinGroupResponse {
  return { errorCode, protocolName: noName(version), leader: '', memberId, members: [] }
}

function noName(version: number): string | null {
  return version >= PROTOCOL_TYPE_VERSION ? null : ''
}

function refusedSync(errorCode: number): SyncGroupResponse {
  return { errorCode, assignment: Buffer.alloc(0) }
}

function sync(
  request: Decoded<SyncGroupRequest>,
  context: RequestContext,
  { coordinators, groups }: GroupStores,
): Promise<SyncGroupResponse> {
  const { groupId, memberId, generationId, groupInstanceId, protocolType, protocolName, assignments } = request
  const problem = checkGroup('read', groupId, context, coordinators)
  const classic = groups.get(groupId)?.asClassic(false, canDescribe(context)) ?? null
  if (problem !== ErrorCode.ERR_NO_ERROR || classic === null) {
    const errorCode = problem === ErrorCode.ERR_NO_ERROR ? ErrorCode.ERR_UNKNOWN_MEMBER_ID : problem
    return Promise.resolve(refusedSync(errorCode))
  }
  // From version 5 on, both are required.
  const isSilent = context.version >= SYNC_PROTOCOL_VERSION && (protocolType === null || protocolName === null)
  if (isSilent) {
    return Promise.resolve(refusedSync(ErrorCode.ERR_INCONSISTENT_GROUP_PROTOCOL))
  }
  return new Promise(resolve => {
    const input = { memberId, generationId, groupInstanceId, protocolType, protocolName, assignments }
    classic.sync(input, output => {
      resolve({
        throttleTimeMs: 0,
        errorCode: output.errorCode,
        assignment: output.assignment,
        ...(context.version >= SYNC_PROTOCOL_VERSION
          ? { protocolType: output.protocolType, protocolName: output.protocolName }
          : {}),
      })
    })
  })
}

function heartbeat(
  request: Decoded<HeartbeatRequest>,
  context: RequestContext,
  { coordinators, groups }: GroupStores,
): HeartbeatResponse {
  const { groupId, memberId, generationId, groupInstanceId } = request
  const problem = checkGroup('read', groupId, context, coordinators)
  if (problem !== ErrorCode.ERR_NO_ERROR) return { throttleTimeMs: 0, errorCode: problem }
  const classic = groups.get(groupId)?.asClassic(false, canDescribe(context))
  const errorCode = classic?.heartbeat(memberId, generationId, groupInstanceId) ?? ErrorCode.ERR_UNKNOWN_MEMBER_ID
  return { throttleTimeMs: 0, errorCode }
}

function leave(
  request: Decoded<LeaveGroupRequest>,
  context: RequestContext,
  { coordinators, groups }: GroupStores,
): LeaveGroupResponse {
  const { groupId } = request
  const problem = checkGroup('read', groupId, context, coordinators)
  if (problem !== ErrorCode.ERR_NO_ERROR) return { throttleTimeMs: 0, errorCode: problem }
  const isBatched = context.version >= BATCHED_LEAVE_VERSION
  const leaving = isBatched ? request.members : [{ memberId: request.memberId, groupInstanceId: null }]
  const codes = groups.get(groupId)?.asClassic(false, canDescribe(context))?.leave(leaving) ?? []
  const codeOf = (index: number): number => codes[index] ?? ErrorCode.ERR_UNKNOWN_MEMBER_ID
  if (!isBatched) return { throttleTimeMs: 0, errorCode: codeOf(0) }
  const members = leaving.map(({ memberId, groupInstanceId }, index) => ({
    memberId,
    groupInstanceId,
    errorCode: codeOf(index),
  }))
  return { throttleTimeMs: 0, errorCode: ErrorCode.ERR_NO_ERROR, members }
}
