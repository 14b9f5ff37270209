/** A cluster's options from Kafka's own settings, as in the `server.properties` of a broker. */
import { readFileSync } from 'node:fs'
import { brokerSettingType, startConfigProblem } from './configs/broker-configs.ts'
import type {
  EmbeddedClusterOptions,
  ListenerOptions,
  SaslMechanism,
  SaslOptions,
  SecurityProtocol,
} from './options.ts'
import type { TlsSettings } from './server/tls.ts'

type Properties = Readonly<Record<string, string>>
type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const PROTOCOLS: readonly SecurityProtocol[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
const MECHANISMS: readonly SaslMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']
const EVERYWHERE = '0.0.0.0'
const PEM = 'PEM'
const CLEANER_BACKOFF_MS = 15_000

// What stands for what in Java's format of properties; any other letter stands for itself.
const escapes: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/** Settings that are options of the same meaning. */
const numbers = {
  'num.partitions': 'defaultPartitions',
  'group.initial.rebalance.delay.ms': 'groupInitialRebalanceDelayMs',
  'group.max.size': 'groupMaxSize',
  'group.min.session.timeout.ms': 'groupMinSessionTimeoutMs',
  'group.max.session.timeout.ms': 'groupMaxSessionTimeoutMs',
  'transaction.max.timeout.ms': 'transactionMaxTimeoutMs',
  'replica.lag.time.max.ms': 'replicaLagTimeMaxMs',
  'connections.max.idle.ms': 'maxIdleMs',
} as const

// Read here, by their own names or for one listener.
const security =
  /^(listener\.name\.[^.]+\.)?((plain|scram-sha-256|scram-sha-512)\.)?(sasl\.(enabled\.mechanisms|jaas\.config)|connections\.max\.reauth\.ms|ssl\.(keystore\.(type|location|key|certificate\.chain)|truststore\.(type|location|certificates)|client\.auth))$/
// Where a real broker keeps its data and finds its controllers: an embedded cluster must not touch either.
const elsewhere =
  /^(log\.dirs?|metadata\.log\.dir|process\.roles|controller\..*|inter\.broker\..*|security\.inter\.broker\.protocol)$/

/**
 * The options of a cluster from Kafka's own settings, as in a broker's `server.properties`: `node.id`, `listeners`,
 * `advertised.listeners`, `listener.security.protocol.map`, `sasl.enabled.mechanisms` and `sasl.jaas.config` (users of
 * PLAIN, also `listener.name.*`), `ssl.*` with PEM files or texts, `authorizer.class.name`, `super.users`,
 * `allow.everyone.if.no.acl.found`, limits of groups and transactions. Other settings of brokers become `configs`.
 * Directories and controllers are those of a real broker and left out. Throws Error for a setting that is unknown or not
 * valid, with its name, and for a file that cannot be read.
 * @param given the settings, or the text of a file in Java's format of properties
 * @since 0.1.0
 */
export function brokerProperties(given: string | Readonly<Record<string, string>>): EmbeddedClusterOptions {
  const properties = typeof given === 'string' ? parsed(given) : given
  const options: Mutable<EmbeddedClusterOptions> = {}
  const configs: Record<string, string> = {}
  for (const [name, value] of Object.entries(properties)) {
    if (security.test(name) || elsewhere.test(name) || ownNames.has(name)) continue
    if (name in numbers) options[numbers[name as keyof typeof numbers]] = whole(name, value)
    else if (brokerSettingType(name) === undefined) throw new Error(`there is no broker setting ${name}`)
    else configs[name] = checked(name, value)
  }
  return {
    ...options,
    ...identity(properties),
    ...access(properties),
    ...cleaner(properties),
    ...(properties['listeners'] === undefined ? {} : { listeners: listeners(properties) }),
    configs,
  }
}

const ownNames: ReadonlySet<string> = new Set([
  ...['node.id', 'broker.id', 'broker.rack', 'auto.create.topics.enable'],
  ...['listeners', 'advertised.listeners', 'listener.security.protocol.map'],
  ...['authorizer.class.name', 'super.users', 'allow.everyone.if.no.acl.found'],
  ...['log.cleaner.enable', 'log.cleaner.backoff.ms'],
])

function identity(properties: Properties): EmbeddedClusterOptions {
  const id = properties['node.id'] ?? properties['broker.id']
  const { 'broker.rack': rack, 'auto.create.topics.enable': creates } = properties
  return {
    ...(id === undefined ? {} : { firstBrokerId: whole('node.id', id) }),
    ...(rack === undefined ? {} : { racks: [rack] }),
    ...(creates === undefined ? {} : { autoCreateTopics: truth('auto.create.topics.enable', creates) }),
  }
}

// On by default, as in Kafka, once the interval is given or it is turned on.
function cleaner({
  'log.cleaner.enable': enables,
  'log.cleaner.backoff.ms': backoff,
}: Properties): EmbeddedClusterOptions {
  if (enables === undefined && backoff === undefined) return {}
  if (enables !== undefined && !truth('log.cleaner.enable', enables)) return {}
  return { compactEveryMs: backoff === undefined ? CLEANER_BACKOFF_MS : whole('log.cleaner.backoff.ms', backoff) }
}

function access(properties: Properties): EmbeddedClusterOptions {
  const { 'super.users': users, 'allow.everyone.if.no.acl.found': everyone } = properties
  if ((properties['authorizer.class.name'] ?? '') === '') return {}
  return {
    acls: [],
    superUsers: (users ?? '')
      .split(';')
      .map(user => user.trim())
      .filter(user => user !== ''),
    allowEveryoneIfNoAclFound: everyone !== undefined && truth('allow.everyone.if.no.acl.found', everyone),
  }
}

function listeners(properties: Properties): ListenerOptions[] {
  const protocols = new Map(words(properties['listener.security.protocol.map']).map(pairOf))
  const controllers = words(properties['controller.listener.names'])
  const advertised = new Map(words(properties['advertised.listeners']).map(text => [placeOf(text).name, placeOf(text)]))
  return words(properties['listeners'])
    .map(placeOf)
    .filter(({ name }) => !controllers.includes(name))
    .map(({ name, host, port }): ListenerOptions => {
      const protocol = PROTOCOLS.find(known => known === (protocols.get(name) ?? name).toUpperCase())
      if (protocol === undefined) throw new Error(`listener.security.protocol.map has no protocol for listener ${name}`)
      const told = advertised.get(name)
      return {
        name,
        protocol,
        host: host === '' ? EVERYWHERE : host,
        port,
        ...(told === undefined ? {} : { advertisedHost: told.host, advertisedPort: told.port }),
        ...(protocol.startsWith('SASL_') ? { sasl: sasl(name, properties) } : {}),
        ...(protocol.endsWith('SSL') ? { tls: tls(name, properties) } : {}),
      }
    })
}

// A setting for a listener, or for all of them.
function forListener(listener: string, name: string, properties: Properties): string | undefined {
  return properties[`listener.name.${listener.toLowerCase()}.${name}`] ?? properties[name]
}

function sasl(listener: string, properties: Properties): SaslOptions {
  const given = words(forListener(listener, 'sasl.enabled.mechanisms', properties) ?? 'PLAIN')
  const mechanisms = given.map(word => {
    const known = MECHANISMS.find(mechanism => mechanism === word)
    if (known === undefined)
      throw new Error(`sasl.enabled.mechanisms has ${word}, which is none of ${MECHANISMS.join(', ')}`)
    return known
  })
  const users: Record<string, string> = {}
  const jaas = mechanisms.map(mechanism =>
    forListener(listener, `${mechanism.toLowerCase()}.sasl.jaas.config`, properties),
  )
  for (const text of [...jaas, forListener(listener, 'sasl.jaas.config', properties)]) {
    for (const [, name = '', password = ''] of (text ?? '').matchAll(/\buser_([^\s=]+)\s*=\s*"([^"]*)"/g))
      users[name] = password
  }
  const reauth = forListener(listener, 'connections.max.reauth.ms', properties)
  return {
    mechanisms,
    users,
    ...(reauth === undefined ? {} : { maxReauthMs: whole('connections.max.reauth.ms', reauth) }),
  }
}

function tls(listener: string, properties: Properties): TlsSettings {
  const get = (name: string): string | undefined => forListener(listener, name, properties)
  for (const name of ['ssl.keystore.type', 'ssl.truststore.type']) {
    const type = get(name)
    if (type !== undefined && type.toUpperCase() !== PEM) throw new Error(`${name} is ${type}: only ${PEM} can be read`)
  }
  const file = get('ssl.keystore.location')
  const store = file === undefined ? undefined : contents('ssl.keystore.location', file)
  const key = get('ssl.keystore.key') ?? store
  const cert = get('ssl.keystore.certificate.chain') ?? store
  if (key === undefined || cert === undefined)
    throw new Error(`listener ${listener} needs ssl.keystore.location, a ${PEM} file`)
  const trusted = get('ssl.truststore.location')
  const ca =
    get('ssl.truststore.certificates') ??
    (trusted === undefined ? undefined : contents('ssl.truststore.location', trusted))
  const clientAuth = get('ssl.client.auth')
  if (clientAuth !== undefined && clientAuth !== 'none' && clientAuth !== 'requested' && clientAuth !== 'required') {
    throw new Error(`ssl.client.auth is ${clientAuth}: it can be none, requested or required`)
  }
  return {
    key,
    cert,
    ...(ca === undefined ? {} : { ca }),
    ...(clientAuth === undefined ? {} : { clientAuth }),
  }
}

// Java's format: comments after # or !, a value goes on after a backslash at the end of its line.
function parsed(text: string): Properties {
  const lines = text.replace(/(^|[^\\])((?:\\\\)*)\\\r?\n[ \t]*/g, '$1$2').split(/\r?\n/)
  const found: Record<string, string> = {}
  for (const line of lines) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith('!')) continue
    const [, name = '', value = ''] = /^([^\s=:]+)\s*[=:]?\s*(.*)$/.exec(trimmed) ?? []
    found[name] = value.replace(/\\(.)/g, (_, letter: string) => escapes.get(letter) ?? letter)
  }
  return found
}

// INTERNAL://host:9092
function placeOf(text: string): { readonly name: string; readonly host: string; readonly port: number } {
  const [, name = '', host = '', port = ''] = /^([\w.-]+):\/\/(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(text) ?? []
  if (name === '') throw new Error(`listener ${text}: write it as NAME://HOST:PORT`)
  return { name, host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) }
}

// INTERNAL:PLAINTEXT
function pairOf(text: string): [string, string] {
  const at = text.indexOf(':')
  return [text.slice(0, at), text.slice(at + 1)]
}

function words(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '')
}

function whole(name: string, value: string): number {
  const number = Number(value)
  if (value.trim() === '' || !Number.isSafeInteger(number)) throw new Error(`${name} is ${value}: not a whole number`)
  return number
}

function truth(name: string, value: string): boolean {
  const word = value.trim().toLowerCase()
  if (word !== 'true' && word !== 'false') throw new Error(`${name} is ${value}: it can be true or false`)
  return word === 'true'
}

function checked(name: string, value: string): string {
  const problem = startConfigProblem(name, value)
  if (problem !== null) throw new Error(problem)
  return value
}

function contents(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`${name} ${file} cannot be read`, { cause: error })
  }
}
