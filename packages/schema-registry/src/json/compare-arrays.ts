/** Differences of what schemas say of arrays. */
import { isEmpty, schemaOr, unevaluated } from './compare-objects.ts'
import { difference, type JsonDifference, type SchemaComparison } from './differences.ts'
import { isSchemaObject, type JsonSchema, type JsonSchemaObject } from './documents.ts'

/** `items` and `prefixItems`, whatever the draft calls them. */
interface Items {
  /** Of all of them. */
  readonly all: JsonSchema | undefined
  readonly first: readonly JsonSchema[]
  /** Of those behind the first ones. */
  readonly rest: unknown
  readonly unevaluated: unknown
}

export class ArrayComparison {
  readonly #comparison: SchemaComparison

  constructor(comparison: SchemaComparison) {
    this.#comparison = comparison
  }

  compare(before: JsonSchemaObject, after: JsonSchemaObject): JsonDifference[] {
    const [one, other] = [itemsOf(before), itemsOf(after)]
    return [
      ...this.#comparison.schemas(one.all, other.all, 'items'),
      ...this.#first(one, other),
      ...this.#rest(one, other),
      ...unevaluated(this.#comparison, 'unevaluatedItems', 'UNEVALUATED_ITEMS', before, after),
      ...(after['uniqueItems'] === true && before['uniqueItems'] !== true
        ? [difference('UNIQUE_ITEMS_ADDED', 'uniqueItems')]
        : []),
    ]
  }

  #first(before: Items, after: Items): JsonDifference[] {
    const found: JsonDifference[] = []
    for (let i = 0; i < Math.max(before.first.length, after.first.length); i++) {
      const [old, fresh] = [before.first[i], after.first[i]]
      if (old === undefined && fresh !== undefined) found.push(...this.#added(i, fresh, before))
      else if (old !== undefined && fresh === undefined) found.push(...this.#removed(i, old, after))
      else found.push(...this.#comparison.schemas(old, fresh, 'items', String(i)))
    }
    return found
  }

  #removed(i: number, old: JsonSchema, after: Items): JsonDifference[] {
    if (isOpen(after)) return []
    const rest = restOf(after)
    if (rest === null)
      return old === false ? [] : [difference('ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL', 'items', String(i))]
    const found = this.#comparison.schemas(old, rest, 'items', String(i))
    if (found.length === 0) return []
    return [...found, difference('ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL', 'items', String(i))]
  }

  #added(i: number, fresh: JsonSchema, before: Items): JsonDifference[] {
    if (isOpen(before))
      return isEmpty(fresh) ? [] : [difference('ITEM_ADDED_TO_OPEN_CONTENT_MODEL', 'items', String(i))]
    const rest = restOf(before)
    const found = rest === null ? [] : this.#comparison.schemas(rest, fresh, 'items', String(i))
    if (found.length === 0) return []
    return [...found, difference('ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL', 'items', String(i))]
  }

  #rest({ rest: a }: Items, { rest: b }: Items): JsonDifference[] {
    if ((a === false) !== (b === false))
      return b === false ? [difference('ADDITIONAL_ITEMS_REMOVED', 'additionalItems')] : []
    if (!isSchemaObject(b)) return []
    if (!isSchemaObject(a)) return [difference('ADDITIONAL_ITEMS_NARROWED', 'additionalItems')]
    return this.#comparison.schemas(a, b, 'additionalItems')
  }
}

function itemsOf(schema: JsonSchemaObject): Items {
  const { items, prefixItems, additionalItems, unevaluatedItems: rest } = schema
  if (Array.isArray(prefixItems)) {
    return { all: undefined, first: prefixItems as JsonSchema[], rest: items, unevaluated: rest }
  }
  if (Array.isArray(items)) {
    return { all: undefined, first: items as JsonSchema[], rest: additionalItems, unevaluated: rest }
  }
  return { all: schemaOr(items), first: [], rest: additionalItems, unevaluated: rest }
}

function isOpen({ rest, unevaluated: left }: Items): boolean {
  if (rest === false || isSchemaObject(rest)) return false
  const schema = schemaOr(left)
  return schema === undefined || isEmpty(schema)
}

/** What another item has to be; null if none is allowed. */
function restOf({ rest, unevaluated: left }: Items): JsonSchema | null {
  if (isSchemaObject(rest)) return rest
  if (rest === false) return null
  return isSchemaObject(left) && !isEmpty(left) ? left : null
}
