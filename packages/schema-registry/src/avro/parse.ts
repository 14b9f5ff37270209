/** From a schema's JSON to its types. */
import { invalidSchema, textOf } from '../errors.ts'
import {
  isNamed,
  primitives,
  typeName,
  type AvroType,
  type EnumType,
  type Field,
  type FixedType,
  type Logical,
  type NamedType,
  type Primitive,
  type RecordType,
  type UnionType,
} from './types.ts'
import { checkDefault } from './defaults.ts'

/** Named types that schemas refer to by full name. */
export type Names = Map<string, NamedType>

type Json = Readonly<Record<string, unknown>>

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const FULL_NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/
/** Deeper schemas are an attack on the parser's stack. */
const MAX_DEPTH = 500

/**
 * @param schema JSON text, or what it says; a text that is no JSON is a type's name
 * @param names the types that the schema may refer to; its own are added
 * @throws SchemaRegistryError INVALID_SCHEMA
 */
export function parseAvro(schema: unknown, names: Names = new Map()): AvroType {
  return new Parser(names).parse(typeof schema === 'string' ? jsonOf(schema) : schema)
}

/** JSON, or the bare name of a type, which registries give without quotes at times. */
function jsonOf(text: string): unknown {
  if (FULL_NAME.test(text.trim())) return text.trim()
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalidSchema(`the Avro schema is no JSON: ${textOf(error)}`, error)
  }
}

class Parser {
  readonly #names: Names
  /** Checked when all types are complete. */
  readonly #defaults: { readonly field: Field; readonly record: RecordType }[] = []
  #depth = 0

  constructor(names: Names) {
    this.#names = names
  }

  parse(schema: unknown): AvroType {
    const type = this.#type(schema, '')
    for (const { field, record } of this.#defaults) {
      const why = checkDefault(field.type, field.default)
      if (why !== null) throw invalidSchema(`the default of ${record.name}.${field.name} ${why}`)
    }
    return type
  }

  #type(schema: unknown, namespace: string): AvroType {
    if (++this.#depth > MAX_DEPTH) throw invalidSchema(`the Avro schema is nested more than ${MAX_DEPTH} deep`)
    try {
      if (typeof schema === 'string') return this.#named(schema, namespace)
      if (Array.isArray(schema)) return this.#union(schema, namespace)
      if (typeof schema !== 'object' || schema === null) {
        throw invalidSchema(`an Avro type is a name, an array or an object, not ${kindOf(schema)}`)
      }
      return this.#complex(schema as Json, namespace)
    } finally {
      this.#depth--
    }
  }

