/** Kafka's message facts as a typed, validated model: versions are ranges, types are resolved. */

import { int64Kind } from './int64.ts'

export interface Versions {
  readonly from: number
  /** Inclusive; NO_LIMIT for `3+`. */
  readonly to: number
}
export const NO_LIMIT = 0x7fff
const NONE: Versions = { from: 1, to: 0 }

export type Primitive =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  /** A count. */
  | 'int64'
  /** An int64 that is an identity. */
  | 'identity'
  /** An int64 that is a time. */
  | 'time'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records'

export type FieldType =
  { readonly kind: 'primitive'; readonly name: Primitive } | { readonly kind: 'struct'; readonly name: string }

export interface Field {
  readonly name: string
  readonly type: FieldType
  readonly isArray: boolean
  readonly versions: Versions
  readonly nullable: Versions
  readonly tagged: Versions
  readonly tag: number
  readonly ignorable: boolean
  /** As written in the facts; undefined means the type's own. */
  readonly fallback: string | number | boolean | undefined
}

export interface Struct {
  readonly name: string
  readonly versions: Versions
  readonly fields: readonly Field[]
}

export interface Message {
  readonly type: 'request' | 'response' | 'header' | 'data'
  readonly name: string
  readonly apiKey: number
  readonly listeners: readonly string[]
  readonly latestVersionUnstable: boolean
  readonly versions: Versions
  readonly flexible: Versions
  readonly root: Struct
  /** Every inner structure, each before those that hold it are done with. */
  readonly structs: ReadonlyMap<string, Struct>
}

interface RawField {
  name: string
  type: string
  versions: string
  nullableVersions?: string
  taggedVersions?: string
  tag?: number
  ignorable?: boolean
  default?: string | number | boolean
  fields?: RawField[]
}
interface RawMessage {
  type: string
  name: string
  apiKey?: number
  listeners?: string[]
  latestVersionUnstable?: boolean
  validVersions: string
  flexibleVersions?: string
  fields?: RawField[]
  commonStructs?: { name: string; versions: string; fields: RawField[] }[]
}

const primitives = new Set<string>([
  'bool',
  'int8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'float64',
  'uuid',
  'string',
  'bytes',
  'records',
])

/** Messages that were withdrawn (`validVersions: none`) are left out. Throws Error for facts of an unknown form. */
export function parseSpec(json: string): Message[] {
  const raw = JSON.parse(json) as RawMessage[] // the facts of one release; every use below checks what it needs
  return raw.filter(message => message.validVersions !== 'none').map(parseMessage)
}

export function parseVersions(text: string | undefined): Versions {
  if (text === undefined || text === 'none' || text === '') return NONE
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text)
  if (match === null) throw new Error(`'${text}' is no range of versions`)
  const from = Number(match[1])
  if (match[2] === '+') return { from, to: NO_LIMIT }
  return { from, to: match[3] === undefined ? from : Number(match[3]) }
}

export function intersect(a: Versions, b: Versions): Versions {
  return { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) }
}

export function isEmpty(versions: Versions): boolean {
  return versions.from > versions.to
}

/** Messages that are no requests but that a client or broker has to read or write. */
export const standaloneNames: ReadonlySet<string> = new Set([
  'ConsumerProtocolSubscription',
  'ConsumerProtocolAssignment',
  'ControlRecordTypeSchema',
  'EndTxnMarker',
])

/** Whether brokers take the request on a listener for clients. */
export function isClientRequest(message: Message): boolean {
  return message.type === 'request' && message.listeners.includes('broker')
}

/** `Produce` for `ProduceRequest`. */
export function apiNameOf(request: Message): string {
  return request.name.replace(/Request$/, '')
}

/** The newest version that is settled; brokers do not offer an unstable one unless told to. */
export function maxVersion(request: Message): number {
  const { from, to } = request.versions
  return request.latestVersionUnstable && to > from ? to - 1 : to
}

function parseMessage(raw: RawMessage): Message {
  const { type } = raw
  if (type !== 'request' && type !== 'response' && type !== 'header' && type !== 'data') {
    throw new Error(`${raw.name} is of unknown type '${type}'`)
  }
  const versions = parseVersions(raw.validVersions)
  const structs = new Map<string, Struct>()
  const prefix = (name: string): string => `${raw.name}${name}`
  const structOf = (name: string, range: Versions, fields: readonly RawField[]): void => {
    const parsed = fields.map(field => parseField(field, prefix))
    for (const field of fields) {
      if (field.fields === undefined) continue
      structOf(field.type.replace('[]', ''), intersect(range, parseVersions(field.versions)), field.fields)
    }
    if (structs.has(prefix(name))) throw new Error(`${raw.name} defines ${name} twice`)
    structs.set(prefix(name), { name: prefix(name), versions: range, fields: parsed })
  }
  for (const common of raw.commonStructs ?? []) {
    structOf(common.name, intersect(versions, parseVersions(common.versions)), common.fields)
  }
  const rootFields = raw.fields ?? []
  for (const field of rootFields) {
    if (field.fields === undefined) continue
    structOf(field.type.replace('[]', ''), intersect(versions, parseVersions(field.versions)), field.fields)
  }
  const root = { name: raw.name, versions, fields: rootFields.map(field => parseField(field, prefix)) }
  for (const struct of [root, ...structs.values()]) {
    for (const { type: used, name } of struct.fields) {
      if (used.kind === 'struct' && !structs.has(used.name)) {
        throw new Error(`${struct.name}.${name} is of unknown type ${used.name}`)
      }
    }
  }
  return {
    type,
    name: raw.name,
    apiKey: raw.apiKey ?? -1,
    listeners: raw.listeners ?? [],
    latestVersionUnstable: raw.latestVersionUnstable ?? false,
    versions,
    flexible: intersect(versions, parseVersions(raw.flexibleVersions)),
    root,
    structs,
  }
}

function parseField(raw: RawField, prefix: (name: string) => string): Field {
  const isArray = raw.type.startsWith('[]')
  const typeName = isArray ? raw.type.slice(2) : raw.type
  const type: FieldType = primitives.has(typeName)
    ? { kind: 'primitive', name: primitiveOf(raw, typeName as Primitive) } // the set above holds just these
    : { kind: 'struct', name: prefix(typeName) }
  return {
    name: camelCase(raw.name),
    type,
    isArray,
    versions: parseVersions(raw.versions),
    nullable: parseVersions(raw.nullableVersions),
    tagged: parseVersions(raw.taggedVersions),
    tag: raw.tag ?? -1,
    ignorable: raw.ignorable ?? false,
    fallback: raw.default,
  }
}

function primitiveOf(raw: RawField, name: Primitive): Primitive {
  if (name !== 'int64') return name
  const kind = int64Kind(camelCase(raw.name))
  return kind === undefined || kind === 'count' ? 'int64' : kind
}

function camelCase(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1)
}
