/** What the registry does, without HTTP: registering, comparing, deleting. */
import type { CompatibilityLevel, RegistryMode, SchemaMetadata, SchemaReference, SchemaType } from '../types.ts'
import { refusals } from './failure.ts'
import type { Referred, WholeSchema } from './format.ts'
import { formats } from './formats.ts'
import { contextOf, contextSubject } from './names.ts'
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
const VERSION_PROPERTY = 'confluent:version'
const modes: readonly string[] = ['READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT']

export class RegistryCore {
  readonly store: RegistryStore

  constructor(store: RegistryStore) {
    this.store = store
  }

  /** @param normalize schemas that differ in form only are the same, whatever the configuration says */
  register(subject: string, given: GivenSchema, normalize = false): SchemaRecord {
    const isNormalized = this.#normalizes(subject, normalize)
    const mode = this.modeOf(subject)
    const live = this.#live(subject)
    const all = this.store.versions(subject)
    // A version that was deleted, even for good, is not used again while there are others.
    const version = given.version ?? (all.at(-1)?.version ?? 0) + 1
    const completed = mode === 'IMPORT' ? given : ownVersion(inheriting(given, live.at(-1)), version)
    const content = this.#accepted(completed, isNormalized)
    const known = live.findLast(record => isSame(record, content) || (isNormalized && isSameForm(record, content)))
    if (known !== undefined && (given.id === undefined || given.id === known.id)) return known
    if (mode === 'READONLY' || mode === 'READONLY_OVERRIDE') {
      throw refusals.notPermitted(`Subject ${subject} is in read-only mode`)
    }
    if (mode === 'IMPORT' ? given.id === undefined : given.id !== undefined) {
      throw refusals.notPermitted(`Subject ${subject} is ${mode === 'IMPORT' ? '' : 'not '}in import mode`)
    }
    if (mode !== 'IMPORT') {
      const messages = this.#against(subject, content, live)
      if (messages.length > 0) throw refusals.incompatible(subject, messages)
    }
    const context = contextOf(subject)
    const id = given.id ?? this.store.idOf(content, context) ?? this.store.nextId(context)
    for (const old of all) {
      // What refers to it may come back.
      const isReplaced = old.deleted && old.id === id && old.version < version && this.#users(old, true).length === 0
      if (isReplaced) this.store.dropVersion(subject, old.version)
    }
    const record = { subject, version, id, ...content, deleted: false }
    this.store.putSchema(record)
    return record
  }

