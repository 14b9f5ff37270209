/** A file of entries, one per line, each with a checksum. A truncated or damaged end is ignored. */
import { existsSync, readFileSync, truncateSync } from 'node:fs'
import { crc32c } from '@ottla/protocol'
import type { FilePool } from './file-pool.ts'
import { replaceFile } from './replace-file.ts'

const CHECKSUM_DIGITS = 8
const NEWLINE = 10

/** Entries are JSON values of any kind. */
export class Journal<Entry> {
  readonly #path: string
  readonly #files: FilePool
  readonly #revive: (key: string, value: unknown) => unknown
  #size = 0

  /** @param bigints names of the fields that are bigints */
  constructor(path: string, files: FilePool, bigints: ReadonlySet<string> = new Set()) {
    this.#path = path
    this.#revive = (key, value) => (bigints.has(key) ? BigInt(value as number | string) : value)
    this.#files = files
  }

  get sizeBytes(): number {
    return this.#size
  }

  /** Reads the entries up to the first damaged one, and truncates the file there. */
  read(): Entry[] {
    if (!existsSync(this.#path)) return []
    const bytes = readFileSync(this.#path)
    const entries: Entry[] = []
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const body = bytes.subarray(start + CHECKSUM_DIGITS, end)
      if (bytes.toString('latin1', start, start + CHECKSUM_DIGITS) !== checksum(body)) break
      // The checksum proves that it is what was written.
      entries.push(JSON.parse(body.toString('utf8'), this.#revive) as Entry)
      start = end + 1
    }
    if (start < bytes.length) truncateSync(this.#path, start)
    this.#size = start
    return entries
  }

  append(entry: Entry): void {
    const line = encode(entry)
    this.#files.append(this.#path, line, this.#size)
    this.#size += line.length
  }

  /** Replaces all entries. */
  rewrite(entries: Iterable<Entry>): void {
    this.#files.close(this.#path)
    const lines: Buffer[] = []
    let size = 0
    for (const entry of entries) {
      const line = encode(entry)
      lines.push(line)
      size += line.length
    }
    replaceFile(this.#path, lines)
    this.#size = size
  }
}

function encode(entry: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(entry, bigintAsText))
  return Buffer.concat([Buffer.from(checksum(body)), body, Buffer.of(NEWLINE)])
}

// A JSON number would lose digits.
function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

function checksum(bytes: Buffer): string {
  return crc32c(bytes, 0, bytes.length).toString(16).padStart(CHECKSUM_DIGITS, '0')
}
