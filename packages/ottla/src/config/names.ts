/** Looks up names that the application wrote, and guesses what a misspelt one means. */
import { aliases, properties, type PropertyName } from './table.ts'

export function isProperty(name: string): boolean {
  return lookUp(name) !== null
}

/** The property of that name or alias. */
export function lookUp(key: string): PropertyName | null {
  if (Object.hasOwn(properties, key)) return key as PropertyName // just checked
  return Object.hasOwn(aliases, key) ? aliases[key as keyof typeof aliases] : null // just checked
}

/** The candidate closest to a misspelt name, if one is close enough. */
export function closest(name: string, candidates: readonly string[]): string | null {
  let best: string | null = null
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? limit
}
