/** The listeners of every broker, from the options. */
import type { BrokerInfo, Endpoint } from './base/brokers.ts'
import type { EmbeddedClusterOptions, ListenerOptions, SaslOptions, SecurityProtocol } from './options.ts'
import { tlsOptions, type ListenerTls, type TlsSettings } from './server/tls.ts'

const LOCALHOST = '127.0.0.1'
const MAX_PORT = 65_535
// They stand for every address of the machine; clients cannot connect to them.
const wildcards: ReadonlyMap<string, string> = new Map([
  ['', LOCALHOST],
  ['0.0.0.0', LOCALHOST],
  ['::', '::1'],
])

/** A listener with everything that was left out. */
export interface ListenerPlan {
  readonly name: string
  readonly protocol: SecurityProtocol
  readonly host: string
  /** 0: free ports. */
  readonly port: number
  readonly advertisedHost: string
  /** null: the ports that it listens on. */
  readonly advertisedPort: number | null
  /** null: nobody has to log in. */
  readonly sasl: SaslOptions | null
  readonly tls: ListenerTls | null
}

/** Throws Error for listeners that cannot be. @param brokers how many there are */
export function planListeners(options: EmbeddedClusterOptions, brokers: number): ListenerPlan[] {
  const { listeners } = options
  if (listeners === undefined) return [defaultListener(options)]
  if (listeners.length === 0) throw new Error('listeners is empty: leave it out for one listener without security')
  if (options.port !== undefined)
    throw new Error('port cannot be combined with listeners, which have ports of their own')
  const plans = listeners.map(listener => planOf(listener, options))
  for (const [at, { name }] of plans.entries()) {
    if (plans.findIndex(other => other.name === name) < at) throw new Error(`there are two listeners ${name}`)
  }
  checkPorts(plans, brokers)
  return plans
}

/** The endpoints of a broker. @param place how many brokers precede it; null: on free ports */
export function endpointsOf(plans: readonly ListenerPlan[], place: number | null): Endpoint[] {
  return plans.map(({ name, protocol, host, port, advertisedHost, advertisedPort }) => ({
    name,
    protocol,
    host,
    port: port === 0 || place === null ? 0 : port + place,
    advertisedHost,
    advertisedPort: advertisedPort === null || place === null ? null : advertisedPort + place,
  }))
}

/** Gives a broker's first listener a port, and free ones to the others, as if it had moved. */
export function movePorts({ endpoints }: BrokerInfo, port: number): void {
  for (const [at, endpoint] of endpoints.entries()) endpoint.port = at === 0 ? port : 0
}

function defaultListener(options: EmbeddedClusterOptions): ListenerPlan {
  const { sasl, tls, port } = options
  const transport = tls === undefined ? 'PLAINTEXT' : 'SSL'
  const protocol: SecurityProtocol = sasl === undefined ? transport : `SASL_${transport}`
  return planOf({ name: protocol, protocol, ...(port === undefined ? {} : { port }) }, options)
}

function planOf(listener: ListenerOptions, options: EmbeddedClusterOptions): ListenerPlan {
  const { name, protocol, port = 0, advertisedPort } = listener
  if (!/^[\w.-]+$/.test(name)) throw new Error(`listener '${name}': a name has letters, digits, '.', '_' and '-'`)
  for (const given of [port, advertisedPort ?? 0]) {
    if (!Number.isInteger(given) || given < 0 || given > MAX_PORT) {
      throw new RangeError(`listener ${name}: port ${given} must be a whole number from 0 to ${MAX_PORT}`)
    }
  }
  const host = listener.host ?? options.host ?? LOCALHOST
  return {
    name,
    protocol,
    host,
    port,
    advertisedHost: listener.advertisedHost ?? options.advertisedHost ?? wildcards.get(host) ?? host,
    advertisedPort: advertisedPort ?? null,
    sasl: saslOf(listener, options.sasl),
    tls: tlsOf(listener, options.tls),
  }
}

function saslOf({ name, protocol, sasl }: ListenerOptions, common: SaslOptions | undefined): SaslOptions | null {
  if (protocol.startsWith('SASL_')) {
    const own = sasl ?? common
    if (own === undefined) throw new Error(`listener ${name}: ${protocol} needs sasl, of its own or of the cluster`)
    return own
  }
  if (sasl !== undefined) throw new Error(`listener ${name}: sasl needs protocol SASL_${protocol}, not ${protocol}`)
  return null
}

function tlsOf({ name, protocol, tls }: ListenerOptions, common: TlsSettings | undefined): ListenerTls | null {
  if (protocol.endsWith('SSL')) {
    const own = tls ?? common
    if (own === undefined) throw new Error(`listener ${name}: ${protocol} needs tls, of its own or of the cluster`)
    return tlsOptions(own)
  }
  if (tls !== undefined) throw new Error(`listener ${name}: tls needs an SSL protocol, not ${protocol}`)
  return null
}

// Each broker takes the next port of every listener.
function checkPorts(plans: readonly ListenerPlan[], brokers: number): void {
  const fixed = plans.filter(({ port }) => port > 0)
  for (const one of fixed) {
    for (const other of fixed) {
      if (one === other || one.host !== other.host || other.port < one.port || other.port >= one.port + brokers)
        continue
      const range = brokers === 1 ? `port ${one.port}` : `ports ${one.port} to ${one.port + brokers - 1}`
      throw new Error(`listener ${other.name} cannot begin at ${other.port}: listener ${one.name} has ${range}`)
    }
  }
}
