import type { DeliveryReport } from '../types.ts'
import type { Intake } from './intake.ts'
import type { AnyMessage } from './queue/message.ts'

// A few messages ahead: the queue is what limits the stream.
const HIGH_WATER_MARK = 256

/**
 * A stream into the producer. A write is done when the message is in the queue. The first message that cannot be
 * delivered errors the stream. Closing it waits for the reports of all messages written.
 */
export function writableOf<M extends AnyMessage>(intake: () => Intake): WritableStream<M> {
  let open = 0
  let failure: Error | null = null
  let onDone: (() => void) | null = null
  return new WritableStream<M>(
    {
      async write(message, controller) {
        const onReport = (report: DeliveryReport): void => {
          open--
          if (report.error !== undefined && failure === null) {
            failure = report.error
            controller.error(failure)
          }
          if (open === 0) onDone?.()
        }
        open++
        try {
          await intake().accept(message, { settle: onReport })
        } catch (error) {
          open--
          throw error
        }
      },
      async close() {
        if (open > 0) await new Promise<void>(resolve => (onDone = resolve))
        if (failure !== null) throw failure
      },
    },
    { highWaterMark: HIGH_WATER_MARK },
  )
}
