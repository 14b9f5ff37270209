/** Lines of the log that repeat: counted instead of written, and told of from time to time. */
import type { Clock, Timer } from '../base/clock.ts'
import type { LogLevel } from '../types.ts'
import { timesWithin } from './error-throttle.ts'

/** How long a line is counted at first; then twice as long each time that it came again, */
const FIRST_MS = 1_000
/** up to this. */
const LONGEST_MS = 60_000
/** A program that logs another line each time must not fill the memory with them. */
const MOST_LINES = 200

interface Line {
  readonly level: LogLevel
  readonly facility: string
  readonly message: string
  /** When it was written, or its count was; monotonic ms. */
  at: number
  forMs: number
  /** How often it came since then. */
  count: number
  /** Null until it has come again. */
  timer: Timer | null
}

export class RepeatedLines {
  readonly #clock: Clock
  readonly #write: (level: LogLevel, facility: string, message: string) => void
  readonly #lines = new Map<string, Line>()
  #isClosed = false

  constructor(clock: Clock, write: (level: LogLevel, facility: string, message: string) => void) {
    this.#clock = clock
    this.#write = write
  }

  /** Whether the line has been written lately: then it is counted. */
  isRepeated(level: LogLevel, facility: string, message: string): boolean {
    if (this.#isClosed) return false
    const key = `${facility} ${message}`
    const now = this.#clock.now()
    const known = this.#lines.get(key)
    if (known !== undefined && (known.timer !== null || now - known.at < known.forMs)) {
      known.count++
      known.timer ??= this.#clock.setTimer(known.at + known.forMs - now, () => this.#ended(key, known))
      return true
    }
    this.#lines.delete(key)
    if (this.#lines.size >= MOST_LINES) this.#forgetOldest()
    this.#lines.set(key, { level, facility, message, at: now, forMs: FIRST_MS, count: 0, timer: null })
    return false
  }

  /** Tells how often the last ones came; from now on none is repeated. */
  close(): void {
    this.#isClosed = true
    for (const line of this.#lines.values()) {
      line.timer?.cancel()
      this.#tell(line)
    }
    this.#lines.clear()
  }

  #ended(key: string, line: Line): void {
    if (line.count === 0) {
      this.#lines.delete(key)
      return
    }
    this.#tell(line)
    line.count = 0
    line.at = this.#clock.now()
    line.forMs = Math.min(2 * line.forMs, LONGEST_MS)
    line.timer = this.#clock.setTimer(line.forMs, () => this.#ended(key, line))
  }

  #forgetOldest(): void {
    for (const [key, line] of this.#lines) {
      line.timer?.cancel()
      this.#tell(line)
      this.#lines.delete(key)
      return
    }
  }

  #tell({ level, facility, message, count, at }: Line): void {
    if (count > 0) this.#write(level, facility, message + timesWithin(count, this.#clock.now() - at))
  }
}
