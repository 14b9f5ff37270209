/** Calls the application's interceptors for every message and report of a producer. */
import { ErrorCode } from '@ottla/protocol'
import { bound } from '../base/bound.ts'
import { KafkaError, invalidArgument } from '../errors.ts'
import { HookErrors } from '../observe/hook-errors.ts'
import type { Logger } from '../observe/logger.ts'
import type { Bytes, DeliveryReport, ProducerMessage } from '../types.ts'
import type { AnyMessage } from './queue/message.ts'
import { makeReport, refusal, type Settled } from './report/report.ts'
import type { SendHooks } from './send-hooks.ts'

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
export class ProducerInterceptors implements SendHooks {
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

function isMessage(value: unknown): value is AnyMessage {
  return typeof value === 'object' && value !== null && typeof (value as { topic?: unknown }).topic === 'string'
}
