/** Patterns of topic names (KIP-848). Kafka's are RE2's; JavaScript's know the same for names of topics, and more. */

/** Matches whole names. Throws SyntaxError for what is no pattern. */
export function topicPattern(pattern: string): RegExp {
  const ignoresCase = pattern.startsWith('(?i)')
  // Compiled alone first, so that `a)|(?:b` is no pattern.
  const inner = new RegExp(ignoresCase ? pattern.slice('(?i)'.length) : pattern)
  return new RegExp(`^(?:${inner.source})$`, ignoresCase ? 'i' : '')
}

/** Why it is no pattern, or null. */
export function patternProblem(pattern: string): string | null {
  try {
    topicPattern(pattern)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
