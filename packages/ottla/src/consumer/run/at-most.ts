import { sleep, type Clock } from '../../base/clock.ts'

/** Until the work has ended, or so many ms are over; rejects as the work does. */
export async function atMost(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  const time = sleep(clock, ms, over.signal).catch(() => undefined)
  await Promise.race([work, time])
  over.abort()
}
