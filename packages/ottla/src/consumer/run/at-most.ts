import { sleep, type Clock } from '../../base/clock.ts'

/** Waits for the work, but no longer than `ms`; rejects as the work does. */
export async function atMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  const time = sleep(clock, ms, over.signal).catch(() => undefined)
  await Promise.race([work, time])
  over.abort()
}
