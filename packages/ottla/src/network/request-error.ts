import { KafkaError } from '../errors.ts'

/**
 * Why a request got no answer. `sent` tells whether its bytes may have reached the broker: false is a
 * promise that they did not, so that sending again can double nothing.
 */
export class RequestError extends KafkaError {
  readonly sent: boolean

  constructor(code: number, message: string, sent: boolean, cause?: unknown) {
    super(code, message, cause === undefined ? {} : { cause })
    this.sent = sent
  }
}

/** Somebody is there who does not speak as this client does: the port, or security.protocol, is the wrong one. */
export class MisfitError extends RequestError {}

/** The broker closed the connection at the very first request: the connection was up, and of no use. */
export class HungUpError extends MisfitError {}

/** Whether that is why. */
export function isMisfit(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) if (e instanceof MisfitError) return true
  return false
}