  /** The version that a schema is. */
  lookup(subject: string, given: GivenSchema, deleted: boolean, normalize = false): SchemaRecord {
    const isNormalized = this.#normalizes(subject, normalize)
    const versions = this.store.versions(subject)
    if (versions.every(record => record.deleted && !deleted)) throw refusals.noSubject(subject)
    const known = versions.filter(record => deleted || !record.deleted)
    const latest = versions.findLast(record => !record.deleted)
    // As it came; then as it would be registered.
    for (const each of [given, inheriting(given, latest)]) {
      const content = this.#accepted(each, isNormalized)
      const found = known.findLast(record => isSame(record, content) || (isNormalized && isSameForm(record, content)))
      if (found !== undefined) return found
    }
    throw refusals.noSchema()
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

  /** The text of a schema in the format that a request names; as it is kept in any other. */
  textOf(content: Content, format: string | null): string {
    const { schemaType = 'AVRO', schema } = content
    return (format === null ? null : formats[schemaType].formatted?.(this.#whole(content), format)) ?? schema
  }

  /** Why a schema cannot become the next version; compared with one version, or with those that the level names. */
  compatibility(subject: string, given: GivenSchema, version: string | null): string[] {
    const content = this.#accepted(given)
    const live = this.#live(subject)
    if (version === null) return this.#against(subject, content, live)
    const wanted = versionOf(version)
    if (wanted === 'latest') return this.#against(subject, content, live.slice(-1))
    const old = live.find(record => record.version === wanted)
    if (old === undefined) throw refusals.noVersion(wanted)
    return this.#against(subject, content, [old])
  }

  deleteSubject(subject: string, permanent: boolean): number[] {
    this.#checkWritable(subject)
    const versions = this.store.versions(subject)
    const live = versions.filter(record => !record.deleted)
    if (versions.length === 0) throw refusals.noSubject(subject)
    if (permanent && live.length > 0) throw refusals.subjectIsNotDeleted(subject)
    if (!permanent && live.length === 0) throw refusals.subjectIsDeleted(subject)
    const going = permanent ? versions : live
    for (const record of going) this.#checkUnused(record, permanent, subject)
    if (permanent) for (const record of going) this.#remove(record, permanent)
    else this.store.deleteSubject(subject, versions.at(-1)?.version ?? 0)
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
    this.#checkUnused(record, permanent)
    this.#remove(record, permanent)
    return record.version
  }

  referencedBy(subject: string, version: string): number[] {
    const record = this.version(subject, version, true)
    return [...new Set(this.#users(record).map(({ id }) => id))]
  }

  levelOf(subject: string): CompatibilityLevel {
    return (this.setting(subject, 'compatibilityLevel') ?? 'BACKWARD') as CompatibilityLevel
  }

  /** The subject's, or its context's, or the registry's. */
  setting<K extends keyof ConfigRecord>(subject: string, name: K): ConfigRecord[K] | undefined {
    return [subject, contextSubject(subject), null]
      .map(each => this.config(each)?.[name])
      .find(each => each !== undefined)
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
    const [own, around] = [this.store.mode(subject), this.store.mode(contextSubject(subject))]
    return own ?? around ?? this.store.mode(null) ?? 'READWRITE'
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
  #accepted({ schema, schemaType = 'AVRO', references = [], metadata }: GivenSchema, isNormalized = false): Content {
    if (typeof schema !== 'string' || schema === '') throw refusals.invalidSchema('Empty schema')
    if (!Object.hasOwn(formats, schemaType)) throw refusals.invalidSchema(`Invalid schema type ${schemaType}`)
    const format = formats[schemaType]
    const content = {
      schema: format.accept({ text: schema, references: this.#referred(references) }),
      ...(schemaType === 'AVRO' ? {} : { schemaType }),
      ...(references.length === 0 ? {} : { references: references.map(each => this.#fixed(each)) }),
      ...(metadata === undefined ? {} : { metadata }),
    }
    return isNormalized ? normalizedContent(content) : content
  }

  /** A reference to the latest version is one to what that is now. */
  #fixed(reference: SchemaReference): SchemaReference {
    const { name, subject, version } = reference
    if (version !== -1) return reference
    return { name, subject, version: this.store.versions(subject).at(-1)?.version ?? version }
  }

  #whole({ schema, references = [] }: Content): WholeSchema {
    return { text: schema, references: this.#referred(references) }
  }

  /** What is referred to, each after that which it refers to itself. */
  #referred(references: readonly SchemaReference[]): Referred[] {
    const all = new Map<string, Referred>()
    const visit = (each: readonly SchemaReference[], above: readonly string[]): void => {
      for (const { name, subject, version } of each) {
        const versions = this.store.versions(subject)
        const record = version === -1 ? versions.at(-1) : versions.find(known => known.version === version)
        if (record === undefined) {
          throw refusals.invalidSchema(`No schema reference found for subject "${subject}" and version ${version}`)
        }
        const key = `${name} ${subject} ${record.version}`
        if (above.includes(key)) throw refusals.invalidSchema(`${subject} version ${record.version} refers to itself`)
        visit(record.references ?? [], [...above, key])
        all.set(key, { name, subject, version: record.version, text: record.schema })
      }
    }
    visit(references, [])
    return [...all.values()]
  }

  #against(subject: string, content: Content, all: readonly SchemaRecord[]): string[] {
    const level = this.levelOf(subject)
    if (level === 'NONE') return []
    const group = this.setting(subject, 'compatibilityGroup')
    const groupOf = ({ metadata }: Content): string | undefined => metadata?.properties?.[group ?? '']
    const versions = group === undefined ? all : all.filter(each => groupOf(each) === groupOf(content))
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

  #normalizes(subject: string, isAsked: boolean): boolean {
    return isAsked || this.setting(subject, 'normalize') === true
  }

  #checkWritable(subject: string): void {
    const mode = this.modeOf(subject)
    if (mode.startsWith('READONLY')) throw refusals.notPermitted(`Subject ${subject} is in read-only mode`)
  }

  #users({ subject, version }: SchemaRecord, deleted = false): SchemaRecord[] {
    return this.store
      .all()
      .filter(
        each =>
          (deleted || !each.deleted) &&
          each.references?.some(used => used.subject === subject && used.version === version) === true,
      )
  }

  /**
   * What was deleted, but not for good, may come back: it keeps what it refers to.
   * @param going a subject that goes as a whole
   */
  #checkUnused(record: SchemaRecord, permanent: boolean, going?: string): void {
    if (this.#users(record, permanent).some(({ subject }) => subject !== going))
      throw refusals.isReferenced(record.subject, record.version)
  }

  #remove(record: SchemaRecord, permanent: boolean): void {
    if (permanent) this.store.dropVersion(record.subject, record.version)
    else this.store.putSchema({ ...record, deleted: true })
  }
}

/** With the metadata of the version before, if it comes without. */
function inheriting(given: GivenSchema, previous: SchemaRecord | undefined): GivenSchema {
  const metadata = given.metadata ?? previous?.metadata
  return metadata === undefined ? given : { ...given, metadata }
}

/** A property that names the version names this one. */
function ownVersion(given: GivenSchema, version: number): GivenSchema {
  const { metadata } = given
  if (metadata?.properties?.[VERSION_PROPERTY] === undefined) return given
  const properties = { ...metadata.properties, [VERSION_PROPERTY]: `${version}` }
  return { ...given, metadata: { ...metadata, properties } }
}

/** Whether two schemas differ in form only. */
function isSameForm(a: Content, b: Content): boolean {
  if ((a.schemaType ?? 'AVRO') !== (b.schemaType ?? 'AVRO')) return false
  return isSame(normalizedContent(a), normalizedContent(b))
}

/** Without what differs in form only, and in the order of what is referred to. */
function normalizedContent(content: Content): Content {
  const { schema, schemaType = 'AVRO', references } = content
  return {
    ...content,
    schema: formats[schemaType].normalized(schema),
    ...(references === undefined ? {} : { references: sortedReferences(references) }),
  }
}

/** As Confluent's has them: by subject and version, each once. */
function sortedReferences(references: readonly SchemaReference[]): SchemaReference[] {
  const once = new Map(references.map(each => [JSON.stringify([each.subject, each.version, each.name]), each]))
  return [...once.values()].sort((a, b) =>
    a.subject === b.subject ? a.version - b.version : a.subject < b.subject ? -1 : 1,
  )
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
