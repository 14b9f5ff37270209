import type { logLevel } from './enums.ts'

/** What a line of the log says: a message, when, and whatever else it is about. */
export interface LoggerEntryContent {
  /** ISO 8601. */
  readonly timestamp: string
  readonly message: string
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- kafkajs's own type: log creators read fields of it unchecked, which `unknown` would refuse
  [key: string]: any
}

/** A line of the log. */
export interface LogEntry {
  namespace: string
  level: logLevel
  /** The level's name. */
  label: string
  log: LoggerEntryContent
}

/** Makes the function that gets each line. */
export type logCreator = (logLevel: logLevel) => (entry: LogEntry) => void

/** A logger: one function for each level. */
export type Logger = {
  info: (message: string, extra?: object) => void
  error: (message: string, extra?: object) => void
  warn: (message: string, extra?: object) => void
  debug: (message: string, extra?: object) => void
  /** A logger whose lines say where they come from, with a level of its own if one is given. */
  namespace: (namespace: string, logLevel?: logLevel) => Logger
  /** Sets the level of this logger and of all that share it. */
  setLogLevel: (logLevel: logLevel) => void
}
