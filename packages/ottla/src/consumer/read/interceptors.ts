/** Functions of the program that see every message and every commit of a consumer. */
import type { ClientContext } from '../../cluster/context.ts'
import type { KafkaError } from '../../errors.ts'
import { HookErrors } from '../../observe/hook-errors.ts'
import type { Message, TopicPartitionOffset } from '../../types.ts'
import { invalid } from '../arguments.ts'

/**
 * Sees what a consumer hands out and commits. Its functions are called at once, in the order of the interceptors, and
 * have to be quick; what they throw is logged and changes nothing.
 * @since 0.1.0
 */
export interface ConsumerInterceptor<K = Buffer, V = Buffer> {
  /**
   * Called when a message, deserialized, is about to be handed out; of `batches()` when its batch is.
   * @returns the message to hand out instead (a new object of the same topic, partition and offset); nothing for this one
   */
  onConsume?(message: Message<K, V>): Message<K, V> | undefined
  /** Called after every commit, also one that failed: `error` is set when none of the offsets was taken. */
  onCommit?(offsets: readonly TopicPartitionOffset[], error?: KafkaError): void
}

type AnyMessage = Message<unknown, unknown>
type AnyInterceptor = ConsumerInterceptor<unknown, unknown>

/** What becomes of a message on its way out. */
export type Intercept = (message: AnyMessage) => AnyMessage

/**
 * Has commits told to the interceptors.
 * @returns what to do with messages; null when no interceptor wants them
 * @throws KafkaError ERR__INVALID_ARG for what is no interceptor
 */
export function intercepting(context: ClientContext, interceptors: readonly unknown[] = []): Intercept | null {
  for (const interceptor of interceptors) {
    if (typeof interceptor !== 'object' || interceptor === null) throw invalid('interceptors must be objects')
  }
  // Their functions are checked by being called.
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
      else errors.report('onConsume', new TypeError('it returned neither that message, changed, nor undefined'))
    } catch (error) {
      errors.report('onConsume', error)
    }
  }
  return current
}

// Offsets are stored and committed by what a message says of itself.
function isSame(value: unknown, { topic, partition, offset }: AnyMessage): value is AnyMessage {
  if (typeof value !== 'object' || value === null) return false
  const changed = value as Partial<AnyMessage>
  return changed.topic === topic && changed.partition === partition && changed.offset === offset
}
