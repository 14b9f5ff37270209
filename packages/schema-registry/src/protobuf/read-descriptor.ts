/** `.proto` files of descriptors (google.protobuf.FileDescriptorProto). */
import { invalidData } from '../errors.ts'
import { jsonName, joined, ProtoNames } from './names.ts'
import * as known from './option-table.ts'
import { readOptions } from './options-bytes.ts'
import {
  scalars,
  type ProtoEnum,
  type ProtoEnumValue,
  type ProtoExtend,
  type ProtoField,
  type ProtoFile,
  type ProtoMessage,
  type ProtoMethod,
  type ProtoOption,
  type ProtoRange,
  type ProtoService,
} from './types.ts'
import { fieldsOf, signed } from './wire.ts'

const MAX_DEPTH = 64
const GROUP = 10
const labels = [null, 'optional', 'required', 'repeated'] as const
const scalarNames = new Map(Object.entries(scalars).map(([name, number]) => [number, name]))

/** A file with its path. @throws SchemaRegistryError INVALID_DATA */
export function readDescriptor(bytes: Buffer): { readonly path: string; readonly file: ProtoFile } {
  let path = ''
  let scope = ''
  let syntax: ProtoFile['syntax'] = 'proto2'
  let edition: string | null = null
  const imports: { path: string; kind: 'public' | 'weak' | null }[] = []
  const raw: RawMessage[] = []
  const enums: ProtoEnum[] = []
  const services: ProtoService[] = []
  const extensions: RawField[] = []
  const options: ProtoOption[] = []
  const kinds: [index: number, kind: 'public' | 'weak'][] = []
  for (const { number, value, bytes: inner } of fieldsOf(bytes)) {
    if (number === 1) path = textOf(inner)
    else if (number === 2) scope = textOf(inner)
    else if (number === 3) imports.push({ path: textOf(inner), kind: null })
    else if (number === 4) raw.push(readMessage(inner, 1))
    else if (number === 5) enums.push(readEnum(inner))
    else if (number === 6) services.push(readService(inner))
    else if (number === 7) extensions.push(readField(inner))
    else if (number === 8) options.push(...readOptions(inner, known.fileOptions))
    else if (number === 10 || number === 11) kinds.push([signed(value), number === 10 ? 'public' : 'weak'])
    else if (number === 12) syntax = syntaxOf(textOf(inner))
    else if (number === 14) edition = String(signed(value) - 1000 + 2023)
  }
  for (const [index, kind] of kinds) {
    const imported = imports[index]
    if (imported !== undefined) imported.kind = kind
  }
  if (edition !== null) syntax = 'editions'
  const base = { syntax, edition, package: scope, imports, services, options, extends: [] }
  const shape: ProtoFile = { ...base, types: [...raw.map(each => shapeOf(each)), ...enums] }
  const naming = new Naming(new ProtoNames([shape]), scope, syntax)
  const types = [...raw.map(message => naming.message(message, scope)), ...enums]
  const named = services.map(service => naming.service(service))
  return { path, file: { ...shape, types, services: named, extends: naming.extensions(extensions, scope) } }
}

interface RawField extends Omit<ProtoField, 'oneof' | 'key'> {
  readonly extendee: string
  readonly oneofIndex: number | null
  readonly isProto3Optional: boolean
}

interface RawMessage extends Omit<ProtoMessage, 'fields' | 'types' | 'extends' | 'kind'> {
  readonly fields: readonly RawField[]
  readonly messages: readonly RawMessage[]
  readonly enums: readonly ProtoEnum[]
  readonly extensions: readonly RawField[]
}

/** Only what names can be told by. */
function shapeOf({ name, messages, enums, ...rest }: RawMessage): ProtoMessage {
  return { ...rest, kind: 'message', name, fields: [], extends: [], types: [...messages.map(shapeOf), ...enums] }
}

function readMessage(bytes: Buffer, depth: number): RawMessage {
  if (depth > MAX_DEPTH) throw invalidData(`messages are nested more than ${MAX_DEPTH} deep`)
  let name = ''
  const fields: RawField[] = []
  const messages: RawMessage[] = []
  const enums: ProtoEnum[] = []
  const extensions: RawField[] = []
  const extensionRanges: ProtoRange[] = []
  const reservedRanges: ProtoRange[] = []
  const reservedNames: string[] = []
  const oneofs: { name: string; options: ProtoOption[] }[] = []
  const options: ProtoOption[] = []
  for (const { number, bytes: inner } of fieldsOf(bytes)) {
    if (number === 1) name = textOf(inner)
    else if (number === 2) fields.push(readField(inner))
    else if (number === 3) messages.push(readMessage(inner, depth + 1))
    else if (number === 4) enums.push(readEnum(inner))
    else if (number === 5) extensionRanges.push(readRange(inner, 1))
    else if (number === 6) extensions.push(readField(inner))
    else if (number === 7) options.push(...readOptions(inner, known.messageOptions))
    else if (number === 8) oneofs.push(readOneof(inner))
    else if (number === 9) reservedRanges.push(readRange(inner, 1))
    else if (number === 10) reservedNames.push(textOf(inner))
  }
  const declared = { fields, messages, enums, extensions }
  return { name, ...declared, extensionRanges, reservedRanges, reservedNames, oneofs, options }
}

