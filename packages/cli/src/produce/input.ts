import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { Header, ProducerMessage } from 'ottla'
import { unescapeBytes } from '../terminal/escapes.ts'
import { UsageError, note, type Terminal } from '../terminal/terminal.ts'
import type { ProduceOptions } from './options.ts'
import { Splitter } from './splitter.ts'

/** Makes a message of one input: key, value and headers, as the options say. */
export function messageShape(options: ProduceOptions): (data: Buffer) => ProducerMessage {
  const { topic, partition, key: fixedKey } = options
  const keyDelimiter = options.keyDelimiter === undefined ? undefined : unescapeBytes(options.keyDelimiter, '-K')
  if (keyDelimiter?.length === 0) throw new UsageError('-K: the delimiter must not be empty')
  const headers = options.header.map(parseHeader)
  const emptyIsNull = options.null === true
  const orNull = (data: Buffer): Buffer | null => (emptyIsNull && data.length === 0 ? null : data)
  return data => {
    const at = keyDelimiter === undefined ? -1 : data.indexOf(keyDelimiter)
    const key = at < 0 ? (fixedKey ?? null) : orNull(data.subarray(0, at))
    const value = at < 0 ? data : data.subarray(at + (keyDelimiter?.length ?? 0))
    return { topic, partition, key, value: orNull(value), headers }
  }
}

function parseHeader(text: string): Header {
  const at = text.indexOf('=')
  if (at === 0 || text === '') throw new UsageError(`-H ${text}: write it as name=value`)
  // As in kcat, a name alone is a header without a value.
  return at < 0 ? { key: text, value: null } : { key: text.slice(0, at), value: Buffer.from(text.slice(at + 1)) }
}

/** The inputs, one per message: files, or the lines of files or of standard input. */
export async function* inputs(
  files: readonly string[],
  options: ProduceOptions,
  terminal: Terminal,
): AsyncGenerator<Buffer, void, undefined> {
  const delimiter = unescapeBytes(options.delimiter, '-D')
  if (delimiter.length === 0) throw new UsageError('-D: the delimiter must not be empty')
  if (files.length === 0) {
    if (options.lines === true) throw new UsageError('-l reads lines of files: name one')
    if ('isTTY' in terminal.stdin && terminal.stdin.isTTY === true && options.quiet !== true) {
      note(terminal, 'one message per line; end with Ctrl-D')
    }
    yield* split(terminal.stdin, delimiter, terminal.stop)
    return
  }
  for (const file of files) {
    if (options.lines === true) yield* split(createReadStream(file), delimiter, terminal.stop)
    else yield await readFile(file)
  }
}

async function* split(stream: Readable, delimiter: Buffer, stop: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  const splitter = new Splitter(delimiter)
  const end = (): void => void stream.destroy()
  stop.addEventListener('abort', end, { once: true })
  try {
    for await (const chunk of stream) yield* splitter.push(Buffer.from(chunk as Buffer | string)) // bytes or text
    yield* splitter.end()
  } catch (error) {
    // After a stop, the input ends with what has been read so far.
    if (!stop.aborted) throw error
  } finally {
    stop.removeEventListener('abort', end)
  }
}
