/** Defaults of fields, which schemas give in Avro's JSON encoding. */
import type { AvroType } from './types.ts'

/** Why a default does not fit its type, as the end of a sentence; null if it does. */
export function checkDefault(type: AvroType, value: unknown): string | null {
  return fits(type, value) ? null : `does not match its type, ${type.kind}`
}

/** Whether JSON is a value of the type, as a default: a union's is of any branch, without its name. */
export function fits(type: AvroType, value: unknown): boolean {
  switch (type.kind) {
    case 'null':
      return value === null
    case 'boolean':
      return typeof value === 'boolean'
    case 'int':
      return typeof value === 'number' && (value | 0) === value
    case 'long':
      return typeof value === 'number' && Number.isInteger(value)
    case 'float':
    case 'double':
      return typeof value === 'number' || value === 'NaN' || value === 'Infinity' || value === '-Infinity'
    case 'string':
      return typeof value === 'string'
    case 'bytes':
      return isLatin(value)
    case 'fixed':
      return isLatin(value) && value.length === type.size
    case 'enum':
      return typeof value === 'string' && type.symbols.includes(value)
    case 'array':
      return Array.isArray(value) && value.every(item => fits(type.items, item))
    case 'map':
      return isObject(value) && Object.values(value).every(item => fits(type.values, item))
    case 'union':
      return type.branches.some(branch => fits(branch, value))
    case 'record':
      return (
        isObject(value) &&
        type.fields.every(field =>
          value[field.name] === undefined ? field.hasDefault : fits(field.type, value[field.name]),
        )
      )
    default:
      return type satisfies never
  }
}

/** Bytes are characters up to U+00FF. */
function isLatin(value: unknown): value is string {
  return typeof value === 'string' && !/[^\0-\xff]/.test(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
