/** Splits a stream of bytes at every delimiter, and keeps the incomplete end for the next chunk. */
export class Splitter {
  readonly #delimiter: Buffer
  #rest: Buffer[] = []

  constructor(delimiter: Buffer) {
    this.#delimiter = delimiter
  }

  /** @returns the messages that the chunk completes */
  push(chunk: Buffer): Buffer[] {
    if (chunk.length === 0) return []
    const last = this.#rest.at(-1)
    // A delimiter may begin at the end of one chunk and end in the next.
    const straddles = last !== undefined && this.#delimiter.length > 1
    if (!straddles && !chunk.includes(this.#delimiter)) {
      this.#rest.push(chunk)
      return []
    }
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([...this.#rest, chunk])
    const messages: Buffer[] = []
    let from = 0
    for (;;) {
      const at = data.indexOf(this.#delimiter, from)
      if (at < 0) break
      messages.push(data.subarray(from, at))
      from = at + this.#delimiter.length
    }
    this.#rest = from < data.length ? [data.subarray(from)] : []
    return messages
  }

  /** @returns what followed the last delimiter, if anything did */
  end(): Buffer[] {
    const rest = this.#rest
    this.#rest = []
    return rest.length === 0 ? [] : [Buffer.concat(rest)]
  }
}
