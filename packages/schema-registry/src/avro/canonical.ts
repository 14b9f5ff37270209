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
const fieldOrder = ['name', 'type', 'doc', 'default', 'order', 'aliases']

/** @param schema its JSON, which the parser has accepted */
export function canonicalAvro(schema: unknown): string {
  return JSON.stringify(typeOf(schema))
}

function typeOf(schema: unknown): unknown {
  if (typeof schema === 'string') return schema
  if (Array.isArray(schema)) return schema.map(typeOf)
  const json = schema as Json
  const { type } = json
  if (typeof type !== 'string') return typeOf(type)
  const names = Object.keys(json)
  if (primitives.has(type) && names.length === 1) return type
  const made: Json = {}
  for (const name of [...(order[type] ?? ['type']), ...names]) {
    if (!(name in made) && json[name] !== undefined) made[name] = partOf(name, json[name])
  }
  return made
}

function partOf(name: string, value: unknown): unknown {
  if (name === 'items' || name === 'values') return typeOf(value)
  if (name === 'fields' && Array.isArray(value)) return value.map(field => fieldOf(field as Json))
  return value
}

function fieldOf(field: Json): Json {
  const made: Json = {}
  for (const name of [...fieldOrder, ...Object.keys(field)]) {
    if (name in made || field[name] === undefined || (name === 'order' && field[name] === 'ascending')) continue
    made[name] = name === 'type' ? typeOf(field[name]) : field[name]
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
