import { ProtocolError } from './protocol-error.ts'

/** A field was set that a version lacks, and dropping it in silence would change what the request means. */
export function unset(field: string, version: number): ProtocolError {
  return new ProtocolError(`${field} cannot be sent: version ${version} has no such field`)
}

/** A field is null that a version cannot send as null. */
export function notNull(field: string, version: number): ProtocolError {
  return new ProtocolError(`${field} cannot be sent: it is null, which version ${version} does not allow`)
}
