/** Locked messages that cannot be deserialized for a reason that passes: they keep their locks, others come meanwhile. */
import type { Timer } from '../../base/clock.ts'
import type { ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'
import { decodeBackoffMs } from '../read/decode-backoff.ts'
import type { LockedMessage } from './message.ts'
import type { ShareQueue } from './share-queue.ts'

/** To release them would count as deliveries, of which the broker allows but a few. */
export class ShareBackoff {
  readonly #context: Pick<ClientContext, 'clock' | 'random' | 'logger'>
  readonly #queue: ShareQueue
  readonly #wake: () => void
  readonly #waited = new WeakSet<LockedMessage>()
  /** How often in a row those that wait have failed. */
  #failures = 0
  #timer: Timer | null = null

  /** @param wake has the reader look again */
  constructor(context: Pick<ClientContext, 'clock' | 'random' | 'logger'>, queue: ShareQueue, wake: () => void) {
    this.#context = context
    this.#queue = queue
    this.#wake = wake
  }

  /** It comes again after a while, with all others that wait. */
  postpone(message: LockedMessage, why: KafkaError): void {
    const { clock, random, logger } = this.#context
    this.#waited.add(message)
    this.#queue.postpone(message)
    if (this.#timer !== null) return
    if (this.#failures++ === 0) logger.warning('DECODE', `${why.name}: ${why.message}`)
    this.#timer = clock.setTimer(decodeBackoffMs(this.#failures, random), () => {
      this.#timer = null
      this.#queue.bringBack()
      this.#wake()
    })
  }

  /** It has been deserialized, or never will be. */
  ended(message: LockedMessage): void {
    if (this.#failures > 0 && this.#waited.has(message)) this.#failures = 0
  }

  /** The application asks for no more. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#queue.bringBack()
  }
}
