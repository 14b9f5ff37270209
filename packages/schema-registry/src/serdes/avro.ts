/** Serdes of Avro. */
import { AvroDecoder, AvroEncoder, parseWithReferences, recordNameOf, type ValueOptions } from '../avro/codec.ts'
import { fromJson, toJson } from '../avro/json-values.ts'
import type { LogicalTypes } from '../avro/logical.ts'
import { parseAvro } from '../avro/parse.ts'
import type { AvroType } from '../avro/types.ts'
import { invalidArgument } from '../errors.ts'
import { SerdesEngine, type CommonSerdesOptions, type RegistryAnswers, type RegistrySerdes } from './engine.ts'
import type { Format, ResolvedReference } from './format.ts'

/**
 * The options of Avro serdes, without the schema.
 * @since 0.1.0
 */
export interface AvroOptions extends CommonSerdesOptions {
  /** What messages are read as; `schema` by default, and without one whatever they were written with. */
  readonly readerSchema?: string | object
  /** What a `long` is read as; `number` by default, which refuses what it cannot hold exactly. Both are written. */
  readonly long?: 'bigint' | 'number'
  /**
   * What values of logical types are. By default (`convert`): a Date for `date` and the timestamps in milliseconds, text
   * for `decimal` (with all digits) and `uuid`; for the others the number underneath. `raw`: what is underneath for all. By
   * name: as you like.
   */
  readonly logicalTypes?: LogicalTypes
  /**
   * What values of unions are: by default (`auto`) plain, and `{ name: value }` where JavaScript cannot tell the types
   * of the union apart, as two records; `wrapped`: always, but for null.
   */
  readonly unions?: 'auto' | 'wrapped'
  /**
   * `json`: values are what JSON has for them: bytes as text with a character for each, integers beyond 2^53 and decimals
   * as text, dates as ISO text. By default (`native`) they are what the options above say.
   */
  readonly values?: 'native' | 'json'
}

/**
 * The options of Avro serdes.
 * @since 0.1.0
 */
export interface AvroSerdesOptions extends AvroOptions {
  /** The application's schema, as an object or as JSON text. */
  readonly schema?: string | object
}

export function avroSerdes(registry: RegistryAnswers, options: AvroSerdesOptions): RegistrySerdes<unknown> {
  const engine = new SerdesEngine(registry, new AvroFormat(options), options)
  return {
    serialize: (data, context) => engine.serialize(data, context),
    deserialize: (data, context) => engine.deserialize(data, context),
    prepare: (topic, field) => engine.prepare(topic, field),
  }
}

class AvroFormat implements Format {
  readonly type = 'AVRO'
  readonly own: Format['own']
  readonly #readerSchema: string | object | undefined
  readonly #values: ValueOptions
  readonly #isJson: boolean

  constructor(options: AvroSerdesOptions) {
    const { schema, readerSchema = schema, references = [] } = options
    const { long = 'number', logicalTypes = 'convert', unions = 'auto', values = 'native' } = options
    if (!['native', 'json'].includes(values)) throw invalidArgument("values takes 'native' or 'json'")
    if (!['number', 'bigint'].includes(long)) throw invalidArgument("long takes 'number' or 'bigint'")
    if (!['auto', 'wrapped'].includes(unions)) throw invalidArgument("unions takes 'auto' or 'wrapped'")
    // Without references, what is wrong with a schema is known at once.
    if (references.length === 0) for (const each of [schema, readerSchema]) if (each !== undefined) parseAvro(each)
    this.own = schema === undefined ? null : { text: textOf(schema), references }
    this.#readerSchema = readerSchema
    this.#isJson = values === 'json'
    this.#values = { long: this.#isJson ? 'bigint' : long, logicalTypes, unions }
  }

  recordName(schema: string, references: readonly ResolvedReference[]): string {
    return recordNameOf(parsed(schema, references))
  }

  encoder(schema: { readonly schema: string }, references: readonly ResolvedReference[]) {
    const type = parsed(schema.schema, references)
    const values = this.#values
    const encoder = new AvroEncoder(type, values)
    const encode = this.#isJson
      ? (data: unknown, prefix: Uint8Array): Buffer => encoder.encode(fromJson(type, data, values), prefix)
      : (data: unknown, prefix: Uint8Array): Buffer => encoder.encode(data, prefix)
    return { encode }
  }

  decoder(
    written: { readonly schema: string },
    references: readonly ResolvedReference[],
    own: readonly ResolvedReference[],
  ) {
    const writer = parsed(written.schema, references)
    const reader = this.#readerSchema === undefined ? writer : parsed(this.#readerSchema, own)
    const decoder = new AvroDecoder(writer, reader, this.#values)
    if (this.#isJson) return (bytes: Buffer, at: number): unknown => toJson(decoder.decode(bytes, at))
    return (bytes: Buffer, at: number): unknown => decoder.decode(bytes, at)
  }
}

function parsed(schema: string | object, references: readonly ResolvedReference[]): AvroType {
  return parseWithReferences(
    schema,
    references.map(reference => reference.schema),
  )
}

function textOf(schema: string | object): string {
  return typeof schema === 'string' ? schema : JSON.stringify(schema)
}
