/** `.proto` files as descriptors (google.protobuf.FileDescriptorProto). */
import { invalidSchema } from '../errors.ts'
import { jsonName, joined, type ProtoNames } from './names.ts'
import * as known from './option-table.ts'
import { writeOptions } from './options-bytes.ts'
import {
  MAX_FIELD,
  isScalar,
  optionOf,
  scalars,
  type ProtoEnum,
  type ProtoExtend,
  type ProtoField,
  type ProtoFile,
  type ProtoMessage,
  type ProtoService,
} from './types.ts'
import { FieldWriter } from './wire.ts'

const GROUP = 10
const MESSAGE = 11
const ENUM = 14
const labels = { optional: 1, required: 2, repeated: 3 } as const
/** google.protobuf.Edition of what is written `2023`. */
const FIRST_EDITION = { year: 2023, number: 1000 }

/** @throws SchemaRegistryError INVALID_SCHEMA if a type is unknown */
export function writeDescriptor(path: string, file: ProtoFile, names: ProtoNames): Buffer {
  return new DescriptorWriter(file, names).file(path)
}

class DescriptorWriter {
  readonly #file: ProtoFile
  readonly #names: ProtoNames

  constructor(file: ProtoFile, names: ProtoNames) {
    this.#file = file
    this.#names = names
  }

