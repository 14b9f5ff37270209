/** node-rdkafka's two configurations, with callbacks among the properties, as one of `ottla`. */
import { validateConfig, type ClientConfig, type ConfigKind } from 'ottla'
import { converting } from './errors.ts'

/** Properties and callbacks by name. */
export type Entries = Readonly<Record<string, unknown>>

/** What a program configures a client with. */
export interface Configuration {
  /** The properties, as `ottla` takes them. */
  readonly properties: ClientConfig
  /** The callbacks, and what stands in their place: `true`. */
  readonly callbacks: ReadonlyMap<string, unknown>
}

/** Names of one property of topics: the topic's configuration wins, by whichever name. */
const topicAliases: readonly (readonly string[])[] = [
  ['request.required.acks', 'acks'],
  ['message.timeout.ms', 'delivery.timeout.ms'],
  ['compression.codec', 'compression.type'],
]

/** In the configuration of topics these are for librdkafka's old consumer, and have no effect on KafkaConsumer. */
const ofOldConsumer: ReadonlySet<string> = new Set([
  'auto.commit.enable',
  'enable.auto.commit',
  'auto.commit.interval.ms',
  'offset.store.path',
  'offset.store.sync.interval.ms',
  'offset.store.method',
  'consume.callback.max.messages',
])

/** Not properties of librdkafka, but of node-rdkafka itself. */
const own: ReadonlySet<string> = new Set(['event_cb', 'dr_cb', 'dr_msg_cb', 'rebalance_cb', 'offset_commit_cb'])

/**
 * @param kind the client that it is for
 * @param ignored names of properties that the facade has taken out
 * @throws an error with ERR__INVALID_ARG for what the client would refuse
 */
export function configurationOf(
  kind: ConfigKind,
  conf: Entries,
  topicConf: Entries,
  ignored: readonly string[] = [],
): Configuration {
  const properties = new Map<string, unknown>([['client.id', 'rdkafka']])
  const callbacks = new Map<string, unknown>()
  const take = (name: string, value: unknown): void => {
    if (ignored.includes(name)) return
    if (own.has(name) || typeof value === 'function') callbacks.set(name, value)
    // As text: librdkafka reads every value so, and takes 0 for false.
    else if (value !== undefined) properties.set(name, typeof value === 'number' ? String(value) : value)
  }
  for (const [name, value] of Object.entries(conf)) take(name, value)
  for (const [name, value] of Object.entries(topicConf)) {
    if (kind === 'consumer' && ofOldConsumer.has(name)) continue
    if (name === 'compression.codec' && value === 'inherit') continue
    for (const alias of topicAliases.find(names => names.includes(name)) ?? []) properties.delete(alias)
    take(name, value)
  }
  const given = Object.fromEntries(properties) as ClientConfig // what is missing or wrong is refused below
  converting(() => validateConfig(kind, given))
  return { properties: given, callbacks }
}

/** A copy that has what the program has set, as it was then. */
export function copied<T extends object>(conf: T): T {
  return { ...conf }
}

/**
 * As `copied`, of what every client needs.
 * @throws TypeError without it
 */
export function required<T extends object>(conf: T | null | undefined): T {
  if (typeof conf === 'object' && conf !== null) return copied(conf)
  throw new TypeError(`A client needs a configuration: an object of properties, not ${String(conf)}`)
}
