/** Whether what one JSON schema allows is allowed by another, as Confluent's registry decides it. */
import { isDeepStrictEqual } from 'node:util'
import { ArrayComparison } from './compare-arrays.ts'
import { ObjectComparison } from './compare-objects.ts'
import { difference, limits, narrowedLimit, type JsonDifference, type SchemaComparison } from './differences.ts'
import type { JsonDocuments, JsonSchema, JsonSchemaObject } from './documents.ts'
import { largestMatching } from './matching.ts'
import { JsonNodes, type JsonNode } from './nodes.ts'

/** Schemas that refer to themselves and to each other in more ways than this are taken for hostile. */
const MOST_COMPARISONS = 100_000

/** @throws SchemaRegistryError INVALID_SCHEMA */
export function jsonDifferences(writer: JsonDocuments, reader: JsonDocuments): JsonDifference[] {
  const [before, after] = [new JsonNodes(writer), new JsonNodes(reader)]
  // What is compared within itself is taken for compatible until the comparison is done; then all is compared again with
  // what has turned out not to be, until nothing new does.
  for (let known: Incompatible = new Map(); ;) {
    const comparison = new JsonComparison(before, after, known)
    const found = comparison.nodes(before.root, after.root)
    if (!comparison.isGuessed || count(comparison.incompatible) === count(known)) return found
    known = comparison.incompatible
  }
}

type Incompatible = Map<JsonNode, Map<JsonNode, readonly JsonDifference[]>>

function count(pairs: Incompatible): number {
  return [...pairs.values()].reduce((sum, { size }) => sum + size, 0)
}

/** Differences have paths from where a comparison began. */
class JsonComparison implements SchemaComparison {
  readonly incompatible: Incompatible = new Map()
  /** Whether a comparison has met itself. */
  isGuessed = false
  readonly #before: JsonNodes
  readonly #after: JsonNodes
  readonly #known: Incompatible
  readonly #done = new Map<JsonNode, Map<JsonNode, readonly JsonDifference[] | null>>()
  readonly #objects = new ObjectComparison(this)
  readonly #arrays = new ArrayComparison(this)
  #compared = 0

  constructor(before: JsonNodes, after: JsonNodes, known: Incompatible) {
    this.#before = before
    this.#after = after
    this.#known = known
  }

