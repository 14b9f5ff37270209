/** Serdes of all formats: which schema a message is written with, and which it was written with. */
import { AnswerCache } from '../client/cache.ts'
import { invalidArgument, invalidData, SchemaRegistryError, textOf } from '../errors.ts'
import type { RegisteredSchema, SchemaReference } from '../types.ts'
import type { Decode, Encode, Format, OwnSchema, ResolvedReference } from './format.ts'
import { BEHIND_ID, framed, guidHeader, headerName, idInFront, idPrefix, type Framed } from './framing.ts'
import { checkNaming, subjectOf, type SubjectNaming } from './subjects.ts'

/**
 * What serdes are told beside the data; ottla's clients pass it.
 * @since 0.1.0
 */
export interface RegistrySerdesContext {
  readonly topic: string
  readonly field: 'key' | 'value'
  readonly headers: { readonly key: string; readonly value: Buffer | null }[]
  /** The client calls again after an error with `isRetriable`: a deserializer does not wait for a registry that is down. */
  readonly isCalledAgain?: boolean
}

/**
 * Serializer and deserializer of values with a schema, as the option `key` or `value` of ottla's clients.
 *
 * The first message of a topic and the first of each schema wait for the registry; all others are made at once. So
 * `producer.produce`, which takes no promises, needs `prepare`; `send` does not.
 * @since 0.1.0
 */
export interface RegistrySerdes<T> {
  readonly serialize: (data: T, context: RegistrySerdesContext) => Buffer | Promise<Buffer>
  readonly deserialize: (data: Buffer, context: RegistrySerdesContext) => T | Promise<T>
  /** Finds, or registers, the schema for a topic's messages: `serialize` returns bytes and no promise from then on. */
  prepare(topic: string, field?: 'key' | 'value'): Promise<void>
}

/**
 * The options of serdes of all formats.
 * @since 0.1.0
 */
export interface CommonSerdesOptions {
  /** The schemas that `schema` refers to. */
  readonly references?: readonly SchemaReference[]
  /** How subjects are named; `topic` by default. */
  readonly subject?: SubjectNaming
  /** Whether an unknown schema is registered; by default true. If not, it must have been registered. */
  readonly autoRegister?: boolean
  /** Whether schemas that differ in form only are the same; the registry's configuration by default. */
  readonly normalize?: boolean
  /** Writes with the subject's latest version, which is looked for again every `latestTtlMs`. */
  readonly useLatest?: boolean
  /** Writes with the latest version whose metadata has these properties. */
  readonly latestWithMetadata?: Readonly<Record<string, string>>
  /** Writes with the schema of this id. */
  readonly schemaId?: number
  /** Where the schema is named: `prefix`, 5 bytes in front (the default), or `header`, a GUID in a header. */
  readonly idIn?: 'prefix' | 'header'
}

interface Asking {
  readonly subject?: string
  readonly timeoutMs?: number
  readonly once?: boolean
}

/** What serdes need of the registry. */
export interface RegistryAnswers {
  readonly cacheSize: number
  readonly outageMs: number
  registerSchema(subject: string, schema: string, options: object): Promise<RegisteredSchema>
  lookup(subject: string, schema: string, options: object): Promise<RegisteredSchema>
  latestOf(
    subject: string,
    properties: Readonly<Record<string, string>> | undefined,
    isOptional: boolean,
  ): Promise<RegisteredSchema>
  getById(id: number, options: Asking): Promise<RegisteredSchema>
  getByGuid(guid: string, options: Asking): Promise<RegisteredSchema>
  resolveReferences(references: readonly SchemaReference[]): Promise<readonly ResolvedReference[]>
}

/** The schema that a topic's messages are written with. */
interface Ready {
  readonly encode: Encode
  readonly prefix: Uint8Array
  readonly header: Buffer | null
  readonly schema: RegisteredSchema
}

const nothing = new Uint8Array(0)

/** How long a deserializer waits for an answer where the client calls again; it is there then, if it comes later. */
const BRIEF_MS = 500

export class SerdesEngine {
  readonly #registry: RegistryAnswers
  readonly #format: Format
  readonly #options: CommonSerdesOptions
  readonly #naming: SubjectNaming
  /** By topic; the newest that was found, which is written with while a newer one is looked for. */
  readonly #ready = { key: new Map<string, Ready>(), value: new Map<string, Ready>() }
  readonly #preparing = new Map<string, Promise<Ready>>()
  readonly #decoders: AnswerCache<number | string, Decode>
  readonly #isFixed: boolean
  /** Of which schemas the registry's answer is long in coming. */
  readonly #late = new Set<number | string>()
  /** The schema of the last message that had an id in front and no headers: most have the same. */
  #lastId = -1
  #lastDecode: Decode | null = null
  #ownReferences: Promise<readonly ResolvedReference[]> | null = null

