/** Refusals of a coordinator. */

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
