/** Patterns that the coordinator matches (KIP-848): one RE2 expression that must match the whole name. */
import type { Subscription } from './subscription.ts'

// RE2 lacks lookaround and backreferences.
const beyondRe2 = /\(\?<?[=!]|\\[1-9]|\\k</

/**
 * All patterns of a subscription as one equivalent expression; null if one of them is beyond RE2.
 */
export function brokerRegex(subscription: Subscription): string | null {
  const parts: string[] = []
  for (const { source, flags } of subscription.patterns) {
    if (beyondRe2.test(source) || /[uv]/.test(flags)) return null
    parts.push(flags.includes('i') ? `(?i:${source})` : `(?:${source})`)
  }
  // Ours may match anywhere in the name.
  return parts.length === 0 ? '' : `.*(?:${parts.join('|')}).*`
}