  constructor(registry: RegistryAnswers, format: Format, options: CommonSerdesOptions) {
    const { subject = 'topic', idIn = 'prefix' } = options
    checkNaming(subject)
    // Its type allows nothing else; programs in JavaScript do.
    if (!['prefix', 'header'].includes(idIn)) throw invalidArgument("idIn takes 'prefix' or 'header'")
    this.#registry = registry
    this.#format = format
    this.#options = options
    this.#naming = subject
    this.#decoders = new AnswerCache(registry.cacheSize)
    this.#isFixed = options.useLatest !== true && options.latestWithMetadata === undefined && format.own !== null
  }

  serialize(data: unknown, { topic, field, headers }: RegistrySerdesContext): Buffer | Promise<Buffer> {
    const ready = this.#ready[field].get(topic)
    if (ready === undefined) return this.#prepare(topic, field).then(made => write(made, data, headers, field))
    if (!this.#isFixed) this.#refresh(topic, field)
    return write(ready, data, headers, field)
  }

  async prepare(topic: string, field: 'key' | 'value' = 'value'): Promise<void> {
    await this.#prepare(topic, field)
  }

  deserialize(data: Buffer, context: RegistrySerdesContext): unknown {
    if (context.headers.length === 0 && this.#lastDecode !== null && idInFront(data) === this.#lastId) {
      try {
        return this.#lastDecode(data, BEHIND_ID, null)
      } catch (error) {
        throw ofSchema(error, this.#lastId)
      }
    }
    const { headers, field, isCalledAgain = false } = context
    const where = framed(data, headers, field)
    const subject = typeof where.schema === 'number' ? this.#contextOf(context) : null
    const key = subject === null ? where.schema : `${subject} ${where.schema}`
    const decode = this.#decoders.peek(key)
    if (decode !== undefined) {
      // With a function for subjects, an id alone does not say which schema it is.
      if (typeof key === 'number' && where.afterId === null && typeof this.#naming !== 'function') {
        this.#lastId = key
        this.#lastDecode = decode
      }
      return read(decode, data, where)
    }
    const found = this.#decoder(key, where.schema, subject, isCalledAgain)
    return (isCalledAgain ? this.#inTime(key, found, where.schema) : found).then(made => read(made, data, where))
  }

  /** One message waits for an answer that is long in coming; those behind it are told at once. */
  async #inTime<T>(key: number | string, found: Promise<T>, schemaId: number | string): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          this.#late.add(key)
          const why = `schema ${schemaId}: the schema registry has not answered within ${BRIEF_MS} ms`
          reject(new SchemaRegistryError('UNAVAILABLE', why, { schemaId }))
        },
        this.#late.has(key) ? 0 : BRIEF_MS,
      )
    })
    const answered = (): void => void this.#late.delete(key)
    found.then(answered, answered)
    try {
      return await Promise.race([found, late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ids count in a context, which only the name of a subject tells; null of the default one. */
  #contextOf({ topic, field }: RegistrySerdesContext): string | null {
    if (typeof this.#naming !== 'function') return null
    const subject = this.#naming({ topic, field, recordName: null })
    return /^:\.[^:]+:/.exec(subject)?.[0] ?? null
  }

  /** @param isOptional nobody waits for it */
  #prepare(topic: string, field: 'key' | 'value', isOptional = false): Promise<Ready> {
    const key = `${field} ${topic} ${isOptional}`
    const pending = this.#preparing.get(key)
    if (pending !== undefined) return pending
    const asked = this.#find(topic, field, isOptional)
      .then(ready => {
        this.#ready[field].set(topic, ready)
        return ready
      })
      .finally(() => this.#preparing.delete(key))
    this.#preparing.set(key, asked)
    return asked
  }

  /** The registry's client keeps the latest version for its time, and asks no more often. */
  #refresh(topic: string, field: 'key' | 'value'): void {
    // What was found holds until the registry has said something else.
    this.#prepare(topic, field, true).catch(() => undefined)
  }

  async #find(topic: string, field: 'key' | 'value', isOptional: boolean): Promise<Ready> {
    const known = this.#ready[field].get(topic)
    const schema = await this.#schemaFor(topic, field, isOptional)
    if (known?.schema === schema) return known
    if (schema.type !== this.#format.type) {
      const found = `the schema of ${topic}-${field} is ${schema.type}`
      throw new SchemaRegistryError('INVALID_SCHEMA', `${found}, not ${this.#format.type}`, { schemaId: schema.id })
    }
    const references = await this.#registry.resolveReferences(schema.references)
    const { encode, afterId = nothing } = await this.#format.encoder(schema, references)
    if (this.#options.idIn !== 'header') {
      return { encode, prefix: Buffer.concat([idPrefix(schema.id), afterId]), header: null, schema }
    }
    if (schema.guid === null) {
      throw new SchemaRegistryError('REFUSED', "this registry knows no GUIDs, which idIn: 'header' needs")
    }
    return { encode, prefix: nothing, header: Buffer.concat([guidHeader(schema.guid), afterId]), schema }
  }

  async #schemaFor(topic: string, field: 'key' | 'value', isOptional: boolean): Promise<RegisteredSchema> {
    const { useLatest, latestWithMetadata, schemaId } = this.#options
    const { own } = this.#format
    if (schemaId !== undefined) return this.#registry.getById(schemaId, {})
    const recordName = own === null ? null : this.#format.recordName(own.text, await this.#references())
    const subject = subjectOf(this.#naming, { topic, field, recordName })
    if (useLatest === true || latestWithMetadata !== undefined || own === null) {
      return this.#registry.latestOf(subject, latestWithMetadata, isOptional)
    }
    return this.#registered(subject, own.text, await this.#referred(own))
  }

  #registered(subject: string, text: string, references: readonly SchemaReference[]): Promise<RegisteredSchema> {
    const { autoRegister, normalize } = this.#options
    const options = { type: this.#format.type, references, ...(normalize === undefined ? {} : { normalize }) }
    return autoRegister === false
      ? this.#registry.lookup(subject, text, options)
      : this.#registry.registerSchema(subject, text, options)
  }

  /** What the application's schema refers to; what it imports is registered, each under its own name. */
  async #referred({ references, imports = [], direct = [] }: OwnSchema): Promise<readonly SchemaReference[]> {
    const made = new Map<string, SchemaReference>()
    for (const { name, text, imports: further } of imports) {
      const used = further.flatMap(each => made.get(each) ?? [])
      const { version } = await this.#registered(name, text, used)
      made.set(name, { name, subject: name, version: version ?? 1 })
    }
    return [...references, ...direct.flatMap(name => made.get(name) ?? [])]
  }

  #references(): Promise<readonly ResolvedReference[]> {
    const { own } = this.#format
    if (own === null) return Promise.resolve([])
    if (this.#ownReferences === null) {
      this.#ownReferences = this.#registry.resolveReferences(own.references)
      this.#ownReferences.catch(() => (this.#ownReferences = null))
    }
    return this.#ownReferences
  }

  #decoder(
    key: number | string,
    schema: number | string,
    subject: string | null,
    isCalledAgain: boolean,
  ): Promise<Decode> {
    return this.#decoders.get(key, async () => {
      const limit = isCalledAgain ? { once: true } : { timeoutMs: this.#registry.outageMs }
      try {
        const written =
          typeof schema === 'number'
            ? await this.#registry.getById(schema, subject === null ? limit : { ...limit, subject })
            : await this.#registry.getByGuid(schema, limit)
        if (written.type !== this.#format.type) throw invalidData(`it is ${written.type}, not ${this.#format.type}`)
        const references = await this.#registry.resolveReferences(written.references)
        return await this.#format.decoder(written, references, await this.#references())
      } catch (error) {
        throw ofSchema(error, schema)
      }
    })
  }
}

