/** Conditions on the version, as TypeScript and as text. */
import { isEmpty, type Field, type Versions } from './spec.ts'

export function withoutTagged(range: Versions, field: Field): Versions {
  if (isEmpty(field.tagged)) return range
  // A field is tagged from some version on; before that it is an ordinary one.
  return { from: range.from, to: Math.min(range.to, field.tagged.from - 1) }
}

export function sameRange(a: Versions, b: Versions): boolean {
  return a.from === b.from && a.to === b.to
}

export function rangeText(range: Versions, all: Versions): string {
  if (range.from === range.to) return `Version ${range.from}`
  return `Versions ${range.from} ${range.to >= all.to ? 'and later' : `to ${range.to}`}`
}

// The test that a version lies in `range`, given that it lies in `all`; null if there is nothing to test.
export function conditionText(range: Versions, all: Versions): string | null {
  const from = range.from > all.from
  const to = range.to < all.to
  if (from && to) return range.from === range.to ? `v === ${range.from}` : `v >= ${range.from} && v <= ${range.to}`
  if (from) return `v >= ${range.from}`
  return to ? `v <= ${range.to}` : null
}

export function outsideText(range: Versions, all: Versions): string {
  const below = range.from > all.from ? `v < ${range.from}` : null
  const above = range.to < all.to ? `v > ${range.to}` : null
  if (below !== null && above !== null) return `(${below} || ${above})`
  return below ?? above ?? 'false'
}
