import { LeaveGroup, type LeaveGroupRequest } from '@ottla/protocol'
import type { KafkaError } from '../errors.ts'
import { requireDistinct, requireItems, requireName, requireThat } from './arguments.ts'
import { coordinatorMoved, itemError, missingAnswer, withError, type AdminCall, type AdminOptions } from './call.ts'
import { describeConsumerGroups } from './groups.ts'

/**
 * One member of a group: a static one by its `group.instance.id`, any other by its member id.
 * @since 0.1.0
 */
export type MemberToRemove =
  | { readonly groupInstanceId: string; readonly memberId?: never }
  | { readonly memberId: string; readonly groupInstanceId?: never }

/**
 * Options of `removeMembersFromConsumerGroup`.
 * @since 0.1.0
 */
export interface RemoveMembersOptions extends AdminOptions {
  /** For the coordinator's log (KIP-800). */
  readonly reason?: string
}

/**
 * The outcome for one member, identified as in the call.
 * @since 0.1.0
 */
export interface RemovedMember {
  memberId?: string
  groupInstanceId?: string
  error?: KafkaError
}

const FIRST_VERSION_OF_MANY = 3
const FIRST_VERSION_WITH_REASON = 5

/**
 * @param members all members if undefined
 * Rejects with the broker's error if it concerns the group as a whole.
 */
export async function removeMembers(
  call: AdminCall,
  groupId: string,
  members: readonly MemberToRemove[] | undefined,
  reason: string | undefined,
): Promise<RemovedMember[]> {
  requireName(groupId, 'group')
  if (members !== undefined) checkMembers(members)
  if (reason !== undefined) requireName(reason, 'reason')
  const leaving = members ?? (await allMembers(call, groupId))
  if (leaving.length === 0) return []
  const body = (version: number): LeaveGroupRequest => ({
    groupId,
    members: leaving.map(({ memberId, groupInstanceId }) => ({
      memberId: memberId ?? '',
      groupInstanceId: groupInstanceId ?? null,
      ...(version < FIRST_VERSION_WITH_REASON || reason === undefined ? {} : { reason }),
    })),
  })
  const { deadline, signal } = call
  const response = await call.cluster.request({ to: 'coordinator', type: 'group', key: groupId }, LeaveGroup, body, {
    deadline,
    signal,
    minVersion: FIRST_VERSION_OF_MANY,
    errorOf: r => coordinatorMoved([r.errorCode]),
  })
  const error = itemError(response.errorCode, null, `group '${groupId}'`)
  if (error !== undefined) throw error
  return leaving.map(({ memberId, groupInstanceId }) => {
    // Some coordinators answer a static member with its member id.
    const answer = response.members.find(m =>
      groupInstanceId === undefined ? m.memberId === memberId : m.groupInstanceId === groupInstanceId,
    )
    const subject = `member '${groupInstanceId ?? memberId}' of group '${groupId}'`
    const failure = answer === undefined ? missingAnswer(subject) : itemError(answer.errorCode, null, subject)
    return {
      ...(memberId === undefined ? {} : { memberId }),
      ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
      ...withError(failure),
    }
  })
}

function checkMembers(members: readonly MemberToRemove[]): void {
  requireItems(members, 'members')
  members.forEach(({ memberId, groupInstanceId }, i) => {
    requireThat(
      (memberId === undefined) !== (groupInstanceId === undefined),
      `members[${i}] must have either a memberId or a groupInstanceId`,
    )
    requireName(memberId ?? groupInstanceId, `members[${i}]`)
  })
  requireDistinct(members, m => m.groupInstanceId ?? m.memberId, 'members')
}

async function allMembers(call: AdminCall, groupId: string): Promise<MemberToRemove[]> {
  const [group] = await describeConsumerGroups(call, [groupId], false)
  if (group?.error !== undefined) throw group.error
  return (group?.members ?? []).map(({ memberId, groupInstanceId }) =>
    groupInstanceId === undefined ? { memberId } : { groupInstanceId },
  )
}
