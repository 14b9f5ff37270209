/** Whether a client may use a group, and whether this broker coordinates it. */
import { ErrorCode } from '@ottla/protocol'
import type { AclOperation } from '../security/acls.ts'
import type { Coordinators } from '../topics/coordinators.ts'
import type { RequestContext } from './request.ts'

/** 0, or why the client may not use the group here. */
export function checkGroup(
  operation: AclOperation,
  groupId: string,
  context: RequestContext,
  coordinators: Coordinators,
): number {
  if (!context.allows(operation, 'group', groupId)) return ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED
  return coordinators.check(context.brokerId, groupId)
}

/** A client's host as group descriptions show it. */
export function hostOf(context: RequestContext): string {
  return `/${context.session.host}`
}

/** Whether the client may know that a topic exists. */
export function canDescribe(context: RequestContext): (topic: string) => boolean {
  return topic => context.allows('describe', 'topic', topic)
}
