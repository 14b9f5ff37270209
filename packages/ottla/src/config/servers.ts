import { ErrorCode } from '@ottla/protocol'
import { KafkaError } from '../errors.ts'
import type { HostPort } from './property.ts'

const DEFAULT_PORT = 9092

/**
 * Reads `host:port,[v6]:port,scheme://host:port`.
 * Throws KafkaError ERR__INVALID_ARG for an address that is none.
 */
export function parseServers(key: string, given: unknown): HostPort[] {
  const isList = Array.isArray(given) && given.every(item => typeof item === 'string')
  if (typeof given !== 'string' && !isList) throw invalid(`${key} takes addresses, host:port, separated by commas`)
  const parts = (typeof given === 'string' ? given.split(',') : given) // checked above
    .map(part => part.trim())
    .filter(part => part !== '')
  return parts.map(part => parseServer(key, part))
}

function parseServer(key: string, text: string): HostPort {
  const bare = text.replace(/^[A-Za-z_][A-Za-z0-9_+.-]*:\/\//, '')
  const match = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:[\]\s/]+))(?::(\d+))?$/.exec(bare)
  const host = match?.[1] ?? match?.[2]
  const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3])
  if (host === undefined || port < 1 || port > 65_535) {
    throw invalid(`${key}: '${text}' is no address: host:port is, with a port from 1 to 65535`)
  }
  return { host, port }
}

function invalid(message: string): KafkaError {
  return new KafkaError(ErrorCode.ERR__INVALID_ARG, message)
}
