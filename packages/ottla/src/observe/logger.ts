import type { DebugContext } from '../config/debug-contexts.ts'
import type { Clock } from '../base/clock.ts'
import type { LogLevel } from '../types.ts'
import { RepeatedLines } from './repeated-lines.ts'

/**
 * Receives log lines.
 * @param facility the subject of the line, in capitals (`CONNECT`, `REBALANCE`)
 * @param client the name of the client that logs, which clients always pass: `orders#producer-1`
 * @since 0.1.0
 */
export type LogSink = (level: LogLevel, facility: string, message: string, client?: string) => void

const severityNames = ['emergency', 'alert', 'critical', 'error', 'warning', 'notice', 'info', 'debug'] as const

/** The default sink: writes warnings and worse to standard error, one line each. */
export function stderrSink(name: string): LogSink {
  return (level, facility, message) => {
    if (level > 4) return
    process.stderr.write(`${new Date().toISOString()} ${severityNames[level]} [${name}] ${facility}: ${message}\n`)
  }
}

/**
 * Filters lines by `log_level` and `debug`, and counts warnings and errors that repeat. Call `enabled` before building a
 * costly line.
 */
export class Logger {
  readonly #sink: LogSink
  readonly #level: number
  readonly #contexts: ReadonlySet<string>
  readonly #all: boolean
  readonly #repeated: RepeatedLines | null

  /**
   * @param level lines above it are dropped, except debug lines whose context is on, as in librdkafka
   * @param contexts words of the `debug` property
   * @param clock left out: all lines are written, however often they come
   */
  constructor(sink: LogSink, level: number, contexts: ReadonlySet<string>, clock?: Clock) {
    this.#sink = sink
    this.#level = level
    this.#contexts = contexts
    this.#all = contexts.has('all')
    const write = (line: LogLevel, facility: string, message: string): void => this.#write(line, facility, message)
    this.#repeated = clock === undefined ? null : new RepeatedLines(clock, write)
  }

  enabled(context: DebugContext): boolean {
    return this.#all || this.#contexts.has(context)
  }

  debug(context: DebugContext, facility: string, message: string): void {
    if (this.enabled(context)) this.#write(7, facility, message)
  }

  info(facility: string, message: string): void {
    if (this.#level >= 6) this.#write(6, facility, message)
  }

  notice(facility: string, message: string): void {
    if (this.#level >= 5) this.#write(5, facility, message)
  }

  warning(facility: string, message: string): void {
    if (this.#level >= 4) this.#writeOnce(4, facility, message)
  }

  error(facility: string, message: string): void {
    if (this.#level >= 3) this.#writeOnce(3, facility, message)
  }

  /** Says how often the last lines were repeated; later ones are all written. */
  close(): void {
    this.#repeated?.close()
  }

  #writeOnce(level: LogLevel, facility: string, message: string): void {
    if (this.#repeated?.isRepeated(level, facility, message) !== true) this.#write(level, facility, message)
  }

  #write(level: LogLevel, facility: string, message: string): void {
    try {
      this.#sink(level, facility, message)
    } catch {
      // A logger that throws must not take the client down, and there is nowhere left to report it.
    }
  }
}
