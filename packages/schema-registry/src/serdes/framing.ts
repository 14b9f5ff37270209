/** Where a message names its schema: in front of its bytes, or in a header. */
import { invalidData } from '../errors.ts'

/** In front of a 4-byte id, and of a GUID. */
const ID = 0
const GUID = 1
const PREFIX_BYTES = 5
const GUID_BYTES = 17

/** A header as clients have it. */
export interface HeaderLike {
  readonly key: string
  readonly value: Uint8Array | string | null
}

/** Which schema a message was written with, and where its bytes begin. */
export interface Framed {
  /** An id, or a GUID. */
  readonly schema: number | string
  readonly at: number
  /** What follows the id in a header; null where the id is in front of the bytes. */
  readonly afterId: Buffer | null
}

/** The name of the header that has the schema's GUID. */
export function headerName(field: 'key' | 'value'): string {
  return field === 'key' ? '__key_schema_id' : '__value_schema_id'
}

export function idPrefix(id: number): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(id, 1)
  return prefix
}

/** The header's value: a magic byte and the GUID's 16. */
export function guidHeader(guid: string): Buffer {
  return Buffer.concat([Buffer.of(GUID), Buffer.from(guid.replaceAll('-', ''), 'hex')])
}

/** Where the bytes of a message begin that has an id in front. */
export const BEHIND_ID = PREFIX_BYTES

/** The id in front of a message; -1 if there is none. */
export function idInFront(data: Buffer): number {
  if (data.length < PREFIX_BYTES || data[0] !== ID) return -1
  return (
    (((data[1] as number) << 24) | ((data[2] as number) << 16) | ((data[3] as number) << 8) | (data[4] as number)) >>> 0
  )
}

/** @throws SchemaRegistryError INVALID_DATA if the message names no schema */
export function framed(data: Buffer, headers: readonly HeaderLike[], field: 'key' | 'value'): Framed {
  if (headers.length > 0) {
    const found = inHeader(headers, headerName(field))
    if (found !== null) return found
  }
  const id = idInFront(data)
  if (id >= 0) return { schema: id, at: PREFIX_BYTES, afterId: null }
  if (data.length >= GUID_BYTES && data[0] === GUID)
    return { schema: guidOf(data.subarray(1, GUID_BYTES)), at: GUID_BYTES, afterId: null }
  throw invalidData(
    data.length < PREFIX_BYTES
      ? `it names no schema: it has ${data.length} bytes, and a schema id takes 5`
      : `it names no schema: its first byte is ${data[0]}, not 0, and it has no header ${headerName(field)}`,
  )
}

function inHeader(headers: readonly HeaderLike[], name: string): Framed | null {
  const header = headers.findLast(({ key }) => key === name)
  if (header === undefined || header.value === null) return null
  const bytes = Buffer.from(header.value as Uint8Array)
  if (bytes[0] === GUID && bytes.length >= GUID_BYTES) {
    return { schema: guidOf(bytes.subarray(1, GUID_BYTES)), at: 0, afterId: bytes.subarray(GUID_BYTES) }
  }
  if (bytes[0] === ID && bytes.length >= PREFIX_BYTES) {
    return { schema: bytes.readUInt32BE(1), at: 0, afterId: bytes.subarray(PREFIX_BYTES) }
  }
  throw invalidData(`the header ${name} has ${bytes.length} bytes that are no schema id`)
}

function guidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