function readField(bytes: Buffer): RawField {
  let [name, extendee, typeName] = ['', '', '']
  let [fieldNumber, label, type] = [0, 0, 0]
  let [oneofIndex, isProto3Optional]: [number | null, boolean] = [null, false]
  let preset: string | null = null
  let json: string | null = null
  const options: ProtoOption[] = []
  for (const { number, value, bytes: inner } of fieldsOf(bytes)) {
    if (number === 1) name = textOf(inner)
    else if (number === 2) extendee = textOf(inner)
    else if (number === 3) fieldNumber = signed(value)
    else if (number === 4) label = signed(value)
    else if (number === 5) type = signed(value)
    else if (number === 6) typeName = textOf(inner)
    else if (number === 7) preset = textOf(inner)
    else if (number === 8) options.push(...readOptions(inner, known.fieldOptions))
    else if (number === 9) oneofIndex = signed(value)
    else if (number === 10) json = textOf(inner)
    else if (number === 17) isProto3Optional = value !== 0n
  }
  const scalar = scalarNames.get(type)
  if (preset !== null) options.unshift(presetOption(preset, scalar))
  if (json !== null && json !== jsonName(name)) options.push({ name: 'json_name', value: { is: 'text', value: json } })
  return {
    ...{ name, number: fieldNumber, label: labels[label] ?? null, type: scalar ?? typeName, options },
    ...{ extendee, oneofIndex, isProto3Optional, isGroup: type === GROUP },
  }
}

function presetOption(value: string, type: string | undefined): ProtoOption {
  return { name: 'default', value: { is: type === 'string' || type === 'bytes' ? 'text' : 'word', value } }
}

function readEnum(bytes: Buffer): ProtoEnum {
  let name = ''
  const values: ProtoEnumValue[] = []
  const reservedRanges: ProtoRange[] = []
  const reservedNames: string[] = []
  const options: ProtoOption[] = []
  for (const { number, bytes: inner } of fieldsOf(bytes)) {
    if (number === 1) name = textOf(inner)
    else if (number === 2) values.push(readEnumValue(inner))
    else if (number === 3) options.push(...readOptions(inner, known.enumOptions))
    else if (number === 4) reservedRanges.push(readRange(inner, 0))
    else if (number === 5) reservedNames.push(textOf(inner))
  }
  return { kind: 'enum', name, values, reservedRanges, reservedNames, options }
}

function readEnumValue(bytes: Buffer): ProtoEnumValue {
  let [name, assigned] = ['', 0]
  const options: ProtoOption[] = []
  for (const { number, value, bytes: inner } of fieldsOf(bytes)) {
    if (number === 1) name = textOf(inner)
    else if (number === 2) assigned = signed(value)
    else if (number === 3) options.push(...readOptions(inner, known.enumValueOptions))
  }
  return { name, number: assigned, options }
}

function readOneof(bytes: Buffer): { name: string; options: ProtoOption[] } {
  let name = ''
  const options: ProtoOption[] = []
  for (const { number, bytes: inner } of fieldsOf(bytes)) {
    if (number === 1) name = textOf(inner)
    else if (number === 2) options.push(...readOptions(inner, known.oneofOptions))
  }
  return { name, options }
}

/** @param beyond what the end is over the last number */
function readRange(bytes: Buffer, beyond: number): ProtoRange {
  let [from, to] = [0, 0]
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) from = signed(value)
    else if (number === 2) to = signed(value) - beyond
  }
  return { from, to }
}

function readService(bytes: Buffer): ProtoService {
  let name = ''
  const methods: ProtoMethod[] = []
  const options: ProtoOption[] = []
  for (const { number, bytes: inner } of fieldsOf(bytes)) {
    if (number === 1) name = textOf(inner)
    else if (number === 2) methods.push(readMethod(inner))
    else if (number === 3) options.push(...readOptions(inner, known.serviceOptions))
  }
  return { name, methods, options }
}

