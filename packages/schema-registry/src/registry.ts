/** The registry's client: its REST API as methods, and serdes for the three formats. */
import { AnswerCache } from './client/cache.ts'
import {
  beginsWith,
  configBody,
  configOf,
  listQuery,
  schemaBody,
  schemaOf,
  schemaText,
  subjectPath,
} from './client/answers.ts'
import { RestClient, type RestOptions } from './client/rest.ts'
import { SchemaRegistryError } from './errors.ts'
import { avroSerdes, type AvroOptions, type AvroSerdesOptions } from './serdes/avro.ts'
import type { RegistrySerdes } from './serdes/engine.ts'
import { jsonSerdes, type JsonOptions, type JsonSerdesOptions } from './serdes/json.ts'
import {
  protobufSerdes,
  type GeneratedMessage,
  type ProtobufOptions,
  type ProtobufSerdesOptions,
  type ProtobufValue,
} from './serdes/protobuf.ts'
import type { ResolvedReference } from './serdes/format.ts'
import type { AvroValue } from './infer/avro.ts'
import type { JsonSchemaValue } from './infer/json.ts'
import type {
  CompatibilityLevel,
  CompatibilityResult,
  ListOptions,
  RegisteredSchema,
  RegistryConfig,
  RegistryMode,
  SchemaOptions,
  SchemaReference,
  SchemaType,
} from './types.ts'

/**
 * The options of a registry's client.
 * @since 0.1.0
 */
export interface SchemaRegistryOptions extends RestOptions {
  /** How many schemas are kept; 1000 by default. */
  readonly cacheSize?: number
  /** How long a subject's latest version is taken for the latest, ms; 60,000 by default. */
  readonly latestTtlMs?: number
  /**
   * How long a deserializer that the application itself calls asks a registry that does not answer, ms; 240,000 by default.
   * ottla's consumers ask again for as long as the registry is down: only the partitions wait whose messages need a schema
   * that is not known yet.
   */
  readonly outageMs?: number
}

/** A version of a subject. */
export type Version = number | 'latest'

/**
 * Makes Avro serdes.
 * @since 0.1.0
 */
export interface AvroFactory {
  /**
   * Of a schema that the application has: their type follows from it where it is written as a literal. It is what is
   * written, and what messages of other versions are read as.
   */
  <const S extends object, const O extends AvroOptions>(
    options: O & { readonly schema: S },
  ): RegistrySerdes<O extends { readonly values: 'json' } ? unknown : AvroValue<S, O>>
  /** Of a type that the application states. Without a schema, the subject's latest one is written. */
  <T = unknown>(options?: AvroSerdesOptions): RegistrySerdes<T>
}

/**
 * Makes Protobuf serdes. They need the package `@bufbuild/protobuf`.
 * @since 0.1.0
 */
export interface ProtobufFactory {
  /**
   * Of a message that `protoc-gen-es` has generated code for: `registry.protobuf(OrderSchema)`. Its file is what is
   * registered, with those that it imports, each under the path of its import. Messages are read with the generated code.
   */
  <D extends GeneratedMessage, const O extends ProtobufOptions = ProtobufOptions>(
    schema: D,
    options?: O,
  ): RegistrySerdes<O extends { readonly values: 'json' } ? unknown : ProtobufValue<D>>
  /** Without generated code, of a type that the application states; messages are read as they were written. */
  <T = unknown>(options?: ProtobufSerdesOptions): RegistrySerdes<T>
}

/**
 * Makes JSON Schema serdes. They need the package `ajv`, unless they do not validate.
 * @since 0.1.0
 */
export interface JsonFactory {
  /** Of a schema that the application has: the type of values follows from it where it is written as a literal. */
  <const S extends object>(options: JsonOptions & { readonly schema: S }): RegistrySerdes<JsonSchemaValue<S>>
  /** Of a type that the application states. Without a schema, the subject's latest one is written. */
  <T = unknown>(options?: JsonSerdesOptions): RegistrySerdes<T>
}

