/** Administration of groups of any type: ListGroups, DescribeGroups, DeleteGroups. */
import {
  DeleteGroupsServer,
  DescribeGroupsServer,
  ErrorCode,
  ListGroupsServer,
  type Decoded,
  type DescribeGroupsResponseDescribedGroup,
  type ListGroupsRequest,
  type ListGroupsResponse,
} from '@ottla/protocol'
import { CLUSTER_NAME } from '../security/acls.ts'
import { NO_BYTES, metadataOf } from '../groups/classic-member.ts'
import { authorizedOperations } from './operations.ts'
import { route, type RequestContext, type Route } from './request.ts'
import type { Stores } from './stores.ts'
import { checkGroup } from './group-access.ts'

export const groupAdminRoutes: readonly Route[] = [
  route(ListGroupsServer, list, (_body, errorCode) => ({ throttleTimeMs: 0, errorCode, groups: [] })),
  route(
    DescribeGroupsServer,
    ({ groups, includeAuthorizedOperations }, context, stores) => ({
      throttleTimeMs: 0,
      groups: groups.map(groupId => describe(groupId, includeAuthorizedOperations, context, stores)),
    }),
    ({ groups }, errorCode) => ({ throttleTimeMs: 0, groups: groups.map(id => notDescribed(id, errorCode, '')) }),
  ),
  route(
    DeleteGroupsServer,
    ({ groupsNames }, context, stores) => ({
      throttleTimeMs: 0,
      results: groupsNames.map(groupId => ({ groupId, errorCode: remove(groupId, context, stores) })),
    }),
    ({ groupsNames }, errorCode) => ({
      throttleTimeMs: 0,
      results: groupsNames.map(groupId => ({ groupId, errorCode })),
    }),
  ),
]

// The first version that says so when a group does not exist; earlier ones describe it as dead.
const NOT_FOUND_VERSION = 6
const INSTANCE_VERSION = 4
const STATE_VERSION = 4
const TYPE_VERSION = 5

type GroupStores = Pick<Stores, 'coordinators' | 'groups'>

function list(
  request: Decoded<ListGroupsRequest>,
  context: RequestContext,
  { coordinators, groups: store }: GroupStores,
): ListGroupsResponse {
  const { version } = context
  const states = request.statesFilter.map(word => word.toLowerCase())
  const types = request.typesFilter.map(word => word.toLowerCase())
  const seesAll = context.allows('describe', 'cluster', CLUSTER_NAME)
  const groups = [...store.all()].filter(
    group =>
      (states.length === 0 || states.includes(group.state.toLowerCase())) &&
      (types.length === 0 || types.includes(group.type)) &&
      (seesAll || context.allows('describe', 'group', group.id)) &&
      coordinators.of('group', group.id)?.id === context.brokerId,
  )
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.ERR_NO_ERROR,
    groups: groups.map(({ id, protocolType, state: groupState, type }) => ({
      groupId: id,
      protocolType,
      ...(version >= STATE_VERSION ? { groupState } : {}),
      ...(version >= TYPE_VERSION ? { groupType: type } : {}),
    })),
  }
}

function describe(
  groupId: string,
  withOperations: boolean,
  context: RequestContext,
  { coordinators, groups }: GroupStores,
): DescribeGroupsResponseDescribedGroup {
  const { version } = context
  const problem = checkGroup('describe', groupId, context, coordinators)
  if (problem !== ErrorCode.ERR_NO_ERROR) return notDescribed(groupId, problem, '')
  const group = groups.get(groupId)
  const classic = group?.classic ?? null
  if (classic === null) {
    const errorMessage =
      group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a classic group.`
    const answer = notDescribed(groupId, ErrorCode.ERR_NO_ERROR, 'Dead')
    return version < NOT_FOUND_VERSION
      ? answer
      : { ...answer, errorCode: ErrorCode.ERR_GROUP_ID_NOT_FOUND, errorMessage }
  }
  // The members' metadata is only shown once the group has settled on a protocol.
  const protocol = classic.state === 'Stable' ? classic.protocol : null
  return {
    errorCode: ErrorCode.ERR_NO_ERROR,
    groupId,
    groupState: classic.state,
    protocolType: classic.protocolType ?? '',
    protocolData: protocol ?? '',
    members: [...classic.members.values()].map(member => ({
      memberId: member.id,
      clientId: member.clientId,
      clientHost: member.host,
      memberMetadata: protocol === null ? NO_BYTES : metadataOf(member, protocol),
      memberAssignment: member.assignment,
      ...(version >= INSTANCE_VERSION ? { groupInstanceId: member.groupInstanceId } : {}),
    })),
    ...(withOperations ? { authorizedOperations: authorizedOperations(context, 'group', groupId) } : {}),
  }
}

function notDescribed(groupId: string, errorCode: number, groupState: string): DescribeGroupsResponseDescribedGroup {
  return { groupId, errorCode, groupState, protocolType: '', protocolData: '', members: [] }
}

function remove(groupId: string, context: RequestContext, { coordinators, groups }: GroupStores): number {
  const problem = checkGroup('delete', groupId, context, coordinators)
  if (problem !== ErrorCode.ERR_NO_ERROR) return problem
  const group = groups.get(groupId)
  if (group === undefined) return ErrorCode.ERR_GROUP_ID_NOT_FOUND
  // Whoever waits for a session to end deletes the group right then.
  group.endSessions()
  if (!group.isEmpty) return ErrorCode.ERR_NON_EMPTY_GROUP
  groups.delete(group)
  return ErrorCode.ERR_NO_ERROR
}
