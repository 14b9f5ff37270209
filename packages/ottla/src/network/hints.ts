/** What connection errors may mean, and what to do about them. */
import { ErrorCode } from '@ottla/protocol'
import { WrongProtocolError, RequestError } from './request-error.ts'

export const WRONG_PROTOCOL_HINT = 'is it a Kafka broker, and is security.protocol right?'

/** The protocol of a server that is not a broker, from the first bytes of its answer, read as the size of a frame. */
export function foreignProtocol(firstBytes: number): string | null {
  // A TLS alert of any version, in answer to a plaintext request.
  if (firstBytes >>> 16 === 0x1503) return 'the port speaks TLS: security.protocol has to be ssl or sasl_ssl'
  if (firstBytes === 0x48545450) return 'it speaks HTTP'
  return null
}

/** The error of a connection that was lost before the broker answered anything. */
export function lostUnanswered(error: RequestError, hint: string): RequestError {
  if (error.code !== ErrorCode.ERR__TRANSPORT) return error
  return new WrongProtocolError(error.code, `${error.message} ${hint}`, error.sent, error.cause)
}

/** Adds the endpoint's hint if nothing listens at the address, or the name cannot be resolved. */
export function withAddressHint(error: RequestError, hint: string | undefined): RequestError {
  if (hint === undefined) return error
  const isNobody = error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ECONNREFUSED'
  if (!isNobody && error.code !== ErrorCode.ERR__RESOLVE) return error
  const why = isNobody ? `${error.message}: nobody listens there` : error.message
  return new RequestError(error.code, `${why}; ${hint}`, error.sent, error.cause)
}
