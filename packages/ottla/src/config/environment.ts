/** Reads a configuration from environment variables: `KAFKA_LINGER_MS` is `linger.ms`. */
import { invalidArgument } from '../errors.ts'
import type { EnvConfig } from './client-configs.ts'
import { foreignHint, foreignNames } from './foreign-names.ts'
import { closest, lookUp } from './names.ts'
import { aliases, properties, type PropertyName } from './table.ts'
import { parseProperty, type Value } from './resolve.ts'

/**
 * Options of `envConfig`.
 * @since 0.1.0
 */
export interface EnvConfigOptions {
  /** Variables that begin with the prefix and are not meant for the client: `['KAFKA_TOPIC']`. */
  readonly ignore?: readonly string[]
}

const DEFAULT_PREFIX = 'KAFKA_'

// What Kafka's own scripts read, and what Kubernetes sets in every container beside a service called kafka.
const ofOthers = [
  /^(HOME|OPTS|(HEAP|JVM_PERFORMANCE|GC_LOG|LOG4J|LOG4J_CMD|JMX)_OPTS)$/,
  /^(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)$/,
]

const keysByVariable: ReadonlyMap<string, string> = new Map(
  [...Object.keys(properties), ...Object.keys(aliases)].map(key => [variableOf(key), key]),
)

/**
 * The configuration that the environment holds: each variable with the prefix is a property, in capitals and with `_` for
 * every `.` (`KAFKA_BOOTSTRAP_SERVERS` is `bootstrap.servers`). Names, types and ranges are checked here, the rest by the
 * constructors, which also refuse a configuration without `bootstrap.servers`. Empty variables count as unset. Variables
 * of Kafka's scripts (`KAFKA_HEAP_OPTS`) and of Kubernetes' services (`KAFKA_SERVICE_HOST`) are left out.
 *
 * ```ts
 * const producer = new Producer({ 'client.id': 'shop', ...envConfig(process.env) })
 * ```
 * @param env - `process.env`, or an object like it
 * @param prefix - of the variables that are meant, as it is; `KAFKA_` by default
 * @throws KafkaError ERR__INVALID_ARG that names the variable: one that is no property (with the one that may be meant),
 *   a wrong value, two variables that contradict each other. No secret is part of its text
 * @since 0.1.0
 */
export function envConfig(
  env: Readonly<Record<string, string | undefined>>,
  prefix: string = DEFAULT_PREFIX,
  options: EnvConfigOptions = {},
): EnvConfig {
  const ignored = new Set(options.ignore)
  const config: Record<string, Value> = {}
  const found = new Map<PropertyName, { readonly variable: string; readonly value: Value }>()
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(prefix) || ignored.has(variable) || text === undefined || text.trim() === '') continue
    const written = variable.slice(prefix.length)
    if (ofOthers.some(pattern => pattern.test(written))) continue
    const key = keysByVariable.get(written.toUpperCase())
    const name = key === undefined ? null : lookUp(key)
    if (key === undefined || name === null) throw unknown(variable, prefix)
    const value = valueOf(variable, name, text)
    const before = found.get(name)
    if (before !== undefined && before.value !== value) {
      throw invalidArgument(
        `${before.variable} and ${variable} are names of the same property and have different values`,
      )
    }
    found.set(name, { variable, value })
    config[key] = value
  }
  // Each value is what the table says of its property; the constructors check that the brokers are there.
  return config as unknown as EnvConfig
}

/** Numbers, booleans and words as such; lists and addresses as text, which the constructors read as well. */
function valueOf(variable: string, name: PropertyName, text: string): Value {
  const value = parseProperty(variable, properties[name], text)
  return typeof value === 'object' ? text : value
}

function variableOf(key: string): string {
  return key.replaceAll(/[.-]/g, '_').toUpperCase()
}

function unknown(variable: string, prefix: string): Error {
  const own = `If it is the application's own, name it: envConfig(env, '${prefix}', { ignore: ['${variable}'] })`
  const written = variable.slice(prefix.length)
  const foreign = foreignNames.find(name => plain(name) === plain(written))
  const hint = foreign === undefined ? null : foreignHint(foreign)
  if (hint !== null) return invalidArgument(`${variable} is no property: it ${hint}. ${own}`)
  const meant = closest(written, [...keysByVariable.keys()])
  const guess = meant === null ? '' : `; did you mean ${prefix}${meant}?`
  return invalidArgument(`${variable} is no property${guess === '' ? '.' : guess} ${own}`)
}

/** A name without what sets its words apart. */
function plain(name: string): string {
  return name.replaceAll(/[._-]/g, '').toLowerCase()
}
