import { isIPv6 } from 'node:net'
import { invalidArgument } from '../errors.ts'
import type { HostPort } from './property.ts'

const DEFAULT_PORT = 9092

/**
 * Reads `host:port,[v6]:port,v6,scheme://host:port`.
 * Throws KafkaError ERR__INVALID_ARG for anything that is not an address.
 */
export function parseServers(key: string, given: unknown): HostPort[] {
  const isList = Array.isArray(given) && given.every(item => typeof item === 'string')
  if (typeof given !== 'string' && !isList)
    throw invalidArgument(`${key} takes addresses, host:port, separated by commas`)
  const parts = (typeof given === 'string' ? given.split(',') : given) // checked above
    .map(part => part.trim())
    .filter(part => part !== '')
  return parts.map(part => parseServer(key, part))
}

function parseServer(key: string, given: string): HostPort {
  // Credentials do not belong there, but who puts them there does not want to see them in a log.
  const text = given.replace(/[^/]*@/, '[redacted]@')
  const bare = text.replace(/^[A-Za-z_][A-Za-z0-9_+.-]*:\/\//, '')
  if (isIPv6(bare)) {
    checkPortless(key, bare)
    return { host: bare, port: DEFAULT_PORT }
  }
  const match = /^(?:\[([^[\]\s]+)\]|([^:[\]\s/]+))(?::(\d+))?$/.exec(bare)
  if (match?.[1] !== undefined && !isIPv6(match[1])) {
    throw invalidArgument(`${key}: '${text}' is not an address: the part in brackets is not an IPv6 address`)
  }
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3])
  if (host === undefined || port < 1 || port > 65_535) {
    const hint = bare.split(':').length > 2 ? '; an IPv6 address with a port needs brackets, [::1]:9092' : ''
    throw invalidArgument(`${key}: '${text}' is not an address: it takes host:port, with a port from 1 to 65535${hint}`)
  }
  return { host, port }
}

// Without brackets, the end of an IPv6 address may be meant as a port.
function checkPortless(key: string, address: string): void {
  const at = address.lastIndexOf(':')
  const [start, end] = [address.slice(0, at), address.slice(at + 1)]
  if (!/^\d{4}$/.test(end) || !isIPv6(start)) return
  throw invalidArgument(`${key}: '${address}' is ambiguous: write [${start}]:${end}, or [${address}] with its port`)
}
