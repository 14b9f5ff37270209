/** kafkajs's loggers: lines with a level and a namespace, for the function that `logCreator` makes. */
import { logLevel } from '../enums.ts'
import type { LogEntry, logCreator, Logger } from '../types/logging.ts'

type Label = keyof typeof logLevel

/** What all loggers of one client share. */
interface Shared {
  level: logLevel
  readonly write: (entry: LogEntry) => void
}

/** The root logger of a client. @param create makes the function that gets the lines */
export function createLogger(level: logLevel, create: logCreator): Logger {
  const effective = withEnvironment(level)
  return loggerOf({ level: effective, write: create(effective) }, '', null)
}

/** @param own this namespace's level; null for the shared one */
function loggerOf(shared: Shared, namespace: string, own: logLevel | null): Logger {
  const at =
    (label: Label) =>
    (message: string, extra: object = {}): void => {
      const level = logLevel[label]
      if (level > (own ?? shared.level)) return
      const timestamp = new Date().toISOString()
      shared.write({ namespace, level, label, log: { timestamp, logger: 'kafkajs', message, ...extra } })
    }
  return {
    info: at('INFO'),
    error: at('ERROR'),
    warn: at('WARN'),
    debug: at('DEBUG'),
    namespace: (name, level) => loggerOf(shared, name, level === undefined ? null : withEnvironment(level)),
    setLogLevel: level => void (shared.level = level),
  }
}

/** The environment's level, if it names one. */
function withEnvironment(level: logLevel): logLevel {
  const named = (process.env['KAFKAJS_LOG_LEVEL'] ?? '').toUpperCase()
  return Object.hasOwn(logLevel, named) ? logLevel[named as Label] : level
}
