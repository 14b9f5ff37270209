import { onAbort } from '../base/abort.ts'
import { Alarm } from '../base/alarm.ts'
import { Deadline, whenPassed, type Clock } from '../base/clock.ts'
import type { EventHub } from '../observe/events.ts'
import type { Pipeline } from './pipeline.ts'

/**
 * Sends everything without linger, and waits until the report of each message has been given: its callback has returned,
 * its promise is settled. Messages that wait for room, or for a serializer, count as well.
 * @param timeoutMs - -1 for no limit
 * @param signal - ends the wait, like the limit
 * @returns how many messages have no report yet: more than 0 only if the wait ended early
 */
export function flush(pipeline: Pipeline, clock: Clock, timeoutMs: number, signal?: AbortSignal): Promise<number> {
  const { accumulator } = pipeline
  if (accumulator.unfinished === 0) return Promise.resolve(0)
  const endSkip = pipeline.skipLinger()
  if (timeoutMs === 0 || signal?.aborted === true) {
    endSkip()
    return Promise.resolve(accumulator.unfinished)
  }
  return new Promise(resolve => {
    const end = (): void => {
      endSkip()
      stopWaiting()
      timer.cancel()
      stopListening()
      resolve(accumulator.unfinished)
    }
    const stopWaiting = accumulator.whenEmpty(end)
    const timer = whenPassed(clock, Deadline.after(clock, timeoutMs), end)
    const stopListening = onAbort(signal, end)
  })
}

/** A reader of events that has not asked for one for this long does not count as a reader. */
const PATIENCE_MS = 1000

/**
 * Waits until the delivery reports in streams of events have been read, or nobody reads them any more.
 * @returns how many have not been read: more than 0 only if the deadline or the signal ended the wait
 */
export function untilRead(
  events: EventHub,
  clock: Clock,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { unreadReports } = events
  if (unreadReports === 0 || signal?.aborted === true || deadline.left() <= 0) return Promise.resolve(unreadReports)
  return new Promise(resolve => {
    let readAt = clock.now()
    const end = (unread: number): void => {
      stopReading()
      limit.cancel()
      patience.cancel()
      stopListening()
      resolve(unread)
    }
    const stopReading = events.onRead(() => {
      readAt = clock.now()
      if (events.unreadReports === 0) end(0)
    })
    const limit = whenPassed(clock, deadline, () => end(events.unreadReports))
    const patience = new Alarm(clock, () => {
      if (clock.now() >= readAt + PATIENCE_MS) end(0)
      else patience.set(readAt + PATIENCE_MS)
    })
    patience.set(readAt + PATIENCE_MS)
    const stopListening = onAbort(signal, () => end(events.unreadReports))
  })
}
