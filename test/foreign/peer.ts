/** A client of somebody else, in a process of its own that is told what to do line by line. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface Order {
  readonly do: string
  readonly [argument: string]: unknown
}

/** What scenarios are played with: KafkaJS in this process, or a program in another. */
export interface Peer {
  /** Rejects with what the client said when it failed. */
  ask(order: Order): Promise<unknown>
  close(): Promise<void>
}

const MAX_KEPT_ERROR = 4000

/**
 * Speaks JSON with a program: an order a line in, an answer (`{ result }` or `{ error }`) a line out, in the order of
 * the orders. The program ends with its standard input, so it never outlives this process.
 */
export class ProgramPeer implements Peer {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #ended: Promise<void>
  readonly #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = []
  #complaints = ''

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(command, args, { stdio: 'pipe', env: { ...process.env, ...env } })
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-MAX_KEPT_ERROR)
    })
    this.#child.stdin.on('error', () => undefined)
    createInterface({ input: this.#child.stdout }).on('line', line => {
      this.#answer(line)
    })
    this.#ended = new Promise(resolve => {
      const end = (reason: string): void => {
        const error = new Error(`${command} ${reason}: ${this.#complaints}`)
        for (const { reject } of this.#waiting.splice(0)) reject(error)
        resolve()
      }
      this.#child.once('error', error => {
        end(`did not start (${error.message})`)
      })
      this.#child.once('close', code => {
        end(`ended with ${String(code)}`)
      })
    })
  }

  ask(order: Order): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin.write(`${JSON.stringify(order)}\n`)
    })
  }

  async close(): Promise<void> {
    this.#child.stdin.end()
    await this.#ended
  }

  #answer(line: string): void {
    const { result, error } = JSON.parse(line) as { result?: unknown; error?: string } // as the programs write it
    const asked = this.#waiting.shift()
    if (error === undefined) asked?.resolve(result)
    else asked?.reject(new Error(error))
  }
}
