import type { Random } from './random.ts'

/**
 * The backoff before retry number `attempt`, from 1: the base doubles with each retry up to the maximum, then 20 % of
 * jitter either way keeps clients out of step (KIP-580; `retry.backoff.ms`, `retry.backoff.max.ms`).
 * @returns milliseconds, never over `maxMs`
 */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, random: Random): number {
  const exponential = baseMs * 2 ** Math.min(Math.max(attempt - 1, 0), 30)
  const jittered = Math.min(exponential, maxMs) * (0.8 + 0.4 * random())
  return Math.min(jittered, maxMs)
}
