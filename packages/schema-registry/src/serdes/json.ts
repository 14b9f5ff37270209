/** Serdes of JSON Schema; validation by `ajv`. */
import { invalidArgument, invalidData, textOf } from '../errors.ts'
import { isSchemaObject, jsonSchemaOf } from '../json/documents.ts'
import type { RegisteredSchema } from '../types.ts'
import { SerdesEngine, type CommonSerdesOptions, type RegistryAnswers, type RegistrySerdes } from './engine.ts'
import type { Encoder, Format, ResolvedReference } from './format.ts'
import { jsonValidator, type Validator } from './json-validator.ts'

/**
 * The options of JSON Schema serdes, without the schema.
 * @since 0.1.0
 */
export interface JsonOptions extends CommonSerdesOptions {
  /**
   * What is checked: by default (`both`) what is written, by the schema that it is written with, and what is read, by
   * `schema`, or without one by the schema that it was written with. Formats, as `date-time`, are checked if the package
   * `ajv-formats` is installed. With `none`, `ajv` is not needed.
   */
  readonly validate?: 'both' | 'write' | 'read' | 'none'
}

/**
 * The options of JSON Schema serdes.
 * @since 0.1.0
 */
export interface JsonSerdesOptions extends JsonOptions {
  /** The application's schema, as an object or as JSON text. Its draft is told by `$schema`: 2020-12, 2019-09, or 7. */
  readonly schema?: string | object
}

const choices: readonly unknown[] = ['both', 'write', 'read', 'none']

export function jsonSerdes(registry: RegistryAnswers, options: JsonSerdesOptions): RegistrySerdes<unknown> {
  const engine = new SerdesEngine(registry, new JsonFormat(options), options)
  return {
    serialize: (data, context) => engine.serialize(data, context),
    deserialize: (data, context) => engine.deserialize(data, context),
    prepare: (topic, field) => engine.prepare(topic, field),
  }
}

class JsonFormat implements Format {
  readonly type = 'JSON'
  readonly own: Format['own']
  readonly #validatesWritten: boolean
  readonly #validatesRead: boolean

  constructor({ schema, references = [], validate = 'both' }: JsonSerdesOptions) {
    if (!choices.includes(validate)) throw invalidArgument("validate takes 'both', 'write', 'read' or 'none'")
    this.#validatesWritten = validate === 'both' || validate === 'write'
    this.#validatesRead = validate === 'both' || validate === 'read'
    this.own =
      schema === undefined ? null : { text: typeof schema === 'string' ? schema : JSON.stringify(schema), references }
    if (this.own === null) return
    const parsed = jsonSchemaOf(this.own.text)
    // Without references, what is wrong with a schema is known at once.
    if (references.length === 0 && validate !== 'none') jsonValidator(parsed, [])
  }

  recordName(text: string): string | null {
    const schema = jsonSchemaOf(text)
    const title = isSchemaObject(schema) ? schema['title'] : undefined
    return typeof title === 'string' && title !== '' ? title : null
  }

  encoder({ schema }: RegisteredSchema, references: readonly ResolvedReference[]): Encoder {
    const validate = this.#validatesWritten ? jsonValidator(jsonSchemaOf(schema), references) : null
    const encode = (data: unknown, prefix: Uint8Array): Buffer => {
      if (validate !== null) check(validate, data)
      return Buffer.concat([prefix, Buffer.from(textOfValue(data), 'utf8')])
    }
    return { encode }
  }

  decoder(
    written: RegisteredSchema,
    references: readonly ResolvedReference[],
    own: readonly ResolvedReference[],
  ): (bytes: Buffer, at: number) => unknown {
    const validate = this.#validatesRead ? this.#reader(written, references, own) : null
    return (bytes, at) => {
      const value = parsed(bytes, at)
      if (validate !== null) check(validate, value)
      return value
    }
  }

  #reader(
    written: RegisteredSchema,
    references: readonly ResolvedReference[],
    own: readonly ResolvedReference[],
  ): Validator {
    return this.own === null
      ? jsonValidator(jsonSchemaOf(written.schema), references)
      : jsonValidator(jsonSchemaOf(this.own.text), own)
  }
}

function check(validate: Validator, value: unknown): void {
  let why: string | null
  try {
    why = validate(value)
  } catch (error) {
    // A value that is nested too deep.
    throw invalidData(error instanceof RangeError ? 'the value is nested too deep' : 'the value cannot be validated')
  }
  if (why !== null) throw invalidData(`the value does not match its schema: ${why}`)
}

function textOfValue(data: unknown): string {
  // Undefined for a function, say, which its declaration does not tell.
  let text: unknown
  try {
    text = JSON.stringify(data)
  } catch (error) {
    throw invalidData(
      `the value cannot be written as JSON: ${error instanceof RangeError ? 'it is nested too deep' : textOf(error)}`,
    )
  }
  if (typeof text !== 'string') throw invalidData('the value cannot be written as JSON')
  return text
}

/** Errors of JSON.parse show what they have read. */
function parsed(bytes: Buffer, at: number): unknown {
  try {
    return JSON.parse(bytes.toString('utf8', at))
  } catch {
    throw invalidData(`the ${bytes.length - at} bytes of its value are no JSON`)
  }
}
