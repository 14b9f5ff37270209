/** JSON schemas with those that they refer to: what a `$ref` means. */
import { invalidSchema, textOf } from '../errors.ts'

/** A schema, or a part of one. */
export type JsonSchema = boolean | JsonSchemaObject
export type JsonSchemaObject = Readonly<Record<string, unknown>>

interface Document {
  readonly root: JsonSchema
  /** Its `$id`, or how the schema that refers to it calls it. */
  readonly base: string
}

/** A schema that is referred to, by the name of the reference. */
export interface ReferredText {
  readonly name: string
  readonly schema: string
}

const NO_BASE = 'schema:///'
const MAX_DEPTH = 128

export function isSchemaObject(value: unknown): value is JsonSchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws SchemaRegistryError INVALID_SCHEMA */
export function jsonSchemaOf(text: string): JsonSchema {
  let schema: unknown
  try {
    schema = JSON.parse(text)
  } catch (error) {
    throw invalidSchema(textOf(error))
  }
  if (typeof schema !== 'boolean' && !isSchemaObject(schema))
    throw invalidSchema('a JSON schema is an object or a boolean')
  return schema
}

export class JsonDocuments {
  readonly root: JsonSchema
  readonly #documentOf = new Map<object, Document>()
  /** By URI without a fragment. */
  readonly #byUri = new Map<string, Document>()
  /** By URI with the name of an anchor. */
  readonly #anchors = new Map<string, JsonSchemaObject>()

  /** @throws SchemaRegistryError INVALID_SCHEMA */
  constructor(text: string, referred: readonly ReferredText[] = []) {
    this.root = jsonSchemaOf(text)
    this.#add(this.root, NO_BASE)
    const base = this.#baseOf(this.root)
    for (const { name, schema } of referred) {
      const root = jsonSchemaOf(schema)
      const document = this.#add(root, resolved(name, base))
      // By its name, too, whatever its own `$id` is.
      for (const uri of [name, resolved(name, base), resolved(name, NO_BASE)]) this.#byUri.set(uri, document)
    }
  }

  /** What a `$ref` of a schema means; undefined if nothing is known. */
  resolve(from: JsonSchemaObject, ref: string): JsonSchema | undefined {
    const document = this.#documentOf.get(from)
    if (document === undefined) return undefined
    const [uri = '', fragment = ''] = ref.split('#')
    const full = uri === '' ? document.base : resolved(uri, document.base)
    const found = uri === '' ? document : (this.#byUri.get(full) ?? this.#byUri.get(uri))
    if (found === undefined) return undefined
    if (fragment === '') return found.root
    if (!fragment.startsWith('/')) return this.#anchors.get(`${found.base}#${fragment}`)
    return pointed(found.root, fragment)
  }

  /** Every `$ref` that leads nowhere. */
  unresolved(): string[] {
    const refs = [...this.#documentOf.keys()].flatMap(each => {
      const { $ref } = each as JsonSchemaObject
      return typeof $ref === 'string' ? [{ from: each as JsonSchemaObject, $ref }] : []
    })
    return refs.filter(({ from, $ref }) => this.resolve(from, $ref) === undefined).map(({ $ref }) => $ref)
  }

  #baseOf(schema: JsonSchema): string {
    return typeof schema === 'boolean' ? NO_BASE : (this.#documentOf.get(schema)?.base ?? NO_BASE)
  }

  #add(root: JsonSchema, uri: string): Document {
    const own = typeof root === 'boolean' ? undefined : idOf(root)
    const document = { root, base: own === undefined ? uri : resolved(own, uri) }
    this.#byUri.set(document.base, document)
    if (typeof root !== 'boolean') this.#index(root, document, 0)
    return document
  }

  #index(value: unknown, document: Document, depth: number): void {
    if (depth > MAX_DEPTH) throw invalidSchema(`schemas are nested more than ${MAX_DEPTH} deep`)
    if (Array.isArray(value)) {
      for (const each of value) this.#index(each, document, depth + 1)
      return
    }
    if (!isSchemaObject(value)) return
    const id = idOf(value)
    const isOwn = value === document.root || id === undefined || id.startsWith('#')
    const mine = isOwn ? document : { root: value, base: resolved(id, document.base) }
    this.#byUri.set(mine.base, this.#byUri.get(mine.base) ?? mine)
    this.#documentOf.set(value, mine)
    for (const name of [value['$anchor'], value['$dynamicAnchor'], id?.startsWith('#') === true ? id.slice(1) : null]) {
      if (typeof name === 'string') this.#anchors.set(`${mine.base}#${name}`, value)
    }
    for (const [key, each] of Object.entries(value)) if (!data.has(key)) this.#index(each, mine, depth + 1)
  }
}

const one = [
  ...['additionalProperties', 'unevaluatedProperties', 'propertyNames', 'items', 'additionalItems', 'unevaluatedItems'],
  ...['contains', 'not', 'if', 'then', 'else'],
]
const several = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items']
const named = ['properties', 'patternProperties', 'definitions', '$defs', 'dependentSchemas', 'dependencies']

/** The schemas in a schema, by keyword. */
export function partsOf(schema: JsonSchemaObject): JsonSchema[] {
  const values = [
    ...one.map(keyword => schema[keyword]),
    ...several.flatMap(keyword => (Array.isArray(schema[keyword]) ? (schema[keyword] as unknown[]) : [])),
    ...named.flatMap(keyword => (isSchemaObject(schema[keyword]) ? Object.values(schema[keyword]) : [])),
  ]
  return values.filter((value): value is JsonSchema => typeof value === 'boolean' || isSchemaObject(value))
}

/** Keywords whose values are no schemas. */
const data = new Set(['enum', 'const', 'default', 'examples', 'required'])

function idOf(schema: JsonSchemaObject): string | undefined {
  const id = schema['$id'] ?? schema['id']
  return typeof id === 'string' ? id : undefined
}

/** Without a fragment. */
function resolved(uri: string, base: string): string {
  try {
    const url = new URL(uri, base)
    url.hash = ''
    return url.href.replace(/#$/, '')
  } catch {
    return uri.replace(/#.*$/, '')
  }
}

function pointed(root: JsonSchema, pointer: string): JsonSchema | undefined {
  let at: unknown = root
  for (const part of pointer.slice(1).split('/')) {
    const name = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, unknown>)[name]
  }
  return typeof at === 'boolean' || isSchemaObject(at) ? at : undefined
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
