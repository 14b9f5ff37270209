/** Values of Avro, as our serdes have them and as other programs say them in JSON. */
import type { AvroOptions } from '@ottla/schema-registry'

export interface SharedValue {
  readonly name: string
  readonly schema: object
  /** As our serdes read it. */
  readonly value: unknown
  readonly options?: AvroOptions
  /** `{ "$kind": … }` for what JSON lacks. */
  readonly said: unknown
  /** Where values of unions of records have names around them. */
  readonly wrapped?: unknown
  /** Whether other bytes are right, too. */
  readonly hasManyForms?: boolean
}

export function record(name: string, fields: Readonly<Record<string, unknown>>): object {
  return { type: 'record', name, fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })) }
}

const customer = { name: 'Zoë 漢字 😀', vip: true, address: { city: 'Umeå', lines: ['Storgatan 12', ''] } }
const logical = (type: string, logicalType: string, more: object = {}): object => ({ type, logicalType, ...more })

export const values: readonly SharedValue[] = [
  {
    name: 'nested records',
    schema: {
      ...record('Order', {
        id: 'long',
        customer: record('Customer', {
          name: 'string',
          vip: 'boolean',
          address: record('Address', { city: 'string', lines: { type: 'array', items: 'string' } }),
        }),
        billing: 'Address',
      }),
      namespace: 'shop',
    },
    value: { id: 2 ** 40 + 1, customer, billing: { city: '', lines: [] } },
    said: { id: 2 ** 40 + 1, customer, billing: { city: '', lines: [] } },
  },
  {
    name: 'numbers at their limits',
    schema: record('Limits', {
      ints: { type: 'array', items: 'int' },
      floats: { type: 'array', items: 'float' },
      double: 'double',
    }),
    value: { ints: [0, -1, 2_147_483_647, -2_147_483_648], floats: [0.5, -1.25, 16_777_216], double: 0.1 },
    said: { ints: [0, -1, 2_147_483_647, -2_147_483_648], floats: [0.5, -1.25, 16_777_216], double: 0.1 },
  },
  {
    name: 'longs beyond 2^53',
    schema: record('Longs', { all: { type: 'array', items: 'long' } }),
    options: { long: 'bigint' },
    value: { all: [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, 7n] },
    said: {
      all: [{ $long: '9223372036854775807' }, { $long: '-9223372036854775808' }, { $long: '9007199254740992' }, 7],
    },
  },
  {
    name: 'bytes, fixed and enums',
    schema: record('Bytes', {
      bytes: 'bytes',
      fixed: { type: 'fixed', name: 'Four', size: 4 },
      suit: { type: 'enum', name: 'Suit', symbols: ['SPADES', 'HEARTS'] },
    }),
    value: { bytes: Buffer.of(0, 255, 128), fixed: Buffer.of(1, 2, 3, 4), suit: 'HEARTS' },
    said: { bytes: { $bytes: '00ff80' }, fixed: { $bytes: '01020304' }, suit: 'HEARTS' },
  },
  {
    name: 'maps',
    schema: record('Maps', {
      counts: { type: 'map', values: 'long' },
      nested: { type: 'map', values: { type: 'map', values: 'string' } },
    }),
    value: { counts: { a: 1, ü: -2 }, nested: { x: { y: 'z' }, empty: {} } },
    said: { counts: { a: 1, ü: -2 }, nested: { x: { y: 'z' }, empty: {} } },
  },
  {
    name: 'unions of types that JavaScript tells apart',
    schema: record('Unions', {
      all: { type: 'array', items: ['null', 'long', 'string', 'boolean', { type: 'array', items: 'int' }] },
    }),
    value: { all: [null, 5, 'five', true, [5]] },
    said: { all: [null, 5, 'five', true, [5]] },
  },
  {
    name: 'a union of records',
    schema: {
      ...record('Payment', { by: ['null', record('Card', { number: 'string' }), record('Invoice', { days: 'int' })] }),
      namespace: 'shop',
    },
    value: { by: { 'shop.Invoice': { days: 30 } } },
    said: { by: { days: 30 } },
    wrapped: { by: { 'shop.Invoice': { days: 30 } } },
  },
  {
    name: 'decimals',
    schema: record('Decimals', {
      bytes: logical('bytes', 'decimal', { precision: 20, scale: 2 }),
      fixed: { type: 'fixed', name: 'Money', size: 8, logicalType: 'decimal', precision: 18, scale: 4 },
      all: { type: 'array', items: logical('bytes', 'decimal', { precision: 38, scale: 0 }) },
    }),
    value: { bytes: '-1234567890123456.50', fixed: '12.3400', all: ['0', '127', '128', '-127', '-129'] },
    said: {
      bytes: { $decimal: '-1234567890123456.50' },
      fixed: { $decimal: '12.3400' },
      all: ['0', '127', '128', '-127', '-129'].map(text => ({ $decimal: text })),
    },
  },
  {
    name: 'a decimal that fills its bytes',
    schema: record('Full', { x: logical('bytes', 'decimal', { precision: 9, scale: 0 }) }),
    value: { x: '-128' },
    said: { x: { $decimal: '-128' } },
    // Java and we write one byte, fastavro two.
    hasManyForms: true,
  },
  {
    name: 'dates and times',
    schema: record('Times', {
      day: logical('int', 'date'),
      before: logical('int', 'date'),
      millis: logical('long', 'timestamp-millis'),
      early: logical('long', 'timestamp-millis'),
      micros: logical('long', 'timestamp-micros'),
      maybe: ['null', logical('long', 'timestamp-millis')],
    }),
    value: {
      day: new Date(Date.UTC(2026, 10, 30)),
      before: new Date(Date.UTC(1969, 11, 31)),
      millis: new Date(1_795_990_000_123),
      early: new Date(-1),
      micros: 1_795_990_000_123_456,
      maybe: new Date(0),
    },
    said: {
      day: { $date: 20_787 },
      before: { $date: -1 },
      millis: { $millis: 1_795_990_000_123 },
      early: { $millis: -1 },
      micros: { $micros: 1_795_990_000_123_456 },
      maybe: { $millis: 0 },
    },
  },
  {
    name: 'what holds itself',
    schema: record('Node', { value: 'int', next: ['null', 'Node'] }),
    value: { value: 1, next: { value: 2, next: null } },
    said: { value: 1, next: { value: 2, next: null } },
  },
  {
    name: 'a schema that is no record',
    schema: { type: 'array', items: 'string' },
    value: ['a', 'b'],
    said: ['a', 'b'],
  },
]