/**
 * A schema registry with Confluent's REST API: Confluent's own, Apicurio's, Karapace, Redpanda's, or the embedded one.
 * What it has answered about an id or a version is kept.
 *
 * ```ts
 * const registry = new SchemaRegistry({ url: 'http://localhost:8081' })
 * const producer = new Producer({ … }, { value: registry.avro({ schema: orderSchema }) })
 * ```
 *
 * All methods reject with SchemaRegistryError, whose `code` says why.
 * @since 0.1.0
 */
export class SchemaRegistry {
  readonly #rest: RestClient
  readonly #cacheSize: number
  readonly #outageMs: number
  readonly #byId: AnswerCache<string, RegisteredSchema>
  readonly #byVersion: AnswerCache<string, RegisteredSchema>
  readonly #latest: AnswerCache<string, RegisteredSchema>
  readonly #registered: AnswerCache<string, RegisteredSchema>

  /** Throws SchemaRegistryError INVALID_ARGUMENT. Nothing is asked yet. */
  constructor(options: SchemaRegistryOptions) {
    const size = options.cacheSize ?? 1000
    this.#rest = new RestClient(options)
    this.#cacheSize = size
    this.#outageMs = options.outageMs ?? 240_000
    this.#byId = new AnswerCache(size)
    this.#byVersion = new AnswerCache(size)
    this.#registered = new AnswerCache(size)
    this.#latest = new AnswerCache(size, options.latestTtlMs ?? 60_000)
  }

  /** Avro values, for the option `key` or `value` of a client. */
  readonly avro = ((options: AvroSerdesOptions = {}): unknown => avroSerdes(this, options)) as unknown as AvroFactory

  /** Protobuf messages, for the option `key` or `value` of a client. Throws SchemaRegistryError MISSING_PACKAGE. */
  readonly protobuf = ((
    first?: GeneratedMessage | ProtobufSerdesOptions,
    options?: ProtobufOptions,
  ): RegistrySerdes<unknown> => protobufSerdes(this, first, options)) as ProtobufFactory

  /** JSON values with a schema, for the option `key` or `value` of a client. Throws SchemaRegistryError MISSING_PACKAGE. */
  readonly json = ((options: JsonSerdesOptions = {}): unknown => jsonSerdes(this, options)) as unknown as JsonFactory

  /** Registers a schema as the subject's next version, unless it is one already; resolves with its id. */
  async register(subject: string, schema: string | object, options: SchemaOptions = {}): Promise<number> {
    return (await this.registerSchema(subject, schema, options)).id
  }

