import { PassThrough, Readable, Writable } from 'node:stream'
import { run, type Terminal } from '@ottla/cli'

/** A command that runs inside the test. */
export interface Running {
  /** The exit status. */
  readonly done: Promise<number>
  readonly stdin: PassThrough
  out(): string
  err(): string
  /** Resolves when standard output holds the text. */
  printed(text: string): Promise<void>
  /** As SIGINT does. */
  interrupt(): void
}

/** Starts `ottla ...args` with a terminal of its own. */
export function ottla(...args: string[]): Running {
  const stdin = new PassThrough()
  const stdout = new Capture()
  const stderr = new Capture()
  const stop = new AbortController()
  const terminal: Terminal = { stdin, stdout, stderr, stop: stop.signal }
  return {
    done: run(args, terminal),
    stdin,
    out: () => stdout.text,
    err: () => stderr.text,
    printed: text => stdout.until(text),
    interrupt: () => stop.abort(),
  }
}

/** Runs a command to its end, with `input` on standard input. */
export async function finished(args: string[], input = ''): Promise<{ status: number; out: string; err: string }> {
  const running = ottla(...args)
  Readable.from([input]).pipe(running.stdin)
  const status = await running.done
  return { status, out: running.out(), err: running.err() }
}

class Capture extends Writable {
  text = ''
  #waiting: { text: string; resolve: () => void }[] = []

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    this.#waiting = this.#waiting.filter(({ text, resolve }) => {
      if (!this.text.includes(text)) return true
      resolve()
      return false
    })
    done()
  }

  until(text: string): Promise<void> {
    if (this.text.includes(text)) return Promise.resolve()
    return new Promise(resolve => this.#waiting.push({ text, resolve }))
  }
}
