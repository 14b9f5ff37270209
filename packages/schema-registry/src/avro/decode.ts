/** Readers: a function for each pair of a writer's and a reader's record, array, map and union. */
import { invalidData, invalidSchema, SchemaRegistryError, textOf } from '../errors.ts'
import { defaultBytes } from './default-bytes.ts'
import { GeneratedCode, property } from './generated-code.ts'
import * as input from './input.ts'
import { keyReader, noKeys } from './known-keys.ts'
import { conversionOf, type Conversion, type LogicalTypes } from './logical.ts'
import { agrees, branchFor, fieldFor, isPromotion, mayBeEmpty, symbolsFor } from './resolution.ts'
import { SHORT_TEXT, shortTextReader } from './short-text.ts'
import { SkipCode } from './skip.ts'
import { typeName, type AvroType, type EnumType, type Field, type RecordType, type UnionType } from './types.ts'
import { branchName, isWrapped } from './unions.ts'

export interface DecodeOptions {
  readonly long: 'number' | 'bigint'
  readonly logicalTypes: LogicalTypes
  readonly unions: 'auto' | 'wrapped'
}

/**
 * A function that reads what was written with one schema as values of another.
 * @throws SchemaRegistryError INVALID_SCHEMA if the reader's schema cannot read the writer's
 */
export function readerOf(writer: AvroType, reader: AvroType, options: DecodeOptions): input.Read {
  return new ReaderCode(options).make(writer, reader)
}

/** How many unions are read in place: a function that is too long is not optimized. */
const MOST_INLINED = 100

/** What every function of the code begins with. */
const PROLOGUE = 'const b = r.bytes, end = b.length; let p = r.at, t'

class ReaderCode {
  readonly #code = new GeneratedCode()
  readonly #skip = new SkipCode(this.#code)
  readonly #options: DecodeOptions
  readonly #functions = new Map<AvroType, Map<AvroType, string>>()
  #inlined = 0

  constructor(options: DecodeOptions) {
    this.#options = options
  }

  make(writer: AvroType, reader: AvroType): input.Read {
    const runtime = {
      ...input,
      shortText: shortTextReader(),
      knownKey: keyReader(),
      setKey,
      unknownBranch,
      unknownSymbol,
      unreadable,
      convert,
    }
    this.#function('read', this.#value(writer, reader, 'the value'))
    return this.#code.run(runtime, 'read') as input.Read
  }