  /** As `register`; resolves with all that the registry says about it. Kept: the same call asks once. */
  registerSchema(subject: string, schema: string | object, options: SchemaOptions = {}): Promise<RegisteredSchema> {
    const key = `register ${keyOf(subject, schema, options)}`
    return this.#registered.get(key, async () => {
      const made = await this.#send('POST', `${subjectPath(subject)}/versions`, schema, options)
      this.#latest.clear()
      const given = schemaOf({ ...wireOf(schema, options), ...made }, subject)
      // Old registries answer with the id alone.
      return given.version === null || given.guid === null ? this.#lookup(subject, schema, options, given) : given
    })
  }

  /** The version of a subject that a schema is. Rejects with NOT_FOUND if it is none. */
  lookup(
    subject: string,
    schema: string | object,
    options: SchemaOptions & ListOptions = {},
  ): Promise<RegisteredSchema> {
    const key = `lookup ${keyOf(subject, schema, options)}`
    return this.#registered.get(key, async () => this.#find(subject, schema, options, { deleted: options.deleted }))
  }

  /**
   * The schema with an id. In a context other than the default one, name a subject of it.
   * @param options `timeoutMs`: how long to ask, in place of the client's limit; `once`: no retries
   */
  getById(
    id: number,
    options: { readonly subject?: string; readonly timeoutMs?: number; readonly once?: boolean } = {},
  ): Promise<RegisteredSchema> {
    const { subject, ...limit } = options
    return this.#byId.get(`${id} ${subject ?? ''}`, async () => {
      const answer = await this.#get(`/schemas/ids/${id}`, { subject }, limit)
      return schemaOf({ id, ...answer }, null)
    })
  }

  /** The schema with a GUID, which is its id in every registry. */
  getByGuid(
    guid: string,
    options: { readonly timeoutMs?: number; readonly once?: boolean } = {},
  ): Promise<RegisteredSchema> {
    return this.#byId.get(guid, async () => {
      const answer = await this.#get(`/schemas/guids/${encodeURIComponent(guid)}`, {}, options)
      return schemaOf({ guid, id: 0, ...answer }, null)
    })
  }

  /** The subject's latest version; kept for `latestTtlMs`. */
  getLatest(subject: string): Promise<RegisteredSchema> {
    return this.latestOf(subject, undefined, false)
  }

  /** The subject's latest version whose metadata has these properties; kept for `latestTtlMs`. */
  getLatestWithMetadata(subject: string, properties: Readonly<Record<string, string>>): Promise<RegisteredSchema> {
    return this.latestOf(subject, properties, false)
  }

  /**
   * As `getLatest` and `getLatestWithMetadata`.
   * @param isOptional no retries
   * @internal
   */
  latestOf(
    subject: string,
    properties: Readonly<Record<string, string>> | undefined,
    isOptional: boolean,
  ): Promise<RegisteredSchema> {
    const key = properties === undefined ? subject : `${subject} ${JSON.stringify(properties)}`
    return this.#latest.get(key, async () => {
      const path = properties === undefined ? '/versions/latest' : `/metadata?${pairsOf(properties)}`
      const call = { method: 'GET', path: `${subjectPath(subject)}${path}`, isOptional } as const
      return schemaOf(await this.#rest.call(call), subject)
    })
  }

  getVersion(subject: string, version: Version, options: ListOptions = {}): Promise<RegisteredSchema> {
    if (version === 'latest') return this.getLatest(subject)
    return this.#byVersion.get(`${subject} ${version} ${options.deleted ?? false}`, () =>
      this.#version(subject, version, options),
    )
  }

  async versions(subject: string, options: ListOptions = {}): Promise<number[]> {
    return (await this.#list(`${subjectPath(subject)}/versions`, listQuery(options))) as number[]
  }

  /** @param options `prefix`: only subjects that begin so */
  async subjects(options: ListOptions & { readonly prefix?: string } = {}): Promise<string[]> {
    const { prefix } = options
    const found = (await this.#list('/subjects', { subjectPrefix: prefix, ...listQuery(options) })) as string[]
    // Apicurio lists all.
    return prefix === undefined ? found : found.filter(subject => beginsWith(subject, prefix))
  }

  /** @param options `prefix`: only of subjects that begin so; `latestOnly`: of each subject */
  async schemas(
    options: ListOptions & { readonly prefix?: string; readonly latestOnly?: boolean } = {},
  ): Promise<RegisteredSchema[]> {
    const query = { subjectPrefix: options.prefix, latestOnly: options.latestOnly, ...listQuery(options) }
    return (await this.#list('/schemas', query)).map(each => schemaOf(each, null))
  }

  /** Where a schema is used. */
  async versionsOf(id: number): Promise<{ readonly subject: string; readonly version: number }[]> {
    return (await this.#list(`/schemas/ids/${id}/versions`, {})) as { subject: string; version: number }[]
  }

  /** The ids of the schemas that refer to a version. */
  async referencedBy(subject: string, version: Version): Promise<number[]> {
    return (await this.#list(`${subjectPath(subject)}/versions/${version}/referencedby`, {})) as number[]
  }

  /** The contexts, `.` for the default one. */
  async contexts(): Promise<string[]> {
    const found = (await this.#list('/contexts', {})) as string[]
    // Apicurio writes them as they are in front of a subject.
    return found.map(context => /^:(.*):$/.exec(context)?.[1] ?? context)
  }

  /** The formats that the registry knows. */
  async types(): Promise<SchemaType[]> {
    return (await this.#list('/schemas/types', {})) as SchemaType[]
  }

  /**
   * Whether a schema may become the subject's next version.
   * @param options `version`: compare with this one alone; by default with those that the compatibility level names
   */
  async checkCompatibility(
    subject: string,
    schema: string | object,
    options: SchemaOptions & { readonly version?: Version } = {},
  ): Promise<CompatibilityResult> {
    const { version } = options
    const path = `/compatibility${subjectPath(subject)}/versions${version === undefined ? '' : `/${version}`}`
    const answer = await this.#send('POST', path, schema, options, { verbose: true })
    const { is_compatible: isCompatible, messages } = answer
    if (typeof isCompatible !== 'boolean') {
      throw new SchemaRegistryError('REFUSED', `the schema registry answered POST ${path} with no verdict`)
    }
    return { isCompatible, messages: Array.isArray(messages) ? (messages as string[]) : [] }
  }

  /** The subject's configuration, or the registry's where it has none; without a subject the registry's. */
  async getConfig(subject?: string): Promise<RegistryConfig> {
    try {
      return configOf(await this.#get(`/config${partOf(subject)}`, { defaultToGlobal: subject !== undefined }))
    } catch (error) {
      // Apicurio knows no configuration of a subject without a schema.
      const isUnknown = error instanceof SchemaRegistryError && error.code === 'NOT_FOUND'
      if (subject === undefined || !isUnknown) throw error
      return this.getConfig()
    }
  }

  /** @param subject all subjects without a configuration of their own if left out */
  async setConfig(config: RegistryConfig | CompatibilityLevel, subject?: string): Promise<void> {
    await this.#rest.call({ method: 'PUT', path: `/config${partOf(subject)}`, body: configBody(config) })
  }

  /** From now on the registry's configuration holds for the subject. */
  async deleteConfig(subject?: string): Promise<void> {
    await this.#rest.call({ method: 'DELETE', path: `/config${partOf(subject)}` })
  }

  /** The subject's mode, or the registry's where it has none; without a subject the registry's. */
  async getMode(subject?: string): Promise<RegistryMode> {
    const path = `/mode${partOf(subject)}`
    const { mode } = await this.#get(path, { defaultToGlobal: subject !== undefined })
    if (typeof mode === 'string') return mode as RegistryMode
    const message = `the schema registry answered GET ${path} with no mode: it may not have modes`
    throw new SchemaRegistryError('REFUSED', message)
  }

  /** @param options `force`: switch to IMPORT although there are schemas */
  async setMode(mode: RegistryMode, subject?: string, options: { readonly force?: boolean } = {}): Promise<void> {
    const query = { force: options.force }
    await this.#rest.call({ method: 'PUT', path: `/mode${partOf(subject)}`, query, body: { mode } })
  }

  async deleteMode(subject: string): Promise<void> {
    await this.#rest.call({ method: 'DELETE', path: `/mode${partOf(subject)}` })
  }

  /**
   * Deletes all versions of a subject; what was written with them can still be read.
   * @param options `permanent`: for good, after it was deleted without
   * @returns the versions that were there
   */
  async deleteSubject(subject: string, options: { readonly permanent?: boolean } = {}): Promise<number[]> {
    const query = { permanent: options.permanent }
    const deleted = await this.#rest.call({ method: 'DELETE', path: subjectPath(subject), query })
    this.#forget()
    return deleted as number[]
  }

  /** As `deleteSubject`, of one version; resolves with it. */
  async deleteVersion(
    subject: string,
    version: Version,
    options: { readonly permanent?: boolean } = {},
  ): Promise<number> {
    const query = { permanent: options.permanent }
    const path = `${subjectPath(subject)}/versions/${version}`
    const deleted = await this.#rest.call({ method: 'DELETE', path, query })
    this.#forget()
    return deleted as number
  }

  /** The schemas that a schema refers to, and those that they refer to: each after its own. */
  async resolveReferences(references: readonly SchemaReference[]): Promise<readonly ResolvedReference[]> {
    const resolved = new Map<string, ResolvedReference>()
    const visit = async (all: readonly SchemaReference[], above: readonly string[]): Promise<void> => {
      for (const { name, subject, version } of all) {
        const key = `${subject} ${version}`
        if (above.includes(key))
          throw new SchemaRegistryError('INVALID_SCHEMA', `${subject} version ${version} refers to itself`)
        if (resolved.has(`${name} ${key}`)) continue
        // A version that is in use is read although it was deleted.
        const { schema, references: further } = await this.getVersion(subject, version, { deleted: true })
        await visit(further, [...above, key])
        resolved.set(`${name} ${key}`, { name, subject, version, schema })
      }
    }
    await visit(references, [])
    return [...resolved.values()]
  }

  /** @internal */
  get cacheSize(): number {
    return this.#cacheSize
  }

  /** @internal */
  get outageMs(): number {
    return this.#outageMs
  }

  #forget(): void {
    for (const cache of [this.#latest, this.#byVersion, this.#registered]) cache.clear()
  }

  async #version(subject: string, version: Version, options: ListOptions): Promise<RegisteredSchema> {
    const query = { deleted: options.deleted }
    return schemaOf(await this.#get(`${subjectPath(subject)}/versions/${version}`, query), subject)
  }

  async #lookup(
    subject: string,
    schema: string | object,
    options: SchemaOptions,
    known: RegisteredSchema,
  ): Promise<RegisteredSchema> {
    return { ...(await this.#find(subject, schema, options)), id: known.id }
  }

  async #find(
    subject: string,
    schema: string | object,
    options: SchemaOptions,
    query: Readonly<Record<string, boolean | undefined>> = {},
  ): Promise<RegisteredSchema> {
    const found = await this.#send('POST', subjectPath(subject), schema, options, query)
    // Apicurio's answer has no type.
    return schemaOf({ schemaType: options.type, ...found }, subject)
  }

  async #send(
    method: 'POST',
    path: string,
    schema: string | object,
    options: SchemaOptions,
    query: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ): Promise<Record<string, unknown>> {
    const { normalize } = options
    const body = schemaBody(schema, options)
    return objectOf(await this.#rest.call({ method, path, query: { normalize, ...query }, body }))
  }

  async #get(
    path: string,
    query: Readonly<Record<string, string | number | boolean | undefined>> = {},
    { timeoutMs, once = false }: { readonly timeoutMs?: number; readonly once?: boolean } = {},
  ): Promise<Record<string, unknown>> {
    const limit = timeoutMs === undefined ? {} : { timeoutMs }
    return objectOf(await this.#rest.call({ method: 'GET', path, query, isOptional: once, ...limit }))
  }

  async #list(path: string, query: Readonly<Record<string, string | boolean | undefined>>): Promise<unknown[]> {
    const answer = await this.#rest.call({ method: 'GET', path, query })
    if (Array.isArray(answer)) return answer as unknown[]
    throw new SchemaRegistryError('REFUSED', `the schema registry answered GET ${path} with no list: is it a registry?`)
  }
}

/** Without content (204), nothing of what was asked for is there. */
function objectOf(answer: unknown): Record<string, unknown> {
  return typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {}
}

function pairsOf(properties: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(properties).flatMap(([name, value]): [string, string][] => [
    ['key', name],
    ['value', value],
  ])
  return new URLSearchParams(pairs).toString()
}

function partOf(subject: string | undefined): string {
  return subject === undefined ? '' : `/${encodeURIComponent(subject)}`
}

function keyOf(subject: string, schema: string | object, options: SchemaOptions): string {
  return JSON.stringify([subject, schemaText(schema), options])
}

function wireOf(schema: string | object, options: SchemaOptions): Record<string, unknown> {
  return { ...schemaBody(schema, options) }
}
