/** A schema's text without what differs in form only, as registries keep it: Avro's Java library prints schemas so. */
import { primitives } from './types.ts'

type Json = Record<string, unknown>

/** What comes first in an object, in this order; further properties follow as they were. */
const order: Readonly<Record<string, readonly string[]>> = {
  record: ['type', 'name', 'namespace', 'doc', 'fields'],
  error: ['type', 'name', 'namespace', 'doc', 'fields'],
  enum: ['type', 'name', 'namespace', 'doc', 'symbols', 'default'],
  fixed: ['type', 'name', 'namespace', 'doc', 'size'],
  array: ['type', 'items'],
  map: ['type', 'values'],
}
const named: ReadonlySet<string> = new Set(['record', 'error', 'enum', 'fixed'])
const fieldOrder = ['name', 'type', 'doc', 'default', 'order', 'aliases']

/** @param schema its JSON, which the parser has accepted */
export function canonicalAvro(schema: unknown): string {
  return JSON.stringify(typeOf(schema, ''))
}

/** @param space the namespace around it */
function typeOf(schema: unknown, space: string): unknown {
  if (typeof schema === 'string') return shortened(schema, space)
  if (Array.isArray(schema)) return schema.map(branch => typeOf(branch, space))
  const json = schema as Json
  const { type } = json
  if (typeof type !== 'string') return typeOf(type, space)
  const names = Object.keys(json)
  if (names.length === 1 && !(type in order)) return shortened(type, space)
  const own = named.has(type) ? spaceOf(json, space) : space
  const made: Json = {}
  for (const name of [...(order[type] ?? ['type']), ...names]) {
    if (name in made || (json[name] === undefined && name !== 'namespace')) continue
    if (name === 'namespace' && named.has(type)) {
      if (own !== space) made[name] = own
    } else if (json[name] !== undefined) made[name] = partOf(name, json[name], own)
  }
  return made
}

function spaceOf({ name, namespace }: Json, around: string): string {
  const text = name as string
  if (text.includes('.')) return text.slice(0, text.lastIndexOf('.'))
  return typeof namespace === 'string' ? namespace : around
}

/** Types of the namespace around are called without it. */
function shortened(name: string, space: string): string {
  if (primitives.has(name) || !name.includes('.')) return name
  return name.slice(0, name.lastIndexOf('.')) === space ? name.slice(name.lastIndexOf('.') + 1) : name
}

function partOf(name: string, value: unknown, space: string): unknown {
  if (name === 'items' || name === 'values') return typeOf(value, space)
  if (name === 'fields' && Array.isArray(value)) return value.map(field => fieldOf(field as Json, space))
  if (name === 'name' && typeof value === 'string') return value.slice(value.lastIndexOf('.') + 1)
  return value
}

function fieldOf(field: Json, space: string): Json {
  const made: Json = {}
  for (const name of [...fieldOrder, ...Object.keys(field)]) {
    if (name in made || field[name] === undefined || (name === 'order' && field[name] === 'ascending')) continue
    made[name] = name === 'type' ? typeOf(field[name], space) : field[name]
  }
  return made
}

/** As `canonicalAvro`, with properties of the application's own in the order of their names. */
export function sortedAvro(schema: unknown): string {
  return canonicalAvro(sorted(schema))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, key === 'default' ? (each as unknown) : sorted(each)]),
  )
}
