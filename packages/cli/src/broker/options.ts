/** The options of `ottla broker`, as those of an embedded cluster. */
import { readFileSync } from 'node:fs'
import { integer, parseCredentials } from '../terminal/parsers.ts'
import { UsageError } from '../terminal/terminal.ts'
import { brokerProperties } from '@ottla/broker'
import { parseAcl } from './acls.ts'
import type { EmbeddedOptions } from './embedded.ts'
import { advertising, parseAdvertised, parseListener, type Advertised } from './listeners.ts'
import { parseSetting } from './topics.ts'

type Sasl = NonNullable<EmbeddedOptions['sasl']>
type Tls = NonNullable<EmbeddedOptions['tls']>

export const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
export const CLIENT_AUTH = ['none', 'requested', 'required'] as const

export interface BrokerOptions {
  readonly brokers?: number
  readonly port?: number
  readonly host?: string
  readonly partitions?: number
  readonly schemaRegistry?: true | string
  readonly dataDir?: string
  readonly fsync?: boolean
  readonly as?: NonNullable<EmbeddedOptions['as']>
  readonly seed?: number
  readonly firstId?: number
  readonly rack: readonly string[]
  readonly topic: readonly string[]
  readonly config: readonly string[]
  readonly properties?: string
  readonly acl: readonly string[]
  readonly superUser: readonly string[]
  readonly allowEveryoneIfNoAclFound?: boolean
  readonly listener: readonly string[]
  readonly advertised: readonly string[]
  readonly sasl: readonly string[]
  readonly saslMechanism?: Sasl['mechanisms']
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsCa?: string
  readonly tlsClientAuth?: NonNullable<Tls['clientAuth']>
}

const DEFAULT_PORT = 9092
// As Kafka does, unlike a cluster inside of a test.
const likeKafka: EmbeddedOptions = { groupMinSessionTimeoutMs: 6000, compactEveryMs: 15_000 }

/** @throws UsageError */
export function embeddedOptions(options: BrokerOptions): EmbeddedOptions {
  const { brokers, partitions, dataDir, fsync = false, as, seed, firstId, rack } = options
  const settings = settingsOf(options)
  return {
    ...likeKafka,
    ...settings,
    ...(brokers === undefined ? {} : { brokers }),
    ...addresses(options, settings),
    ...(firstId === undefined ? {} : { firstBrokerId: firstId }),
    ...registryListener(options),
    ...(rack.length === 0 ? {} : { racks: rack }),
    ...access(options),
    ...(dataDir === undefined ? {} : { dataDir, fsync }),
    ...(partitions === undefined ? {} : { defaultPartitions: partitions }),
    ...(as === undefined ? {} : { as }),
    ...(seed === undefined ? {} : { seed }),
    ...sasl(options),
    ...tls(options),
  }
}

// Those given one by one win over those of the file.
function settingsOf({ properties: file, config }: BrokerOptions): EmbeddedOptions {
  const fromFile =
    file === undefined ? {} : asUsage('--properties', () => brokerProperties(contents(file, '--properties')))
  if (config.length === 0) return fromFile
  const given = Object.fromEntries(config.map(pair => parseSetting(pair, '--config')))
  const fromConfig = asUsage('--config', () => brokerProperties(given))
  return { ...fromFile, ...fromConfig, configs: { ...fromFile.configs, ...fromConfig.configs } }
}

function access({ acl, superUser, allowEveryoneIfNoAclFound }: BrokerOptions): Partial<EmbeddedOptions> {
  if (acl.length === 0 && superUser.length === 0 && allowEveryoneIfNoAclFound === undefined) return {}
  return {
    acls: acl.flatMap(parseAcl),
    superUsers: superUser,
    ...(allowEveryoneIfNoAclFound === undefined ? {} : { allowEveryoneIfNoAclFound }),
  }
}

function addresses({ port, host, ...options }: BrokerOptions, settings: EmbeddedOptions): Partial<EmbeddedOptions> {
  const advertised = options.advertised.map(parseAdvertised)
  const listeners = options.listener.map(parseListener)
  if (listeners.length > 0) {
    if (port !== undefined || host !== undefined) throw new UsageError('--listener replaces --port and --host')
    return { listeners: advertising(listeners, advertised) }
  }
  if (settings.listeners !== undefined) {
    if (port === undefined && host === undefined) return { listeners: advertising(settings.listeners, advertised) }
    throw new UsageError('--port and --host cannot be combined with listeners of --properties: use --listener')
  }
  return { port: port ?? DEFAULT_PORT, ...(host === undefined ? {} : { host }), ...hostOnly(advertised) }
}

// Without listeners there are no names, and the port is the one that is listened on.
function hostOnly(advertised: readonly Advertised[]): Partial<EmbeddedOptions> {
  const [first, second] = advertised
  if (first === undefined) return {}
  if (second !== undefined || first.name !== undefined || first.port !== undefined) {
    throw new UsageError('--advertised: without --listener it takes a host only')
  }
  return { advertisedHost: first.host }
}

function sasl({ sasl: users, saslMechanism }: BrokerOptions): Partial<EmbeddedOptions> {
  if (users.length === 0 && saslMechanism === undefined) return {}
  return { sasl: { mechanisms: saslMechanism ?? ['PLAIN'], users: parseUsers(users) } }
}

function tls({ tlsCert, tlsKey, tlsCa, tlsClientAuth }: BrokerOptions): Partial<EmbeddedOptions> {
  if (tlsCert === undefined && tlsKey === undefined) {
    if (tlsCa === undefined && tlsClientAuth === undefined) return {}
    throw new UsageError('--tls-ca and --tls-client-auth need --tls-cert and --tls-key')
  }
  if (tlsCert === undefined || tlsKey === undefined) throw new UsageError('--tls-cert and --tls-key belong together')
  return {
    tls: {
      cert: contents(tlsCert, '--tls-cert'),
      key: contents(tlsKey, '--tls-key'),
      ...(tlsCa === undefined ? {} : { ca: contents(tlsCa, '--tls-ca') }),
      ...(tlsClientAuth === undefined ? {} : { clientAuth: tlsClientAuth }),
    },
  }
}

/** @throws UsageError */
export function parseUsers(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map(pair => {
      const { user, password } = parseCredentials(pair, '--sasl')
      return [user, password]
    }),
  )
}

function asUsage<T>(option: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof UsageError
      ? error
      : new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function contents(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${option} ${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const REGISTRY_PORT = 8081

/** `--schema-registry`, with or without a port. */
function registryListener({ schemaRegistry, host }: BrokerOptions): Pick<EmbeddedOptions, 'schemaRegistry'> {
  if (schemaRegistry === undefined) return {}
  const port = schemaRegistry === true ? REGISTRY_PORT : integer(0, 65_535)(schemaRegistry)
  return { schemaRegistry: { port, ...(host === undefined ? {} : { host }) } }
}