  #function(name: string, body: string): void {
    this.#code.addFunction(`function ${name}(r) { ${PROLOGUE}; let x\n${body}\nr.at = p\nreturn x\n}`)
  }

  #conversion(type: AvroType): Conversion | null {
    return conversionOf(type, this.#options.logicalTypes)
  }

  /** Statements that read into `x`. */
  #value(writer: AvroType, reader: AvroType, where: string, x = 'x'): string {
    if (writer.kind === 'union') {
      if (writer.branches.length > 2 || this.#inlined++ > MOST_INLINED) return this.#call(writer, reader, where, x)
      return this.#union(writer, reader, where, x)
    }
    if (reader.kind === 'union') {
      const branch = branchFor(writer, reader.branches)
      if (branch === null) throw cannotRead(where, writer, reader)
      return `${this.#value(writer, branch, where, x)}\n${this.#wrap(reader, branch, x)}`
    }
    if (!agrees(writer, reader)) throw cannotRead(where, writer, reader)
    const conversion = this.#conversion(reader)
    const read = this.#plain(writer, reader, where, x, conversion?.wantsNumber === true)
    if (conversion === null) return read
    return `${read}\n${x} = convert(${this.#code.constant(conversion)}, ${x}, ${JSON.stringify(where)})`
  }

  /** Values of ambiguous unions are `{ name: value }`. */
  #wrap(union: UnionType, branch: AvroType, x: string): string {
    if (branch.kind === 'null' || !isWrapped(union, this.#options.unions, each => this.#conversion(each))) return ''
    return `${x} = { ${property(branchName(branch))}: ${x} }`
  }

  #plain(writer: AvroType, reader: AvroType, where: string, x: string, asNumber: boolean): string {
    const call = (name: string): string => `r.at = p; ${x} = ${name}(r); p = r.at`
    switch (reader.kind) {
      case 'null':
        return `${x} = null`
      case 'boolean':
        return `t = b[p++]; if (t === 1) ${x} = true; else if (t === 0) ${x} = false; else { r.at = p - 1; boolean(r) }`
      case 'int':
        return zigzag(x, 'int')
      case 'long': {
        const isBig = this.#options.long === 'bigint' && !asNumber
        if (isBig) return call('bigint')
        return zigzag(x, 'long')
      }
      case 'float':
      case 'double':
        return this.#floating(writer, reader.kind, x)
      case 'string':
        return `t = b[p++]; if (t <= ${SHORT_TEXT * 2} && (t & 1) === 0 && p + (t >>> 1) <= end) {
          t >>>= 1; ${x} = shortText(b, p, t); p += t
        } else { p--; ${call('string')} }`
      case 'bytes':
        return call('blob')
      case 'fixed':
        return `r.at = p; ${x} = fixed(r, ${reader.size}); p = r.at`
      case 'enum':
        return this.#enum(writer as EnumType, reader, x)
      default:
        return this.#call(writer, reader, where, x)
    }
  }

  #floating(writer: AvroType, kind: 'float' | 'double', x: string): string {
    if (writer.kind === 'float' || writer.kind === 'double') {
      return `${x} = ${writer.kind}(b, p); p += ${writer.kind === 'float' ? 4 : 8}`
    }
    const read = writer.kind === 'int' ? 'int' : 'roundedLong'
    return `r.at = p; ${x} = ${kind === 'float' ? `Math.fround(${read}(r))` : `${read}(r)`}; p = r.at`
  }

  #enum(writer: EnumType, reader: EnumType, x: string): string {
    const symbols = this.#code.constant(symbolsFor(writer, reader))
    const name = JSON.stringify(reader.name)
    return `${zigzag('t', 'int')}; ${x} = ${symbols}[t]; if (typeof ${x} !== "string") unknownSymbol(${name}, ${x})`
  }

  #call(writer: AvroType, reader: AvroType, where: string, x: string): string {
    return `r.at = p; ${x} = ${this.#shared(writer, reader, where)}(r); p = r.at`
  }

  #shared(writer: AvroType, reader: AvroType, where: string): string {
    let byReader = this.#functions.get(writer)
    if (byReader === undefined) this.#functions.set(writer, (byReader = new Map<AvroType, string>()))
    const known = byReader.get(reader)
    if (known !== undefined) return known
    const name = this.#code.name('r')
    byReader.set(reader, name)
    if (writer.kind === 'union') this.#function(name, this.#union(writer, reader, where, 'x'))
    else if (writer.kind === 'record' && reader.kind === 'record') this.#record(name, writer, reader)
    else if (writer.kind === 'array' && reader.kind === 'array')
      this.#function(name, this.#array(writer.items, reader.items, where))
    else if (writer.kind === 'map' && reader.kind === 'map')
      this.#function(name, this.#map(writer.values, reader.values, where))
    else throw new Error(`there is no function for ${writer.kind} and ${reader.kind}`)
    return name
  }

  /** Branches as `if … else if …`: most unions have two, null and another. */
  #union(writer: UnionType, reader: AvroType, where: string, x: string): string {
    const branches = writer.branches.map((each, i) => `if (t === ${i}) {\n${this.#branch(each, reader, where, x)}\n}`)
    return `${zigzag('t', 'int')}
      ${[...branches, `unknownBranch(${JSON.stringify(where)})`].join(' else ')}`
  }

  /** A branch that the reader cannot read is an error only when it comes. */
  #branch(branch: AvroType, reader: AvroType, where: string, x: string): string {
    try {
      return this.#value(branch, reader, where, x)
    } catch (error) {
      if (!(error instanceof SchemaRegistryError)) throw error
      return `unreadable(${JSON.stringify(error.message)})`
    }
  }

  #record(name: string, writer: RecordType, reader: RecordType): void {
    const variables = new Map<Field, string>()
    const reads = writer.fields.map(written => {
      const field = fieldFor(written, reader)
      if (field === null || variables.has(field)) return this.#skip.value(written.type)
      const x = this.#code.name('x')
      variables.set(field, x)
      return this.#value(written.type, field.type, `${reader.name}.${field.name}`, x)
    })
    const missing = reader.fields.filter(field => !variables.has(field))
    const defaults = missing.map(field => {
      const x = this.#code.name('x')
      variables.set(field, x)
      return this.#default(field, reader, x)
    })
    const names = [...variables.values()]
    const properties = reader.fields.map(field => `${property(field.name)}: ${variables.get(field)}`)
    this.#code.addFunction(`function ${name}(r) { ${PROLOGUE}${names.map(each => `, ${each}`).join('')}
      ${[...reads, ...defaults].join('\n')}
      r.at = p
      return { ${properties.join(', ')} }
    }`)
  }

  #default(field: Field, reader: RecordType, x: string): string {
    const where = `${reader.name}.${field.name}`
    if (!field.hasDefault) {
      throw invalidSchema(`${where} is not in the writer's schema, and has no default in the reader's`)
    }
    const name = this.#code.name('d')
    this.#function(name, this.#value(field.type, field.type, where))
    // Read each time: arrays and objects must not be shared between messages.
    return `${x} = ${name}(inputOf(${this.#code.constant(defaultBytes(field.type, field.default))}, 0))`
  }

  #array(writer: AvroType, reader: AvroType, where: string): string {
    return this.#blocks(writer, `let y\n${this.#value(writer, reader, `${where}[]`, 'y')}\nx.push(y)`, 'x = []')
  }

  #map(writer: AvroType, reader: AvroType, where: string): string {
    const keys = this.#code.constant(noKeys())
    const key = this.#plain({ kind: 'string', logical: null }, { kind: 'string', logical: null }, where, 'key', false)
    const item = `let key, y
      t = b[p]
      if (t <= ${SHORT_TEXT * 2} && (t & 1) === 0 && p + (t >>> 1) < end) key = knownKey(${keys}, b, ++p, t >>>= 1), p += t
      else { ${key} }
      ${this.#value(writer, reader, `${where}{}`, 'y')}`
    return this.#blocks(null, `${item}\nif (key === "__proto__") setKey(x, key, y); else x[key] = y`, 'x = {}')
  }

  /** @param items null for those of a map, which have a key and so some bytes */
  #blocks(items: AvroType | null, item: string, begin: string): string {
    const isEmpty = items !== null && mayBeEmpty(items)
    const few = isEmpty ? 'n === 0' : 'n < 128 && (n & 1) === 0 && n >>> 1 <= end - p'
    return `${begin}
      for (;;) {
        let n = b[p++]
        if (${few}) n >>>= 1
        else { r.at = p - 1; n = blockCount(r, ${isEmpty}); p = r.at }
        if (n === 0) break
        for (; n > 0; n--) {\n${item}\n}
      }`
  }
}

