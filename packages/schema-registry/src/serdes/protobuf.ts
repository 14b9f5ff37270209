/** Serdes of Protobuf, by `@bufbuild/protobuf`. */
import type * as runtimeModule from '@bufbuild/protobuf'
import type * as wellKnownModule from '@bufbuild/protobuf/wkt'
import type { DescFile, DescMessage, FileRegistry, JsonValue, Message } from '@bufbuild/protobuf'
import { invalidArgument, invalidData, invalidSchema, textOf } from '../errors.ts'
import { descriptorsOf, readProto, withImports, type ImportedText } from '../protobuf/files.ts'
import { indexBytes, readIndexes } from '../protobuf/indexes.ts'
import { placedMessages } from '../protobuf/names.ts'
import { printProto } from '../protobuf/print.ts'
import { readDescriptor } from '../protobuf/read-descriptor.ts'
import type { ProtoFile } from '../protobuf/types.ts'
import { isGoogles, isWellKnown } from '../protobuf/well-known.ts'
import type { RegisteredSchema } from '../types.ts'
import { SerdesEngine, type CommonSerdesOptions, type RegistryAnswers, type RegistrySerdes } from './engine.ts'
import type { Encoder, Format, OwnImport, OwnSchema, ResolvedReference } from './format.ts'
import { loadPackage } from './load-package.ts'

/**
 * The options of Protobuf serdes.
 * @since 0.1.0
 */
export interface ProtobufOptions extends CommonSerdesOptions {
  /** The message's full name; by default that of the generated code, or the first message of the schema. */
  readonly message?: string
  /**
   * What values are: by default (`message`) messages of `@bufbuild/protobuf`; `json`: what Protobuf's JSON mapping makes of
   * them, 64-bit integers and bytes as text.
   */
  readonly values?: 'message' | 'json'
}

/**
 * The options of Protobuf serdes without generated code.
 * @since 0.1.0
 */
export interface ProtobufSerdesOptions extends ProtobufOptions {
  /** The text of a `.proto` file. Without one the subject's latest schema is written. */
  readonly schema?: string
}

/**
 * A message's descriptor, as `protoc-gen-es` generates it.
 * @since 0.1.0
 */
export interface GeneratedMessage {
  readonly kind: 'message'
  readonly typeName: string
}

/**
 * The type of a generated message.
 * @since 0.1.0
 */
export type ProtobufValue<D extends GeneratedMessage> = D extends { readonly $codegenv2: { readonly a: infer T } }
  ? T
  : unknown

type Runtime = typeof runtimeModule
type WellKnown = typeof wellKnownModule

export function protobufSerdes(
  registry: RegistryAnswers,
  first: GeneratedMessage | ProtobufSerdesOptions = {},
  more: ProtobufOptions = {},
): RegistrySerdes<unknown> {
  const isGenerated = 'kind' in first && 'typeName' in first
  const options: ProtobufSerdesOptions = isGenerated ? more : first
  const { values = 'message', references = [] } = options
  if (!['message', 'json'].includes(values)) throw invalidArgument("values takes 'message' or 'json'")
  if (isGenerated && references.length > 0) {
    throw invalidArgument('generated code has its references itself: leave references out')
  }
  const format = new ProtobufFormat(options, isGenerated ? (first as unknown as DescMessage) : null)
  const engine = new SerdesEngine(registry, format, options)
  return {
    serialize: (data, context) => engine.serialize(data, context),
    deserialize: (data, context) => engine.deserialize(data, context),
    prepare: (topic, field) => engine.prepare(topic, field),
  }
}

class ProtobufFormat implements Format {
  readonly type = 'PROTOBUF'
  readonly own: OwnSchema | null
  readonly #options: ProtobufSerdesOptions
  readonly #generated: DescMessage | null
  readonly #runtime: Runtime
  readonly #wellKnown: WellKnown

