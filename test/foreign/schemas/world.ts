/** Serdes of somebody else and ours, with one registry: what either writes, and what the other one reads of it. */
import { SchemaRegistry, type RegistrySerdes, type RegistrySerdesContext } from '@ottla/schema-registry'
import type { Order, Peer } from '../peer.ts'

export interface SchemaWorld {
  readonly url: string
  readonly peer: Peer
  readonly traits: SchemaTraits
  close(): Promise<void>
}

/** What not all registries and serdes do. Where one does not, a test says so: it is told when it does. */
export interface SchemaTraits {
  /** Whether schemas have GUIDs, which headers can name. */
  readonly hasGuids: boolean
  /** Whether schemas that differ in form only have one id: Protobuf as text and as a descriptor. */
  readonly comparesForm: boolean
  /** Whether serdes make null of null; if not, the application does. */
  readonly takesNull: boolean
  /** Whether Avro's and JSON's serializers can name subjects by record with a schema that they are given. */
  readonly namesRecords: boolean
  /** Whether a value of a union of records has the record's name around it. */
  readonly wrapsRecords: boolean
  /** Whether Protobuf messages are read as the application's code has them, and not as they were written. */
  readonly readsAsCode: boolean
  /** Whether files are found that imported files import. */
  readonly followsImports: boolean
  /** Whether Confluent's Protobuf type for decimals can be read. */
  readonly readsDecimals: boolean
}

export const everyTrait: SchemaTraits = {
  hasGuids: true,
  comparesForm: true,
  takesNull: true,
  namesRecords: true,
  wrapsRecords: false,
  readsAsCode: true,
  followsImports: true,
  readsDecimals: true,
}

/** Of Apicurio's registry. */
export const apicurioTraits = { hasGuids: false, comparesForm: false } as const

/** Of @confluentinc/schemaregistry. */
export const javascriptTraits = {
  takesNull: false,
  namesRecords: false,
  wrapsRecords: true,
  readsAsCode: false,
  followsImports: false,
  readsDecimals: false,
} as const

export interface Written {
  /** In hexadecimal digits. */
  readonly bytes: string | null
  readonly headers: readonly (readonly [key: string, value: string])[]
}

export type Where = Omit<Order, 'do'> & { readonly topic: string; readonly field?: 'key' | 'value' }

/** Makes serdes of ours; each time with a client of its own, which knows nothing that another one has learned. */
// What they are of is the scenario's matter.
export type MakeSerdes = (registry: SchemaRegistry) => RegistrySerdes<never>

export class Sides {
  readonly world: SchemaWorld

  constructor(world: SchemaWorld) {
    this.world = world
  }

  registry(): SchemaRegistry {
    return new SchemaRegistry({ url: this.world.url, requestTimeoutMs: 60_000, timeoutMs: 120_000 })
  }

  async byThem(where: Where): Promise<Written> {
    return (await this.world.peer.ask({ do: 'serialize', ...where })) as Written
  }

  async readByThem(where: Where): Promise<unknown> {
    return this.world.peer.ask({ do: 'deserialize', ...where })
  }

  async byUs(make: MakeSerdes, value: unknown, where: Where): Promise<Written> {
    const context = contextOf(where)
    const bytes = await make(this.registry()).serialize(value as never, context)
    const headers = context.headers.map(({ key, value: each }): [string, string] => [key, each?.toString('hex') ?? ''])
    return { bytes: bytes.toString('hex'), headers }
  }

  async readByUs(make: MakeSerdes, written: Written, where: Where): Promise<unknown> {
    const bytes = Buffer.from(written.bytes ?? '', 'hex')
    return make(this.registry()).deserialize(bytes, contextOf(where, written.headers))
  }
}

function contextOf({ topic, field = 'value' }: Where, headers: Written['headers'] = []): RegistrySerdesContext {
  return { topic, field, headers: headers.map(([key, value]) => ({ key, value: Buffer.from(value, 'hex') })) }
}
