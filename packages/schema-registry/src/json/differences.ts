/** Differences of JSON schemas, by the names of Confluent's registry: which of them keep what was written readable. */
import type { JsonSchema } from './documents.ts'

/** What makes schemas incompatible. Every other difference is allowed, and not noted. */
export type JsonDifferenceType =
  | 'SCHEMA_ADDED'
  | 'TYPE_CHANGED'
  | 'TYPE_NARROWED'
  | 'COMBINED_TYPE_CHANGED'
  | 'COMBINED_TYPE_SUBSCHEMAS_CHANGED'
  | 'PRODUCT_TYPE_EXTENDED'
  | 'SUM_TYPE_NARROWED'
  | 'NOT_TYPE_EXTENDED'
  | 'ENUM_ARRAY_NARROWED'
  | 'ENUM_ARRAY_CHANGED'
  | `${'MAX_LENGTH' | 'MAXIMUM' | 'EXCLUSIVE_MAXIMUM' | 'MAX_PROPERTIES' | 'MAX_ITEMS' | 'MAX_CONTAINS'}_${'ADDED' | 'DECREASED'}`
  | `${'MIN_LENGTH' | 'MINIMUM' | 'EXCLUSIVE_MINIMUM' | 'MIN_PROPERTIES' | 'MIN_ITEMS' | 'MIN_CONTAINS'}_${'ADDED' | 'INCREASED'}`
  | `PATTERN_${'ADDED' | 'CHANGED'}`
  | `MULTIPLE_OF_${'ADDED' | 'EXPANDED' | 'CHANGED'}`
  | 'UNIQUE_ITEMS_ADDED'
  | 'REQUIRED_ATTRIBUTE_ADDED'
  | `DEPENDENCY_ARRAY_${'ADDED' | 'EXTENDED' | 'CHANGED'}`
  | 'DEPENDENCY_SCHEMA_ADDED'
  | `${'ADDITIONAL' | 'UNEVALUATED'}_${'PROPERTIES' | 'ITEMS'}_${'NARROWED' | 'REMOVED'}`
  | 'PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL'
  | 'PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL'
  | 'PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL'
  | 'REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL'
  | 'REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL'
  | 'OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL'
  | 'REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL'
  | 'ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL'
  | 'ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL'
  | 'ITEM_ADDED_TO_OPEN_CONTENT_MODEL'
  | 'ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL'

export interface JsonDifference {
  readonly type: JsonDifferenceType
  /** Parts of the way from the root. */
  readonly path: readonly string[]
}

export function difference(type: JsonDifferenceType, ...path: string[]): JsonDifference {
  return { type, path }
}

/** Compares the schemas of parts. */
export interface SchemaComparison {
  /** Of two schemas, either of which may be absent. */
  schemas(before: JsonSchema | undefined, after: JsonSchema | undefined, ...path: string[]): JsonDifference[]
}

/** A larger limit allows more (`maximum`), or less (`minimum`). */
export interface Limit {
  readonly keyword: string
  readonly isMost: boolean
}

const most = (keyword: string): Limit => ({ keyword, isMost: true })
const least = (keyword: string): Limit => ({ keyword, isMost: false })

export const limits = {
  string: [most('maxLength'), least('minLength')],
  number: [most('maximum'), least('minimum'), most('exclusiveMaximum'), least('exclusiveMinimum')],
  object: [most('maxProperties'), least('minProperties')],
  array: [most('maxItems'), least('minItems'), most('maxContains'), least('minContains')],
} as const

/** `MAX_LENGTH` of `maxLength`. */
function named(keyword: string): string {
  return keyword.replaceAll(/[A-Z]/g, letter => `_${letter}`).toUpperCase()
}

/** What has become narrower, or null. */
export function narrowedLimit({ keyword, isMost }: Limit, before: unknown, after: unknown): JsonDifferenceType | null {
  if (typeof after !== 'number') return null
  if (typeof before !== 'number') return `${named(keyword)}_ADDED` as JsonDifferenceType
  if (isMost ? after < before : after > before) {
    return `${named(keyword)}_${isMost ? 'DECREASED' : 'INCREASED'}` as JsonDifferenceType
  }
  return null
}
