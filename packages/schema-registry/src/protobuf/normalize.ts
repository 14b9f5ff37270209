/** One file for all that differ in form only: in the order of what they declare, and in how they call types. */
import { joined, ProtoNames } from './names.ts'
import {
  isScalar,
  messagesOf,
  type ProtoEnum,
  type ProtoField,
  type ProtoFile,
  type ProtoMessage,
  type ProtoOption,
  type ProtoType,
} from './types.ts'

export function normalizedProto(file: ProtoFile): ProtoFile {
  const names = new ProtoNames([file])
  return {
    ...file,
    imports: sortedBy(
      file.imports.filter(({ path }, i, all) => all.findIndex(each => each.path === path) === i),
      ({ path }) => path,
    ),
    options: optionsOf(file.options),
    // The order of messages is what indexes count by.
    types: [...messagesOf(file.types).map(each => messageOf(each, file.package, names)), ...enumsOf(file.types)],
    extends: sortedBy(file.extends, ({ extendee }) => extendee),
    services: file.services.map(service => ({
      ...service,
      options: optionsOf(service.options),
      methods: sortedBy(service.methods, ({ name }) => name),
    })),
  }
}

function messageOf(message: ProtoMessage, around: string, names: ProtoNames): ProtoMessage {
  const scope = joined(around, message.name)
  const fields = message.fields.map(field => fieldOf(field, scope, names))
  return {
    ...message,
    fields: fields.sort((a, b) => a.number - b.number),
    oneofs: sortedBy(message.oneofs, ({ name }) => name),
    types: [...messagesOf(message.types).map(each => messageOf(each, scope, names)), ...enumsOf(message.types)],
    extends: sortedBy(message.extends, ({ extendee }) => extendee),
    extensionRanges: [...message.extensionRanges].sort((a, b) => a.from - b.from),
    reservedRanges: [...message.reservedRanges].sort((a, b) => a.from - b.from),
    reservedNames: [...message.reservedNames].sort(),
    options: optionsOf(message.options),
  }
}

/** With the full name of its type, as far as the file knows it. */
function fieldOf(field: ProtoField, scope: string, names: ProtoNames): ProtoField {
  const { type, isGroup, options } = field
  const full = isScalar(type) || isGroup ? null : names.resolve(type, scope)
  const shown = full === null ? type.replace(/^\./, '') : `.${full}`
  return { ...field, type: shown, options: optionsOf(options) }
}

function enumsOf(types: readonly ProtoType[]): ProtoEnum[] {
  const all = types.filter(type => type.kind === 'enum')
  return sortedBy(all, ({ name }) => name).map(each => ({
    ...each,
    // Of proto3 the first value is the default: 0 stays in front, and of two names of a number the first one counts.
    values: [...each.values].sort((a, b) => order(a.number) - order(b.number)),
    options: optionsOf(each.options),
    reservedRanges: [...each.reservedRanges].sort((a, b) => a.from - b.from),
    reservedNames: [...each.reservedNames].sort(),
  }))
}

function order(number: number): number {
  return number === 0 ? -Infinity : number
}

function optionsOf(options: readonly ProtoOption[]): ProtoOption[] {
  return sortedBy(options, ({ name }) => name)
}

function sortedBy<T>(all: readonly T[], key: (each: T) => string): T[] {
  return [...all].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}
