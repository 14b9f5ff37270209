/** Whether messages of one schema can be read with another, as Confluent's registry decides it. */
import { joined, ProtoNames } from './names.ts'
import { isScalar, messagesOf, type ProtoField, type ProtoFile, type ProtoMessage, type ProtoType } from './types.ts'

/** What makes schemas incompatible; all other changes are allowed. */
export type ProtoDifferenceType =
  | 'PACKAGE_CHANGED'
  | 'MESSAGE_REMOVED'
  | 'FIELD_KIND_CHANGED'
  | 'FIELD_SCALAR_KIND_CHANGED'
  | 'FIELD_NAMED_TYPE_CHANGED'
  | 'FIELD_NUMERIC_LABEL_CHANGED'
  | 'REQUIRED_FIELD_ADDED'
  | 'REQUIRED_FIELD_REMOVED'
  | 'ONEOF_FIELD_REMOVED'
  | 'MULTIPLE_FIELDS_MOVED_TO_ONEOF'
  | 'FIELD_MOVED_TO_EXISTING_ONEOF'

export interface ProtoDifference {
  readonly type: ProtoDifferenceType
  readonly path: string
}

/** A file and those that it imports; `origin` tells where a file is registered, null of one that is nowhere. */
export interface ProtoSchema {
  readonly file: ProtoFile
  readonly imported: readonly { readonly file: ProtoFile; readonly origin: string | null }[]
}

export function protoDifferences(writer: ProtoSchema, reader: ProtoSchema): ProtoDifference[] {
  return new Comparison(new Side(writer), new Side(reader)).files(writer.file, reader.file)
}

/** What has the same bytes up to its size: https://protobuf.dev/programming-guides/proto3/#updating */
const families: Readonly<Record<string, string>> = {
  int32: 'number',
  int64: 'number',
  uint32: 'number',
  uint64: 'number',
  bool: 'number',
  sint32: 'signed',
  sint64: 'signed',
  string: 'text',
  bytes: 'text',
  fixed32: 'fixed32',
  sfixed32: 'fixed32',
  fixed64: 'fixed64',
  sfixed64: 'fixed64',
  float: 'float',
  double: 'double',
}

interface Declared {
  readonly type: ProtoType
  readonly scope: string
  readonly origin: string | null
}

/** The application's own file. */
const OWN = 'own'

class Side {
  readonly names: ProtoNames
  readonly #types = new Map<string, Declared>()

  constructor({ file, imported }: ProtoSchema) {
    this.names = new ProtoNames([...imported.map(each => each.file), file])
    for (const each of imported) this.#add(each.file.types, each.file.package, each.file.package, each.origin)
    this.#add(file.types, file.package, file.package, OWN)
  }

  get(fullName: string): Declared | undefined {
    return this.#types.get(fullName)
  }

  #add(types: readonly ProtoType[], around: string, scope: string, origin: string | null): void {
    for (const type of types) {
      const name = joined(around, type.name)
      this.#types.set(name, { type, scope, origin })
      if (type.kind === 'message') this.#add(type.types, name, scope, origin)
    }
  }
}

/** Where a comparison is: the full names of the messages on both sides, and the path for people. */
interface Place {
  readonly writer: string
  readonly reader: string
  readonly path: readonly string[]
}

class Comparison {
  readonly #writer: Side
  readonly #reader: Side
  readonly #open = new Set<ProtoMessage>()
  #found: ProtoDifference[] = []

  constructor(writer: Side, reader: Side) {
    this.#writer = writer
    this.#reader = reader
  }

  files(writer: ProtoFile, reader: ProtoFile): ProtoDifference[] {
    const place = { writer: writer.package, reader: reader.package, path: [] }
    if (writer.package !== reader.package) this.#add('PACKAGE_CHANGED', [])
    this.#types(writer.types, reader.types, place)
    return this.#found
  }

