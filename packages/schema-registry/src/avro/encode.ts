/** Writers: a function for each record, array, map and union of a schema, straight-line code inside. */
import { invalidData, SchemaRegistryError, textOf } from '../errors.ts'
import { defaultBytes } from './default-bytes.ts'
import { GeneratedCode, member } from './generated-code.ts'
import { conversionOf, type Conversion, type LogicalTypes } from './logical.ts'
import * as output from './output.ts'
import type { AvroType, RecordType, UnionType } from './types.ts'
import { branchName, bucketOf, isWrapped, type Bucket } from './unions.ts'

export interface EncodeOptions {
  readonly logicalTypes: LogicalTypes
  readonly unions: 'auto' | 'wrapped'
}

/** Where in the schema a value is, and what has to be there. */
interface Place {
  readonly where: string
  readonly takes: string
}

/** @returns a function that writes a value at a position */
export function writerOf(type: AvroType, options: EncodeOptions): output.Write {
  return new WriterCode(options).make(type)
}

class WriterCode {
  readonly #code = new GeneratedCode()
  readonly #options: EncodeOptions
  readonly #functions = new Map<AvroType, string>()
  readonly #places: Place[] = []

  constructor(options: EncodeOptions) {
    this.#options = options
  }

  make(type: AvroType): output.Write {
    const { int, long, float, double, string, blob, raw } = output
    const places = this.#places
    const fail = (place: number, value: unknown): never => refuse(places[place] as Place, value)
    const convert = (conversion: Conversion, value: unknown, place: number): unknown => {
      try {
        return conversion.write(value)
      } catch (error) {
        throw invalidData(`${(places[place] as Place).where}: ${textOf(error)}`, error)
      }
    }
    const runtime = { int, long, float, double, string, blob, raw, fail, convert, onlyKey }
    this.#code.addFunction(`function write(x, b, p) {\n${this.#statement(type, 'x', 'the value')}\nreturn p\n}`)
    return this.#code.run(runtime, 'write') as output.Write
  }

  #conversion(type: AvroType): Conversion | null {
    return conversionOf(type, this.#options.logicalTypes)
  }