  constructor(options: ProtobufSerdesOptions, generated: DescMessage | null) {
    this.#options = options
    this.#generated = generated
    this.#runtime = loadPackage('@bufbuild/protobuf', 'Protobuf') as Runtime
    this.#wellKnown = loadPackage('@bufbuild/protobuf/wkt', 'Protobuf') as WellKnown
    const { schema, references = [] } = options
    if (generated !== null) this.own = this.#ofGenerated(generated.file)
    else if (schema === undefined) this.own = null
    else {
      // What is wrong with it is known at once.
      this.#nameIn(readProto(schema))
      this.own = { text: schema, references }
    }
  }

  recordName(schema: string): string {
    return this.#nameIn(readProto(schema))
  }

  encoder(schema: RegisteredSchema, references: readonly ResolvedReference[]): Encoder {
    const path = pathOf(schema)
    const file = readProto(schema.schema)
    const name = this.#nameIn(file)
    const placed = [...placedMessages(file.types, file.package)].find(each => each.name === name)
    if (placed === undefined) throw invalidSchema(`the schema with the id ${schema.id} has no message ${name}`)
    const types = this.#generated === null ? this.#registryOf(path, schema.schema, references) : null
    const desc = this.#generated ?? this.#messageOf(types, name)
    const binary = this.#binaryOf(desc, types)
    const encode = (data: unknown, prefix: Uint8Array): Buffer => {
      try {
        return Buffer.concat([prefix, binary(data)])
      } catch (error) {
        throw invalidData(refusedValue(error, name))
      }
    }
    return { encode, afterId: indexBytes(placed.indexes) }
  }

  decoder(written: RegisteredSchema, references: readonly ResolvedReference[]) {
    const path = pathOf(written)
    const file = readProto(written.schema)
    const names = new Map([...placedMessages(file.types, file.package)].map(each => [each.indexes.join(), each.name]))
    const types = this.#generated === null ? this.#registryOf(path, written.schema, references) : null
    const readers = new Map<string, (bytes: Uint8Array) => unknown>()
    const readerOf = (indexes: string): ((bytes: Uint8Array) => unknown) => {
      const name = names.get(indexes)
      if (name === undefined) throw invalidData(`it has no message with the index ${indexes}`)
      const reader = this.#readerOf(this.#generated ?? this.#messageOf(types, name), name, types)
      readers.set(indexes, reader)
      return reader
    }
    return (bytes: Buffer, at: number, afterId: Buffer | null): unknown => {
      const { indexes, next } = readIndexes(afterId ?? bytes, afterId === null ? at : 0)
      const reader = readers.get(indexes) ?? readerOf(indexes)
      const start = afterId === null ? next : at
      // No Buffer: values of the type `bytes` are views of the same class.
      return reader(new Uint8Array(bytes.buffer, bytes.byteOffset + start, bytes.length - start))
    }
  }

  #readerOf(desc: DescMessage, name: string, types: FileRegistry | null): (bytes: Uint8Array) => unknown {
    const wanted = this.#generated?.typeName ?? this.#options.message ?? name
    if (wanted !== name) throw invalidData(`its message is a ${name}, not a ${wanted}`)
    const { fromBinary, toJson } = this.#runtime
    if (this.#options.values !== 'json') return bytes => fromBinary(desc, bytes)
    const registry = types ?? this.#typesOf(desc.file)
    return bytes => toJson(desc, fromBinary(desc, bytes), { registry })
  }

