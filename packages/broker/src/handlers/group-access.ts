/** Who may do something with a group, and which broker answers for it. */
import { ErrorCode } from '@ottla/protocol'
import type { Operation } from '../security/acls.ts'
import type { Coordinators } from '../topics/coordinators.ts'
import type { RequestContext } from './request.ts'

/** 0, or why the client or this broker has nothing to do with the group. */
export function checkGroup(
  operation: Operation,
  groupId: string,
  context: RequestContext,
  coordinators: Coordinators,
): number {
  if (!context.allows(operation, 'group', groupId)) return ErrorCode.ERR_GROUP_AUTHORIZATION_FAILED
  return coordinators.check(context.brokerId, groupId)
}

/** The host of a client as groups tell it. */
export function hostOf(context: RequestContext): string {
  return `/${context.session.host}`
}

/** Whether the client may know of a topic. */
export function canDescribe(context: RequestContext): (topic: string) => boolean {
  return topic => context.allows('describe', 'topic', topic)
}
