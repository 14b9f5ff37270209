/** Refusals of a coordinator. */
import { ErrorCode } from '@ottla/protocol'

/** Thrown before anything is changed; handlers turn it into a response. */
export class GroupRefusal extends Error {
  override readonly name = 'GroupRefusal'
  readonly errorCode: number

  constructor(errorCode: number, message: string) {
    super(message)
    this.errorCode = errorCode
  }
}

/** The result of `action`, or that of `refuse` if it throws a GroupRefusal. */
export function orRefuse<T>(action: () => T, refuse: (errorCode: number, message: string) => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof GroupRefusal) return refuse(error.errorCode, error.message)
    throw error
  }
}

/** The member of this id. @throws GroupRefusal UNKNOWN_MEMBER_ID */
export function knownMember<M>(members: ReadonlyMap<string, M>, memberId: string, groupId: string): M {
  const member = members.get(memberId)
  if (member !== undefined) return member
  throw new GroupRefusal(ErrorCode.ERR_UNKNOWN_MEMBER_ID, `Member ${memberId} is not a member of group ${groupId}.`)
}
