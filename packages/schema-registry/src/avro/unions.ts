/** How values of unions look: plain where JavaScript tells the branches apart, else `{ name: value }`. */
import type { Conversion } from './logical.ts'
import { typeName, type AvroType, type UnionType } from './types.ts'

/** The kinds of values that JavaScript tells apart. */
export type Bucket = 'null' | 'boolean' | 'number' | 'string' | 'bytes' | 'array' | 'object' | 'date' | 'custom'

export function bucketOf(type: AvroType, conversion: Conversion | null): Bucket {
  if (conversion !== null) return conversion.makes
  switch (type.kind) {
    case 'null':
    case 'boolean':
    case 'array':
      return type.kind
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return 'number'
    case 'string':
    case 'enum':
      return 'string'
    case 'bytes':
    case 'fixed':
      return 'bytes'
    case 'map':
    case 'record':
    case 'union':
      return 'object'
    default:
      return type satisfies never
  }
}

/** Whether values of a union are `{ name: value }`, but for null. */
export function isWrapped(
  union: UnionType,
  form: 'auto' | 'wrapped',
  conversion: (type: AvroType) => Conversion | null,
): boolean {
  const others = union.branches.filter(({ kind }) => kind !== 'null')
  if (form === 'wrapped') return true
  const buckets = others.map(type => bucketOf(type, conversion(type)))
  return new Set(buckets).size < buckets.length || (buckets.length > 1 && buckets.includes('custom'))
}

/** What a branch is called in `{ name: value }`. */
export const branchName = typeName
