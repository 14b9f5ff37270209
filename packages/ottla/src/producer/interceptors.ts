/** Functions of the program on the way of every message into and out of a producer. */
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
 * Sees every message of a producer. Its functions are called at once, in the order of the interceptors, and have to
 * be quick; what they throw is logged and changes nothing.
 * @since 0.1.0
 */
export interface ProducerInterceptor<K = Bytes, V = Bytes> {
  /**
   * Called before the message is serialized and given a partition.
   * @returns the message to send instead (a new object: the program's own is not to be changed); nothing for this one;
   *   a KafkaError to refuse it, which `produce` throws and `send` rejects with
   */
  onSend?(message: ProducerMessage<K, V>): ProducerMessage<K, V> | KafkaError | undefined
  /**
   * Called with the report of every message that `onSend` saw, before the program's own callback, exactly once, also for
   * one that was not accepted.
   */
  onAcknowledgement?(report: DeliveryReport<K, V>): void
}

type AnyInterceptor = ProducerInterceptor<unknown, unknown>

/** Calls the interceptors one after the other. */
export class ProducerInterceptors {
  readonly #interceptors: readonly AnyInterceptor[]
  readonly #errors: HookErrors
  // Reports come in the context of the constructor, not in that of whatever brought them.
  readonly #acknowledge = bound((report: DeliveryReport): void => this.#acknowledgeNow(report))

  /** @throws KafkaError ERR__INVALID_ARG for what is no interceptor */
  constructor(interceptors: readonly unknown[], logger: Logger) {
    for (const interceptor of interceptors) {
      if (typeof interceptor !== 'object' || interceptor === null) throw invalidArgument('interceptors must be objects')
    }
    // Their functions are checked by being called.
    this.#interceptors = interceptors as readonly AnyInterceptor[]
    this.#errors = new HookErrors(logger)
  }

  /**
   * The message as the interceptors leave it.
   * @throws KafkaError that one of them has refused it with
   */
  onSend(message: AnyMessage): AnyMessage {
    let current = message
    for (const interceptor of this.#interceptors) {
      if (interceptor.onSend === undefined) continue
      let changed: unknown
      try {
        changed = interceptor.onSend(current)
      } catch (error) {
        this.#errors.tell('onSend', error)
        continue
      }
      if (changed === undefined) continue
      if (changed instanceof KafkaError) {
        this.refused(current, changed)
        throw changed
      }
      if (isMessage(changed)) current = changed
      else this.#errors.tell('onSend', new TypeError('it returned neither a message nor a KafkaError nor undefined'))
    }
    return current
  }

  /** A message was not accepted after all. */
  refused(message: AnyMessage, error: unknown): void {
    const told =
      error instanceof KafkaError ? error : new KafkaError(ErrorCode.ERR__FAIL, String(error), { cause: error })
    this.#acknowledge(refusal(message, told))
  }

  /** All messages of a batch have their reports. */
  settled(settled: Settled): void {
    for (let i = 0; i < settled.entries.count; i++) this.#acknowledge(makeReport(settled, i))
  }

  #acknowledgeNow(report: DeliveryReport): void {
    for (const interceptor of this.#interceptors) {
      try {
        interceptor.onAcknowledgement?.(report)
      } catch (error) {
        this.#errors.tell('onAcknowledgement', error)
      }
    }
  }
}

/** The ways in of a producer with interceptors; on its own, so that others pay nothing. */
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
