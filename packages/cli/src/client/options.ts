import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { parseProperties, wireRecording, type ClientOptions } from 'ottla'
import { collect } from '../terminal/parsers.ts'
import { UsageError, type Terminal } from '../terminal/terminal.ts'
import { messageOf } from './explain.ts'

/** Options of every command that talks to a cluster; the letters are kcat's. */
export interface ClusterOptions {
  readonly brokers?: string
  readonly property: readonly string[]
  readonly file: readonly string[]
  readonly debug?: string
  readonly quiet?: boolean
  readonly record?: string
}

export function addClusterOptions(command: Command): Command {
  return command
    .option('-b, --brokers <list>', 'bootstrap brokers: host:port,...')
    .option('-X, --property <key=value>', 'a configuration property, see CONFIGURATION.md; repeatable', collect, [])
    .option('-F, --file <file>', 'a file of key=value lines; repeatable; -X overrides it', collect, [])
    .option('-d, --debug <contexts>', 'debug logs to standard error: broker, cgrp, fetch, msg, ..., all')
    .option('-q, --quiet', 'print nothing but errors')
    .option('--record <file>', 'record the wire, without passwords and contents; ottla replay shows it')
}

/** Properties for the clients' constructors, which check names, types and ranges. */
export type Properties = Record<string, string | number | boolean>

/** Properties that name the brokers. */
export type ClusterProperties = Properties & (BootstrapServers | BrokerList)
interface BootstrapServers {
  readonly 'bootstrap.servers': string
}
interface BrokerList {
  readonly 'metadata.broker.list': string
}

/**
 * Properties from -F files, then -X, then -b and -d; later ones override earlier ones.
 * @throws UsageError for a -X without `=` and a file that cannot be read
 */
export function clusterProperties(options: ClusterOptions): Properties {
  const properties: Properties = {}
  for (const file of options.file) Object.assign(properties, readProperties(file))
  for (const property of options.property) {
    const at = property.indexOf('=')
    if (at < 1) throw new UsageError(`-X ${property}: write it as key=value`)
    properties[property.slice(0, at)] = property.slice(at + 1)
  }
  if (options.brokers !== undefined) properties['bootstrap.servers'] = options.brokers
  if (options.debug !== undefined) properties['debug'] = options.debug
  return properties
}

/** @throws UsageError if no property names the brokers */
export function requireBrokers(properties: Properties): ClusterProperties {
  if (hasBrokers(properties)) return properties
  throw new UsageError('no brokers: give -b HOST:PORT, or bootstrap.servers with -X or in a -F file')
}

function hasBrokers(properties: Properties): properties is ClusterProperties {
  return properties['bootstrap.servers'] !== undefined || properties['metadata.broker.list'] !== undefined
}

/**
 * The second argument of the clients' constructors: logs, and a recording with --record, which the command has to close.
 * @throws KafkaError ERR__INVALID_ARG for a recording that cannot be written
 */
export function clientOptions(terminal: Terminal, options: ClusterOptions): ClientOptions {
  const logger = clientLogger(terminal, options)
  return options.record === undefined ? { logger } : { logger, record: wireRecording(options.record) }
}

/** Logs to standard error: warnings and errors, debug lines with -d, only errors with -q. */
export function clientLogger(
  terminal: Terminal,
  options: ClusterOptions,
): (level: number, facility: string, message: string) => void {
  const highest = options.debug !== undefined ? 7 : options.quiet === true ? 3 : 4
  return (level, facility, message) => {
    if (level <= highest) terminal.stderr.write(`%${level}|${facility}| ${message}\n`)
  }
}

function readProperties(file: string): Properties {
  try {
    return parseProperties(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`-F ${file}: ${messageOf(error)}`)
  }
}
