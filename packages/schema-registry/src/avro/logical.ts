/** What values of logical types are to the application. */
import { invalidArgument, invalidData } from '../errors.ts'
import type { AvroType, Logical } from './types.ts'

/**
 * How values of a logical type are read and written.
 * @since 0.1.0
 */
export interface LogicalConversion {
  /**
   * From the value of the underlying type: a number (`int`, `long`; a bigint with `long: 'bigint'`), a Buffer (`bytes`,
   * `fixed`), a string.
   */
  readonly read: (raw: never) => unknown
  /** The reverse. What it throws is reported as data that does not match its schema. */
  readonly write: (value: never) => unknown
  /** Whether a value is of this type, for unions. */
  readonly is: (value: unknown) => boolean
}

/**
 * What to do with logical types, all of them or by name: `convert` (see `AvroOptions.logicalTypes`), `raw` for the values
 * underneath, or a conversion of one's own.
 * @since 0.1.0
 */
export type LogicalTypes = 'convert' | 'raw' | Readonly<Record<string, 'convert' | 'raw' | LogicalConversion>>

/** A conversion that fits one type. */
export interface Conversion {
  readonly read: (raw: unknown) => unknown
  readonly write: (value: unknown) => unknown
  readonly is: (value: unknown) => boolean
  /** What is converted is a Date or text, or unknown. */
  readonly makes: 'date' | 'string' | 'custom'
  /** Longs are to be read as numbers whatever the options say. */
  readonly wantsNumber: boolean
}

/** The conversion of a type; null if its values are as they are underneath. */
export function conversionOf(type: AvroType, types: LogicalTypes): Conversion | null {
  const logical = 'logical' in type ? type.logical : null
  if (logical === null || types === 'raw') return null
  const wanted = types === 'convert' ? 'convert' : Object.hasOwn(types, logical.name) ? types[logical.name] : 'convert'
  if (wanted === 'raw') return null
  if (wanted === 'convert' || wanted === undefined) return builtIn(type, logical)
  if (typeof wanted.read !== 'function' || typeof wanted.write !== 'function' || typeof wanted.is !== 'function') {
    throw invalidArgument(`logicalTypes['${logical.name}'] needs three functions: read, write and is`)
  }
  const { read, write, is } = wanted as Pick<Conversion, 'read' | 'write' | 'is'>
  return { read, write, is, makes: 'custom', wantsNumber: false }
}

function builtIn(type: AvroType, logical: Logical): Conversion | null {
  switch (logical.name) {
    case 'date':
      return dates(86_400_000)
    case 'timestamp-millis':
    case 'local-timestamp-millis':
      return dates(1)
    case 'decimal':
      return decimal(logical, type.kind === 'fixed' ? type.size : null)
    case 'uuid':
      return type.kind === 'fixed' ? uuid : null
    default:
      return null
  }
}

const isDate = (value: unknown): boolean => value instanceof Date

/** @param unit ms */
function dates(unit: number): Conversion {
  return {
    read: raw => new Date((raw as number) * unit),
    write: value => {
      if (!(value instanceof Date)) return value
      const time = value.getTime()
      if (Number.isNaN(time)) throw invalidData('the Date is invalid')
      return Math.floor(time / unit)
    },
    is: isDate,
    makes: 'date',
    wantsNumber: true,
  }
}

const uuidText = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const uuid: Conversion = {
  read: raw => {
    const hex = (raw as Buffer).toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  },
  write: value => {
    if (typeof value !== 'string' || !uuidText.test(value)) throw invalidData('it is no UUID')
    return Buffer.from(value.replaceAll('-', ''), 'hex')
  },
  is: value => typeof value === 'string',
  makes: 'string',
  wantsNumber: false,
}

const decimalText = /^([+-]?)(\d+)(?:\.(\d*))?$/

/** Text with all digits of the scale: a number would lose some. */
function decimal({ precision, scale }: Logical, size: number | null): Conversion {
  return {
    read: raw => decimalTextOf(signed(raw as Buffer), scale),
    write: value => {
      const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value
      const match = typeof text === 'string' ? decimalText.exec(text) : null
      if (match === null) throw invalidData('it is no decimal: it takes text such as "12.50"')
      const [, sign = '', whole = '', fraction = ''] = match
      const digits = fraction.replace(/0+$/, '')
      if (digits.length > scale) throw invalidData(`it has more than ${scale} digits behind the point`)
      const unscaled = BigInt(whole + digits.padEnd(scale, '0'))
      if (String(unscaled).length > precision) throw invalidData(`it has more than ${precision} digits`)
      return bytesOf(sign === '-' ? -unscaled : unscaled, size)
    },
    is: value => typeof value === 'string',
    makes: 'string',
    wantsNumber: false,
  }
}

function decimalTextOf(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled)
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Two's complement, the most significant byte first. */
function signed(bytes: Buffer): bigint {
  if (bytes.length === 0) return 0n
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
}

function bytesOf(value: bigint, size: number | null): Buffer {
  let bytes = size ?? 1
  while (size === null && BigInt.asIntN(bytes * 8, value) !== value) bytes++
  if (BigInt.asIntN(bytes * 8, value) !== value) throw invalidData(`it does not fit into ${bytes} bytes`)
  const hex = BigInt.asUintN(bytes * 8, value).toString(16)
  return Buffer.from(hex.padStart(bytes * 2, '0'), 'hex')
}
