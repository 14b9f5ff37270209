/** Parsed Avro schemas: what the parser makes, and codecs, resolution and compatibility read. */

/** Types without parts. */
export type Primitive = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'

/** A logical type as the schema names it; attributes that make no sense were dropped, as the specification asks. */
export interface Logical {
  readonly name: string
  /** Of `decimal`. */
  readonly precision: number
  /** Of `decimal`. */
  readonly scale: number
}

export interface PrimitiveType {
  readonly kind: Primitive
  readonly logical: Logical | null
}

export interface ArrayType {
  readonly kind: 'array'
  readonly items: AvroType
}

export interface MapType {
  readonly kind: 'map'
  readonly values: AvroType
}

export interface UnionType {
  readonly kind: 'union'
  readonly branches: readonly AvroType[]
}

export interface EnumType {
  readonly kind: 'enum'
  readonly name: string
  readonly aliases: readonly string[]
  readonly symbols: readonly string[]
  readonly default: string | null
}

export interface FixedType {
  readonly kind: 'fixed'
  readonly name: string
  readonly aliases: readonly string[]
  readonly size: number
  readonly logical: Logical | null
}

export interface Field {
  readonly name: string
  readonly aliases: readonly string[]
  readonly type: AvroType
  readonly hasDefault: boolean
  /** As JSON has it. */
  readonly default: unknown
}

export interface RecordType {
  readonly kind: 'record'
  readonly name: string
  readonly aliases: readonly string[]
  /** Filled when the record is complete: fields may refer to their own record. */
  readonly fields: Field[]
}

export type NamedType = EnumType | FixedType | RecordType
export type AvroType = PrimitiveType | ArrayType | MapType | UnionType | NamedType

export const primitives: ReadonlySet<string> = new Set([
  ...['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'],
])

export function isNamed(type: AvroType): type is NamedType {
  return type.kind === 'record' || type.kind === 'enum' || type.kind === 'fixed'
}

/** The name of a type inside a union, in its JSON encoding and in errors: full for named types. */
export function typeName(type: AvroType): string {
  return isNamed(type) ? type.name : type.kind
}

/** The last part of a full name. */
export function shortName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}
