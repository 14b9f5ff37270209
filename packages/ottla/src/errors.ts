import { ErrorCode, errorName } from '@ottla/protocol'
import { errorTraits } from './error-traits.ts'
import type { DeliveryReport } from './types.ts'

export { ErrorCode, errorName }

/** Optional properties of an error. */
export interface KafkaErrorOptions {
  /** The client that raised it can only be closed. */
  readonly fatal?: boolean
  /** Retrying the same call may help; the table of codes has the default. */
  readonly retriable?: boolean
  /** The transaction must be aborted before anything else can be done. */
  readonly txnRequiresAbort?: boolean
  readonly cause?: unknown
}

const brand = Symbol.for('ottla.KafkaError')

/**
 * The error class of this library: a code (the broker's or librdkafka's) and a sentence that names the culprit.
 * @since 0.1.0
 */
export class KafkaError extends Error {
  /** A broker's code (0 and above, -1) or a local one (below -1); see ErrorCode. */
  readonly code: number
  /** The code's name, such as `ERR__QUEUE_FULL`. */
  override readonly name: string
  /** The client that raised it can only be closed. */
  readonly isFatal: boolean
  /** Retrying the same call may help. */
  readonly isRetriable: boolean
  /** `abortTransaction()` must be called next. */
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

  /** A timeout: ERR__TIMED_OUT, ERR__MSG_TIMED_OUT or ERR__TIMED_OUT_QUEUE. */
  get isTimeout(): boolean {
    return (
      this.code === ErrorCode.ERR__TIMED_OUT ||
      this.code === ErrorCode.ERR__MSG_TIMED_OUT ||
      this.code === ErrorCode.ERR__TIMED_OUT_QUEUE
    )
  }

  /** The error for a code, about `culprit`: `orders [3]: this broker does not lead the partition`. */
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

/** The error for a call with wrong arguments. @internal */
export function invalidArgument(message: string, cause?: unknown): KafkaError {
  return new KafkaError(ErrorCode.ERR__INVALID_ARG, message, { cause })
}
