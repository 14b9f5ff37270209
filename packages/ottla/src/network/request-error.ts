import { KafkaError } from '../errors.ts'

/**
 * Why a request got no response. `sent` says whether its bytes may have reached the broker: false guarantees that they
 * did not, so that a retry cannot duplicate anything.
 */
export class RequestError extends KafkaError {
  readonly sent: boolean

  constructor(code: number, message: string, sent: boolean, cause?: unknown) {
    super(code, message, cause === undefined ? {} : { cause })
    this.sent = sent
  }
}

/**
 * The error of a request that was never written, because of another one's error: what failed the connection, or closed
 * it, may have been sent, but this request was not.
 */
export function unsent(error: RequestError): RequestError {
  return error.sent ? new RequestError(error.code, error.message, false, error) : error
}

/** The other end does not speak the client's protocol: the port or security.protocol is wrong. */
export class WrongProtocolError extends RequestError {}

/** The broker closed the connection at the first request after the handshake: the connection was never of use. */
export class HungUpError extends WrongProtocolError {}

/** Whether a WrongProtocolError is the error or one of its causes. */
export function isWrongProtocol(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause) if (e instanceof WrongProtocolError) return true
  return false
}
