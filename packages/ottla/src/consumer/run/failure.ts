/** What a run fails by. */
import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../../errors.ts'

/**
 * As it is if it is an error; else one that says so, with what was thrown as its `cause`.
 * @param culprit what has thrown it: `the handler of orders [3]`
 */
export function asError(thrown: unknown, culprit: string): Error {
  if (isError(thrown)) return thrown
  const why = `${culprit} threw ${kindOf(thrown)} that is not an Error (see the cause): throw an Error to say why`
  const error = new KafkaError(ErrorCode.ERR__APPLICATION, why)
  // Set even when it is undefined: that is what was thrown. As of any error, it is not listed.
  Object.defineProperty(error, 'cause', { value: thrown, enumerable: false, configurable: true, writable: true })
  return error
}

// Errors of other realms, of a test runner or a worker's sandbox, are errors, too.
function isError(thrown: unknown): thrown is Error {
  return thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]'
}

function kindOf(thrown: unknown): string {
  if (thrown === null || thrown === undefined) return String(thrown)
  const type = typeof thrown
  return type === 'object' ? 'an object' : `a ${type}`
}

/** What was thrown, for a header: the message of an error, the content of anything else. */
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

/** A message could be neither worked on nor put aside; the `cause` has both errors. */
export function notPutAside(culprit: string, topic: string, failure: Error, failureAside: Error): KafkaError {
  const why = `${culprit} failed (${failure.message}), and the message could not be put aside to ${topic} either`
  const cause = new AggregateError([failure, failureAside], `${failure.message}; ${failureAside.message}`)
  return new KafkaError(ErrorCode.ERR__APPLICATION, `${why}: ${failureAside.message}`, { cause })
}
