import type { Reader } from './wire/reader.ts'
import type { RecordsInput, Writer } from './wire/writer.ts'

/**
 * A decoded message: every field is present, with Kafka's default if the version lacks it.
 * @since 0.1.0
 */
export type Decoded<T> = unknown extends T ? unknown : [RecordsInput] extends [T] ? Buffer | null : DecodedPart<T>

/**
 * A decoded part of a message.
 * @since 0.1.0
 */
export type DecodedPart<T> = T extends Uint8Array
  ? Buffer
  : T extends string | number | bigint | boolean | null
    ? T
    : T extends readonly (infer E)[]
      ? Decoded<E>[]
      : { [K in keyof T]-?: Decoded<Exclude<T[K], undefined>> }

/**
 * The facts about one API, for both ends.
 * @since 0.1.0
 */
export interface ApiFacts {
  readonly key: number
  readonly name: string
  readonly minVersion: number
  readonly maxVersion: number
  /** The first version with tagged fields and compact lengths (KIP-482); 32767 if there is none. */
  readonly flexibleFrom: number
}

/**
 * The client's side of one API.
 * @since 0.1.0
 */
export interface Api<Req, Res> extends ApiFacts {
  /** Throws ProtocolError if a field is set that the version lacks and that must not be dropped. */
  writeRequest(w: Writer, message: Req, version: number): void
  /** Throws ProtocolError for bytes that are not such a message. */
  readResponse(r: Reader, version: number): Decoded<Res>
}

/**
 * The broker's side of one API.
 * @since 0.1.0
 */
export interface ServerApi<Req, Res> extends ApiFacts {
  /** Throws ProtocolError for bytes that are not such a message. */
  readRequest(r: Reader, version: number): Decoded<Req>
  writeResponse(w: Writer, message: Res, version: number): void
}
