/** What the responses to refused requests have in common. */
import { errorName } from '@ottla/protocol'

export interface Reason {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** An error code with its name as the message, for lack of a better one. */
export function namedError(errorCode: number): { errorCode: number; errorMessage: string } {
  return { errorCode, errorMessage: errorName(errorCode) }
}

/** The refusal of an API whose response needs nothing but an error code. */
export function errorCodeOnly(_body: unknown, errorCode: number): { throttleTimeMs: number; errorCode: number } {
  return { throttleTimeMs: 0, errorCode }
}
