/** Helpers for tests of wrong input: error codes of responses. */
import assert from 'node:assert/strict'

export function same(actual: unknown, expected: unknown): void {
  assert.deepEqual(actual, expected)
}

/** Every `errorCode` of a response, outer ones first. */
export function codesOf(answer: unknown): number[] {
  if (Array.isArray(answer)) return answer.flatMap(codesOf)
  if (typeof answer !== 'object' || answer === null || ArrayBuffer.isView(answer)) return []
  const own = 'errorCode' in answer ? [Number(answer.errorCode)] : []
  return [...own, ...Object.values(answer).flatMap(codesOf)]
}

/** Asks until the condition holds, for half a minute at most. */
export async function patiently(complaint: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await isSo())) assert.ok(Date.now() < deadline, complaint)
}
