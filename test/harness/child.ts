import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

let guard: ChildProcess | undefined

/** Tells the guard: a process that kills this one's children and removes its folders, even if this one is killed. */
function tellGuard(line: string): void {
  if (guard === undefined) {
    const script = fileURLToPath(new URL('guard.mjs', import.meta.url))
    // Detached: a Ctrl-C goes to the whole group of the terminal, and the guard must survive it to clean up.
    guard = spawn(process.execPath, [script], { stdio: ['pipe', 'ignore', 'inherit'], detached: true })
    guard.unref()
    if (guard.stdin instanceof Socket) guard.stdin.unref()
  }
  guard.stdin?.write(`${line}\n`)
}

/** Removes a folder when this process ends, however it ends. */
export function removeAtEnd(folder: string): void {
  tellGuard(`folder ${folder}`)
}

/** A child process that writes to a log file. It never keeps this process alive, and never outlives it. */
export class Child {
  readonly pid: number
  readonly #process: ChildProcess
  readonly #exit: Promise<void>
  #ended = false

  constructor(command: string, args: readonly string[], logFile: string) {
    const log = openSync(logFile, 'a')
    this.#process = spawn(command, args, { stdio: ['ignore', log, log], detached: true })
    closeSync(log)
    if (this.#process.pid === undefined) throw new Error(`cannot start ${command}`)
    this.pid = this.#process.pid
    tellGuard(`pid ${this.pid}`)
    this.#exit = new Promise(resolve => {
      this.#process.once('exit', () => {
        this.#ended = true
        tellGuard(`gone ${this.pid}`)
        resolve()
      })
    })
    this.#process.unref()
  }

  get ended(): boolean {
    return this.#ended
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(name)
  }

  /** Sends the signal and waits for the exit; SIGTERM is followed by SIGKILL after `killAfterMs`. */
  async end(name: 'SIGTERM' | 'SIGKILL', killAfterMs = 30_000): Promise<void> {
    if (this.#ended) return
    this.#process.ref()
    this.#process.kill(name)
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), killAfterMs)
    await this.#exit
    clearTimeout(timer)
  }
}

/** Whether a process with this id runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  const status = `/proc/${pid}/stat`
  if (existsSync('/proc/self/stat')) {
    try {
      const text = readFileSync(status, 'latin1')
      return text.charAt(text.lastIndexOf(')') + 2) !== 'Z'
    } catch {
      return false
    }
  }
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
