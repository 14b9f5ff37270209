/** A JSON schema by what it says of one kind of value: parts that say more are combined, as Confluent's registry has it. */
import { invalidSchema } from '../errors.ts'
import { isSchemaObject, partsOf, type JsonDocuments, type JsonSchema, type JsonSchemaObject } from './documents.ts'

export type Criterion = 'allOf' | 'anyOf' | 'oneOf'

interface Common {
  /** What the node was made of; true and false have no keywords. */
  readonly raw: JsonSchemaObject
}

export type JsonNode = Common &
  (
    | { readonly is: 'any' | 'nothing' | 'boolean' | 'null' | 'string' | 'conditional' | 'object' | 'array' }
    | { readonly is: 'number'; readonly isInteger: boolean }
    | { readonly is: 'const'; readonly value: unknown }
    | { readonly is: 'enum'; readonly values: readonly unknown[] }
    | { readonly is: 'not'; readonly part: JsonSchema }
    /** Asked for when they are needed: a schema may refer to itself. */
    | { readonly is: 'combined'; readonly criterion: Criterion; readonly parts: () => readonly JsonNode[] }
  )

const types = ['string', 'number', 'integer', 'boolean', 'null', 'object', 'array'] as const
type TypeName = (typeof types)[number]

/** Keywords that tell the type where none is given. */
const telling: readonly (readonly [TypeName, readonly string[]])[] = [
  [
    'array',
    ['items', 'additionalItems', 'prefixItems', 'minItems', 'maxItems', 'uniqueItems', 'contains', 'unevaluatedItems'],
  ],
  [
    'object',
    [
      ...['properties', 'required', 'minProperties', 'maxProperties', 'dependencies', 'patternProperties'],
      ...['additionalProperties', 'propertyNames', 'dependentRequired', 'dependentSchemas', 'unevaluatedProperties'],
    ],
  ],
  ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
  ['string', ['minLength', 'maxLength', 'pattern', 'format']],
]

const none: JsonSchemaObject = {}

/** Nodes of schemas, each made once. */
export class JsonNodes {
  readonly #documents: JsonDocuments
  readonly #known = new Map<JsonSchemaObject, JsonNode>()
  readonly #any: JsonNode = { is: 'any', raw: none }
  readonly #nothing: JsonNode = { is: 'nothing', raw: none }

  constructor(documents: JsonDocuments) {
    this.#documents = documents
  }

  get root(): JsonNode {
    return this.of(this.#documents.root)
  }

  /** @throws SchemaRegistryError INVALID_SCHEMA */
  of(schema: JsonSchema): JsonNode {
    if (typeof schema === 'boolean') return schema ? this.#any : this.#nothing
    const known = this.#known.get(schema)
    if (known !== undefined) return known
    const target = this.#target(schema)
    const node = typeof target === 'boolean' || target !== schema ? this.of(target) : this.#made(schema)
    this.#known.set(schema, node)
    return node
  }

  /** What a chain of references ends at. */
  #target(schema: JsonSchemaObject): JsonSchema {
    const seen = new Set<JsonSchemaObject>()
    for (let at: JsonSchemaObject = schema; ;) {
      const { $ref } = at
      if (typeof $ref !== 'string') return at
      if (seen.has(at)) throw invalidSchema(`the reference ${$ref} leads to itself`)
      seen.add(at)
      const found = this.#documents.resolve(at, $ref)
      if (found === undefined) throw invalidSchema(`the reference ${$ref} leads nowhere`)
      if (typeof found === 'boolean') return found
      at = found
    }
  }

  #made(raw: JsonSchemaObject): JsonNode {
    const parts = [...this.#values(raw), ...this.#combined(raw), ...typed(raw)]
    const [first] = parts
    if (first === undefined) return { is: 'any', raw }
    return parts.length === 1 ? { ...first, raw } : { is: 'combined', criterion: 'allOf', parts: () => parts, raw }
  }

  #values(raw: JsonSchemaObject): JsonNode[] {
    const { enum: values, not, const: value } = raw
    const nodes: JsonNode[] = []
    if (Array.isArray(values)) nodes.push({ is: 'enum', values, raw })
    if (typeof not === 'boolean' || isSchemaObject(not)) nodes.push({ is: 'not', part: not, raw })
    if ('const' in raw) nodes.push({ is: 'const', value, raw })
    if ('if' in raw) nodes.push({ is: 'conditional', raw })
    return nodes
  }

  #combined(raw: JsonSchemaObject): JsonNode[] {
    return (['allOf', 'anyOf', 'oneOf'] as const).flatMap((criterion): JsonNode[] => {
      const all = raw[criterion]
      if (!Array.isArray(all)) return []
      const parts = (): JsonNode[] => (all as JsonSchema[]).map(each => this.of(each))
      return [{ is: 'combined', criterion, parts, raw: none }]
    })
  }
}

function typed(raw: JsonSchemaObject): JsonNode[] {
  const { type } = raw
  if (Array.isArray(type)) {
    const parts = type.map(each => ofType(each, raw))
    return [{ is: 'combined', criterion: 'anyOf', parts: () => parts, raw: none }]
  }
  if (type !== undefined) return [ofType(type, raw)]
  return telling.filter(([, keywords]) => keywords.some(keyword => keyword in raw)).map(([name]) => ofType(name, raw))
}

function ofType(type: unknown, raw: JsonSchemaObject): JsonNode {
  const name = types.find(each => each === type)
  if (name === undefined) throw invalidSchema(`unknown type: [${String(type)}]`)
  if (name === 'integer' || name === 'number') return { is: 'number', isInteger: name === 'integer', raw }
  return { is: name, raw }
}

/** Whether all parts of a schema can be told. @throws SchemaRegistryError INVALID_SCHEMA */
export function checkSchema(documents: JsonDocuments): void {
  const nodes = new JsonNodes(documents)
  const open: JsonSchema[] = [documents.root]
  const seen = new Set<JsonSchema>()
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (typeof part === 'boolean' || seen.has(part)) continue
    seen.add(part)
    nodes.of(part)
    open.push(...partsOf(part))
  }
}
