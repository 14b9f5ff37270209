/** Checks of a call's arguments, made before anything is sent. Each error names the culprit. */
import { invalidArgument } from '../errors.ts'
import type { TopicPartition } from '../types.ts'

const INT64_LAST = 2n ** 63n - 1n

function refuse(message: string): never {
  throw invalidArgument(message)
}

/** The value, for errors. */
function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'bigint') return `the bigint ${value}n`
  if (value === null || typeof value !== 'object') return typeof value === 'function' ? 'a function' : String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}

/** @throws KafkaError ERR__INVALID_ARG unless `items` is an array with at least one element */
export function requireItems<T>(items: readonly T[], what: string): readonly T[] {
  const given: unknown = items
  if (!Array.isArray(given)) refuse(`${what} must be an array, not ${shown(given)}`)
  if (items.length === 0) refuse(`${what} is empty: there is nothing to do`)
  return items
}

/** @throws KafkaError ERR__INVALID_ARG unless `value` is a string with at least one character */
export function requireName(value: string, what: string): string {
  if (typeof value !== 'string') refuse(`${what} must be a string, not ${shown(value)}`)
  if (value === '') refuse(`${what} must not be empty`)
  return value
}

/** @throws KafkaError ERR__INVALID_ARG unless `value` is an integer from `min` to `max` */
export function requireInteger(value: number, what: string, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    refuse(`${what} must be an integer from ${min} to ${max}, not ${shown(value)}`)
  }
  return value
}

/** The producer id as a bigint. @throws KafkaError ERR__INVALID_ARG unless it is one, exact to the last digit */
export function requireProducerId(value: bigint | number, what: string): bigint {
  const given: unknown = value
  const isExact = typeof given === 'bigint' || Number.isSafeInteger(given)
  if (!isExact || value < 0 || value > INT64_LAST) {
    const hint =
      typeof given === 'number' && given > Number.MAX_SAFE_INTEGER ? ': beyond 2^53 only a bigint is exact' : ''
    refuse(`${what} must be a bigint or an integer from 0 to ${INT64_LAST}, not ${shown(given)}${hint}`)
  }
  return BigInt(value)
}

/** @throws KafkaError ERR__INVALID_ARG if two items have the same key */
export function requireDistinct<T>(items: readonly T[], keyOf: (item: T) => string, what: string): void {
  const seen = new Set<string>()
  for (const item of items) {
    const key = keyOf(item)
    if (seen.has(key)) refuse(`${what} names '${key}' twice`)
    seen.add(key)
  }
}

/** The number of a word. @throws KafkaError ERR__INVALID_ARG that lists the words */
export function requireWord(value: string, numbers: ReadonlyMap<string, number>, what: string): number {
  const number = typeof value === 'string' ? numbers.get(value) : undefined
  if (number === undefined) refuse(`${what} must be one of ${[...numbers.keys()].join(', ')}, not ${shown(value)}`)
  return number
}

/** @throws KafkaError ERR__INVALID_ARG unless every item has a topic and a partition, each pair once */
export function requirePartitions(items: readonly TopicPartition[], what: string): void {
  requireItems(items, what)
  items.forEach((item, i) => {
    const given: unknown = item
    if (typeof given !== 'object' || given === null) {
      refuse(`${what}[${i}] must be an object with topic and partition, not ${shown(given)}`)
    }
    requireName(item.topic, `${what}[${i}].topic`)
    requireInteger(item.partition, `${what}[${i}].partition`, 0, INT32_MAX)
  })
  requireDistinct(items, item => `${item.topic} [${item.partition}]`, what)
}

/** @throws KafkaError ERR__INVALID_ARG unless `names` are distinct strings that are not empty */
export function requireNames(names: readonly string[], what: string): void {
  requireItems(names, what)
  names.forEach((name, i) => requireName(name, `${what}[${i}]`))
  requireDistinct(names, name => name, what)
}

/** @throws KafkaError ERR__INVALID_ARG with `message` unless `condition` holds */
export function requireThat(condition: boolean, message: string): void {
  if (!condition) refuse(message)
}

/** Largest values of int32 and int16 fields. */
export const INT32_MAX = 2 ** 31 - 1
export const INT16_MAX = 2 ** 15 - 1
