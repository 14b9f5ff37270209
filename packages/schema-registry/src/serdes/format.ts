/** What a format is to the registry's serdes. */
import type { RegisteredSchema, SchemaReference, SchemaType } from '../types.ts'

/** A referenced schema with its text. */
export interface ResolvedReference {
  readonly name: string
  readonly subject: string
  readonly version: number
  readonly schema: string
}

/** The schema of the application. */
export interface OwnSchema {
  readonly text: string
  readonly references: readonly SchemaReference[]
  /** What the schema imports and the application has, too: it is registered first. Each comes after its own. */
  readonly imports?: readonly OwnImport[]
  /** The names of those that it imports itself. */
  readonly direct?: readonly string[]
}

export interface OwnImport {
  /** How the schema calls it. */
  readonly name: string
  readonly text: string
  /** The names of others that it imports itself. */
  readonly imports: readonly string[]
}

/** Bytes of a value behind a prefix. */
export type Encode = (data: unknown, prefix: Uint8Array) => Buffer

export interface Encoder {
  readonly encode: Encode
  /** What follows the schema's id: Protobuf's message indexes. */
  readonly afterId?: Uint8Array
}

/**
 * A value whose bytes begin at a position.
 * @param afterId what follows the id in a header; null where the id is in front of the bytes, and `at` is behind it
 */
export type Decode = (bytes: Buffer, at: number, afterId: Buffer | null) => unknown

/** One of Avro, Protobuf and JSON Schema, with the options of its serdes. */
export interface Format {
  readonly type: SchemaType
  /** Null if the application has none: the subject's latest is taken. */
  readonly own: OwnSchema | null
  /** What the strategies `record` and `topic-record` call the application's schema; null if it has no name. */
  recordName(schema: string, references: readonly ResolvedReference[]): string | null
  encoder(schema: RegisteredSchema, references: readonly ResolvedReference[]): Encoder | Promise<Encoder>
  /** @param own the references of the application's schema */
  decoder(
    written: RegisteredSchema,
    references: readonly ResolvedReference[],
    own: readonly ResolvedReference[],
  ): Decode | Promise<Decode>
}
