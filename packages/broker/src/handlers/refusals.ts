/** What the answers to refused requests have in common. */
import { errorName } from '@ottla/protocol'

export interface Reason {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** An error for which there is no other reason to be told. */
export function named(errorCode: number): { errorCode: number; errorMessage: string } {
  return { errorCode, errorMessage: errorName(errorCode) }
}

/** Of an API whose answer has a place for one error, and nothing else that would have to be there. */
export function onlyCode(_body: unknown, errorCode: number): { throttleTimeMs: number; errorCode: number } {
  return { throttleTimeMs: 0, errorCode }
}
