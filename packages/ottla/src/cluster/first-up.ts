/** Waits for the first of several brokers to be up: one that keeps silent must not keep a client from the others. */
import { onAbort } from '../base/abort.ts'
import { abortReason, whenPassed, type Clock, type Deadline, type Timer } from '../base/clock.ts'
import type { KafkaError } from '../errors.ts'
import { NEXT_BESIDE_MS } from '../network/attempt.ts'
import type { Broker } from './broker.ts'

export interface Waiting {
  onUp(broker: Broker): void
  onDown(broker: Broker, error: KafkaError): void
  onClosed(error: KafkaError): void
}

/**
 * Connects to the brokers one after the other, the next beside those under way when they are not up within
 * NEXT_BESIDE_MS, at once when one fails. Those that are not needed are given up.
 * Rejects with the last failure when all have failed, with what `late` makes at the deadline, or with the signal's reason.
 * @param waiting - hears of brokers for as long as this waits
 */
export function firstUp(
  brokers: readonly Broker[],
  clock: Clock,
  deadline: Deadline,
  signal: AbortSignal | undefined,
  waiting: Set<Waiting>,
  late: () => KafkaError,
): Promise<Broker> {
  return new Promise<Broker>((resolve, reject) => {
    const underWay = new Set<Broker>()
    let next = 0
    let timer: Timer | null = null
    const settle = (): void => {
      waiting.delete(watcher)
      timer?.cancel()
      limit.cancel()
      stopListening()
    }
    const begin = (): boolean => {
      const broker = brokers[next]
      if (broker === undefined) return false
      next++
      underWay.add(broker)
      broker.warm('control')
      return true
    }
    const beginLater = (): void => {
      timer?.cancel()
      timer = clock.setTimer(NEXT_BESIDE_MS, () => {
        if (begin()) beginLater()
      })
    }
    const watcher: Waiting = {
      onUp: broker => {
        if (!brokers.includes(broker)) return
        settle()
        for (const other of underWay) if (other !== broker) other.cool('control')
        resolve(broker)
      },
      onDown: (broker, error) => {
        if (!underWay.delete(broker)) return
        if (begin()) beginLater()
        else if (underWay.size === 0) {
          settle()
          reject(error)
        }
      },
      onClosed: error => {
        settle()
        reject(error)
      },
    }
    const limit = whenPassed(clock, deadline, () => {
      settle()
      reject(late())
    })
    const stopListening = onAbort(signal, () => {
      settle()
      // It is only called when there is a signal.
      reject(abortReason(signal as AbortSignal))
    })
    waiting.add(watcher)
    begin()
    beginLater()
  })
}
