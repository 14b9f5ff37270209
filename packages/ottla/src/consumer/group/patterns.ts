/** Patterns that the coordinator matches itself (KIP-848): one expression, of RE2, that has to match the whole name. */
import type { Subscription } from './subscription.ts'

// Look-around and back references are what RE2 lacks.
const beyondRe2 = /\(\?<?[=!]|\\[1-9]|\\k</

/**
 * All patterns of a subscription as one expression that finds what they find; null if there is one that only
 * JavaScript understands.
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
