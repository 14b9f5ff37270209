/** One schema's codec. */
import { decodeWith, readerOf } from './decode.ts'
import { encodeWith, writerOf } from './encode.ts'
import type { LogicalTypes } from './logical.ts'
import { parseAvro, type Names } from './parse.ts'
import { typeName, type AvroType } from './types.ts'

/** How values look in the application. */
export interface ValueOptions {
  readonly long: 'number' | 'bigint'
  readonly logicalTypes: LogicalTypes
  readonly unions: 'auto' | 'wrapped'
}

const nothing = new Uint8Array(0)

/** Writes values of a schema. */
export class AvroEncoder {
  readonly #write: ReturnType<typeof writerOf>

  constructor(type: AvroType, options: ValueOptions) {
    this.#write = writerOf(type, options)
  }

  /** @throws SchemaRegistryError INVALID_DATA */
  encode(value: unknown, prefix: Uint8Array = nothing): Buffer {
    return encodeWith(this.#write, value, prefix)
  }
}

/** Reads what was written with one schema as values of another. */
export class AvroDecoder {
  readonly #read: ReturnType<typeof readerOf>

  /** @throws SchemaRegistryError INVALID_SCHEMA if they do not fit together */
  constructor(writer: AvroType, reader: AvroType, options: ValueOptions) {
    this.#read = readerOf(writer, reader, options)
  }

  /** @throws SchemaRegistryError INVALID_DATA */
  decode(bytes: Buffer, at = 0): unknown {
    return decodeWith(this.#read, bytes, at)
  }
}

/** A schema with the schemas that it refers to: those come first, in an order in which each knows its own. */
export function parseWithReferences(schema: unknown, references: readonly string[]): AvroType {
  const names: Names = new Map()
  for (const reference of references) parseAvro(reference, names)
  return parseAvro(schema, names)
}

/** What the strategies `record` and `topic-record` call the schema. */
export function recordNameOf(type: AvroType): string {
  return typeName(type)
}
