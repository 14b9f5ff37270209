import { onAbort } from '../base/abort.ts'
import { Deadline, whenPassed, type Clock } from '../base/clock.ts'
import type { Pipeline } from './pipeline.ts'

/**
 * Sends everything without waiting for company, and waits until all of it has been reported.
 * @param timeoutMs - -1: no limit
 * @param signal - ends the wait as the limit does
 * @returns the messages that have no report yet: 0, or more when the wait was cut short
 */
export function flush(pipeline: Pipeline, clock: Clock, timeoutMs: number, signal?: AbortSignal): Promise<number> {
  const { accumulator } = pipeline
  if (accumulator.isEmpty) return Promise.resolve(0)
  const endSkip = pipeline.skipLinger()
  if (timeoutMs === 0 || signal?.aborted === true) {
    endSkip()
    return Promise.resolve(accumulator.messages)
  }
  return new Promise(resolve => {
    const end = (): void => {
      endSkip()
      stopWaiting()
      timer.cancel()
      stopListening()
      resolve(accumulator.messages)
    }
    const stopWaiting = accumulator.whenEmpty(end)
    const timer = whenPassed(clock, Deadline.after(clock, timeoutMs), end)
    const stopListening = onAbort(signal, end)
  })
}
