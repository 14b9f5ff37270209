/** Anything can be thrown; these functions make the best of it. */

/** Its message, for a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Its stack, for a log: the fault is in somebody's code. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** As an Error, for a promise to reject with. */
export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
