/** What the application subscribed to: names and patterns, and the topics that they currently match. */
import { ErrorCode } from '@ottla/protocol'
import type { Snapshot } from '../../cluster/snapshot.ts'
import { KafkaError } from '../../errors.ts'
import type { TopicForm, TopicName } from '../../topics.ts'

/** Topic names and patterns; a string that begins with `^` is a pattern, as in librdkafka. */
export type SubscriptionInput = string | RegExp | readonly (string | RegExp)[]

/**
 * What `subscribe` takes: for typed topics their names alone, because what a pattern matches is known at run time only.
 * @since 0.1.0
 */
export type TopicsToSubscribe<K, V> = {
  readonly plain: SubscriptionInput
  readonly topics: TopicName<K> | readonly TopicName<K>[]
}[TopicForm<K, V>]

export class Subscription {
  /** For `subscription()`: names, and patterns as text. */
  readonly terms: readonly string[]
  readonly names: ReadonlySet<string>
  readonly patterns: readonly RegExp[]

  /** Throws KafkaError ERR__INVALID_ARG for anything but names and patterns. */
  constructor(input: SubscriptionInput) {
    const list = typeof input === 'string' || input instanceof RegExp ? [input] : checkedList(input)
    const names = new Set<string>()
    const patterns: RegExp[] = []
    const terms = new Set<string>()
    for (const term of list) {
      if (term instanceof RegExp) {
        // The state of a sticky or global pattern would make it match only every other time.
        patterns.push(new RegExp(term.source, term.flags.replace(/[gy]/g, '')))
        terms.add(String(term))
      } else if (typeof term !== 'string' || term === '') {
        throw new KafkaError(ErrorCode.ERR__INVALID_ARG, 'subscribe takes topic names and patterns, none of them empty')
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

  /** Whether it names the topic, or a pattern matches it. */
  includes(topic: string): boolean {
    return this.names.has(topic) || this.patterns.some(pattern => pattern.test(topic))
  }

  equals(other: Subscription): boolean {
    return this.terms.length === other.terms.length && this.terms.every(term => other.terms.includes(term))
  }
}

function compile(term: string): RegExp {
  try {
    return new RegExp(term)
  } catch (cause) {
    throw new KafkaError(ErrorCode.ERR__INVALID_ARG, `subscribe: '${term}' is not a regular expression`, { cause })
  }
}

function checkedList(input: unknown): readonly (string | RegExp)[] {
  if (Array.isArray(input)) return input as readonly (string | RegExp)[] // each is checked by the caller
  const takes = 'subscribe takes a topic name, a pattern, or a list of these'
  const what = input === null || input === undefined ? String(input) : `a value of type ${typeof input}`
  const isForeign = typeof input === 'object' && input !== null && ('topic' in input || 'topics' in input)
  const hint = isForeign ? "; 'auto.offset.reset' says where to begin ('earliest': from the beginning)" : ''
  throw new KafkaError(ErrorCode.ERR__INVALID_ARG, `${takes}, not ${what}${hint}`)
}
