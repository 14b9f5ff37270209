/** Options as descriptors have them. */
import { featureOptions, UNINTERPRETED, type KnownOption, type OptionTable } from './option-table.ts'
import { constantText } from './print-options.ts'
import type { ProtoConstant, ProtoOption } from './types.ts'
import { fieldsOf, signed, type FieldWriter, type ReadField } from './wire.ts'

/** Not options in descriptors, but fields of a field. */
export const FIELD_TRAITS: readonly string[] = ['default', 'json_name']

export function writeOptions(
  fields: FieldWriter,
  number: number,
  options: readonly ProtoOption[],
  table: OptionTable,
): void {
  const given = options.filter(({ name }) => !FIELD_TRAITS.includes(name))
  if (given.length > 0) fields.message(number, inner => writeEach(inner, given, table))
}

function writeEach(fields: FieldWriter, options: readonly ProtoOption[], table: OptionTable): void {
  const features: ProtoOption[] = []
  for (const { name, value } of options) {
    const known = Object.hasOwn(table, name) ? table[name] : undefined
    if (known !== undefined && known.is !== 'features') writeKnown(fields, known, value)
    else if (name.startsWith('features.')) features.push({ name: name.slice('features.'.length), value })
    else if (name === 'features' && value.is === 'message') features.push(...value.fields)
    else writeUninterpreted(fields, name, value)
  }
  const { number } = table['features'] ?? { number: 0 }
  if (features.length > 0 && number > 0) fields.message(number, inner => writeEach(inner, features, featureOptions))
}

function writeKnown(fields: FieldWriter, { number, is, names }: KnownOption, value: ProtoConstant): void {
  const text = value.is === 'text' || value.is === 'word' ? value.value : ''
  if (is === 'text') fields.text(number, text)
  else fields.varint(number, is === 'bool' ? Number(text === 'true') : (names?.[text] ?? (Number(text) || 0)))
}

function writeUninterpreted(fields: FieldWriter, name: string, value: ProtoConstant): void {
  fields.message(UNINTERPRETED, option => {
    for (const { part, isExtension } of partsOf(name)) {
      option.message(2, inner => inner.text(1, part).varint(2, Number(isExtension)))
    }
    if (value.is === 'text') option.text(7, value.value)
    else if (value.is !== 'word') option.text(8, constantText(value))
    else if (/^\d+$/.test(value.value)) option.varint(4, Number(value.value))
    else if (/^-\d+$/.test(value.value)) option.varint(5, Number(value.value))
    else if (/^-?[\d.]/.test(value.value)) option.double(6, Number.parseFloat(value.value))
    else option.text(3, value.value)
  })
}

/** `(my.option).part` is an extension and the name of a field of it. */
function partsOf(name: string): { part: string; isExtension: boolean }[] {
  return [...name.matchAll(/\(([^)]*)\)|[^.()]+/g)].map(([all, extension]) => ({
    part: extension ?? all,
    isExtension: extension !== undefined,
  }))
}

/** Options of the application's own that a compiler has written are left out: their types are needed to tell them. */
export function readOptions(bytes: Buffer, table: OptionTable, prefix = ''): ProtoOption[] {
  const options: ProtoOption[] = []
  for (const field of fieldsOf(bytes)) {
    if (field.number === UNINTERPRETED) options.push(uninterpreted(field.bytes))
    const [name, known] = Object.entries(table).find(([, each]) => each.number === field.number) ?? []
    if (name === undefined || known === undefined) continue
    if (known.is === 'features') options.push(...readOptions(field.bytes, featureOptions, 'features.'))
    else options.push({ name: prefix + name, value: knownValue(known, field) })
  }
  return options
}

function knownValue({ is, names }: KnownOption, { value, bytes }: ReadField): ProtoConstant {
  if (is === 'text') return { is: 'text', value: bytes.toString('utf8') }
  if (is === 'bool') return { is: 'word', value: value === 0n ? 'false' : 'true' }
  const name = Object.entries(names ?? {}).find(([, number]) => BigInt(number) === value)?.[0]
  return { is: 'word', value: name ?? String(value) }
}

function uninterpreted(bytes: Buffer): ProtoOption {
  let name = ''
  let value: ProtoConstant = { is: 'word', value: 'true' }
  for (const { number, value: raw, bytes: inner } of fieldsOf(bytes)) {
    if (number === 2) name += `${name === '' ? '' : '.'}${partOf(inner)}`
    else if (number === 3) value = { is: 'word', value: inner.toString('utf8') }
    else if (number === 4) value = { is: 'word', value: String(raw) }
    else if (number === 5) value = { is: 'word', value: String(signed(raw)) }
    else if (number === 6 && inner.length === 8) value = { is: 'word', value: String(inner.readDoubleLE()) }
    else if (number === 7) value = { is: 'text', value: inner.toString('utf8') }
    else if (number === 8) value = { is: 'word', value: inner.toString('utf8') }
  }
  return { name, value }
}

function partOf(bytes: Buffer): string {
  let [part, isExtension] = ['', false]
  for (const { number, value, bytes: inner } of fieldsOf(bytes)) {
    if (number === 1) part = inner.toString('utf8')
    else if (number === 2) isExtension = value !== 0n
  }
  return isExtension ? `(${part})` : part
}
