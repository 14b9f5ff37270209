import { onAbort } from '../base/abort.ts'
import { Deadline, whenPassed, type Clock } from '../base/clock.ts'
import type { Pipeline } from './pipeline.ts'

/**
 * Sends everything without linger, and waits until all of it has been reported.
 * @param timeoutMs - -1 for no limit
 * @param signal - ends the wait, like the limit
 * @returns how many messages have no report yet: more than 0 only if the wait ended early
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
