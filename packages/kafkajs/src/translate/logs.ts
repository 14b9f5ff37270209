/** Log lines of `ottla`, as kafkajs's. */
import type { LogSink } from 'ottla'
import type { Logger } from '../types/logging.ts'

/** Writes them with the namespace of the logger; `facility` is in the extra fields. */
export function logSink(logger: Logger): LogSink {
  return (level, facility, message) => {
    if (level <= 3) logger.error(message, { facility })
    else if (level === 4) logger.warn(message, { facility })
    else if (level <= 6) logger.info(message, { facility })
    else logger.debug(message, { facility })
  }
}
