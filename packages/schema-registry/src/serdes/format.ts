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
}

/** Bytes of a value behind a prefix. */
export type Encode = (data: unknown, prefix: Uint8Array) => Buffer

/** A value whose bytes begin at a position. */
export type Decode = (bytes: Buffer, at: number) => unknown

/** One of Avro, Protobuf and JSON Schema, with the options of its serdes. */
export interface Format {
  readonly type: SchemaType
  /** Null if the application has none: the subject's latest is taken. */
  readonly own: OwnSchema | null
  /** What the strategies `record` and `topic-record` call a schema. */
  recordName(schema: string, references: readonly ResolvedReference[]): string | Promise<string>
  encoder(schema: RegisteredSchema, references: readonly ResolvedReference[]): Encode | Promise<Encode>
  /** @param own the references of the application's schema */
  decoder(
    written: RegisteredSchema,
    references: readonly ResolvedReference[],
    own: readonly ResolvedReference[],
  ): Decode | Promise<Decode>
}
