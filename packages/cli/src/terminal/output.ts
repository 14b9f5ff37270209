import type { Writable } from 'node:stream'

const CHUNK_BYTES = 64 * 1024

/**
 * Buffers small writes into large ones and waits for a slow reader. A reader that has closed the pipe (`| head`) is
 * not an error: `closed` becomes true, and the command ends.
 */
export class Output {
  readonly #stream: Writable
  readonly #unbuffered: boolean
  #parts: Buffer[] = []
  #bytes = 0
  #closed = false
  readonly #onError: (error: NodeJS.ErrnoException) => void
  #failure: Error | null = null

  constructor(stream: Writable, unbuffered = false) {
    this.#stream = stream
    this.#unbuffered = unbuffered
    this.#onError = error => {
      this.#closed = true
      if (error.code !== 'EPIPE') this.#failure = error
    }
    stream.on('error', this.#onError)
  }

  /** Whether the reader has closed the pipe; later writes are dropped. */
  get closed(): boolean {
    return this.#closed
  }

  write(data: Buffer | string): void {
    const part = typeof data === 'string' ? Buffer.from(data) : data
    this.#parts.push(part)
    this.#bytes += part.length
  }

  /** Await it between messages: it writes when the buffer is full, or always if unbuffered. */
  async pace(): Promise<void> {
    if (this.#unbuffered || this.#bytes >= CHUNK_BYTES) await this.flush()
  }

  /** Writes everything. Rejects if writing failed, but not if the reader has closed the pipe. */
  async flush(): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    if (this.#bytes === 0 || this.#closed) return
    const chunk = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts)
    this.#parts = []
    this.#bytes = 0
    await new Promise<void>(resolve => {
      // An error also arrives at #onError, which keeps it.
      this.#stream.write(chunk, () => resolve())
    })
  }

  /** Flushes and detaches from the stream. */
  async end(): Promise<void> {
    await this.flush()
    this.#stream.off('error', this.#onError)
  }
}
