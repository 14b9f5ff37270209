/** The registry that scenarios are played on, and in what it is not like Confluent's. */
import { SchemaRegistry, type SchemaRegistryOptions } from '@ottla/schema-registry'

/** False: what the registry lacks. The README of the package says why. */
export interface RegistryTraits {
  /** GUIDs, and so ids in headers. */
  readonly hasGuids: boolean
  /** READONLY and IMPORT. */
  readonly hasModes: boolean
  /** Properties of schemas, by which a version is found. */
  readonly hasMetadata: boolean
  /** Contexts with ids of their own. */
  readonly hasContexts: boolean
  /** All schemas in one answer. */
  readonly listsSchemas: boolean
  /** Whether it says why a schema is not compatible before it is registered. */
  readonly explains: boolean
  /** Whether schemas are the same that differ in spaces and the order of attributes. */
  readonly comparesForm: boolean
  /** Whether a check without a version compares with those that the level names, and not with all. */
  readonly checksByLevel: boolean
  /** Whether a subject can have the level NONE while the registry has another. */
  readonly hasOwnNone: boolean
  /** Whether a version that is none, as `x`, is told from one that is unknown. */
  readonly checksVersions: boolean
  /** Whether the rules of Protobuf and JSON Schema are Confluent's. */
  readonly judgesAsConfluent: boolean
  /** Whether schemas are refused that refer to what is not there. */
  readonly checksReferences: boolean
  /** Whether `normalize` makes Protobuf schemas one that differ in form only. */
  readonly normalizesProtobuf: boolean
}

/** What Confluent's registry does. */
export const everything: RegistryTraits = {
  hasGuids: true,
  hasModes: true,
  hasMetadata: true,
  hasContexts: true,
  listsSchemas: true,
  explains: true,
  comparesForm: true,
  checksByLevel: true,
  hasOwnNone: true,
  checksVersions: true,
  judgesAsConfluent: true,
  checksReferences: true,
  normalizesProtobuf: true,
}

/** What Apicurio's registry does. */
export const apicurioTraits: RegistryTraits = {
  hasGuids: false,
  hasModes: false,
  hasMetadata: false,
  hasContexts: false,
  listsSchemas: false,
  explains: false,
  comparesForm: false,
  checksByLevel: false,
  hasOwnNone: false,
  checksVersions: false,
  judgesAsConfluent: false,
  checksReferences: false,
  normalizesProtobuf: false,
}

export interface RegistryWorld {
  readonly url: string
  readonly traits: RegistryTraits
  close(): Promise<void>
}

/** A client of its own for each test: what one has asked, the next one asks again. */
export function clientOf(world: RegistryWorld, options: SchemaRegistryOptions = {}): SchemaRegistry {
  // A JVM that has just started, on a busy machine, takes seconds for its first answers.
  return new SchemaRegistry({ url: world.url, requestTimeoutMs: 60_000, timeoutMs: 120_000, ...options })
}

/** A record with fields of type int, which have a default if their name ends in `?`. */
export function record(name: string, ...fields: string[]): object {
  return {
    type: 'record',
    name,
    fields: fields.map(field =>
      field.endsWith('?') ? { name: field.slice(0, -1), type: 'int', default: 0 } : { name: field, type: 'int' },
    ),
  }
}
