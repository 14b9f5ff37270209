/** What the registry does, without HTTP: registering, comparing, deleting. */
import type { CompatibilityLevel, RegistryMode, SchemaMetadata, SchemaReference, SchemaType } from '../types.ts'
import { refusals } from './failure.ts'
import { formats, type WholeSchema } from './formats.ts'
import { contextOf } from './names.ts'
import type { ConfigRecord, SchemaRecord } from './records.ts'
import { guidOf, type Content, type RegistryStore } from './store.ts'

/** A schema as requests have it. */
export interface GivenSchema {
  readonly schema: string
  readonly schemaType?: SchemaType
  readonly references?: readonly SchemaReference[]
  readonly metadata?: SchemaMetadata
  /** With the mode IMPORT. */
  readonly id?: number
  readonly version?: number
}

const levels: readonly string[] = [
  ...['NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE', 'FORWARD', 'FORWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE'],
]
const modes: readonly string[] = ['READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT']

export class RegistryCore {
  readonly store: RegistryStore

  constructor(store: RegistryStore) {
    this.store = store
  }

  register(subject: string, given: GivenSchema): SchemaRecord {
    const content = this.#accepted(given)
    const mode = this.modeOf(subject)
    const live = this.#live(subject)
    const known = live.find(record => isSame(record, content))
    if (known !== undefined && (given.id === undefined || given.id === known.id)) return known
    if (mode === 'READONLY' || mode === 'READONLY_OVERRIDE') {
      throw refusals.notPermitted(`Subject ${subject} is in read-only mode`)
    }
    if (mode === 'IMPORT' ? given.id === undefined : given.id !== undefined) {
      throw refusals.notPermitted(`Subject ${subject} is ${mode === 'IMPORT' ? '' : 'not '}in import mode`)
    }
    if (mode !== 'IMPORT') {
      const messages = this.#against(content, live, this.levelOf(subject))
      if (messages.length > 0) throw refusals.incompatible(subject, messages)
    }
    const context = contextOf(subject)
    const id = given.id ?? this.store.idOf(content, context) ?? this.store.nextId(context)
    // A version that was deleted, even for good, is not used again while there are others.
    const version = given.version ?? (this.store.versions(subject).at(-1)?.version ?? 0) + 1
    const record = { subject, version, id, ...content, deleted: false }
    this.store.putSchema(record)
    return record
  }

  /** The version that a schema is. */
  lookup(subject: string, given: GivenSchema, deleted: boolean): SchemaRecord {
    const content = this.#accepted(given)
    const versions = this.store.versions(subject)
    if (versions.every(record => record.deleted && !deleted)) throw refusals.noSubject(subject)
    const found = versions.findLast(record => (deleted || !record.deleted) && isSame(record, content))
    if (found === undefined) throw refusals.noSchema()
    return found
  }

  /** @param version a number, `latest` or -1 */
  version(subject: string, version: string, deleted = false): SchemaRecord {
    const wanted = versionOf(version)
    const versions = this.store.versions(subject).filter(record => deleted || !record.deleted)
    if (versions.length === 0) throw refusals.noSubject(subject)
    const found = wanted === 'latest' ? versions.at(-1) : versions.find(record => record.version === wanted)
    if (found === undefined) throw refusals.noVersion(wanted)
    return found
  }

  /** Why a schema cannot become the next version; compared with one version, or with those that the level names. */
  compatibility(subject: string, given: GivenSchema, version: string | null): string[] {
    const content = this.#accepted(given)
    const level = this.levelOf(subject)
    if (version === null) return this.#against(content, this.#live(subject), level)
    const wanted = versionOf(version)
    const live = this.#live(subject)
    if (wanted === 'latest') return this.#against(content, live.slice(-1), level)
    const old = live.find(record => record.version === wanted)
    if (old === undefined) throw refusals.noVersion(wanted)
    return this.#against(content, [old], level)
  }

  deleteSubject(subject: string, permanent: boolean): number[] {
    this.#checkWritable(subject)
    const versions = this.store.versions(subject)
    const live = versions.filter(record => !record.deleted)
    if (versions.length === 0) throw refusals.noSubject(subject)
    if (permanent && live.length > 0) throw refusals.subjectIsNotDeleted(subject)
    if (!permanent && live.length === 0) throw refusals.subjectIsDeleted(subject)
    const going = permanent ? versions : live
    for (const record of going) this.#checkUnused(record)
    for (const record of going) this.#remove(record, permanent)
    if (this.store.versions(subject).every(record => record.deleted)) {
      this.store.putConfig(subject, null)
      this.store.putMode(subject, null)
    }
    return going.map(record => record.version)
  }

  deleteVersion(subject: string, version: string, permanent: boolean): number {
    this.#checkWritable(subject)
    const wanted = versionOf(version)
    const all = this.store.versions(subject)
    if (all.length === 0) throw refusals.noSubject(subject)
    const record =
      wanted === 'latest' ? all.findLast(each => permanent || !each.deleted) : all.find(each => each.version === wanted)
    if (record === undefined) throw refusals.noVersion(wanted)
    if (permanent && !record.deleted) throw refusals.versionIsNotDeleted(subject, record.version)
    if (!permanent && record.deleted) throw refusals.versionIsDeleted(subject, record.version)
    this.#checkUnused(record)
    this.#remove(record, permanent)
    return record.version
  }

