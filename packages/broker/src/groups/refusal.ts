/** A coordinator says no. */

/** Thrown before anything is changed; handlers make an answer of it. */
export class GroupRefusal extends Error {
  override readonly name = 'GroupRefusal'
  readonly errorCode: number

  constructor(errorCode: number, message: string) {
    super(message)
    this.errorCode = errorCode
  }
}

/** The answer, or the one that tells of the refusal. */
export function orRefuse<T>(ask: () => T, refuse: (errorCode: number, message: string) => T): T {
  try {
    return ask()
  } catch (error) {
    if (error instanceof GroupRefusal) return refuse(error.errorCode, error.message)
    throw error
  }
}
