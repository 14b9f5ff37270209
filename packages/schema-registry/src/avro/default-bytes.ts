/** Defaults as bytes, from the JSON of the schema. */
import { fits } from './defaults.ts'
import * as output from './output.ts'
import type { AvroType } from './types.ts'

const nothing = new Uint8Array(0)

/** The bytes of a default that `checkDefault` has accepted. */
export function defaultBytes(type: AvroType, value: unknown): Buffer {
  return Buffer.from(output.encode((_, bytes, at) => put(type, value, bytes, at), null, nothing))
}

function put(type: AvroType, value: unknown, bytes: Buffer, at: number): number {
  switch (type.kind) {
    case 'null':
      return at
    case 'boolean':
      bytes[at] = value === true ? 1 : 0
      return at + 1
    case 'int':
      return output.int(bytes, value as number, at)
    case 'long':
      return output.long(bytes, Number.isSafeInteger(value) ? value : BigInt(value as number), at)
    case 'float':
      return output.float(bytes, Number(value), at)
    case 'double':
      return output.double(bytes, Number(value), at)
    case 'string':
      return output.string(bytes, value as string, at)
    case 'bytes':
      return output.blob(bytes, Buffer.from(value as string, 'latin1'), at)
    case 'fixed':
      return output.raw(bytes, Buffer.from(value as string, 'latin1'), at)
    case 'enum':
      return output.int(bytes, type.symbols.indexOf(value as string), at)
    case 'array': {
      const items = value as unknown[]
      if (items.length > 0) at = output.int(bytes, items.length, at)
      for (const item of items) at = put(type.items, item, bytes, at)
      bytes[at] = 0
      return at + 1
    }
    case 'map': {
      const entries = Object.entries(value as object) as [string, unknown][]
      if (entries.length > 0) at = output.int(bytes, entries.length, at)
      for (const [key, item] of entries) at = put(type.values, item, bytes, output.string(bytes, key, at))
      bytes[at] = 0
      return at + 1
    }
    case 'union': {
      const index = type.branches.findIndex(branch => fits(branch, value))
      return put(type.branches[index] as AvroType, value, bytes, output.int(bytes, index, at))
    }
    case 'record':
      for (const field of type.fields) {
        const given = (value as Record<string, unknown>)[field.name]
        at = put(field.type, given === undefined ? field.default : given, bytes, at)
      }
      return at
    default:
      return type satisfies never
  }
}
