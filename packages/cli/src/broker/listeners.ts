/** Listeners as they are written on the command line. */
import { UsageError } from '../terminal/terminal.ts'
import type { EmbeddedOptions } from './embedded.ts'

export type Listener = NonNullable<EmbeddedOptions['listeners']>[number]

/** What clients are told instead of where the brokers listen. */
export interface Advertised {
  /** undefined: every listener. */
  readonly name?: string
  readonly host: string
  readonly port?: number
}

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
const EVERYWHERE = '0.0.0.0'

/**
 * `INTERNAL=PLAINTEXT://127.0.0.1:9092`, `SSL://:9093` (named after its protocol, on all addresses)
 * @throws UsageError
 */
export function parseListener(text: string): Listener {
  const [, named, scheme = '', host = '', port = ''] =
    /^(?:([\w.-]+)=)?(\w+):\/\/(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(text) ?? []
  const protocol = PROTOCOLS.find(known => known === scheme.toUpperCase())
  if (protocol === undefined) {
    const why = scheme === '' ? 'write it as' : `${scheme} is none of ${PROTOCOLS.join(', ')}; write it as`
    throw new UsageError(`--listener ${text}: ${why} NAME=PROTOCOL://HOST:PORT`)
  }
  return { name: named ?? protocol, protocol, host: bare(host) || EVERYWHERE, port: Number(port) }
}

/**
 * `kafka`, `kafka:9092`, `OUTSIDE=kafka.example:19092`
 * @throws UsageError
 */
export function parseAdvertised(text: string): Advertised {
  const [, name, host = '', port] = /^(?:([\w.-]+)=)?(\[[^\]]+\]|[^:=]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  if (host === '') throw new UsageError(`--advertised ${text}: write it as HOST, HOST:PORT or NAME=HOST:PORT`)
  return {
    ...(name === undefined ? {} : { name }),
    host: bare(host),
    ...(port === undefined ? {} : { port: Number(port) }),
  }
}

/**
 * Listeners that advertise what they should; one for a name comes before one for all.
 * @throws UsageError
 */
export function advertising(listeners: readonly Listener[], advertised: readonly Advertised[]): Listener[] {
  for (const { name, port } of advertised) {
    const known = listeners.map(listener => listener.name)
    if (name !== undefined && !known.includes(name)) {
      throw new UsageError(`--advertised ${name}=…: there is no listener ${name}, only ${known.join(', ')}`)
    }
    if (name === undefined && port !== undefined && listeners.length > 1) {
      throw new UsageError(`--advertised: with a port it needs the name of a listener: NAME=HOST:${port}`)
    }
  }
  return listeners.map(listener => {
    const own =
      advertised.find(({ name }) => name === listener.name) ?? advertised.find(({ name }) => name === undefined)
    if (own === undefined) return listener
    const { host, port } = own
    return { ...listener, advertisedHost: host, ...(port === undefined ? {} : { advertisedPort: port }) }
  })
}

// Without the brackets of an IPv6 address.
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
