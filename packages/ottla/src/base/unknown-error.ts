/** What was thrown may be anything: these make the best of it. */

/** Its message, for a sentence. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Where it was thrown, for a log: the fault is in somebody's code. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** As what promises reject with. */
export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
