/** The application's functions that see every message and every commit of a consumer. */
import type { ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'
import { HookErrors } from '../../observe/hook-errors.ts'
import type { Message, TopicPartitionOffset } from '../../types.ts'
import { invalid } from '../arguments.ts'

/**
 * Sees what a consumer delivers and commits. Its functions are called synchronously, in the order of the interceptors,
 * and must be quick; what they throw is logged and changes nothing.
 * @since 0.1.0
 */
export interface ConsumerInterceptor<K = Buffer, V = Buffer> {
  /**
   * Called when a deserialized message is about to be delivered; in `batches()` when its batch is.
   * @returns the message to deliver instead (a new object with the same topic, partition and offset); undefined for
   *   this one
   */
  onConsume?(message: Message<K, V>): Message<K, V> | undefined
  /** Called after every commit, failed ones included: `error` is set when none of the offsets was committed. */
  onCommit?(offsets: readonly TopicPartitionOffset[], error?: KafkaError): void
}

type AnyMessage = Message<unknown, unknown>
type AnyInterceptor = ConsumerInterceptor<unknown, unknown>

/** Passes a message through the interceptors. */
export type Intercept = (message: AnyMessage) => AnyMessage

/**
 * Calls the interceptors with every commit from now on.
 * @returns the function for messages; null when no interceptor wants them
 * @throws KafkaError ERR__INVALID_ARG for an interceptor that is not an object
 */
export function intercepting(context: ClientContext, interceptors: readonly unknown[] = []): Intercept | null {
  for (const interceptor of interceptors) {
    if (typeof interceptor !== 'object' || interceptor === null) throw invalid('interceptors must be objects')
  }
  // What is not a function fails when it is called.
  const all = interceptors as readonly AnyInterceptor[]
  const errors = new HookErrors(context.logger)
  if (all.some(interceptor => interceptor.onCommit !== undefined)) {
    context.events.on('offsets-committed', ({ offsets, error }) => {
      for (const interceptor of all) {
        try {
          interceptor.onCommit?.(offsets, error)
        } catch (thrown) {
          errors.report('onCommit', thrown)
        }
      }
    })
  }
  return all.some(interceptor => interceptor.onConsume !== undefined) ? message => consume(all, message, errors) : null
}

function consume(interceptors: readonly AnyInterceptor[], message: AnyMessage, errors: HookErrors): AnyMessage {
  let current = message
  for (const interceptor of interceptors) {
    try {
      const changed: unknown = interceptor.onConsume?.(current)
      if (changed === undefined) continue
      if (isSame(changed, message)) current = changed
      else errors.report('onConsume', new TypeError('it must return a message of the same offset, or undefined'))
    } catch (error) {
      errors.report('onConsume', error)
    }
  }
  return current
}

// Offsets are stored and committed by these fields of the message.
function isSame(value: unknown, { topic, partition, offset }: AnyMessage): value is AnyMessage {
  if (typeof value !== 'object' || value === null) return false
  const changed = value as Partial<AnyMessage>
  return changed.topic === topic && changed.partition === partition && changed.offset === offset
}
