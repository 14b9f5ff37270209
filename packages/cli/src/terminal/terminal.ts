import type { Readable, Writable } from 'node:stream'

/** What a command reads from, writes to and is stopped by; tests put their own in its place. */
export interface Terminal {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  /** Aborted when the user wants the command to end (SIGINT, SIGTERM): it closes its clients and returns. */
  readonly stop: AbortSignal
}

/** Exit statuses, as documented: done, failed, wrong usage. */
export const DONE = 0
export const FAILED = 1
export const WRONG_USAGE = 2

/** The command line asks for something that cannot be meant; the message says what to write instead. */
export class UsageError extends Error {}

/** One line to standard error that scripts may ignore, marked as kcat marks them. */
export function note(terminal: Terminal, line: string): void {
  terminal.stderr.write(`% ${line}\n`)
}

/** Resolves when the user wants the command to end. */
export function stopped(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve()
  return new Promise(resolve => stop.addEventListener('abort', () => resolve(), { once: true }))
}