function readMethod(bytes: Buffer): ProtoMethod {
  let [name, input, output] = ['', '', '']
  let [streamsInput, streamsOutput] = [false, false]
  const options: ProtoOption[] = []
  for (const { number, value, bytes: inner } of fieldsOf(bytes)) {
    if (number === 1) name = textOf(inner)
    else if (number === 2) input = textOf(inner)
    else if (number === 3) output = textOf(inner)
    else if (number === 4) options.push(...readOptions(inner, known.methodOptions))
    else if (number === 5) streamsInput = value !== 0n
    else if (number === 6) streamsOutput = value !== 0n
  }
  return { name, input, output, streamsInput, streamsOutput, options }
}

/** Gives types the names that a person would write, and puts maps and oneofs back. */
class Naming {
  readonly #names: ProtoNames
  readonly #package: string
  readonly #syntax: ProtoFile['syntax']

  constructor(names: ProtoNames, scope: string, syntax: ProtoFile['syntax']) {
    this.#names = names
    this.#package = scope
    this.#syntax = syntax
  }

  message({ fields, messages, enums, extensions, ...rest }: RawMessage, around: string): ProtoMessage {
    const scope = joined(around, rest.name)
    const isEntry = ({ options }: RawMessage): boolean => options.some(({ name }) => name === 'map_entry')
    const entries = new Map(messages.filter(isEntry).map(entry => [`.${scope}.${entry.name}`, entry]))
    const isSynthetic = new Set(fields.filter(field => field.isProto3Optional).map(field => field.oneofIndex))
    const oneofs = rest.oneofs.filter((_, i) => !isSynthetic.has(i))
    const oneofOf = ({ oneofIndex }: RawField): string | null =>
      oneofIndex === null || isSynthetic.has(oneofIndex) ? null : (rest.oneofs[oneofIndex]?.name ?? null)
    return {
      ...rest,
      kind: 'message',
      oneofs,
      fields: fields.map(field => this.#field(field, scope, oneofOf(field), entries.get(field.type))),
      types: [...messages.filter(each => !isEntry(each)).map(each => this.message(each, scope)), ...enums],
      extends: this.extensions(extensions, scope),
    }
  }

  extensions(all: readonly RawField[], scope: string): ProtoExtend[] {
    const byExtendee = new Map<string, ProtoField[]>()
    for (const field of all) {
      const extendee = this.#short(field.extendee, scope)
      byExtendee.set(extendee, [...(byExtendee.get(extendee) ?? []), this.#field(field, scope, null, undefined)])
    }
    return [...byExtendee].map(([extendee, fields]) => ({ extendee, fields }))
  }

  service(service: ProtoService): ProtoService {
    const scope = joined(this.#package, service.name)
    const methods = service.methods.map(method => ({
      ...method,
      input: this.#short(method.input, scope),
      output: this.#short(method.output, scope),
    }))
    return { ...service, methods }
  }

  #field(field: RawField, scope: string, oneof: string | null, entry: RawMessage | undefined): ProtoField {
    const { name, number, options, isGroup } = field
    const base = { name, number, options, isGroup, oneof }
    if (entry !== undefined) {
      const [key, value] = [1, 2].map(each => entry.fields.find(part => part.number === each)?.type ?? '')
      return { ...base, label: null, key: key ?? '', type: this.#short(value ?? '', scope) }
    }
    const isBare = oneof !== null || (this.#syntax !== 'proto2' && !field.isProto3Optional)
    const label = field.label === 'optional' && isBare ? null : field.label
    const type = isGroup ? (field.type.split('.').at(-1) ?? '') : this.#short(field.type, scope)
    return { ...base, label, key: null, type }
  }

  /** `.shop.Order` is `Order` in the package shop: the shortest name that means the same there. */
  #short(type: string, scope: string): string {
    if (!type.startsWith('.')) return type
    const full = type.slice(1)
    const parts = full.split('.')
    if (this.#names.kindOf(full) !== undefined) {
      for (let count = 1; count <= parts.length; count++) {
        const name = parts.slice(-count).join('.')
        if (this.#names.resolve(name, scope) === full) return name
      }
      return type
    }
    // Of another file, which may be of the same package.
    const local = full.startsWith(`${this.#package}.`) ? full.slice(this.#package.length + 1) : full
    return [local, full].find(name => this.#names.resolve(name, scope) === null) ?? type
  }
}

function syntaxOf(text: string): ProtoFile['syntax'] {
  return text === 'proto3' || text === 'editions' ? text : 'proto2'
}

function textOf(bytes: Buffer): string {
  return bytes.toString('utf8')
}
