/**
 * Values as JSON has them: bytes as text with a character for each (as Avro's own JSON encoding), integers beyond 2^53 as
 * text, dates as ISO text.
 */
import { invalidData } from '../errors.ts'
import { conversionOf, type LogicalTypes } from './logical.ts'
import { isWrapped } from './unions.ts'
import { typeName, type AvroType, type UnionType } from './types.ts'

export interface JsonForm {
  readonly logicalTypes: LogicalTypes
  readonly unions: 'auto' | 'wrapped'
}

export function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toJson(each)]))
}

/** What the encoder takes; what does not fit is left to it. */
export function fromJson(type: AvroType, value: unknown, form: JsonForm): unknown {
  switch (type.kind) {
    case 'long':
    case 'int':
      if (isDate(type, form) && typeof value === 'string') return dateOf(value)
      return typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : value
    case 'bytes':
    case 'fixed':
      return typeof value === 'string' && conversionOf(type, form.logicalTypes) === null ? bytesOf(value) : value
    case 'array':
      return Array.isArray(value) ? value.map(each => fromJson(type.items, each, form)) : value
    case 'map':
      return isObject(value) ? mapped(value, each => fromJson(type.values, each, form)) : value
    case 'record': {
      if (!isObject(value)) return value
      const types = new Map(type.fields.map(field => [field.name, field.type]))
      return mapped(value, (each, name) => {
        const field = types.get(name)
        return field === undefined ? each : fromJson(field, each, form)
      })
    }
    case 'union':
      return ofUnion(type, value, form)
    case 'null':
    case 'boolean':
    case 'float':
    case 'double':
    case 'string':
    case 'enum':
      return value
    default:
      return type satisfies never
  }
}

function ofUnion(union: UnionType, value: unknown, form: JsonForm): unknown {
  if (value === null) return null
  if (isWrapped(union, form.unions, type => conversionOf(type, form.logicalTypes))) {
    const [name] = isObject(value) ? Object.keys(value) : []
    const branch = union.branches.find(each => typeName(each) === name)
    return branch === undefined || !isObject(value) ? value : mapped(value, each => fromJson(branch, each, form))
  }
  const branch = branchFor(union, value, form)
  return branch === undefined ? value : fromJson(branch, value, form)
}

/** Text is text if it may be, then a date, bytes, or an integer. */
function branchFor({ branches }: UnionType, value: unknown, form: JsonForm): AvroType | undefined {
  const byKind = (...kinds: readonly AvroType['kind'][]): AvroType | undefined =>
    branches.find(({ kind }) => kinds.includes(kind))
  if (Array.isArray(value)) return byKind('array')
  if (typeof value === 'object') return byKind('record', 'map')
  if (typeof value !== 'string') return undefined
  return byKind('string', 'enum') ?? branches.find(each => isDate(each, form)) ?? byKind('bytes', 'fixed', 'long')
}

function isDate(type: AvroType, { logicalTypes }: JsonForm): boolean {
  return conversionOf(type, logicalTypes)?.makes === 'date'
}

function dateOf(text: string): Date {
  const date = new Date(text)
  if (Number.isNaN(date.getTime())) throw invalidData('a date is text such as "2026-11-30T12:00:00.000Z"')
  return date
}

function bytesOf(text: string): Buffer {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0xff) throw invalidData('bytes are text whose characters are U+0000 to U+00FF')
  }
  return Buffer.from(text, 'latin1')
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function mapped(
  value: Readonly<Record<string, unknown>>,
  change: (each: unknown, name: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, change(each, name)]))
}
