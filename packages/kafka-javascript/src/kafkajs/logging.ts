/* eslint-disable no-console -- Confluent's client logs there, unless a program has a logger of its own */
/** Loggers: the program's, or one that writes to the console. */
import { logLevel } from '../enums.ts'
import type { Logger } from '../types/kafkajs/client.ts'

/** A line of the client's log. */
export interface LogLine {
  /** As syslog's: 0 is the worst. */
  readonly severity: number
  readonly fac: string
  readonly message: string
}

type Level = 'error' | 'warn' | 'info' | 'debug'

/** As Confluent's: an object for each line, on the console. */
export class ConsoleLogger implements Logger {
  #level: logLevel = logLevel.INFO

  setLogLevel(level: logLevel): void {
    this.#level = level
  }

  info(message: string, extra?: object): void {
    if (this.#level >= logLevel.INFO) console.info({ message, ...extra })
  }

  error(message: string, extra?: object): void {
    if (this.#level >= logLevel.ERROR) console.error({ message, ...extra })
  }

  warn(message: string, extra?: object): void {
    if (this.#level >= logLevel.WARN) console.warn({ message, ...extra })
  }

  debug(message: string, extra?: object): void {
    if (this.#level >= logLevel.DEBUG) console.log({ message, ...extra })
  }

  namespace(): Logger {
    return this
  }
}

/** The level of a logger for a `log_level` of librdkafka. */
export function levelOf(severity: number): logLevel {
  if (severity <= 0) return logLevel.NOTHING
  if (severity <= 3) return logLevel.ERROR
  if (severity <= 5) return logLevel.WARN
  return severity === 6 ? logLevel.INFO : logLevel.DEBUG
}

/** A level of `KafkaJS` as a `log_level`. */
export const severities: Readonly<Record<logLevel, number>> = {
  [logLevel.NOTHING]: 0,
  [logLevel.ERROR]: 3,
  [logLevel.WARN]: 4,
  [logLevel.INFO]: 6,
  [logLevel.DEBUG]: 7,
}

const methods: Readonly<Partial<Record<logLevel, Level>>> = {
  [logLevel.ERROR]: 'error',
  [logLevel.WARN]: 'warn',
  [logLevel.INFO]: 'info',
  [logLevel.DEBUG]: 'debug',
}

/** Hands a line on. @param name of the client */
export function logLine(logger: Logger, { severity, fac, message }: LogLine, name: string | undefined): void {
  const method = methods[levelOf(severity)]
  if (method !== undefined) logger[method](message, { fac, timestamp: Date.now(), name })
}

/** What `KafkaJS` says beside its own lines. */
export function ownLine(name: string | undefined): { name: string; fac: string; timestamp: number } {
  return { name: name ?? '', fac: 'BINDING', timestamp: Date.now() }
}