  file(path: string): Buffer {
    const { syntax, edition, imports, types, services, options } = this.#file
    const scope = this.#file.package
    const fields = new FieldWriter().text(1, path)
    if (scope !== '') fields.text(2, scope)
    for (const each of imports) fields.text(3, each.path)
    for (const type of types) {
      if (type.kind === 'message') fields.message(4, inner => this.#message(inner, type, scope))
    }
    for (const type of types) if (type.kind === 'enum') fields.message(5, inner => enumFields(inner, type))
    for (const service of services) fields.message(6, inner => this.#service(inner, service))
    this.#extensions(fields, 7, this.#file.extends, scope)
    writeOptions(fields, 8, options, known.fileOptions)
    imports.forEach(({ kind }, i) => {
      if (kind !== null) fields.varint(kind === 'public' ? 10 : 11, i)
    })
    if (syntax !== 'proto2') fields.text(12, syntax)
    if (edition !== null) fields.varint(14, FIRST_EDITION.number + (Number(edition) || 0) - FIRST_EDITION.year)
    return fields.finished()
  }

  #message(fields: FieldWriter, message: ProtoMessage, around: string): void {
    const scope = joined(around, message.name)
    const { syntax } = this.#file
    const isSynthetic = (field: ProtoField): boolean => syntax === 'proto3' && field.label === 'optional'
    const oneofs = [
      ...message.oneofs.map(({ name }) => name),
      ...message.fields.filter(isSynthetic).map(({ name }) => `_${name}`),
    ]
    fields.text(1, message.name)
    for (const field of message.fields) {
      const oneof = isSynthetic(field) ? `_${field.name}` : field.oneof
      fields.message(2, inner => {
        this.#field(inner, field, scope)
        if (oneof !== null) inner.varint(9, oneofs.indexOf(oneof))
        if (isSynthetic(field)) inner.varint(17, 1)
      })
    }
    for (const type of message.types) {
      if (type.kind === 'message') fields.message(3, inner => this.#message(inner, type, scope))
    }
    for (const field of message.fields) {
      if (field.key !== null) fields.message(3, inner => this.#mapEntry(inner, field, scope))
    }
    for (const type of message.types) if (type.kind === 'enum') fields.message(4, inner => enumFields(inner, type))
    for (const { from, to } of message.extensionRanges) {
      fields.message(5, inner => inner.varint(1, from).varint(2, Math.min(to, MAX_FIELD) + 1))
    }
    this.#extensions(fields, 6, message.extends, scope)
    writeOptions(fields, 7, message.options, known.messageOptions)
    for (const name of oneofs) {
      const options = message.oneofs.find(oneof => oneof.name === name)?.options ?? []
      fields.message(8, inner => writeOptions(inner.text(1, name), 2, options, known.oneofOptions))
    }
    for (const { from, to } of message.reservedRanges) {
      fields.message(9, inner => inner.varint(1, from).varint(2, Math.min(to, MAX_FIELD) + 1))
    }
    for (const name of message.reservedNames) fields.text(10, name)
  }

  #field(fields: FieldWriter, field: ProtoField, scope: string, extendee: string | null = null): void {
    const { name, number, label, options, key } = field
    fields.text(1, name)
    if (extendee !== null) fields.text(2, `.${extendee}`)
    fields.varint(3, number).varint(4, labels[key === null ? (label ?? 'optional') : 'repeated'])
    this.#type(fields, key === null ? field : { ...field, type: entryName(name), key: null }, scope)
    const preset = optionOf(options, 'default')
    if (preset !== undefined) fields.text(7, preset)
    writeOptions(fields, 8, options, known.fieldOptions)
    fields.text(10, optionOf(options, 'json_name') ?? jsonName(name))
  }

  #type(fields: FieldWriter, { type, name, isGroup }: ProtoField, scope: string): void {
    if (isScalar(type)) {
      fields.varint(5, scalars[type] ?? 0)
      return
    }
    const own = `${scope}.${type}`
    const full = type === entryName(name) ? own : this.#names.resolve(type, scope)
    if (full === null) throw invalidSchema(`the type ${type} of ${scope}.${name} is not known`)
    const kind = full === own ? (this.#names.kindOf(full) ?? 'message') : this.#names.kindOf(full)
    fields.varint(5, isGroup ? GROUP : kind === 'enum' ? ENUM : MESSAGE).text(6, `.${full}`)
  }

  #mapEntry(fields: FieldWriter, { name, key, type }: ProtoField, around: string): void {
    const entry = entryName(name)
    fields.text(1, entry)
    const part = { label: null, key: null, oneof: null, isGroup: false, options: [] } as const
    const scope = joined(around, entry)
    fields.message(2, inner => this.#field(inner, { ...part, name: 'key', number: 1, type: key ?? '' }, scope))
    fields.message(2, inner => this.#field(inner, { ...part, name: 'value', number: 2, type }, scope))
    fields.message(7, inner => inner.varint(7, 1))
  }

  #extensions(fields: FieldWriter, number: number, all: readonly ProtoExtend[], scope: string): void {
    for (const { extendee, fields: extended } of all) {
      const full = this.#names.resolve(extendee, scope)
      if (full === null) throw invalidSchema(`the message ${extendee}, which is extended, is not known`)
      for (const field of extended) fields.message(number, inner => this.#field(inner, field, scope, full))
    }
  }

  #service(fields: FieldWriter, { name, methods, options }: ProtoService): void {
    fields.text(1, name)
    for (const method of methods) {
      const typeOf = (type: string): string => {
        const full = this.#names.resolve(type, joined(this.#file.package, name))
        if (full === null) throw invalidSchema(`the type ${type} of ${name}.${method.name} is not known`)
        return `.${full}`
      }
      fields.message(2, inner => {
        inner.text(1, method.name).text(2, typeOf(method.input)).text(3, typeOf(method.output))
        writeOptions(inner, 4, method.options, known.methodOptions)
        if (method.streamsInput) inner.varint(5, 1)
        if (method.streamsOutput) inner.varint(6, 1)
      })
    }
    writeOptions(fields, 3, options, known.serviceOptions)
  }
}

function enumFields(fields: FieldWriter, { name, values, options, reservedRanges, reservedNames }: ProtoEnum): void {
  fields.text(1, name)
  for (const value of values) {
    fields.message(2, inner =>
      writeOptions(inner.text(1, value.name).varint(2, value.number), 3, value.options, known.enumValueOptions),
    )
  }
  writeOptions(fields, 3, options, known.enumOptions)
  for (const { from, to } of reservedRanges) fields.message(4, inner => inner.varint(1, from).varint(2, to))
  for (const reserved of reservedNames) fields.text(5, reserved)
}

/** The message that an entry of a map is: `PricesByDayEntry` of `prices_by_day`. */
export function entryName(field: string): string {
  return `${field.replaceAll(/(?:^|_)([a-zA-Z0-9])/g, (_, first: string) => first.toUpperCase()).replaceAll('_', '')}Entry`
}