/** Statements that read an integer, of one byte in place. */
function zigzag(x: string, name: 'int' | 'long'): string {
  return `t = b[p++]; if (t < 128) ${x} = (t >>> 1) ^ -(t & 1); else { r.at = p - 1; ${x} = ${name}(r); p = r.at }`
}

function cannotRead(where: string, writer: AvroType, reader: AvroType): SchemaRegistryError {
  const hint = isPromotion(reader, writer) ? ', which may lose digits' : ''
  return invalidSchema(`${where}: ${typeName(writer)} as it was written cannot be read as ${typeName(reader)}${hint}`)
}

/** An own property, whatever its name. */
function setKey(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

function unknownBranch(where: string): never {
  throw invalidData(`${where}: the data names a branch that the union does not have`)
}

function unknownSymbol(name: string, symbol: unknown): never {
  if (symbol === null)
    throw invalidData(`the reader's enum ${name} lacks the symbol that was written, and has no default`)
  throw invalidData(`the data names a symbol that enum ${name} does not have`)
}

function unreadable(why: string): never {
  throw invalidData(why)
}

function convert(conversion: Conversion, raw: unknown, where: string): unknown {
  try {
    return conversion.read(raw)
  } catch (error) {
    throw invalidData(`${where}: ${textOf(error)}`, error)
  }
}

/** The value in all bytes from a position on. @throws SchemaRegistryError INVALID_DATA */
export function decodeWith(read: input.Read, bytes: Buffer, at: number): unknown {
  const from = input.inputOf(bytes, at)
  let value: unknown
  try {
    value = read(from)
  } catch (error) {
    if (error instanceof RangeError) throw invalidData('the data is nested too deeply', error)
    throw error
  }
  const rest = bytes.length - from.at
  if (rest !== 0) throw invalidData(`there are ${rest} bytes behind the value: it was written with another schema`)
  return value
}