  referencedBy(subject: string, version: string): number[] {
    const record = this.version(subject, version, true)
    return [...new Set(this.#users(record).map(({ id }) => id))]
  }

  /** The subject's level, or its context's, or the registry's. */
  levelOf(subject: string): CompatibilityLevel {
    const level = this.config(subject)?.compatibilityLevel ?? this.config(null)?.compatibilityLevel ?? 'BACKWARD'
    return level as CompatibilityLevel
  }

  config(subject: string | null): ConfigRecord | undefined {
    return this.store.config(subject)
  }

  setConfig(subject: string | null, given: Record<string, unknown>): void {
    const { compatibility, normalize, compatibilityGroup, alias } = given
    const level = typeof compatibility === 'string' ? compatibility.toUpperCase() : undefined
    if (level !== undefined && !levels.includes(level)) throw refusals.invalidLevel()
    this.store.putConfig(subject, {
      ...this.store.config(subject),
      ...(level === undefined ? {} : { compatibilityLevel: level }),
      ...(typeof normalize === 'boolean' ? { normalize } : {}),
      ...(typeof compatibilityGroup === 'string' ? { compatibilityGroup } : {}),
      ...(typeof alias === 'string' ? { alias } : {}),
    })
  }

  modeOf(subject: string): RegistryMode {
    return this.store.mode(subject) ?? this.store.mode(null) ?? 'READWRITE'
  }

  setMode(subject: string | null, mode: unknown, force: boolean): void {
    const wanted = typeof mode === 'string' ? mode.toUpperCase() : ''
    if (!modes.includes(wanted)) throw refusals.invalidMode()
    const hasSchemas = subject === null ? this.store.subjects().length > 0 : this.#live(subject).length > 0
    if (wanted === 'IMPORT' && hasSchemas && !force) {
      throw refusals.notPermitted('Cannot import since found existing subjects')
    }
    this.store.putMode(subject, wanted as RegistryMode)
  }

  #live(subject: string): SchemaRecord[] {
    return this.store.versions(subject).filter(record => !record.deleted)
  }

  /** The schema as it is kept. */
  #accepted({ schema, schemaType = 'AVRO', references = [], metadata }: GivenSchema): Content {
    if (typeof schema !== 'string' || schema === '') throw refusals.invalidSchema('Empty schema')
    if (!Object.hasOwn(formats, schemaType)) throw refusals.invalidSchema(`Invalid schema type ${schemaType}`)
    const text = formats[schemaType].accept({ text: schema, references: this.#texts(references) })
    return {
      schema: text,
      ...(schemaType === 'AVRO' ? {} : { schemaType }),
      ...(references.length === 0 ? {} : { references }),
      ...(metadata === undefined ? {} : { metadata }),
    }
  }

  #whole({ schema, references = [] }: Content): WholeSchema {
    return { text: schema, references: this.#texts(references) }
  }

  /** The texts of references, each after those that it refers to. */
  #texts(references: readonly SchemaReference[]): string[] {
    const texts = new Set<string>()
    const visit = (all: readonly SchemaReference[]): void => {
      for (const { subject, version } of all) {
        const record = this.store.versions(subject).find(each => each.version === version || version === -1)
        if (record === undefined) {
          throw refusals.invalidSchema(`No schema reference found for subject "${subject}" and version ${version}`)
        }
        visit(record.references ?? [])
        texts.add(record.schema)
      }
    }
    visit(references)
    return [...texts]
  }

  #against(content: Content, versions: readonly SchemaRecord[], level: CompatibilityLevel): string[] {
    if (level === 'NONE') return []
    const compared = level.endsWith('_TRANSITIVE') ? [...versions].reverse() : versions.slice(-1)
    const reads = !level.startsWith('FORWARD')
    const isRead = !level.startsWith('BACKWARD')
    for (const old of compared) {
      const messages = this.#compare(content, old, reads, isRead)
      if (messages.length === 0) continue
      return [
        ...messages,
        `{oldSchemaVersion: ${old.version}}`,
        `{oldSchema: '${old.schema}'}`,
        `{compatibility: '${level}'}`,
      ]
    }
    return []
  }

  #compare(fresh: Content, old: SchemaRecord, reads: boolean, isRead: boolean): string[] {
    const { schemaType = 'AVRO' } = fresh
    if (schemaType !== (old.schemaType ?? 'AVRO')) {
      return [
        `{errorType:'SCHEMA_TYPE_MISMATCH', description:'The schema type has changed', additionalInfo:'${schemaType}'}`,
      ]
    }
    const [a, b] = [this.#whole(fresh), this.#whole(old)]
    const format = formats[schemaType]
    return [...(reads ? format.compare(b, a, true) : []), ...(isRead ? format.compare(a, b, false) : [])]
  }

  #checkWritable(subject: string): void {
    const mode = this.modeOf(subject)
    if (mode.startsWith('READONLY')) throw refusals.notPermitted(`Subject ${subject} is in read-only mode`)
  }

  #users({ subject, version }: SchemaRecord): SchemaRecord[] {
    return this.store
      .all()
      .filter(
        each =>
          !each.deleted && each.references?.some(used => used.subject === subject && used.version === version) === true,
      )
  }

  #checkUnused(record: SchemaRecord): void {
    if (this.#users(record).length > 0) throw refusals.isReferenced(record.subject, record.version)
  }

  #remove(record: SchemaRecord, permanent: boolean): void {
    if (permanent) this.store.dropVersion(record.subject, record.version)
    else this.store.putSchema({ ...record, deleted: true })
  }
}

function isSame(a: Content, b: Content): boolean {
  return guidOf(a) === guidOf(b)
}

function versionOf(text: string): number | 'latest' {
  if (text === 'latest' || text === '-1') return 'latest'
  const version = Number(text)
  if (!Number.isInteger(version) || version < 1 || version > 0x7fffffff) throw refusals.invalidVersion(text)
  return version
}
