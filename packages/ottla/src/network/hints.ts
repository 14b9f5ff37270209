/** What errors of connections may mean, and what to do about them. */
import { ErrorCode } from '@ottla/protocol'
import { MisfitError, RequestError } from './request-error.ts'

export const CONFUSED = 'is it a Kafka broker, and is security.protocol right?'

/** What others begin their answer with, read as the size of a frame. */
export function foreignProtocol(firstBytes: number): string | null {
  // An alert of TLS, whatever its version, in answer to a request in clear.
  if (firstBytes >>> 16 === 0x1503) return 'the port speaks TLS: security.protocol has to be ssl or sasl_ssl'
  if (firstBytes === 0x48545450) return 'it speaks HTTP'
  return null
}

/** The connection was lost before the broker had answered anything. */
export function unheard(error: RequestError, silence: string): RequestError {
  if (error.code !== ErrorCode.ERR__TRANSPORT) return error
  return new MisfitError(error.code, `${error.message} ${silence}`, error.sent, error.cause)
}

/** Nobody was found at the address. */
export function withAddressHint(error: RequestError, hint: string | undefined): RequestError {
  if (hint === undefined) return error
  const isNobody = error.cause instanceof Error && 'code' in error.cause && error.cause.code === 'ECONNREFUSED'
  if (!isNobody && error.code !== ErrorCode.ERR__RESOLVE) return error
  const why = isNobody ? `${error.message}: nobody listens there` : error.message
  return new RequestError(error.code, `${why}; ${hint}`, error.sent, error.cause)
}
