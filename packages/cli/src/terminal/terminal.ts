import type { Readable, Writable } from 'node:stream'

/** What a command reads from, writes to and is stopped by; tests pass their own. */
export interface Terminal {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  /** Aborted by SIGINT or SIGTERM: the command closes its clients and returns. */
  readonly stop: AbortSignal
}

/** Exit statuses, as documented. */
export const DONE = 0
export const FAILED = 1
export const WRONG_USAGE = 2

/** The command line is wrong; the message says what to write instead. */
export class UsageError extends Error {}

/** Writes a line to standard error that scripts may ignore, marked with `%` as in kcat. */
export function note(terminal: Terminal, line: string): void {
  terminal.stderr.write(`% ${line}\n`)
}

/** Resolves when `stop` is aborted. */
export function stopped(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve()
  return new Promise(resolve => stop.addEventListener('abort', () => resolve(), { once: true }))
}