  #types(writer: readonly ProtoType[], reader: readonly ProtoType[], place: Place): void {
    const updated = new Map(messagesOf(reader).map(message => [message.name, message]))
    for (const message of messagesOf(writer)) {
      const other = updated.get(message.name)
      const inner = within(place, message.name)
      if (other === undefined) this.#add('MESSAGE_REMOVED', inner.path)
      else this.#messages(message, other, inner)
    }
  }

  #messages(writer: ProtoMessage, reader: ProtoMessage, place: Place): void {
    if (this.#open.has(writer)) return
    this.#open.add(writer)
    const before = new Map(writer.fields.map(field => [field.number, field]))
    const after = new Map(reader.fields.map(field => [field.number, field]))
    this.#joinedFields(before, reader, place)
    const numbers = [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => a - b)
    for (const number of numbers) this.#field(before.get(number), after.get(number), { writer, reader, after }, place)
    this.#types(writer.types, reader.types, place)
    this.#open.delete(writer)
  }

  /** Fields that could be set at once, and exclude each other now. */
  #joinedFields(before: ReadonlyMap<number, ProtoField>, reader: ProtoMessage, place: Place): void {
    for (const { name } of reader.oneofs) {
      const known = reader.fields.filter(({ oneof, number }) => oneof === name && before.has(number))
      const origins = known.map(({ number }) => before.get(number)?.oneof ?? number)
      if (new Set(origins).size < 2) continue
      const moved = origins.filter(origin => typeof origin === 'number').length
      this.#add(moved > 1 ? 'MULTIPLE_FIELDS_MOVED_TO_ONEOF' : 'FIELD_MOVED_TO_EXISTING_ONEOF', [...place.path, name])
    }
  }

  #field(
    before: ProtoField | undefined,
    after: ProtoField | undefined,
    messages: {
      readonly writer: ProtoMessage
      readonly reader: ProtoMessage
      readonly after: ReadonlyMap<number, unknown>
    },
    place: Place,
  ): void {
    if (before !== undefined && after === undefined) {
      const { oneof, number, label } = before
      if (oneof !== null && !isGone(oneof, messages)) {
        this.#add('ONEOF_FIELD_REMOVED', [...place.path, oneof, String(number)])
      } else if (oneof === null && label === 'required') {
        this.#add('REQUIRED_FIELD_REMOVED', [...place.path, String(number)])
      }
    } else if (before === undefined && after !== undefined) {
      if (after.oneof === null && after.label === 'required') {
        this.#add('REQUIRED_FIELD_ADDED', [...place.path, String(after.number)])
      }
    } else if (before !== undefined && after !== undefined) {
      const inner = after.oneof === null ? [] : [after.oneof]
      this.#values(before, after, { ...place, path: [...place.path, ...inner, String(after.number)] })
    }
  }

  #values(before: ProtoField, after: ProtoField, place: Place): void {
    const [keyBefore, keyAfter] = [before.key, after.key]
    if ((keyBefore === null) !== (keyAfter === null)) this.#add('FIELD_KIND_CHANGED', place.path)
    else if (keyBefore !== null && keyAfter !== null) {
      this.#typed(keyBefore, keyAfter, null, place)
      this.#typed(before.type, after.type, null, place)
    } else this.#typed(before.type, after.type, [before.label, after.label], place)
  }

  #typed(
    before: string,
    after: string,
    labels: readonly [ProtoField['label'], ProtoField['label']] | null,
    place: Place,
  ): void {
    const [a, b] = [familyOf(this.#writer, before, place.writer), familyOf(this.#reader, after, place.reader)]
    if (a === null && b === null) this.#named(before, after, place)
    else if (a === null || b === null) this.#add('FIELD_KIND_CHANGED', place.path)
    else if (a !== b) this.#add('FIELD_SCALAR_KIND_CHANGED', place.path)
    else if (labels !== null && labels[0] !== null && labels[1] !== null && labels[0] !== labels[1] && a !== 'text') {
      this.#add('FIELD_NUMERIC_LABEL_CHANGED', place.path)
    }
  }

  #named(before: string, after: string, place: Place): void {
    const [a, b] = [this.#writer.names.resolve(before, place.writer), this.#reader.names.resolve(after, place.reader)]
    const [one, other] = [this.#writer.get(a ?? ''), this.#reader.get(b ?? '')]
    if (a === null || b === null || one === undefined || other === undefined) {
      if (before !== after) this.#add('FIELD_NAMED_TYPE_CHANGED', place.path)
      return
    }
    if (localName(a, one.scope) !== localName(b, other.scope)) {
      this.#add('FIELD_NAMED_TYPE_CHANGED', place.path)
      return
    }
    // Of the same version, or both in the file that is compared anyhow.
    if (one.origin !== null && one.origin === other.origin) return
    if (one.type.kind !== 'message' || other.type.kind !== 'message') return
    const outer = this.#found
    this.#found = []
    this.#messages(one.type, other.type, { writer: a, reader: b, path: localName(a, one.scope).split('.') })
    const isCompatible = this.#found.length === 0
    this.#found = [...outer, ...this.#found]
    if (!isCompatible) this.#add('FIELD_NAMED_TYPE_CHANGED', place.path)
  }

  #add(type: ProtoDifferenceType, path: readonly string[]): void {
    this.#found.push({ type, path: `#/${path.join('/')}` })
  }
}

/** Null of a message. */
function familyOf(side: Side, type: string, scope: string): string | null {
  if (isScalar(type)) return families[type] ?? null
  const full = side.names.resolve(type, scope)
  return full !== null && side.names.kindOf(full) === 'enum' ? 'number' : null
}

/** A oneof that is not there any more, and none of whose fields are. */
function isGone(
  oneof: string,
  { writer, reader, after }: { writer: ProtoMessage; reader: ProtoMessage; after: ReadonlyMap<number, unknown> },
): boolean {
  if (reader.oneofs.some(({ name }) => name === oneof)) return false
  return !writer.fields.some(field => field.oneof === oneof && after.has(field.number))
}

function within({ writer, reader, path }: Place, name: string): Place {
  return { writer: joined(writer, name), reader: joined(reader, name), path: [...path, name] }
}

function localName(full: string, scope: string): string {
  return full.startsWith(`${scope}.`) ? full.slice(scope.length + 1) : full
}
