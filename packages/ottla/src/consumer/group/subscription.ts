/** What a program subscribed to: names and patterns, and the topics that they mean at present. */
import { ErrorCode } from '@ottla/protocol'
import type { Snapshot } from '../../cluster/snapshot.ts'
import { KafkaError } from '../../errors.ts'

/** A topic's name; a pattern if it begins with `^`, as in librdkafka. */
export type SubscriptionInput = string | RegExp | readonly (string | RegExp)[]

export class Subscription {
  /** As `subscription()` gives it back: names, patterns as text. */
  readonly terms: readonly string[]
  readonly names: ReadonlySet<string>
  readonly patterns: readonly RegExp[]

  /** Throws KafkaError ERR__INVALID_ARG for something that is neither a name nor a pattern. */
  constructor(input: SubscriptionInput) {
    const list = typeof input === 'string' || input instanceof RegExp ? [input] : checkedList(input)
    const names = new Set<string>()
    const patterns: RegExp[] = []
    const terms = new Set<string>()
    for (const term of list) {
      if (term instanceof RegExp) {
        // The state of a sticky or global pattern would make it match every other time.
        patterns.push(new RegExp(term.source, term.flags.replace(/[gy]/g, '')))
        terms.add(String(term))
      } else if (typeof term !== 'string' || term === '') {
        throw new KafkaError(
          ErrorCode.ERR__INVALID_ARG,
          'a subscription takes topic names and patterns, none of them empty',
        )
      } else if (term.startsWith('^')) {
        patterns.push(compile(term))
        terms.add(term)
      } else {
        names.add(term)
        terms.add(term)
      }
    }
    this.terms = [...terms]
    this.names = names
    this.patterns = patterns
  }

  get isEmpty(): boolean {
    return this.terms.length === 0
  }

  /** The topics to subscribe to: all names, existing or not, and the existing topics that match a pattern. */
  topics(snapshot: Snapshot, isBlacklisted: (topic: string) => boolean): string[] {
    const found = new Set(this.names)
    if (this.patterns.length > 0) {
      for (const { topic, errorCode } of snapshot.topics.values()) {
        if (errorCode !== ErrorCode.ERR_NO_ERROR || isBlacklisted(topic)) continue
        if (this.patterns.some(pattern => pattern.test(topic))) found.add(topic)
      }
    }
    return [...found].sort()
  }

  equals(other: Subscription): boolean {
    return this.terms.length === other.terms.length && this.terms.every(term => other.terms.includes(term))
  }
}

function compile(term: string): RegExp {
  try {
    return new RegExp(term)
  } catch (cause) {
    throw new KafkaError(ErrorCode.ERR__INVALID_ARG, `'${term}' is no regular expression`, { cause })
  }
}

function checkedList(input: unknown): readonly (string | RegExp)[] {
  if (Array.isArray(input)) return input as readonly (string | RegExp)[] // each is checked by the caller
  const takes = 'subscribe takes the name of a topic, a pattern, or a list of these'
  const what = input === null || input === undefined ? String(input) : `a value of type ${typeof input}`
  const isForeign = typeof input === 'object' && input !== null && ('topic' in input || 'topics' in input)
  const hint = isForeign ? "; where to begin is said by 'auto.offset.reset' ('earliest': from the beginning)" : ''
  throw new KafkaError(ErrorCode.ERR__INVALID_ARG, `${takes}, not ${what}${hint}`)
}