  #named(name: string, namespace: string): AvroType {
    if (primitives.has(name)) return { kind: name as Primitive, logical: null }
    const found = this.#names.get(qualified(name, namespace)) ?? this.#names.get(name)
    if (found === undefined)
      throw invalidSchema(`there is no Avro type ${name}: it is neither primitive nor defined before`)
    return found
  }

  #union(branches: readonly unknown[], namespace: string): UnionType {
    const types = branches.map(branch => this.#type(branch, namespace))
    const seen = new Set<string>()
    for (const type of types) {
      if (type.kind === 'union') throw invalidSchema('a union must not have a union in it')
      const name = typeName(type)
      if (seen.has(name)) throw invalidSchema(`a union has ${name} twice`)
      seen.add(name)
    }
    return { kind: 'union', branches: types }
  }

  #complex(schema: Json, namespace: string): AvroType {
    const { type } = schema
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(schema, namespace)
      case 'enum':
        return this.#enum(schema, namespace)
      case 'fixed':
        return this.#fixed(schema, namespace)
      case 'array':
        if (!('items' in schema)) throw invalidSchema("an array needs 'items'")
        return { kind: 'array', items: this.#type(schema.items, namespace) }
      case 'map':
        if (!('values' in schema)) throw invalidSchema("a map needs 'values'")
        return { kind: 'map', values: this.#type(schema.values, namespace) }
      default: {
        if (type === undefined) throw invalidSchema("an Avro type needs 'type'")
        const inner = this.#type(type, namespace)
        // { "type": { "type": … } } and references in that form mean what is inside.
        if (typeof type !== 'string' || isNamed(inner) || !('logical' in inner)) return inner
        return { kind: inner.kind, logical: logicalOf(schema, inner.kind, null) }
      }
    }
  }

  #record(schema: Json, namespace: string): RecordType {
    const { name, space, aliases } = namesOf(schema, namespace)
    const record: RecordType = { kind: 'record', name, aliases, fields: [] }
    this.#define(record)
    if (!Array.isArray(schema.fields)) throw invalidSchema(`record ${name} needs 'fields', an array`)
    const seen = new Set<string>()
    for (const given of schema.fields as unknown[]) {
      const field = this.#field(given, record, space)
      if (seen.has(field.name)) throw invalidSchema(`record ${name} has a field ${field.name} twice`)
      seen.add(field.name)
      record.fields.push(field)
      if (field.hasDefault) this.#defaults.push({ field, record })
    }
    return record
  }

  #field(given: unknown, record: RecordType, namespace: string): Field {
    if (typeof given !== 'object' || given === null) throw invalidSchema(`a field of ${record.name} is no object`)
    const json = given as Json
    const { name } = json
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw invalidSchema(`record ${record.name} has a field with the name ${JSON.stringify(name)}, which is none`)
    }
    if (!('type' in json)) throw invalidSchema(`field ${record.name}.${name} needs a type`)
    return {
      name,
      aliases: stringsOf(json.aliases),
      type: this.#type(json.type, namespace),
      hasDefault: json.default !== undefined,
      default: json.default,
    }
  }

  #enum(schema: Json, namespace: string): EnumType {
    const { name, aliases } = namesOf(schema, namespace)
    const { symbols } = schema
    if (!Array.isArray(symbols) || !symbols.every(symbol => typeof symbol === 'string' && NAME.test(symbol))) {
      throw invalidSchema(`enum ${name} needs 'symbols', an array of names`)
    }
    if (new Set(symbols).size < symbols.length) throw invalidSchema(`enum ${name} has a symbol twice`)
    const fallback = schema.default
    if (fallback !== undefined && !symbols.includes(fallback)) {
      throw invalidSchema(`the default of enum ${name} is none of its symbols`)
    }
    const type: EnumType = {
      kind: 'enum',
      name,
      aliases,
      symbols: symbols as string[],
      default: typeof fallback === 'string' ? fallback : null,
    }
    this.#define(type)
    return type
  }

  #fixed(schema: Json, namespace: string): FixedType {
    const { name, aliases } = namesOf(schema, namespace)
    const { size } = schema
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) {
      throw invalidSchema(`fixed ${name} needs 'size', a number of bytes`)
    }
    const type: FixedType = { kind: 'fixed', name, aliases, size, logical: logicalOf(schema, 'fixed', size) }
    this.#define(type)
    return type
  }

  #define(type: NamedType): void {
    if (this.#names.has(type.name)) throw invalidSchema(`the Avro type ${type.name} is defined twice`)
    this.#names.set(type.name, type)
  }
}

function namesOf(schema: Json, namespace: string): { name: string; space: string; aliases: string[] } {
  const { name: given } = schema
  if (typeof given !== 'string' || !FULL_NAME.test(given)) {
    throw invalidSchema(`a type has the name ${JSON.stringify(given)}, which is none`)
  }
  if (primitives.has(given)) throw invalidSchema(`no type can be called ${given}: that is a primitive type`)
  const own = typeof schema.namespace === 'string' ? schema.namespace : namespace
  if (own !== '' && !FULL_NAME.test(own)) throw invalidSchema(`the namespace of ${given} is none`)
  const name = qualified(given, own)
  const space = name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : ''
  return { name, space, aliases: stringsOf(schema.aliases).map(alias => qualified(alias, space)) }
}

function qualified(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}

function stringsOf(given: unknown): string[] {
  return Array.isArray(given) ? given.filter(each => typeof each === 'string') : []
}

/** Which types a logical type may be of. */
const underlying: Readonly<Record<string, readonly string[]>> = {
  decimal: ['bytes', 'fixed'],
  uuid: ['string', 'fixed'],
  date: ['int'],
  'time-millis': ['int'],
  'time-micros': ['long'],
  'timestamp-millis': ['long'],
  'timestamp-micros': ['long'],
  'timestamp-nanos': ['long'],
  'local-timestamp-millis': ['long'],
  'local-timestamp-micros': ['long'],
  'local-timestamp-nanos': ['long'],
  duration: ['fixed'],
}

/** Null where the logical type is unknown to the specification's readers, or does not fit: they use the plain type. */
function logicalOf(schema: Json, kind: string, size: number | null): Logical | null {
  const { logicalType: name, precision, scale = 0 } = schema
  if (typeof name !== 'string') return null
  const kinds = underlying[name]
  // The application may have a conversion for a logical type of its own.
  if (kinds === undefined) return { name, precision: 0, scale: 0 }
  if (!kinds.includes(kind)) return null
  if (name === 'duration' && size !== 12) return null
  if (name === 'uuid' && size !== null && size !== 16) return null
  if (name !== 'decimal') return { name, precision: 0, scale: 0 }
  if (!isCount(precision) || precision === 0 || !isCount(scale) || scale > precision) return null
  return { name, precision, scale }
}

function isCount(given: unknown): given is number {
  return typeof given === 'number' && Number.isInteger(given) && given >= 0
}

function kindOf(given: unknown): string {
  return given === null ? 'null' : typeof given
}
