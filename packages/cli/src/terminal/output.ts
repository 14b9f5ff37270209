import type { Writable } from 'node:stream'

const CHUNK_BYTES = 64 * 1024

/**
 * Gathers small writes into large ones and waits while the reader at the other end is slow. A reader that
 * has gone away (`| head`) is not an error: `closed` says so and the command ends.
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

  /** The reader has gone; whatever is written from now on is dropped. */
  get closed(): boolean {
    return this.#closed
  }

  write(data: Buffer | string): void {
    const part = typeof data === 'string' ? Buffer.from(data) : data
    this.#parts.push(part)
    this.#bytes += part.length
  }

  /** To be awaited between messages: writes out what is due. */
  async pace(): Promise<void> {
    if (this.#unbuffered || this.#bytes >= CHUNK_BYTES) await this.flush()
  }

  /** Writes out everything. Rejects when writing failed for another reason than that nobody reads. */
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

  /** Flushes and lets go of the stream. */
  async end(): Promise<void> {
    await this.flush()
    this.#stream.off('error', this.#onError)
  }
}
