/** What a field is in TypeScript: its type, its default, whether it may be left out. */
import { intersect, isEmpty, type Field, type Message, type Struct, type Versions } from './spec.ts'
import { sameRange } from './version-ranges.ts'

export function isOptional(field: Field, struct: Struct): boolean {
  return (
    field.fallback !== undefined ||
    !isEmpty(field.tagged) ||
    !sameRange(intersect(field.versions, struct.versions), struct.versions)
  )
}

export function typeText(field: Field): string {
  const one = elementType(field)
  const base = field.isArray ? `readonly ${one}[]` : one
  return isEmpty(field.nullable) || one === 'RecordsInput' ? base : `${base} | null`
}

export function elementType(field: Field): string {
  if (field.type.kind === 'struct') return field.type.name
  switch (field.type.name) {
    case 'bool':
      return 'boolean'
    case 'string':
    case 'uuid':
      return 'string'
    case 'bytes':
      return 'Uint8Array'
    case 'records':
      return 'RecordsInput'
    case 'int8':
    case 'int16':
    case 'uint16':
    case 'int32':
    case 'uint32':
    case 'int64':
    case 'time':
    case 'float64':
      return 'number'
    case 'identity':
      return 'bigint'
    default:
      return field.type satisfies never
  }
}

function defaultText(field: Field): string {
  const { fallback } = field
  if (fallback === 'null') return 'null'
  if (field.isArray) return '[]'
  if (field.type.kind === 'struct') return 'null'
  switch (field.type.name) {
    case 'bool':
      return fallback === true || fallback === 'true' ? 'true' : 'false'
    case 'string':
      return `'${fallback === undefined ? '' : String(fallback)}'`
    case 'uuid':
      return 'ZERO_UUID'
    case 'bytes':
      return 'Buffer.alloc(0)'
    case 'records':
      return 'null'
    case 'int64':
      return fallback === '9223372036854775807' ? 'INT64_MAX' : numberText(fallback)
    case 'identity':
      return `${numberText(fallback)}n`
    case 'int8':
    case 'int16':
    case 'uint16':
    case 'int32':
    case 'uint32':
    case 'time':
    case 'float64':
      return numberText(fallback)
    default:
      return field.type satisfies never
  }
}

function numberText(fallback: string | number | boolean | undefined): string {
  return fallback === undefined ? '0' : String(Number(fallback))
}

// 'true' or 'false' where it holds for every version of the structure, else 'v': it has to be computed.
export function flexibleText(message: Message, versions: Versions): 'true' | 'false' | 'v' {
  const overlap = intersect(message.flexible, versions)
  if (isEmpty(overlap)) return 'false'
  return overlap.from <= versions.from ? 'true' : 'v'
}

// Whether a field holds something that would be lost by not writing it.
export function differs(field: Field, value: string): string {
  const fallback = defaultText(field)
  if (field.isArray) {
    if (fallback === 'null') return `${value} !== undefined && ${value} !== null`
    const nullable = isEmpty(field.nullable) ? '' : `(${value} === null || `
    return `${value} !== undefined && ${nullable}${value}.length > 0${nullable === '' ? '' : ')'}`
  }
  if (field.type.kind === 'struct') {
    if (isEmpty(field.nullable)) return `${value} !== undefined && differs${field.type.name}(${value})`
    return `${value} !== undefined && ${value} !== null`
  }
  if (field.type.name === 'bytes' && fallback !== 'null')
    return `${value} !== undefined && ${value}${isEmpty(field.nullable) ? '' : '?'}.length !== 0`
  if (field.type.name === 'records') return `${value} !== undefined && ${value} !== null`
  return `${value} !== undefined && ${value} !== ${fallback}`
}

export function taggedFields(struct: Struct): Field[] {
  return struct.fields.filter(field => !isEmpty(intersect(field.tagged, struct.versions))).sort((a, b) => a.tag - b.tag)
}

export function decodedType(field: Field): string {
  return `Decoded<${typeText(field)}>`
}

// What a reader hands out for a field that the version lacks.
export function readFallback(field: Field): string {
  if (field.type.kind === 'struct' && !field.isArray && isEmpty(field.nullable)) return `default${field.type.name}()`
  return defaultText(field)
}