  #binaryOf(desc: DescMessage, types: FileRegistry | null): (data: unknown) => Uint8Array {
    const { create, fromJson, toBinary } = this.#runtime
    if (this.#options.values === 'json') {
      const registry = types ?? this.#typesOf(desc.file)
      return data => toBinary(desc, fromJson(desc, data as JsonValue, { registry }))
    }
    return data => {
      const { $typeName } = data as Partial<Message>
      if ($typeName === undefined) return toBinary(desc, create(desc, data as Record<string, unknown>))
      if ($typeName !== desc.typeName) throw invalidData(`it is a ${$typeName}, not a ${desc.typeName}`)
      return toBinary(desc, data as Message)
    }
  }

  /** The full name of the message that is meant. */
  #nameIn(file: ProtoFile): string {
    const wanted = this.#generated?.typeName ?? this.#options.message
    const messages = [...placedMessages(file.types, file.package)]
    if (wanted === undefined) {
      const name = messages[0]?.name
      if (name === undefined) throw invalidSchema('it has no message')
      return name
    }
    if (!messages.some(({ name }) => name === wanted)) throw invalidSchema(`it has no message ${wanted}`)
    return wanted
  }

  #messageOf(types: FileRegistry | null, name: string): DescMessage {
    const desc = types?.getMessage(name)
    if (desc === undefined) throw invalidSchema(`it has no message ${name}`)
    return desc
  }

  #registryOf(path: string, schema: string, references: readonly ImportedText[]): FileRegistry {
    const { createFileRegistry, fromBinary } = this.#runtime
    const { FileDescriptorProtoSchema } = this.#wellKnown
    const bytes = descriptorsOf(withImports(path, schema, references))
    const descriptorOf = (name: string) => {
      const found = bytes.get(name)
      return found === undefined ? undefined : fromBinary(FileDescriptorProtoSchema, found)
    }
    const own = descriptorOf(path)
    if (own === undefined) throw invalidSchema('it has no file')
    try {
      return createFileRegistry(own, name =>
        isGoogles(name) && !references.some(each => each.name === name) ? this.#googleFile(name) : descriptorOf(name),
      )
    } catch (error) {
      throw invalidSchema(textOf(error))
    }
  }

  #googleFile(path: string): DescFile | undefined {
    const name = path.replace('.proto', '')
    return Object.values(this.#wellKnown).find(
      (each): each is DescFile =>
        typeof each === 'object' && 'kind' in each && each.kind === 'file' && each.name === name,
    )
  }

  /** What google.protobuf.Any may have in it: the types of the file and of those that it imports. */
  #typesOf(file: DescFile): FileRegistry {
    const { createFileRegistry } = this.#runtime
    const files = new Map<string, DescFile>()
    const visit = (each: DescFile): void => {
      if (files.has(each.name)) return
      files.set(each.name, each)
      each.dependencies.forEach(visit)
    }
    visit(file)
    return createFileRegistry(file.proto, path => files.get(path.replace(/\.proto$/, '')))
  }

  /** The `.proto` texts of generated code and of what it imports. */
  #ofGenerated(file: DescFile): OwnSchema {
    const imports: OwnImport[] = []
    const visit = (each: DescFile): string[] =>
      each.dependencies
        .filter(({ proto }) => !isWellKnown(proto.name))
        .map(dependency => {
          const { name } = dependency.proto
          if (!imports.some(known => known.name === name)) {
            const further = visit(dependency)
            imports.push({ name, text: this.#textOf(dependency), imports: further })
          }
          return name
        })
    const direct = visit(file)
    return { text: this.#textOf(file), references: [], imports, direct }
  }

  #textOf({ proto }: DescFile): string {
    const { toBinary } = this.#runtime
    return printProto(readDescriptor(Buffer.from(toBinary(this.#wellKnown.FileDescriptorProtoSchema, proto))).file)
  }
}

/** How messages of errors call the file; no import has such a path. */
function pathOf({ id, guid }: RegisteredSchema): string {
  return `schema-${id === 0 ? (guid ?? '') : id}.proto`
}

/** Without the value, which errors of the package have in their text. */
function refusedValue(error: unknown, name: string): string {
  const field = /field ([\w.]+)/.exec(textOf(error))?.[1]
  return field === undefined ? `the value is no ${name}` : `the value is no ${name}: its field ${field} does not fit`
}
