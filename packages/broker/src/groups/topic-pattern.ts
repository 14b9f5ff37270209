/** Topic patterns (KIP-848). Kafka's are RE2; for topic names JavaScript's match the same. */

/** Matches whole names. Throws SyntaxError if the pattern is not valid. */
export function topicPattern(pattern: string): RegExp {
  const ignoresCase = pattern.startsWith('(?i)')
  // Compiled on its own first, so that `a)|(?:b` is not valid.
  const inner = new RegExp(ignoresCase ? pattern.slice('(?i)'.length) : pattern)
  return new RegExp(`^(?:${inner.source})$`, ignoresCase ? 'i' : '')
}

/** Why the pattern is not valid, or null. */
export function patternProblem(pattern: string): string | null {
  try {
    topicPattern(pattern)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
