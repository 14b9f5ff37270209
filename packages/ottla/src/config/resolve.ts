/** Turns what the application wrote into what the client uses: names, types, ranges, defaults, contradictions. */
import { invalidArgument, type KafkaError } from '../errors.ts'
import { foreignHint } from './foreign-names.ts'
import { closest, lookUp } from './names.ts'
import { reconcile } from './reconcile.ts'
import type { ParsedProperties } from './client-configs.ts'
import { choices, type ConfigKind, type HostPort, type Property } from './property.ts'
import { parseServers } from './servers.ts'
import { shareOnly } from './share-groups.ts'
import { aliases, properties, type PropertyName, type Settings } from './table.ts'

export type {
  AdminConfig,
  ClientConfig,
  ConsumerConfig,
  ProducerConfig,
  ShareConsumerConfig,
} from './client-configs.ts'
export type { AdminSettings, CommonSettings, ConsumerSettings, ProducerSettings, Settings } from './table.ts'

/** Settings, and the warnings to log about them. */
export interface Resolved<S = Settings> {
  readonly settings: S
  readonly warnings: readonly string[]
}

/** What a property's text or value is read as. */
export type Value = boolean | number | string | readonly string[] | readonly HostPort[] | undefined

/**
 * Checks a configuration and fills in the defaults.
 * Throws KafkaError ERR__INVALID_ARG that names the key, the value and what is allowed.
 */
export function resolveConfig(kind: ConfigKind, input: object): Resolved {
  checkForm(input)
  const warnings: string[] = []
  const values = new Map<PropertyName, Value>()
  const writtenAs = new Map<PropertyName, string>()
  for (const [key, given] of Object.entries(input) as [string, unknown][]) {
    if (given === undefined) continue
    const name = canonicalName(key)
    const property: Property = properties[name]
    const value = parseProperty(key, property, given)
    const before = writtenAs.get(name)
    if (before !== undefined && !same(values.get(name), value)) {
      throw invalidArgument(`${before} and ${key} are names of the same property and have different values`)
    }
    values.set(name, value)
    writtenAs.set(name, key)
    const warning = warningFor(kind, key, name)
    if (warning !== null) warnings.push(warning)
  }
  const settings: Record<string, Value> = {}
  for (const name of Object.keys(properties) as PropertyName[]) {
    settings[name] = values.has(name) ? values.get(name) : properties[name].default
  }
  reconcile(kind, settings, new Set(values.keys()))
  for (const [alias, name] of Object.entries(aliases)) settings[alias] = settings[name]
  // Every key of the table has a value of its kind, made by parse() or by the table.
  return { settings: settings as unknown as Settings, warnings }
}

/** @throws KafkaError ERR__INVALID_ARG for anything that is not a configuration; the error shows one */
export function checkForm(input: unknown): void {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return
  const example = "{ 'bootstrap.servers': 'localhost:9092' } is one"
  if (input === undefined) throw invalidArgument(`the configuration is missing: ${example}`)
  const what = Array.isArray(input) ? 'an array' : input === null ? 'null' : `a ${typeof input}`
  throw invalidArgument(`the configuration must be an object, not ${what}: ${example}`)
}

/**
 * Checks a configuration as the client's constructor does, without making a client.
 * @returns warnings, such as keys that have no effect
 * @throws KafkaError ERR__INVALID_ARG that names the key, the value and what is allowed
 * @since 0.1.0
 */
export function validateConfig(kind: ConfigKind, config: Readonly<Record<string, unknown>>): string[] {
  return [...resolveConfig(kind, config).warnings]
}

/** The configuration with the values of secret properties masked, for logs. */
export function maskedConfig(input: object): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(input) as [string, unknown][]) {
    const property = lookUp(key)
    shown[key] = property === null || properties[property].secret ? '[redacted]' : value
  }
  return shown
}

/**
 * Reads librdkafka's .properties form: `key=value` lines, comments after `#`.
 * Throws KafkaError ERR__INVALID_ARG for any other line.
 */
export function parseProperties(text: string): ParsedProperties {
  const result: Record<string, string> = {}
  text.split(/\r?\n/).forEach((line, i) => {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) return
    const at = trimmed.indexOf('=')
    if (at <= 0) throw invalidArgument(`line ${i + 1} is not key=value`)
    result[trimmed.slice(0, at).trim()] = trimmed.slice(at + 1).trim()
  })
  return result as ParsedProperties // its caller's claim
}

