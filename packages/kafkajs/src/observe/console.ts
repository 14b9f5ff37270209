/** The logger that programs get without a `logCreator`: one line of JSON per entry. */
import { logLevel } from '../enums.ts'
import type { LogEntry } from '../types/logging.ts'

/* eslint-disable no-console -- where kafkajs's lines go, and what programs replace to catch them */
export function consoleLogger(): (entry: LogEntry) => void {
  return ({ namespace, level, label, log }) => {
    const message = namespace === '' ? log.message : `[${namespace}] ${log.message}`
    const line = JSON.stringify({ level: label, ...log, message })
    switch (level) {
      case logLevel.ERROR:
        console.error(line)
        return
      case logLevel.WARN:
        console.warn(line)
        return
      case logLevel.INFO:
        console.info(line)
        return
      case logLevel.DEBUG:
        console.log(line)
        return
      case logLevel.NOTHING:
        return
      default:
        level satisfies never
    }
  }
}
