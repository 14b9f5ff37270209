/** Calls the application's interceptors for every message and report of a producer. */
import { ErrorCode } from '@ottla/protocol'
import { bound } from '../base/bound.ts'
import { KafkaError, invalidArgument } from '../errors.ts'
import { HookErrors } from '../observe/hook-errors.ts'
import type { Logger } from '../observe/logger.ts'
import type { Bytes, DeliveryReport, ProducerMessage } from '../types.ts'
import { Intake } from './intake.ts'
import type { ReportSink } from './queue/entries.ts'
import { checkMessage, type AnyMessage } from './queue/message.ts'
import { makeReport, refusal, type Settled } from './report/report.ts'

/**
 * Sees every message of a producer. Its functions are called synchronously, in the order of the interceptors, and must
 * be quick; errors that they throw are logged and have no other effect.
 * @since 0.1.0
 */
export interface ProducerInterceptor<K = Bytes, V = Bytes> {
  /**
   * Called before the message is serialized and assigned to a partition.
   * @returns the message to send instead (a new object: do not change the application's own); undefined for this one;
   *   a KafkaError to refuse it, which `produce` throws and `send` rejects with
   */
  onSend?(message: ProducerMessage<K, V>): ProducerMessage<K, V> | KafkaError | undefined
  /**
   * Called exactly once with the report of every message that `onSend` saw, before the application's own callback; also
   * for a message that was not accepted.
   */
  onAcknowledgement?(report: DeliveryReport<K, V>): void
}

type AnyInterceptor = ProducerInterceptor<unknown, unknown>

/** Calls the interceptors one after the other. */
export class ProducerInterceptors {
  readonly #interceptors: readonly AnyInterceptor[]
  readonly #errors: HookErrors
  // Called in the asynchronous context of the constructor, not in that of the response.
  readonly #acknowledge = bound((report: DeliveryReport): void => this.#acknowledgeNow(report))

  /** @throws KafkaError ERR__INVALID_ARG for anything but an object */
  constructor(interceptors: readonly unknown[], logger: Logger) {
    for (const interceptor of interceptors) {
      if (typeof interceptor !== 'object' || interceptor === null) throw invalidArgument('interceptors must be objects')
    }
    // Their functions are checked when they are called.
    this.#interceptors = interceptors as readonly AnyInterceptor[]
    this.#errors = new HookErrors(logger)
  }

  /**
   * The message after all interceptors.
   * @throws KafkaError with which one of them refused it
   */
  onSend(message: AnyMessage): AnyMessage {
    let current = message
    for (const interceptor of this.#interceptors) {
      if (interceptor.onSend === undefined) continue
      let changed: unknown
      try {
        changed = interceptor.onSend(current)
      } catch (error) {
        this.#errors.report('onSend', error)
        continue
      }
      if (changed === undefined) continue
      if (changed instanceof KafkaError) {
        this.refused(current, changed)
        throw changed
      }
      if (isMessage(changed)) current = changed
      else this.#errors.report('onSend', new TypeError('it returned neither a message nor a KafkaError nor undefined'))
    }
    return current
  }

  /** Reports a message that was not accepted after `onSend`. */
  refused(message: AnyMessage, error: unknown): void {
    const reported =
      error instanceof KafkaError ? error : new KafkaError(ErrorCode.ERR__FAIL, String(error), { cause: error })
    this.#acknowledge(refusal(message, reported))
  }

  /** Reports settled messages. */
  settled(settled: Settled): void {
    for (let i = settled.from; i < settled.end; i++) this.#acknowledge(makeReport(settled, i))
  }

  #acknowledgeNow(report: DeliveryReport): void {
    for (const interceptor of this.#interceptors) {
      try {
        interceptor.onAcknowledgement?.(report)
      } catch (error) {
        this.#errors.report('onAcknowledgement', error)
      }
    }
  }
}

/** The intake of a producer with interceptors; a class of its own, so that other producers pay nothing. */
export class InterceptedIntake extends Intake {
  readonly #interceptors: ProducerInterceptors

  constructor(interceptors: ProducerInterceptors, ...args: ConstructorParameters<typeof Intake>) {
    super(...args)
    this.#interceptors = interceptors
  }

  override produce(message: AnyMessage, sink: ReportSink): void {
    checkMessage(message)
    const changed = this.#interceptors.onSend(message)
    try {
      super.produce(changed, sink)
    } catch (error) {
      this.#interceptors.refused(changed, error)
      throw error
    }
  }

  protected override enter(
    message: AnyMessage,
    sink: ReportSink,
    signal: AbortSignal | undefined,
  ): Promise<void> | null {
    checkMessage(message)
    const changed = this.#interceptors.onSend(message)
    const refuse = (error: unknown): never => {
      this.#interceptors.refused(changed, error)
      throw error
    }
    try {
      return super.enter(changed, sink, signal)?.catch(refuse) ?? null
    } catch (error) {
      return refuse(error)
    }
  }
}

function isMessage(value: unknown): value is AnyMessage {
  return typeof value === 'object' && value !== null && typeof (value as { topic?: unknown }).topic === 'string'
}
