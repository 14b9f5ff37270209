/** What the calls of an admin client have in common. */
import type { KafkaError } from 'ottla'
import { toKafkaJSError } from '../translate/errors.ts'

/** How long the controller may take to apply a change, if the program does not say. */
export const OPERATION_TIMEOUT_MS = 5000

/** Throws the first error as kafkajs would. */
export function throwFirst(results: readonly { readonly error?: KafkaError }[]): void {
  const error = results.find(each => each.error !== undefined)?.error
  if (error !== undefined) throw toKafkaJSError(error)
}
