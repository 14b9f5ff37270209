/** Subjects, their versions, configurations and modes, as the records of the log have made them. */
import { createHash } from 'node:crypto'
import type { RegistryMode } from '../types.ts'
import { contextOf } from './names.ts'
import type { ConfigRecord, Key, ModeRecord, RegistryLog, SchemaRecord } from './records.ts'

/** A schema without where it is used: what has one id. */
export type Content = Pick<SchemaRecord, 'schema' | 'schemaType' | 'references' | 'metadata'>

export class RegistryStore {
  readonly #log: RegistryLog
  readonly #subjects = new Map<string, Map<number, SchemaRecord>>()
  /** By context and id; what was deleted for good can still be read by its id. */
  readonly #byId = new Map<string, Content>()
  readonly #ids = new Map<string, number>()
  readonly #nextId = new Map<string, number>()
  readonly #configs = new Map<string | null, ConfigRecord>()
  readonly #modes = new Map<string | null, ModeRecord>()

  constructor(log: RegistryLog) {
    this.#log = log
    for (const { key, value } of log.read())
      this.#apply(JSON.parse(key) as Key, value === null ? null : JSON.parse(value))
  }

  subjects(): string[] {
    return [...this.#subjects.keys()].sort()
  }

  /** All versions, deleted ones too, in order. */
  versions(subject: string): SchemaRecord[] {
    return [...(this.#subjects.get(subject)?.values() ?? [])].sort((a, b) => a.version - b.version)
  }

  all(): SchemaRecord[] {
    return this.subjects().flatMap(subject => this.versions(subject))
  }

  content(id: number, context: string): Content | undefined {
    return this.#byId.get(`${context} ${id}`)
  }

  byGuid(guid: string): Content | undefined {
    for (const content of this.#byId.values()) if (guidOf(content) === guid) return content
    return undefined
  }

  /** The id of a schema in a context; undefined if it has none. */
  idOf(content: Content, context: string): number | undefined {
    return this.#ids.get(`${context} ${keyOf(content)}`)
  }

  nextId(context: string): number {
    return this.#nextId.get(context) ?? 1
  }

  config(subject: string | null): ConfigRecord | undefined {
    return this.#configs.get(subject)
  }

  mode(subject: string | null): RegistryMode | undefined {
    return this.#modes.get(subject)?.mode
  }

  putSchema(record: SchemaRecord): void {
    const { subject, version } = record
    this.#write({ keytype: 'SCHEMA', subject, version, magic: 1 }, record)
  }

  dropVersion(subject: string, version: number): void {
    this.#write({ keytype: 'SCHEMA', subject, version, magic: 1 }, null)
  }

  /** All versions up to this one, in one record. */
  deleteSubject(subject: string, version: number): void {
    this.#write({ keytype: 'DELETE_SUBJECT', subject, magic: 0 }, { subject, version })
  }

  putConfig(subject: string | null, config: ConfigRecord | null): void {
    this.#write({ keytype: 'CONFIG', subject, magic: 0 }, config)
  }

  putMode(subject: string | null, mode: RegistryMode | null): void {
    this.#write({ keytype: 'MODE', subject, magic: 0 }, mode === null ? null : { mode })
  }

  #write(key: Key, value: object | null): void {
    this.#log.append(JSON.stringify(key), value === null ? null : JSON.stringify(value))
    this.#apply(key, value)
  }

  #apply(key: Key, value: unknown): void {
    switch (key.keytype) {
      case 'SCHEMA':
        this.#applySchema(key.subject, key.version, value as SchemaRecord | null)
        break
      case 'CONFIG':
        put(this.#configs, key.subject, value as ConfigRecord | null)
        break
      case 'MODE':
        put(this.#modes, key.subject, value as ModeRecord | null)
        break
      case 'DELETE_SUBJECT':
        this.#deleteUpTo(key.subject, (value as { version?: number } | null)?.version ?? 0)
        break
      case 'CLEAR_SUBJECT':
      case 'NOOP':
        break
      default:
        key satisfies never
    }
  }

  #applySchema(subject: string, version: number, record: SchemaRecord | null): void {
    let versions = this.#subjects.get(subject)
    if (record === null) {
      versions?.delete(version)
      if (versions?.size === 0) this.#subjects.delete(subject)
      return
    }
    if (versions === undefined) this.#subjects.set(subject, (versions = new Map<number, SchemaRecord>()))
    versions.set(version, record)
    const context = contextOf(subject)
    this.#byId.set(`${context} ${record.id}`, record)
    this.#ids.set(`${context} ${keyOf(record)}`, record.id)
    this.#nextId.set(context, Math.max(this.nextId(context), record.id + 1))
  }

  /** Confluent's registry writes one record for a deleted subject. */
  #deleteUpTo(subject: string, version: number): void {
    for (const record of this.versions(subject)) {
      if (record.version <= version) this.#subjects.get(subject)?.set(record.version, { ...record, deleted: true })
    }
  }
}

function put<V>(map: Map<string | null, V>, key: string | null, value: V | null): void {
  if (value === null) map.delete(key)
  else map.set(key, value)
}

function keyOf({ schema, schemaType = 'AVRO', references = [], metadata }: Content): string {
  return JSON.stringify([
    schemaType,
    schema,
    references.map(({ name, subject, version }) => [name, subject, version]),
    metadata,
  ])
}

/** The same for the same schema, in every registry of this kind. */
export function guidOf(content: Content): string {
  const hex = createHash('md5').update(keyOf(content)).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