function write(
  { encode, prefix, header }: Ready,
  data: unknown,
  headers: RegistrySerdesContext['headers'],
  field: 'key' | 'value',
): Buffer {
  if (header !== null) addHeader(headers, headerName(field), header)
  return encode(data, prefix)
}

/** The last one of a name counts: a message that was read and is sent again has one already. */
function addHeader(headers: RegistrySerdesContext['headers'], key: string, value: Buffer): void {
  const last = headers.findLast(header => header.key === key)
  if (last?.value?.equals(value) !== true) headers.push({ key, value })
}

function read(decode: Decode, data: Buffer, { schema, at, afterId }: Framed): unknown {
  try {
    return decode(data, at, afterId)
  } catch (error) {
    throw ofSchema(error, schema)
  }
}

/** The error, which names the schema. */
function ofSchema(error: unknown, schemaId: number | string): SchemaRegistryError {
  const code = error instanceof SchemaRegistryError ? error.code : 'INVALID_DATA'
  const { status, errorCode } = error instanceof SchemaRegistryError ? error : { status: null, errorCode: null }
  return new SchemaRegistryError(code, `schema ${schemaId}: ${textOf(error)}`, {
    cause: error,
    schemaId,
    ...(status === null ? {} : { status }),
    ...(errorCode === null ? {} : { errorCode }),
  })
}
