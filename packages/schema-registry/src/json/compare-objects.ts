/** Differences of what schemas say of objects. */
import { difference, type JsonDifference, type SchemaComparison } from './differences.ts'
import { isSchemaObject, type JsonSchema, type JsonSchemaObject } from './documents.ts'

type Schemas = Readonly<Record<string, JsonSchema>>

export class ObjectComparison {
  readonly #comparison: SchemaComparison

  constructor(comparison: SchemaComparison) {
    this.#comparison = comparison
  }

  compare(before: JsonSchemaObject, after: JsonSchemaObject): JsonDifference[] {
    return [
      ...required(before, after),
      ...this.#properties(before, after),
      ...this.#dependencies(before, after),
      ...this.#rest('additionalProperties', 'ADDITIONAL_PROPERTIES', before, after),
      ...this.#unevaluated(before, after),
    ]
  }

  #properties(before: JsonSchemaObject, after: JsonSchemaObject): JsonDifference[] {
    const [one, other] = [schemasOf(before, 'properties'), schemasOf(after, 'properties')]
    const names = [...new Set([...Object.keys(one), ...Object.keys(other)])]
    return names.flatMap(name => {
      const [old, fresh] = [ownOf(one, name), ownOf(other, name)]
      if (old !== undefined && fresh === undefined) return this.#removed(name, old, after)
      if (old === undefined && fresh !== undefined) return this.#added(name, fresh, before, after)
      return this.#comparison.schemas(old, fresh, 'properties', name)
    })
  }

  #removed(name: string, old: JsonSchema, after: JsonSchemaObject): JsonDifference[] {
    if (isOpen(after)) return []
    const rest = restFor(after, name)
    if (rest === null) {
      return old === false ? [] : [difference('PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL', 'properties', name)]
    }
    const found = this.#comparison.schemas(old, rest, 'properties', name)
    if (found.length === 0) return []
    return [...found, difference('PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL', 'properties', name)]
  }

  #added(name: string, fresh: JsonSchema, before: JsonSchemaObject, after: JsonSchemaObject): JsonDifference[] {
    const isRequired = requiredOf(after).includes(name)
    const hasDefault = isSchemaObject(fresh) && 'default' in fresh
    if (isOpen(before)) {
      if (isEmpty(fresh)) return []
      if (!isRequired) return [difference('OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL', 'properties', name)]
      return hasDefault
        ? [difference('REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL', 'properties', name)]
        : [difference('REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL', 'properties', name)]
    }
    const rest = restFor(before, name)
    const found = rest === null ? [] : this.#comparison.schemas(rest, fresh, 'properties', name)
    if (found.length > 0) {
      found.push(difference('PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL', 'properties', name))
    }
    if (isRequired && !hasDefault) {
      found.push(difference('REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL', 'properties', name))
    }
    return found
  }

  #dependencies(before: JsonSchemaObject, after: JsonSchemaObject): JsonDifference[] {
    const [one, other] = [dependenciesOf(before), dependenciesOf(after)]
    return Object.keys(other).flatMap(name => {
      const [old, fresh] = [one[name], other[name]]
      if (!Array.isArray(fresh)) {
        if (old === undefined || Array.isArray(old))
          return [difference('DEPENDENCY_SCHEMA_ADDED', 'dependencies', name)]
        return this.#comparison.schemas(old as JsonSchema, fresh as JsonSchema, 'dependencies', name)
      }
      if (!Array.isArray(old)) return [difference('DEPENDENCY_ARRAY_ADDED', 'dependencies', name)]
      if (fresh.every(each => old.includes(each))) return []
      const isExtended = old.every(each => fresh.includes(each))
      const type = isExtended ? 'DEPENDENCY_ARRAY_EXTENDED' : 'DEPENDENCY_ARRAY_CHANGED'
      return [difference(type, 'dependencies', name)]
    })
  }

  /** `additionalProperties`: absent and true are the same. */
  #rest(
    keyword: string,
    type: 'ADDITIONAL_PROPERTIES',
    before: JsonSchemaObject,
    after: JsonSchemaObject,
  ): JsonDifference[] {
    const [a, b] = [before[keyword], after[keyword]]
    if ((a === false) !== (b === false)) return b === false ? [difference(`${type}_REMOVED`, keyword)] : []
    const [one, other] = [isSchemaObject(a) ? a : undefined, isSchemaObject(b) ? b : undefined]
    if (other === undefined) return []
    if (one === undefined) return [difference(`${type}_NARROWED`, keyword)]
    return this.#comparison.schemas(one, other, keyword)
  }

  #unevaluated(before: JsonSchemaObject, after: JsonSchemaObject): JsonDifference[] {
    return unevaluated(this.#comparison, 'unevaluatedProperties', 'UNEVALUATED_PROPERTIES', before, after)
  }
}

