/** Checks of what programs pass to an admin client. All of them throw KafkaJSNonRetriableError with kafkajs's text. */
import { KafkaJSNonRetriableError } from '../errors.ts'

export function invalid(message: string): KafkaJSNonRetriableError {
  return new KafkaJSNonRetriableError(message)
}

/** A value, for errors. */
export function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/** @throws KafkaJSNonRetriableError unless it is an array */
export function requireArray<T>(value: readonly T[] | null | undefined, what: string): readonly T[] {
  const given: unknown = value
  if (!Array.isArray(given)) throw invalid(`Invalid ${what} array ${shown(given)}`)
  return given as readonly T[] // declared so by the caller
}

/** @throws KafkaJSNonRetriableError unless it is an array with items */
export function requireItems<T>(value: readonly T[] | null | undefined, what: string): readonly T[] {
  const items = requireArray(value, what)
  if (items.length === 0) throw invalid(`Empty ${what} array`)
  return items
}

/** @throws KafkaJSNonRetriableError unless it is an array with partitions */
export function requirePartitions<T>(value: readonly T[] | null | undefined): readonly T[] {
  const given: unknown = value
  if (!Array.isArray(given) || given.length === 0) throw invalid('Invalid partitions')
  return given as readonly T[] // declared so by the caller
}

/** @throws KafkaJSNonRetriableError unless it is a string with characters */
export function requireName(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw invalid(`Invalid ${what} ${shown(value)}`)
  return value
}

/** @throws KafkaJSNonRetriableError unless all have a topic of their own */
export function requireTopics<T extends { readonly topic: string }>(value: readonly T[], what: string): readonly T[] {
  const items = requireArray(value, what)
  const seen = new Set<string>()
  for (const { topic } of items) {
    const name: unknown = topic
    if (typeof name !== 'string') throw invalid(`Invalid ${what} array, the topic names have to be a valid string`)
    if (seen.has(topic)) throw invalid(`Invalid ${what} array, it cannot have multiple entries for the same topic`)
    seen.add(topic)
  }
  return items
}

export function isIndex(value: unknown): value is number {
  return typeof value === 'number' && value >= 0
}
