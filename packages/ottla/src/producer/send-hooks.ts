/** What sees every message of a producer on its way: the application's interceptors, and traces of single messages. */
import { Intake } from './intake.ts'
import type { ReportSink } from './queue/entries.ts'
import { checkMessage, type AnyMessage } from './queue/message.ts'
import type { Settled } from './report/report.ts'

export interface SendHooks {
  /**
   * The message to send, in place of the given one or the same.
   * @throws KafkaError with which it is refused
   */
  onSend(message: AnyMessage): AnyMessage
  /** A message that `onSend` returned was not accepted. */
  refused(message: AnyMessage, error: unknown): void
  /** Messages have an outcome; their reports follow. */
  settled(settled: Settled): void
}

/** Calls hooks one after the other; each sees what the one before has made of a message. */
export class ChainedHooks implements SendHooks {
  readonly #first: SendHooks
  readonly #second: SendHooks

  constructor(first: SendHooks, second: SendHooks) {
    this.#first = first
    this.#second = second
  }

  onSend(message: AnyMessage): AnyMessage {
    return this.#second.onSend(this.#first.onSend(message))
  }

  refused(message: AnyMessage, error: unknown): void {
    this.#first.refused(message, error)
    this.#second.refused(message, error)
  }

  settled(settled: Settled): void {
    this.#first.settled(settled)
    this.#second.settled(settled)
  }
}

/** The intake of a producer with hooks; a class of its own, so that other producers pay nothing. */
export class HookedIntake extends Intake {
  readonly #hooks: SendHooks

  constructor(hooks: SendHooks, ...args: ConstructorParameters<typeof Intake>) {
    super(...args)
    this.#hooks = hooks
  }

  override produce(message: AnyMessage, sink: ReportSink): void {
    checkMessage(message)
    const changed = this.#hooks.onSend(message)
    try {
      if (changed === message) this.produceChecked(message, sink)
      else super.produce(changed, sink)
    } catch (error) {
      this.#hooks.refused(changed, error)
      throw error
    }
  }

  protected override enter(
    message: AnyMessage,
    sink: ReportSink,
    signal: AbortSignal | undefined,
  ): Promise<void> | null {
    checkMessage(message)
    const changed = this.#hooks.onSend(message)
    const refuse = (error: unknown): never => {
      this.#hooks.refused(changed, error)
      throw error
    }
    try {
      return super.enter(changed, sink, signal)?.catch(refuse) ?? null
    } catch (error) {
      return refuse(error)
    }
  }
}
