/** Messages, enums and extensions of `.proto` files. */
import { endOf, isDone, optionAfter, optionList, optionStatement } from './parse-options.ts'
import type { Tokens } from './tokens.ts'
import {
  MAX_ENUM,
  MAX_FIELD,
  type ProtoEnum,
  type ProtoEnumValue,
  type ProtoExtend,
  type ProtoField,
  type ProtoMessage,
  type ProtoOption,
  type ProtoRange,
  type ProtoType,
} from './types.ts'

/** A message in a message in a message: beyond this a text is hostile. */
const MAX_DEPTH = 64

/** What a file and a message have both. */
export interface Bodies {
  readonly types: ProtoType[]
  readonly extends: ProtoExtend[]
}

interface Reserved {
  readonly reservedRanges: ProtoRange[]
  readonly reservedNames: string[]
}

/** A message, behind its name. */
export function parseBody(tokens: Tokens, name: string, depth: number): ProtoMessage {
  if (depth > MAX_DEPTH) throw tokens.error(`messages are nested more than ${MAX_DEPTH} deep`)
  tokens.expect('{')
  const bodies: Bodies = { types: [], extends: [] }
  const reserved: Reserved = { reservedRanges: [], reservedNames: [] }
  const fields: ProtoField[] = []
  const oneofs: { name: string; options: ProtoOption[] }[] = []
  const options: ProtoOption[] = []
  const extensionRanges: ProtoRange[] = []
  while (!isDone(tokens)) {
    switch (statementOf(tokens)) {
      case 'message':
        tokens.take()
        bodies.types.push(parseBody(tokens, tokens.name('the name of a message'), depth + 1))
        break
      case 'enum':
        bodies.types.push(parseEnum(tokens))
        break
      case 'extend':
        parseExtend(tokens, bodies, depth)
        break
      case 'option':
        options.push(optionStatement(tokens))
        break
      case 'reserved':
        reservedIn(tokens, reserved, MAX_FIELD)
        break
      case 'extensions':
        tokens.take()
        extensionRanges.push(...rangesIn(tokens, MAX_FIELD))
        optionList(tokens)
        endOf(tokens)
        break
      case 'oneof':
        oneofs.push(oneofIn(tokens, fields, bodies, depth))
        break
      case 'field':
        fields.push(fieldIn(tokens, bodies, null, depth))
        break
    }
  }
  return { kind: 'message', name, fields, oneofs, extensionRanges, options, ...bodies, ...reserved }
}

const statements = ['message', 'enum', 'extend', 'option', 'reserved', 'extensions', 'oneof'] as const

/** A word that begins a statement is the name of a type elsewhere; a field's type is never a text, a number or a brace. */
function statementOf(tokens: Tokens): (typeof statements)[number] | 'field' {
  const { is, value } = tokens.peek()
  return is === 'word' ? (statements.find(each => each === value) ?? 'field') : 'field'
}

function oneofIn(
  tokens: Tokens,
  fields: ProtoField[],
  bodies: Bodies,
  depth: number,
): { name: string; options: ProtoOption[] } {
  tokens.take()
  const name = tokens.name('the name of a oneof')
  tokens.expect('{')
  const options: ProtoOption[] = []
  while (!isDone(tokens)) {
    if (tokens.peek().value === 'option') options.push(optionStatement(tokens))
    else fields.push(fieldIn(tokens, bodies, name, depth))
  }
  return { name, options }
}

function fieldIn(tokens: Tokens, bodies: Bodies, oneof: string | null, depth: number): ProtoField {
  const label = (['optional', 'required', 'repeated'] as const).find(each => tokens.takes(each)) ?? null
  const type = tokens.name('the type of a field', true)
  if (type === 'map' && tokens.takes('<')) {
    const key = tokens.name('the type of a key', true)
    tokens.expect(',')
    const value = tokens.name('the type of a value', true)
    tokens.expect('>')
    return { ...fieldEnd(tokens), label, type: value, key, oneof, isGroup: false }
  }
  if (type === 'group' && tokens.peek().value !== '=') {
    const name = tokens.name('the name of a group')
    const [number, options] = numberIn(tokens)
    bodies.types.push(parseBody(tokens, name, depth + 1))
    return { name: name.toLowerCase(), number, label, type: name, key: null, oneof, isGroup: true, options }
  }
  return { ...fieldEnd(tokens), label, type, key: null, oneof, isGroup: false }
}

function fieldEnd(tokens: Tokens): Pick<ProtoField, 'name' | 'number' | 'options'> {
  const name = tokens.name('the name of a field')
  const [number, options] = numberIn(tokens)
  endOf(tokens)
  return { name, number, options }
}

function numberIn(tokens: Tokens): [number: number, options: ProtoOption[]] {
  tokens.expect('=')
  const { at } = tokens.peek()
  const number = tokens.integer('the number of a field')
  if (number < 1 || number > MAX_FIELD) throw tokens.error(`${number} is no number of a field`, at)
  return [number, optionList(tokens)]
}

export function parseEnum(tokens: Tokens): ProtoEnum {
  tokens.take()
  const name = tokens.name('the name of an enum')
  tokens.expect('{')
  const reserved: Reserved = { reservedRanges: [], reservedNames: [] }
  const values: ProtoEnumValue[] = []
  const options: ProtoOption[] = []
  while (!isDone(tokens)) {
    const first = tokens.name('the name of a value')
    if (first === 'option' && tokens.peek().value !== '=') options.push(optionAfter(tokens))
    else if (first === 'reserved' && tokens.peek().value !== '=') reservedAfter(tokens, reserved, MAX_ENUM)
    else {
      tokens.expect('=')
      const number = tokens.integer('the number of a value')
      values.push({ name: first, number, options: optionList(tokens) })
      endOf(tokens)
    }
  }
  if (values.length === 0) throw tokens.error(`the enum ${name} has no values`)
  return { kind: 'enum', name, values, options, ...reserved }
}

export function parseExtend(tokens: Tokens, bodies: Bodies, depth: number): void {
  tokens.take()
  const extendee = tokens.name('the name of a message', true)
  tokens.expect('{')
  const fields: ProtoField[] = []
  while (!isDone(tokens)) fields.push(fieldIn(tokens, bodies, null, depth))
  bodies.extends.push({ extendee, fields })
}

function reservedIn(tokens: Tokens, reserved: Reserved, max: number): void {
  tokens.take()
  reservedAfter(tokens, reserved, max)
}

function reservedAfter(tokens: Tokens, { reservedRanges, reservedNames }: Reserved, max: number): void {
  const { is } = tokens.peek()
  if (is === 'text' || is === 'word') {
    // Editions have names without quotes.
    do reservedNames.push(is === 'text' ? tokens.text('a name') : tokens.name('a name'))
    while (tokens.takes(','))
  } else {
    reservedRanges.push(...rangesIn(tokens, max))
  }
  endOf(tokens)
}

function rangesIn(tokens: Tokens, max: number): ProtoRange[] {
  const ranges: ProtoRange[] = []
  do {
    const from = tokens.integer('a number')
    const to = !tokens.takes('to') ? from : tokens.takes('max') ? max : tokens.integer('a number')
    ranges.push({ from, to })
  } while (tokens.takes(','))
  return ranges
}
