/** Which of a reader's types belongs to a writer's type (the specification's schema resolution). */
import {
  isNamed,
  shortName,
  type AvroType,
  type EnumType,
  type Field,
  type NamedType,
  type RecordType,
} from './types.ts'

/** What a reader of one kind can read beside its own. */
const promotions: Readonly<Record<string, readonly string[]>> = {
  long: ['int'],
  float: ['int', 'long'],
  double: ['int', 'long', 'float'],
  string: ['bytes'],
  bytes: ['string'],
}

/** Whether a value of the writer's type can be one of the reader's, as far as the outermost type says. */
export function agrees(writer: AvroType, reader: AvroType): boolean {
  if (isNamed(writer) && isNamed(reader)) {
    if (writer.kind !== reader.kind || !sameName(writer, reader)) return false
    return writer.kind !== 'fixed' || (reader.kind === 'fixed' && writer.size === reader.size)
  }
  return writer.kind === reader.kind || isPromotion(writer, reader)
}

export function isPromotion(writer: AvroType, reader: AvroType): boolean {
  return promotions[reader.kind]?.includes(writer.kind) === true
}

/** Namespaces may change: the last part of a name or an alias of the reader's decides. */
export function sameName(writer: NamedType, reader: NamedType): boolean {
  return (
    writer.name === reader.name ||
    reader.aliases.includes(writer.name) ||
    shortName(writer.name) === shortName(reader.name)
  )
}

/** The reader's branch for a writer's type, which is no union; null if there is none. */
export function branchFor(writer: AvroType, branches: readonly AvroType[]): AvroType | null {
  return (
    branches.find(
      branch => isNamed(writer) && isNamed(branch) && writer.name === branch.name && agrees(writer, branch),
    ) ??
    branches.find(branch => writer.kind === branch.kind && agrees(writer, branch)) ??
    branches.find(branch => agrees(writer, branch)) ??
    null
  )
}

/** The reader's field that takes a writer's field; null if the reader does not want it. */
export function fieldFor(written: Field, reader: RecordType): Field | null {
  return (
    reader.fields.find(({ name }) => name === written.name) ??
    reader.fields.find(({ aliases }) => aliases.includes(written.name)) ??
    null
  )
}

/** The reader's symbol for each of the writer's; null where it has none. */
export function symbolsFor(writer: EnumType, reader: EnumType): (string | null)[] {
  return writer.symbols.map(symbol => (reader.symbols.includes(symbol) ? symbol : reader.default))
}

/** The fewest bytes that a value takes, as far as it matters: 0 or more. */
export function mayBeEmpty(type: AvroType, above: readonly AvroType[] = []): boolean {
  switch (type.kind) {
    case 'null':
      return true
    case 'fixed':
      return type.size === 0
    case 'record':
      // A record in itself ends somewhere, in a union or an array, which have bytes.
      return above.includes(type) || type.fields.every(field => mayBeEmpty(field.type, [...above, type]))
    default:
      return false
  }
}
