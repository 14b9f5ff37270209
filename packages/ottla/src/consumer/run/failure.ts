/** Errors that end a run. */
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../../errors.ts'

/**
 * An error as it is; anything else that was thrown as the `cause` of an error that says so.
 * @param culprit what has thrown: `the handler of orders [3]`
 */
export function asError(thrown: unknown, culprit: string): Error {
  if (isError(thrown)) return thrown
  const why = `${culprit} threw ${kindOf(thrown)} instead of an Error (see the cause): throw an Error to say why`
  const error = new KafkaError(ErrorCode.ERR__APPLICATION, why)
  // Set even when it is undefined, as that is what was thrown. Not enumerable, as in any error.
  Object.defineProperty(error, 'cause', { value: thrown, enumerable: false, configurable: true, writable: true })
  return error
}

// Errors of other realms (a test runner's, a sandbox's) are errors, too.
function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]'
}

function kindOf(thrown: unknown): string {
  if (thrown === null || thrown === undefined) return String(thrown)
  const type = typeof thrown
  return type === 'object' ? 'an object' : `a ${type}`
}

/** What was thrown, as text for a header: the message of an error, the content of anything else. */
export function textOf(thrown: unknown): string {
  if (thrown instanceof KafkaError) return thrown.message
  if (isError(thrown)) return `${thrown.name}: ${thrown.message}`
  if (typeof thrown !== 'object' || thrown === null) return String(thrown)
  try {
    return JSON.stringify(thrown)
  } catch {
    return Object.prototype.toString.call(thrown)
  }
}

/** A message could not be processed, and sending it as a dead letter failed, too; the `cause` has both errors. */
export function deadLetterFailed(culprit: string, topic: string, failure: Error, sendFailure: Error): KafkaError {
  const why = `the message could not be sent to the dead-letter topic ${topic}: ${sendFailure.message}`
  const cause = new AggregateError([failure, sendFailure], `${failure.message}; ${sendFailure.message}`)
  return new KafkaError(ErrorCode.ERR__APPLICATION, `${culprit} failed (${failure.message}), and ${why}`, { cause })
}
