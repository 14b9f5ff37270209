import type { Message } from 'ottla'
import { unescapeBytes } from '../terminal/escapes.ts'
import { UsageError } from '../terminal/terminal.ts'

/** The schemas of a message's key and value, which are JSON text then. */
interface WithSchemas {
  readonly schemaIds?: { readonly key: number | string | null; readonly value: number | string | null }
}

/** Formats a message as the bytes for standard output. */
export type MessageFormat = (message: Message & WithSchemas) => Buffer

type Piece = (message: Message) => Buffer | string

export interface FormatOptions {
  /** Printed for a null key or value. */
  readonly nullText: string
}

/** The tokens of `-f`; they are kcat's. */
export const tokens: Readonly<Record<string, { readonly what: string; readonly piece: (nullText: string) => Piece }>> =
  {
    s: { what: 'value', piece: nullText => m => m.value ?? nullText },
    S: { what: 'length of the value in bytes, -1 for null', piece: () => m => String(m.value?.length ?? -1) },
    R: { what: 'length of the value as 4 bytes, big endian', piece: () => m => int32(m.value?.length ?? -1) },
    k: { what: 'key', piece: nullText => m => m.key ?? nullText },
    K: { what: 'length of the key in bytes, -1 for null', piece: () => m => String(m.key?.length ?? -1) },
    T: { what: 'timestamp in ms since the epoch', piece: () => m => String(m.timestamp) },
    h: { what: 'headers as name=value,...', piece: () => headersText },
    t: { what: 'topic', piece: () => m => m.topic },
    p: { what: 'partition', piece: () => m => String(m.partition) },
    o: { what: 'offset', piece: () => m => String(m.offset) },
    '%': { what: 'a percent sign', piece: () => () => '%' },
  }

/** @throws UsageError for an unknown token or escape */
export function compileFormat(text: string, { nullText }: FormatOptions): MessageFormat {
  const pieces: Piece[] = []
  for (const [whole, token] of text.matchAll(/%(.?)|[^%]+/gsu)) {
    if (token === undefined) {
      const literal = unescapeBytes(whole, '-f')
      pieces.push(() => literal)
      continue
    }
    const known = tokens[token]
    if (known === undefined) {
      const all = Object.keys(tokens).map(t => `%${t}`)
      throw new UsageError(`-f: unknown token '%${token}'; use ${all.join(' ')}`)
    }
    pieces.push(known.piece(nullText))
  }
  return message => Buffer.concat(pieces.map(piece => bytes(piece(message))))
}

export interface LineOptions extends FormatOptions {
  /** Between key and value; undefined: no key. */
  readonly keyDelimiter: Buffer | undefined
  readonly delimiter: Buffer
}

/** Value and delimiter, or key, delimiter, value and delimiter. */
export function lineFormat({ keyDelimiter, delimiter, nullText }: LineOptions): MessageFormat {
  const nothing = Buffer.from(nullText)
  return ({ key, value }) =>
    keyDelimiter === undefined
      ? Buffer.concat([value ?? nothing, delimiter])
      : Buffer.concat([key ?? nothing, keyDelimiter, value ?? nothing, delimiter])
}

const timestampTypes: Readonly<Record<Message['timestampType'], string>> = {
  'create-time': 'create',
  'log-append-time': 'logappend',
  'not-available': 'unknown',
}

/** A line of JSON with kcat's field names; keys and values are UTF-8 text, or JSON where they have a schema. */
export function jsonLine(message: Message & WithSchemas): Buffer {
  const { topic, partition, offset, timestamp, timestampType, headers, key, value, schemaIds } = message
  const [keyId, valueId] = [schemaIds?.key ?? null, schemaIds?.value ?? null]
  const line = {
    topic,
    partition,
    offset,
    tstype: timestampTypes[timestampType],
    ts: timestamp,
    ...(headers.length > 0 ? { headers: headers.flatMap(h => [h.key, text(h.value)]) } : {}),
    key: keyId === null ? text(key) : jsonOf(key),
    ...(keyId === null ? {} : { key_schema_id: keyId }),
    payload: valueId === null ? text(value) : jsonOf(value),
    ...(valueId === null ? {} : { value_schema_id: valueId }),
  }
  return Buffer.from(`${JSON.stringify(line)}\n`)
}

function headersText(message: Message): string {
  return message.headers.map(h => `${h.key}=${h.value === null ? 'NULL' : h.value.toString()}`).join(',')
}

function jsonOf(data: Buffer | null): unknown {
  return data === null ? null : JSON.parse(data.toString())
}

function text(data: Buffer | null): string | null {
  return data === null ? null : data.toString()
}

function bytes(data: Buffer | string): Buffer {
  return typeof data === 'string' ? Buffer.from(data) : data
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}