export function unevaluated(
  comparison: SchemaComparison,
  keyword: string,
  type: 'UNEVALUATED_PROPERTIES' | 'UNEVALUATED_ITEMS',
  before: JsonSchemaObject,
  after: JsonSchemaObject,
): JsonDifference[] {
  const [a, b] = [schemaOr(before[keyword]), schemaOr(after[keyword])]
  if (b === undefined || a === false) return []
  if (b === false) return [difference(`${type}_REMOVED`, keyword)]
  if (a === undefined) return [difference(`${type}_NARROWED`, keyword)]
  if (isEmpty(a)) return isEmpty(b) ? [] : [difference(`${type}_NARROWED`, keyword)]
  return isEmpty(b) ? [] : comparison.schemas(a, b, keyword)
}

function required(before: JsonSchemaObject, after: JsonSchemaObject): JsonDifference[] {
  const [one, other] = [schemasOf(before, 'properties'), schemasOf(after, 'properties')]
  return Object.keys(one).flatMap(name => {
    const fresh = ownOf(other, name)
    if (fresh === undefined || requiredOf(before).includes(name) || !requiredOf(after).includes(name)) return []
    if (isSchemaObject(fresh) && 'default' in fresh) return []
    return [difference('REQUIRED_ATTRIBUTE_ADDED', 'required', name)]
  })
}

/** Whether any other property is allowed. */
function isOpen(schema: JsonSchemaObject): boolean {
  const { additionalProperties, unevaluatedProperties } = schema
  if (additionalProperties === false || isSchemaObject(additionalProperties)) return false
  if (Object.keys(schemasOf(schema, 'patternProperties')).length > 0) return false
  const rest = schemaOr(unevaluatedProperties)
  return rest === undefined || isEmpty(rest)
}

/** What another property has to be; null if none is allowed. */
function restFor(schema: JsonSchemaObject, name: string): JsonSchema | null {
  const { additionalProperties, unevaluatedProperties } = schema
  for (const [pattern, each] of Object.entries(schemasOf(schema, 'patternProperties'))) {
    if (matches(pattern, name)) return each
  }
  if (isSchemaObject(additionalProperties)) return additionalProperties
  if (additionalProperties === false) return null
  return isSchemaObject(unevaluatedProperties) && !isEmpty(unevaluatedProperties) ? unevaluatedProperties : null
}

function matches(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(name)
  } catch {
    return false
  }
}

export function isEmpty(schema: JsonSchema): boolean {
  return schema === true || (isSchemaObject(schema) && Object.keys(schema).length === 0)
}

export function schemaOr(value: unknown): JsonSchema | undefined {
  return typeof value === 'boolean' || isSchemaObject(value) ? value : undefined
}

function schemasOf(schema: JsonSchemaObject, keyword: string): Schemas {
  const value = schema[keyword]
  return isSchemaObject(value) ? (value as Schemas) : {}
}

function ownOf(schemas: Schemas, name: string): JsonSchema | undefined {
  return Object.hasOwn(schemas, name) ? schemas[name] : undefined
}

function requiredOf(schema: JsonSchemaObject): readonly unknown[] {
  const { required: names } = schema
  return Array.isArray(names) ? (names as unknown[]) : []
}

function dependenciesOf(schema: JsonSchemaObject): Readonly<Record<string, unknown>> {
  const all = ['dependencies', 'dependentRequired', 'dependentSchemas'].map(keyword => schema[keyword])
  return Object.assign({}, ...all.filter(isSchemaObject)) as Record<string, unknown>
}