  /** Of two schemas, either of which may be absent. */
  schemas(before: JsonSchema | undefined, after: JsonSchema | undefined, ...path: string[]): JsonDifference[] {
    if (after === undefined) return []
    if (before === undefined) return [difference('SCHEMA_ADDED', ...path)]
    return within(path, this.nodes(this.#before.of(before), this.#after.of(after)))
  }

  /** The other way: `not` turns what is allowed around. */
  reversed(before: JsonSchema, after: JsonSchema): JsonDifference[] {
    return new JsonComparison(this.#after, this.#before, new Map()).nodes(
      this.#after.of(after),
      this.#before.of(before),
    )
  }

  nodes(before: JsonNode, after: JsonNode): JsonDifference[] {
    const done = this.#done.get(before)?.get(after)
    if (done !== undefined && done !== null) return [...done]
    if (done === null) {
      this.isGuessed = true
      return [...(this.#known.get(before)?.get(after) ?? [])]
    }
    if (++this.#compared > MOST_COMPARISONS) return [difference('COMBINED_TYPE_CHANGED')]
    put(this.#done, before, after, null)
    const found = this.#compare(before, after)
    put(this.#done, before, after, found)
    if (found.length > 0) put(this.incompatible, before, after, found)
    return found
  }

  #compare(before: JsonNode, after: JsonNode): JsonDifference[] {
    if (before.is !== 'combined' && after.is === 'combined' && this.#isOneOf(before, after)) return []
    if (before.is === 'combined' && after.is !== 'combined' && this.#isPartOf(before, after)) return []
    if (before.is !== after.is) {
      if (before.is === 'nothing' || after.is === 'any') return []
      const isBytes = before.raw['connect.type'] === 'bytes' && after.raw['connect.type'] === 'bytes'
      return isBytes ? [] : [difference('TYPE_CHANGED')]
    }
    switch (before.is) {
      case 'string':
        return [...this.#limits('string', before.raw, after.raw), ...pattern(before.raw, after.raw)]
      case 'number':
        return this.#numbers(before, after as typeof before)
      case 'const':
        return isDeepStrictEqual(before.value, (after as typeof before).value)
          ? []
          : [difference('ENUM_ARRAY_CHANGED', 'const')]
      case 'enum':
        return enums(before.values, (after as typeof before).values)
      case 'not':
        return this.reversed(before.part, (after as typeof before).part).length === 0
          ? []
          : [difference('NOT_TYPE_EXTENDED', 'not')]
      case 'combined':
        return this.#combined(before, after as typeof before)
      case 'object':
        return [...this.#objects.compare(before.raw, after.raw), ...this.#limits('object', before.raw, after.raw)]
      case 'array':
        return [...this.#arrays.compare(before.raw, after.raw), ...this.#limits('array', before.raw, after.raw)]
      case 'any':
      case 'nothing':
      case 'boolean':
      case 'null':
      case 'conditional':
        return []
      default:
        return before satisfies never
    }
  }

  /** A schema that has become one of several, or the only one. */
  #isOneOf(before: JsonNode, after: JsonNode & { is: 'combined' }): boolean {
    const parts = after.parts()
    if (parts.length > 1 && after.criterion === 'allOf') return false
    return parts.some(part => this.nodes(before, part).length === 0)
  }

  /** One of several that had to hold at once, or the only one. */
  #isPartOf(before: JsonNode & { is: 'combined' }, after: JsonNode): boolean {
    const parts = before.parts()
    if (parts.length > 1 && before.criterion !== 'allOf') return false
    return parts.some(part => this.nodes(part, after).length === 0)
  }

  #combined(before: JsonNode & { is: 'combined' }, after: JsonNode & { is: 'combined' }): JsonDifference[] {
    const [one, other] = [distinct(before.parts()), distinct(after.parts())]
    if (!mayBecome(before, after)) return [difference('COMBINED_TYPE_CHANGED')]
    const found: JsonDifference[] = []
    if (one.length < other.length && after.criterion === 'allOf') found.push(difference('PRODUCT_TYPE_EXTENDED'))
    if (one.length > other.length && before.criterion !== 'allOf') found.push(difference('SUM_TYPE_NARROWED'))
    const fitting = one.map(a => other.flatMap((b, i) => (this.nodes(a, b).length === 0 ? [i] : [])))
    if (largestMatching(fitting) < Math.min(one.length, other.length)) {
      found.push(difference('COMBINED_TYPE_SUBSCHEMAS_CHANGED'))
    }
    return found
  }

  #numbers(before: JsonNode & { is: 'number' }, after: JsonNode & { is: 'number' }): JsonDifference[] {
    const found = this.#limits('number', before.raw, after.raw)
    const [a, b] = [before.raw['multipleOf'], after.raw['multipleOf']]
    if (typeof b === 'number' && a !== b) {
      if (typeof a !== 'number') found.push(difference('MULTIPLE_OF_ADDED', 'multipleOf'))
      else if (isMultiple(b, a)) found.push(difference('MULTIPLE_OF_EXPANDED', 'multipleOf'))
      else if (!isMultiple(a, b)) found.push(difference('MULTIPLE_OF_CHANGED', 'multipleOf'))
    }
    if (after.isInteger && !before.isInteger) found.push(difference('TYPE_NARROWED'))
    return found
  }

  #limits(kind: keyof typeof limits, before: JsonSchemaObject, after: JsonSchemaObject): JsonDifference[] {
    return limits[kind].flatMap(limit => {
      const { keyword } = limit
      const type = narrowedLimit(limit, before[keyword], after[keyword])
      return type === null ? [] : [difference(type, keyword)]
    })
  }
}

function within(path: readonly string[], all: readonly JsonDifference[]): JsonDifference[] {
  return all.map(each => ({ type: each.type, path: [...path, ...each.path] }))
}

function pattern(before: JsonSchemaObject, after: JsonSchemaObject): JsonDifference[] {
  const [a, b] = [before['pattern'], after['pattern']]
  if (b === undefined || a === b) return []
  return [difference(a === undefined ? 'PATTERN_ADDED' : 'PATTERN_CHANGED', 'pattern')]
}

function enums(before: readonly unknown[], after: readonly unknown[]): JsonDifference[] {
  const has = (all: readonly unknown[], value: unknown): boolean => all.some(each => isDeepStrictEqual(each, value))
  if (before.every(value => has(after, value))) return []
  const isNarrowed = after.every(value => has(before, value))
  return [difference(isNarrowed ? 'ENUM_ARRAY_NARROWED' : 'ENUM_ARRAY_CHANGED', 'enum')]
}

function mayBecome(before: JsonNode & { is: 'combined' }, after: JsonNode & { is: 'combined' }): boolean {
  if (before.criterion === after.criterion || after.criterion === 'anyOf') return true
  const [one, other] = [before.parts().length === 1, after.parts().length === 1]
  return (one && other) || (one && after.criterion === 'oneOf') || (other && before.criterion === 'allOf')
}

/** By what they say. */
function distinct(parts: readonly JsonNode[]): JsonNode[] {
  return parts.filter((part, i) => parts.findIndex(each => each === part || isSame(each, part)) === i)
}

function isSame(a: JsonNode, b: JsonNode): boolean {
  if (a.is !== b.is || a.is === 'combined') return false
  return isDeepStrictEqual(a, b)
}

/** 0.3 is a multiple of 0.1, whatever binary fractions make of it. */
function isMultiple(value: number, of: number): boolean {
  if (of === 0) return false
  const quotient = value / of
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.max(1, Math.abs(quotient))
}

function put<V>(pairs: Map<JsonNode, Map<JsonNode, V>>, a: JsonNode, b: JsonNode, value: V): void {
  let inner = pairs.get(a)
  if (inner === undefined) pairs.set(a, (inner = new Map<JsonNode, V>()))
  inner.set(b, value)
}
