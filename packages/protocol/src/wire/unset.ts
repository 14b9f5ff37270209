import { ProtocolError } from './protocol-error.ts'

/** The error of a field that the version lacks, and whose omission would change the meaning of the request. */
export function unset(field: string, version: number): ProtocolError {
  return new ProtocolError(`${field} cannot be sent: version ${version} has no such field`)
}

/** The error of a null field that the version cannot send as null. */
export function notNull(field: string, version: number): ProtocolError {
  return new ProtocolError(`${field} cannot be sent: it is null, which version ${version} does not allow`)
}
