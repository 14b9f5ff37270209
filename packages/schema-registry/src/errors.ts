/** The one error class of this package. */

/**
 * What kind of failure it is:
 *
 * - `UNAVAILABLE`: no registry answered, or it answered with an error of its own (5xx, 429); a retry may help
 * - `UNAUTHORIZED`: the registry does not accept the credentials, or they do not suffice (401, 403)
 * - `NOT_FOUND`: there is no such subject, version or schema (404)
 * - `INCOMPATIBLE`: the registry refuses the schema for its compatibility level (409)
 * - `REFUSED`: the registry refuses the request for another reason (other 4xx)
 * - `INVALID_SCHEMA`: a schema that is none
 * - `INVALID_DATA`: a value that does not match its schema, or bytes that are not what the schema says
 * - `INVALID_ARGUMENT`: a wrong option or argument
 * - `MISSING_PACKAGE`: an optional package is needed and not installed
 * @since 0.1.0
 */
export type SchemaErrorCode =
  | 'UNAVAILABLE'
  | 'UNAUTHORIZED'
  | 'NOT_FOUND'
  | 'INCOMPATIBLE'
  | 'REFUSED'
  | 'INVALID_SCHEMA'
  | 'INVALID_DATA'
  | 'INVALID_ARGUMENT'
  | 'MISSING_PACKAGE'

/**
 * What is known of an error beside its code and message.
 * @since 0.1.0
 */
export interface SchemaErrorDetails {
  readonly cause?: unknown
  readonly status?: number
  readonly errorCode?: number
  readonly schemaId?: number | string
}

/**
 * What this package throws and rejects with. No message has credentials or a message's content in it.
 * @since 0.1.0
 */
export class SchemaRegistryError extends Error {
  override readonly name = 'SchemaRegistryError'
  readonly code: SchemaErrorCode
  /** HTTP status of the registry's answer. */
  readonly status: number | null
  /** The registry's own code, as 40401 for an unknown subject. */
  readonly errorCode: number | null
  /** Id or GUID of the schema that a message names. */
  readonly schemaId: number | string | null

  constructor(code: SchemaErrorCode, message: string, details: SchemaErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.status = details.status ?? null
    this.errorCode = details.errorCode ?? null
    this.schemaId = details.schemaId ?? null
  }

  /** Whether the same call may succeed later. */
  get isRetriable(): boolean {
    return this.code === 'UNAVAILABLE'
  }
}

/** @internal */
export function invalidSchema(message: string, cause?: unknown): SchemaRegistryError {
  return new SchemaRegistryError('INVALID_SCHEMA', message, cause === undefined ? {} : { cause })
}

/** @internal */
export function invalidData(message: string, cause?: unknown): SchemaRegistryError {
  return new SchemaRegistryError('INVALID_DATA', message, cause === undefined ? {} : { cause })
}

/** @internal */
export function invalidArgument(message: string): SchemaRegistryError {
  return new SchemaRegistryError('INVALID_ARGUMENT', message)
}

/** @internal */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
