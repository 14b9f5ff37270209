import { ErrorCode, errorName } from '@ottla/protocol'
import { errorTraits } from './error-traits.ts'
import type { DeliveryReport } from './types.ts'

export { ErrorCode, errorName }

/** What may be said of an error beyond its code. */
export interface KafkaErrorOptions {
  /** The instance is of no further use. */
  readonly fatal?: boolean
  /** Trying the same call again may help; by default as the table of codes says. */
  readonly retriable?: boolean
  /** The transaction has to be aborted before anything else can be done. */
  readonly txnRequiresAbort?: boolean
  readonly cause?: unknown
}

const brand = Symbol.for('ottla.KafkaError')

/**
 * Every error of this library: a code of librdkafka or of the broker, and a sentence that names the culprit.
 * @since 0.1.0
 */
export class KafkaError extends Error {
  /** A broker's code (0 and above, -1) or a local one (below -1); see ErrorCode. */
  readonly code: number
  /** The code's name, as `ERR__QUEUE_FULL`. */
  override readonly name: string
  /** The instance that raised it can only be closed. */
  readonly isFatal: boolean
  /** Trying the same call again may help. */
  readonly isRetriable: boolean
  /** `abortTransaction()` has to come next. */
  readonly txnRequiresAbort: boolean
  /** The report of the message that could not be delivered (`Producer.send`). */
  declare readonly report?: DeliveryReport

  constructor(code: number, message: string, options: KafkaErrorOptions & { readonly report?: DeliveryReport } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.name = errorName(code)
    this.isFatal = options.fatal ?? false
    this.isRetriable = options.retriable ?? errorTraits(code).retriable
    this.txnRequiresAbort = options.txnRequiresAbort ?? false
    // A report carries a message's content: it must not be printed with the error.
    if (options.report !== undefined)
      Object.defineProperty(this, 'report', { value: options.report, enumerable: false })
  }

  /** A wait ended: ERR__TIMED_OUT, ERR__MSG_TIMED_OUT or ERR__TIMED_OUT_QUEUE. */
  get isTimeout(): boolean {
    return (
      this.code === ErrorCode.ERR__TIMED_OUT ||
      this.code === ErrorCode.ERR__MSG_TIMED_OUT ||
      this.code === ErrorCode.ERR__TIMED_OUT_QUEUE
    )
  }

  /** The error that a code stands for, about `culprit`: `orders [3]: this broker does not lead the partition`. */
  static of(code: number, culprit: string, detail?: string | null, options: KafkaErrorOptions = {}): KafkaError {
    const text = detail === null || detail === undefined || detail === '' ? errorTraits(code).text : detail
    return new KafkaError(code, `${culprit}: ${text}`, options)
  }

  /** @internal marks errors of any copy of this library */
  get [brand](): true {
    return true
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // Two copies of the library in one process must recognise each other's errors; subclasses keep the usual rule.
    if (this !== KafkaError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && (value as { [brand]?: unknown })[brand] === true
  }
}

/** The error of a call that cannot be carried out as it was made. @internal */
export function invalidArgument(message: string, cause?: unknown): KafkaError {
  return new KafkaError(ErrorCode.ERR__INVALID_ARG, message, { cause })
}