  #fail(where: string, takes: string, value: string): string {
    this.#places.push({ where, takes })
    return `fail(${this.#places.length - 1}, ${value})`
  }

  /** Writes the variable `value`, which it may change. */
  #statement(type: AvroType, value: string, where: string): string {
    const conversion = this.#conversion(type)
    if (conversion === null) return this.#plain(type, value, where)
    this.#places.push({ where, takes: '' })
    const place = this.#places.length - 1
    const converted = this.#code.name('c')
    return `const ${converted} = convert(${this.#code.constant(conversion)}, ${value}, ${place})
      ${this.#plain(type, converted, where)}`
  }

  #plain(type: AvroType, x: string, where: string): string {
    switch (type.kind) {
      case 'null':
        return `if (${x} !== null && ${x} !== undefined) ${this.#fail(where, 'null', x)}`
      case 'boolean':
        return `if (${x} === true) b[p++] = 1; else if (${x} === false) b[p++] = 0; else ${this.#fail(where, 'a boolean', x)}`
      case 'int':
        return `if ((${x} | 0) !== ${x}) ${this.#fail(where, 'an integer of 32 bits', x)}
          if (${x} > -65 && ${x} < 64) b[p++] = (${x} << 1) ^ (${x} >> 31); else p = int(b, ${x}, p)`
      case 'long': {
        const takes = 'an integer of 64 bits, as a bigint beyond 2^53'
        return `if ((p = long(b, ${x}, p)) < 0) ${this.#fail(where, takes, x)}`
      }
      case 'float':
      case 'double':
        return `if (typeof ${x} !== "number") ${this.#fail(where, 'a number', x)}
          p = ${type.kind}(b, ${x}, p)`
      case 'string':
        return `if (typeof ${x} !== "string") ${this.#fail(where, 'a string', x)}
          p = string(b, ${x}, p)`
      case 'bytes':
        return `if (!(${x} instanceof Uint8Array)) ${this.#fail(where, 'a Buffer or Uint8Array', x)}
          p = blob(b, ${x}, p)`
      case 'fixed':
        return `if (!(${x} instanceof Uint8Array) || ${x}.length !== ${type.size}) ${this.#fail(where, `${type.size} bytes`, x)}
          p = raw(b, ${x}, p)`
      case 'enum': {
        const places = this.#code.constant(new Map(type.symbols.map((symbol, i) => [symbol, i])))
        const index = this.#code.name('e')
        return `const ${index} = ${places}.get(${x})
          if (${index} === undefined) ${this.#fail(where, `a symbol of enum ${type.name}`, x)}
          p = int(b, ${index}, p)`
      }
      case 'union':
        return this.#optional(type, x, where) ?? `p = ${this.#function(type, where)}(${x}, b, p)`
      default:
        return `p = ${this.#function(type, where)}(${x}, b, p)`
    }
  }

  /** A union of null and one other type, the commonest of all, needs no function. */
  #optional(union: UnionType, x: string, where: string): string | null {
    const { branches } = union
    const nullAt = branches.findIndex(({ kind }) => kind === 'null')
    const other = branches[1 - nullAt]
    if (branches.length !== 2 || nullAt < 0 || other === undefined || this.#options.unions === 'wrapped') return null
    return `if (${x} === null || ${x} === undefined) b[p++] = ${nullAt * 2}; else {
      b[p++] = ${(1 - nullAt) * 2}
      ${this.#statement(other, x, where)}
    }`
  }

  #function(type: AvroType, where: string): string {
    const known = this.#functions.get(type)
    if (known !== undefined) return known
    const name = this.#code.name('w')
    this.#functions.set(type, name)
    this.#code.addFunction(`function ${name}(v, b, p) {\n${this.#body(type, where)}\nreturn p\n}`)
    return name
  }

  #body(type: AvroType, where: string): string {
    switch (type.kind) {
      case 'record':
        return this.#record(type, where)
      case 'array':
        return `if (!Array.isArray(v)) ${this.#fail(where, 'an array', 'v')}
          const n = v.length
          if (n > 0) p = int(b, n, p)
          for (let i = 0; i < n; i++) {
            const x = v[i]
            ${this.#statement(type.items, 'x', `${where}[]`)}
          }
          b[p++] = 0`
      case 'map':
        return `if (typeof v !== "object" || v === null || Array.isArray(v)) ${this.#fail(where, 'an object', 'v')}
          const keys = Object.keys(v)
          if (keys.length > 0) p = int(b, keys.length, p)
          for (let i = 0; i < keys.length; i++) {
            p = string(b, keys[i], p)
            const x = v[keys[i]]
            ${this.#statement(type.values, 'x', `${where}{}`)}
          }
          b[p++] = 0`
      case 'union':
        return this.#union(type, where)
      default:
        throw new Error(`there is no function for ${type.kind}`)
    }
  }

  #record(type: RecordType, where: string): string {
    const fields = type.fields.map(field => {
      const x = this.#code.name('x')
      const place = `${type.name}.${field.name}`
      const read = `const ${x} = ${member('v', field.name)}`
      const write = this.#statement(field.type, x, place)
      if (!field.hasDefault) return `${read}\n{\n${write}\n}`
      const bytes = this.#code.constant(defaultBytes(field.type, field.default))
      return `${read}\nif (${x} === undefined) p = raw(b, ${bytes}, p); else {\n${write}\n}`
    })
    const takes = `an object, a record ${type.name}`
    const check = `if (typeof v !== "object" || v === null) ${this.#fail(where, takes, 'v')}`
    return [check, ...fields].join('\n')
  }

  #union(type: UnionType, where: string): string {
    const names = type.branches.map(branchName).join(', ')
    if (isWrapped(type, this.#options.unions, each => this.#conversion(each))) return this.#wrapped(type, where, names)
    const cases = type.branches.map((branch, i) => {
      const conversion = this.#conversion(branch)
      const test = conversion === null ? tests[bucketOf(branch, null)] : `${this.#code.constant(conversion)}.is(v)`
      return `if (${test}) { b[p++] = ${i * 2}\n${this.#statement(branch, 'v', where)}\n}`
    })
    // The index of a branch beyond 63 takes two bytes: no such union can be told apart by JavaScript.
    return `${cases.join(' else ')} else ${this.#fail(where, `one of ${names}`, 'v')}`
  }

  #wrapped(type: UnionType, where: string, names: string): string {
    const cases = type.branches.map((branch, i) => {
      if (branch.kind === 'null') return ''
      const x = this.#code.name('x')
      return `case ${JSON.stringify(branchName(branch))}: { p = int(b, ${i}, p)
        const ${x} = ${member('v', branchName(branch))}
        ${this.#statement(branch, x, where)}
        break }`
    })
    const nullAt = type.branches.findIndex(({ kind }) => kind === 'null')
    const takesNull = nullAt < 0 ? '' : `if (v === null || v === undefined) p = int(b, ${nullAt}, p); else `
    const takes = `{ type: value }, with one of ${names}`
    return `${takesNull}switch (onlyKey(v)) {
      ${cases.join('\n')}
      default: ${this.#fail(where, takes, 'v')}
    }`
  }
}

const tests: Readonly<Record<Bucket, string>> = {
  null: 'v === null || v === undefined',
  boolean: 'typeof v === "boolean"',
  number: 'typeof v === "number" || typeof v === "bigint"',
  string: 'typeof v === "string"',
  bytes: 'v instanceof Uint8Array',
  array: 'Array.isArray(v)',
  object:
    'typeof v === "object" && v !== null && !Array.isArray(v) && !(v instanceof Uint8Array) && !(v instanceof Date)',
  date: 'v instanceof Date',
  custom: 'true',
}

/** Null unless the value is an object with one property. */
function onlyKey(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null
  const keys = Object.keys(value)
  return keys.length === 1 ? (keys[0] ?? null) : null
}

/** The value itself stays out of the message: it may be anything. */
function refuse({ where, takes }: Place, value: unknown): never {
  if (value === undefined) throw invalidData(`${where} is missing: it takes ${takes}`)
  throw invalidData(`${where} takes ${takes}, not ${kindOf(value)}`)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (value instanceof Date) return 'a Date'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'number') return Number.isInteger(value) ? 'such an integer' : 'such a number'
  return `such a ${typeof value}`
}

/** The value's bytes behind the prefix. @throws SchemaRegistryError INVALID_DATA */
export function encodeWith(write: output.Write, value: unknown, prefix: Uint8Array): Buffer {
  try {
    return output.encode(write, value, prefix)
  } catch (error) {
    if (error instanceof SchemaRegistryError) throw error
    if (error instanceof RangeError) throw invalidData('the value is nested too deeply, or contains itself', error)
    throw error
  }
}
