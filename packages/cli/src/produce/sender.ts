import { ErrorCode, KafkaError, type DeliveryReport, type Producer, type ProducerMessage } from 'ottla'
import { explain } from '../client/explain.ts'
import { DONE, FAILED, type Terminal } from '../terminal/terminal.ts'
import type { ProduceOptions } from './options.ts'

const QUEUE_FULL_WAIT_MS = 100

/** Produces messages, and counts those that were accepted and those that failed. */
export class Sender {
  readonly #producer: Producer
  readonly #terminal: Terminal
  readonly #limit: number
  readonly #onReport: (report: DeliveryReport) => void
  #accepted = 0
  #failed = 0
  #firstError: KafkaError | null = null

  constructor(producer: Producer, terminal: Terminal, options: ProduceOptions) {
    this.#producer = producer
    this.#terminal = terminal
    this.#limit = options.count ?? Infinity
    this.#onReport = ({ error }) => {
      if (error !== undefined) this.#fail(error)
    }
  }

  /** Whether `--count` messages have been accepted. */
  get full(): boolean {
    return this.#accepted >= this.#limit
  }

  /** Whether a message has failed. */
  get failed(): boolean {
    return this.#failed > 0
  }

  /**
   * Waits for room in the queue. A refused message counts as failed and does not stop the others.
   * @param encode null: as it is
   */
  async send(
    message: ProducerMessage,
    encode: ((message: ProducerMessage) => Promise<ProducerMessage>) | null = null,
  ): Promise<void> {
    this.#accepted++
    for (;;) {
      try {
        this.#producer.produce(encode === null ? message : await encode(message), this.#onReport)
        return
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        if (error.code !== ErrorCode.ERR__QUEUE_FULL) {
          this.#fail(error)
          return
        }
        await this.#producer.flush(QUEUE_FULL_WAIT_MS)
      }
    }
  }

  /** Reports failures. @returns the exit status */
  finish(): number {
    if (this.#firstError === null) return DONE
    const what = `${this.#failed} of ${this.#accepted} messages were not delivered`
    this.#terminal.stderr.write(`ottla produce: ${what}; first error: ${explain(this.#firstError)}\n`)
    return FAILED
  }

  #fail(error: KafkaError): void {
    this.#failed++
    this.#firstError ??= error
  }
}
