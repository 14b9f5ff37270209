import { invalidArgument } from '../../errors.ts'
/** Converts the headers of a message from the forms that applications pass to the one that is encoded. */
import type { Bytes, Header, HeaderInput, HeadersInput } from '../../types.ts'
import { isBytes, kindOf } from './kinds.ts'

/** The forms that a batch writer takes. */
export type PlainHeaders = Readonly<Record<string, Bytes | null>> | readonly HeaderInput[]

/**
 * The headers as they are encoded: the same object if it has that form.
 * @throws KafkaError ERR__INVALID_ARG for anything that would not be written as intended
 */
export function plainHeaders(topic: string, headers: HeadersInput | undefined): PlainHeaders | undefined {
  if (headers === undefined) return undefined
  const given: unknown = headers
  if (typeof given !== 'object' || given === null) throw wrongForm(topic, given)
  if (Array.isArray(given)) return plainList(topic, given)
  if (Symbol.iterator in given) return fromIterable(topic, given as Iterable<unknown>)
  return plainRecord(topic, given)
}

/** The headers as serializers get them. */
export function headerList(topic: string, headers: HeadersInput | undefined): Header[] {
  const plain = plainHeaders(topic, headers)
  if (plain === undefined) return []
  if (isList(plain)) return plain.map(({ key, value }) => ({ key, value: asBuffer(value ?? null) }))
  return Object.entries(plain).map(([key, value]) => ({ key, value: asBuffer(value) }))
}

/** Bytes of names and values. */
export function headerBytes(headers: PlainHeaders | undefined): number {
  if (headers === undefined) return 0
  let size = 0
  if (isList(headers)) for (const { key, value } of headers) size += Buffer.byteLength(key) + byteLength(value)
  else for (const [key, value] of Object.entries(headers)) size += Buffer.byteLength(key) + byteLength(value)
  return size
}

export function byteLength(data: Bytes | null | undefined): number {
  if (data === null || data === undefined) return 0
  return typeof data === 'string' ? Buffer.byteLength(data) : data.length
}

function plainList(topic: string, headers: readonly unknown[]): readonly HeaderInput[] {
  for (const header of headers) {
    // Pairs, as Object.entries makes them: another array is needed.
    if (Array.isArray(header)) return fromIterable(topic, headers)
    checkHeader(topic, header)
  }
  return headers as readonly HeaderInput[] // each was checked
}

function fromIterable(topic: string, headers: Iterable<unknown>): readonly HeaderInput[] {
  if ((headers as Partial<Iterator<unknown>>).next !== undefined) {
    throw invalidArgument(
      `headers of a message to ${topic} are an iterator, which can be read only once: pass an array`,
    )
  }
  const list: HeaderInput[] = []
  for (const header of headers) {
    if (!Array.isArray(header)) {
      checkHeader(topic, header)
      list.push(header)
      continue
    }
    const [key, value] = header as unknown[]
    if (header.length !== 2 || typeof key !== 'string') {
      throw invalidArgument(
        `each header of a message to ${topic} must be [name, value] or { key, value }, its name a string`,
      )
    }
    add(topic, list, key, value)
  }
  return list
}

function plainRecord(topic: string, headers: object): PlainHeaders {
  let isPlain = true
  for (const [name, value] of Object.entries(headers) as [string, unknown][]) {
    if (Array.isArray(value)) isPlain = false
    else checkValue(topic, name, value)
  }
  if (!isPlain) {
    const list: HeaderInput[] = []
    for (const [name, value] of Object.entries(headers)) add(topic, list, name, value)
    return list
  }
  const prototype: unknown = Object.getPrototypeOf(headers)
  const isRecord = prototype === null || Object.getPrototypeOf(prototype) === null
  if (!isRecord && Object.keys(headers).length === 0) throw wrongForm(topic, headers)
  return headers as Readonly<Record<string, Bytes | null>> // each of them has been checked
}

// An array stands for several headers of the name.
function add(topic: string, list: HeaderInput[], key: string, value: unknown): void {
  for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
    checkValue(topic, key, each)
    list.push({ key, value: each })
  }
}

function checkHeader(topic: string, header: unknown): asserts header is HeaderInput {
  const key: unknown = (header as { key?: unknown } | null | undefined)?.key
  if (typeof key !== 'string') {
    throw invalidArgument(`each header of a message to ${topic} must have a string as its key, not ${kindOf(key)}`)
  }
  const { value } = header as { value?: unknown } // it has a key, so it is an object
  if (value === undefined) {
    if ('value' in (header as object)) checkValue(topic, key, value)
    const other = Object.keys(header as object).find(name => name !== 'key')
    if (other !== undefined)
      throw invalidArgument(`header ${key} of a message to ${topic} has '${other}' and no 'value'`)
    return
  }
  checkValue(topic, key, value)
}

function checkValue(topic: string, name: string, value: unknown): asserts value is Bytes | null {
  if (value !== undefined && isBytes(value)) return
  const hint = typeof value === 'number' || typeof value === 'bigint' ? `; pass String(${typeof value})` : ''
  const must = 'must be bytes, a string, null, or an array of these'
  throw invalidArgument(`header ${name} of a message to ${topic} ${must}, not ${kindOf(value)}${hint}`)
}

function wrongForm(topic: string, given: unknown): Error {
  const must = 'must be an object, a Map, or a list of { key, value } or [name, value]'
  return invalidArgument(`headers of a message to ${topic} ${must}, not ${kindOf(given)}`)
}

function asBuffer(data: Bytes | null): Buffer | null {
  if (data === null) return null
  return typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

function isList(headers: PlainHeaders): headers is readonly HeaderInput[] {
  return Array.isArray(headers)
}
