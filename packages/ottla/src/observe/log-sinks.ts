/** Logs with fields instead of sentences, for loggers that write JSON. */
import type { LogLevel } from '../types.ts'
import type { LogSink } from './logger.ts'

/**
 * A logger whose methods take fields, then the message: pino's, bunyan's.
 * @since 0.1.0
 */
export interface FieldsFirstLogger {
  error(fields: object, message: string): unknown
  warn(fields: object, message: string): unknown
  info(fields: object, message: string): unknown
  debug(fields: object, message: string): unknown
}

/**
 * A logger whose methods take the message, then fields: winston's.
 * @since 0.1.0
 */
export interface MessageFirstLogger {
  error(message: string, fields: object): unknown
  warn(message: string, fields: object): unknown
  info(message: string, fields: object): unknown
  debug(message: string, fields: object): unknown
}

type Method = keyof FieldsFirstLogger

/**
 * Logs to pino or a logger like it, with the fields `client` and `facility`: `new Producer(config, { logger:
 * pinoSink(pino()) })`.
 * @since 0.1.0
 */
export function pinoSink(logger: FieldsFirstLogger): LogSink {
  return (level, facility, message, client) => void logger[methodOf(level)]({ client, facility }, message)
}

/**
 * The same for winston or a logger like it: `new Producer(config, { logger: winstonSink(winston.createLogger(…)) })`.
 * @since 0.1.0
 */
export function winstonSink(logger: MessageFirstLogger): LogSink {
  return (level, facility, message, client) => void logger[methodOf(level)](message, { client, facility })
}

/** The levels are syslog's. */
function methodOf(level: LogLevel): Method {
  if (level <= 3) return 'error'
  if (level === 4) return 'warn'
  return level === 7 ? 'debug' : 'info'
}