function canonicalName(key: string): PropertyName {
  const name = lookUp(key)
  if (name !== null) return name
  const hint = foreignHint(key)
  if (hint !== null) throw invalidArgument(`there is no property '${key}': it ${hint}`)
  const close = closest(key, [...Object.keys(properties), ...Object.keys(aliases)])
  throw invalidArgument(`there is no property '${key}'${close === null ? '' : `; did you mean '${close}'?`}`)
}

/**
 * Reads the value of one property.
 * @param key - how errors call it
 * @throws KafkaError ERR__INVALID_ARG with the value, unless it is secret, and what is allowed
 */
export function parseProperty(key: string, property: Property, given: unknown): Value {
  switch (property.kind) {
    case 'bool':
      return parseBool(key, given)
    case 'int':
    case 'float':
      return parseNumber(key, property, given)
    case 'text':
      if (typeof given === 'string') return given
      if (typeof given === 'number' || typeof given === 'boolean') return String(given)
      throw wrong(key, property, given, 'a string')
    case 'choice': {
      const found =
        typeof given === 'string' ? property.values.find(v => v.toLowerCase() === given.toLowerCase()) : undefined
      if (found !== undefined) return found
      const { prefix } = property
      if (prefix !== undefined && typeof given === 'string' && given.toLowerCase().startsWith(prefix))
        return prefix + given.slice(prefix.length)
      throw wrong(key, property, given, `one of ${choices(property).join(', ')}`)
    }
    case 'list':
      return parseList(key, property, given)
    case 'servers':
      return parseServers(key, given)
    case 'elsewhere':
      throw invalidArgument(
        `${key} cannot be set here; use ${property.status.is === 'elsewhere' ? property.status.use : 'nothing'}`,
      )
    default:
      return property satisfies never
  }
}

function parseBool(key: string, given: unknown): boolean {
  if (typeof given === 'boolean') return given
  const word = typeof given === 'string' ? given.trim().toLowerCase() : given
  if (word === 'true' || word === 't' || word === '1') return true
  if (word === 'false' || word === 'f' || word === '0') return false
  throw invalidArgument(`${key}=${show(given)} is not valid: it takes true or false`)
}

function parseNumber(key: string, property: Extract<Property, { kind: 'int' | 'float' }>, given: unknown): number {
  const { words, min, max, kind } = property
  const range = `${kind === 'int' ? 'an integer' : 'a number'} from ${min} to ${max}`
  const allowed = Object.keys(words).length === 0 ? range : `${range} or ${Object.keys(words).join(', ')}`
  if (typeof given === 'string') {
    const word = words[given.trim().toLowerCase()]
    if (word !== undefined) return word
  }
  const isNumeric = typeof given === 'number' || (typeof given === 'string' && /^\s*[+-]?\d+(\.\d+)?\s*$/.test(given))
  const value = isNumeric ? Number(given) : NaN
  if (Number.isNaN(value) || (kind === 'int' && !Number.isInteger(value)) || value < min || value > max) {
    throw wrong(key, property, given, allowed)
  }
  return value
}

function parseList(key: string, property: Extract<Property, { kind: 'list' }>, given: unknown): readonly string[] {
  const isList = Array.isArray(given) && given.every(item => typeof item === 'string')
  if (typeof given !== 'string' && !isList) throw wrong(key, property, given, 'words separated by commas')
  const words = (typeof given === 'string' ? given.split(',') : given) // checked above
    .map(word => word.trim())
    .filter(word => word !== '')
  if (property.values.length > 0) {
    const unknown = words.find(word => !property.values.includes(word))
    if (unknown !== undefined)
      throw wrong(key, property, given, `words out of ${property.values.join(', ')}, separated by commas`)
  }
  return words
}

function warningFor(kind: ConfigKind, key: string, name: PropertyName): string | null {
  const property: Property = properties[name]
  if (property.scope === 'P' && (kind === 'consumer' || kind === 'share'))
    return `${key} is a producer property: a consumer ignores it`
  if (kind === 'consumer' && shareOnly.includes(name)) return `${key} is for share consumers: a consumer ignores it`
  if (property.scope === 'C' && kind === 'producer') return `${key} is a consumer property: a producer ignores it`
  const { status } = property
  if (status.is === 'clib') return `${key} is for the C library only: it has no effect here`
  return null
}

function same(a: Value, b: Value): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}

function wrong(key: string, property: Property, given: unknown, allowed: string): KafkaError {
  return invalidArgument(`${key}=${property.secret ? '[redacted]' : show(given)} is not valid: it takes ${allowed}`)
}

function show(given: unknown): string {
  if (typeof given === 'string') return given
  if (typeof given === 'number' || typeof given === 'boolean' || typeof given === 'bigint') return String(given)
  return typeof given === 'object' && given !== null ? JSON.stringify(given) : typeof given
}
