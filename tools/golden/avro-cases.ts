/** Values of all of Avro's types, for its own library to write and to read with other schemas. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** What the library is asked for. */
export interface AskedAvro {
  readonly name: string
  readonly schema: Json
  readonly reader?: Json
  /** In Avro's JSON encoding: unions as `{ type: value }`, bytes as text of one character each. */
  readonly json?: Json
  readonly decimal?: string
}

const record = (name: string, fields: Readonly<Record<string, Json>>, more: Readonly<Record<string, Json>> = {}) => ({
  type: 'record',
  name,
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
  ...more,
})

const symbols = { type: 'enum', name: 'Suit', symbols: ['SPADES', 'HEARTS', 'CLUBS'] }
const fixed = { type: 'fixed', name: 'Four', size: 4 }
const node = {
  type: 'record',
  name: 'Node',
  fields: [
    { name: 'value', type: 'int' },
    { name: 'next', type: ['null', 'Node'] },
  ],
}
const order = {
  type: 'record',
  name: 'Order',
  namespace: 'shop.orders',
  doc: 'An order.',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'customer', type: record('Customer', { name: 'string', vip: 'boolean' }) },
    { name: 'suit', type: symbols },
    { name: 'lines', type: { type: 'array', items: record('Line', { sku: 'string', price: 'double' }) } },
    { name: 'labels', type: { type: 'map', values: ['null', 'string', 'int'] } },
    { name: 'contact', type: ['null', 'Customer', { type: 'array', items: 'Line' }] },
    { name: 'hash', type: fixed },
  ],
}
const orderValue = {
  id: -4_294_967_297,
  customer: { name: 'Zoë 漢字 😀', vip: true },
  suit: 'CLUBS',
  lines: [
    { sku: 'a', price: 1.5 },
    { sku: '', price: -0.125 },
  ],
  labels: { only: { int: 7 } },
  contact: { 'shop.orders.Customer': { name: 'Ann', vip: false } },
  hash: '\u0000\u00ff\u0001\u0080',
}

function plain(): AskedAvro[] {
  const values: [Json, Json[]][] = [
    ['null', [null]],
    ['boolean', [true, false]],
    ['int', [0, -1, 1, 63, 64, -64, -65, 8191, 8192, 2_147_483_647, -2_147_483_648]],
    ['long', [0, -1, 2_147_483_648, -2_147_483_649, 2 ** 35, 9_007_199_254_740_991, -9_007_199_254_740_991]],
    ['float', [0, 1.5, -0.25, 3.4028234663852886e38]],
    ['double', [0, 0.1, -1e300, 5e-324]],
    ['string', ['', 'abc', 'ümläut', '漢字', '😀 and more', 'x'.repeat(64), 'ü'.repeat(100)]],
    ['bytes', ['', '\u0000\u0001\u00ff', 'y'.repeat(70)]],
    [fixed, ['abcd']],
    [symbols, ['SPADES', 'CLUBS']],
    [{ type: 'array', items: 'int' }, [[], [1], Array.from({ length: 100 }, (_, i) => i * 3)]],
    [{ type: 'map', values: 'long' }, [{}, { a: 1 }]],
    [{ type: 'array', items: { type: 'array', items: 'string' } }, [[[], ['a'], ['b', 'c']]]],
    [
      ['null', 'string'],
      [null, { string: 'x' }],
    ],
    [
      ['int', 'string', fixed, record('A', { a: 'int' }), { type: 'map', values: 'int' }],
      [{ int: 3 }, { string: 'x' }, { Four: 'abcd' }, { A: { a: 1 } }, { map: { k: 2 } }],
    ],
    [record('Empty', {}), [{}]],
    [
      node,
      [
        { value: 1, next: null },
        { value: 1, next: { Node: { value: 2, next: { Node: { value: 3, next: null } } } } },
      ],
    ],
    [order, [orderValue, { ...orderValue, contact: null, lines: [], labels: {} }]],
    [
      order,
      [
        {
          ...orderValue,
          lines: Array.from({ length: 20 }, (_, i) => ({ sku: `sku-${i}`, price: i })),
          contact: { array: [{ sku: 'z', price: 0 }] },
        },
      ],
    ],
  ]
  return values.flatMap(([schema, all]) => all.map(json => ({ name: nameOf(schema), schema, json })))
}

function nameOf(schema: Json): string {
  if (typeof schema === 'string') return schema
  if (Array.isArray(schema)) return 'union'
  const { name, type } = schema as { name?: string; type: string }
  return name ?? type
}

const withDefaults = {
  type: 'record',
  name: 'R',
  fields: [
    { name: 'a', type: 'long' },
    { name: 'text', type: 'string', default: 'none' },
    { name: 'list', type: { type: 'array', items: 'int' }, default: [1, 2] },
    { name: 'map', type: { type: 'map', values: 'string' }, default: { k: 'v' } },
    { name: 'bytes', type: 'bytes', default: '\u00ff\u0000' },
    { name: 'option', type: ['null', 'int'], default: null },
    { name: 'inner', type: record('Inner', { x: 'double' }), default: { x: 1.5 } },
    { name: 'suit', type: symbols, default: 'HEARTS' },
  ],
}

/** What another schema makes of the bytes. */
function resolved(): AskedAvro[] {
  const one = (type: Json): Json => record('R', { x: type })
  const both = (name: string, schema: Json, reader: Json, ...values: Json[]): AskedAvro[] =>
    values.map(json => ({ name, schema, reader, json }))
  return [
    ...both('defaults', record('R', { a: 'int' }), withDefaults, { a: 5 }),
    ...both('fewer fields', order, { ...order, fields: order.fields.slice(0, 1) }, orderValue),
    ...both('another order', record('R', { a: 'int', b: 'string' }), record('R', { b: 'string', a: 'int' }), {
      a: 1,
      b: 'x',
    }),
    ...both('int to long', one('int'), one('long'), { x: -3 }),
    ...both('int to double', one('int'), one('double'), { x: 2_147_483_647 }),
    ...both('long to float', one('long'), one('float'), { x: 16_777_216 }),
    ...both('long to double', one('long'), one('double'), { x: 9_007_199_254_740_991 }),
    ...both('float to double', one('float'), one('double'), { x: 1.25 }),
    ...both('string to bytes', one('string'), one('bytes'), { x: 'abc' }),
    ...both('bytes to string', one('bytes'), one('string'), { x: 'abc' }),
    ...both('into a union', one('int'), one(['null', 'long', 'string']), { x: 4 }),
    ...both('out of a union', one(['null', 'int']), one('long'), { x: { int: 4 } }),
    ...both(
      'between unions',
      one(['null', 'int', 'string']),
      one(['string', 'null', 'long']),
      { x: { int: 4 } },
      { x: null },
    ),
    ...both(
      'an enum with a default',
      one({ ...symbols, symbols: ['NEW', 'CLUBS'] }),
      one({ ...symbols, symbols: ['CLUBS', 'OTHER'], default: 'OTHER' }),
      { x: 'NEW' },
      { x: 'CLUBS' },
    ),
    ...both(
      'aliases',
      record('Old', { before: 'int', kept: 'string' }),
      {
        type: 'record',
        name: 'New',
        aliases: ['Old'],
        fields: [
          { name: 'after', type: 'long', aliases: ['before'] },
          { name: 'kept', type: 'string' },
        ],
      },
      { before: 3, kept: 'k' },
    ),
    ...both('promoted items', one({ type: 'array', items: 'int' }), one({ type: 'array', items: 'double' }), {
      x: [1, 2],
    }),
    ...both('promoted values', one({ type: 'map', values: 'int' }), one({ type: 'map', values: 'long' }), {
      x: { k: 2 },
    }),
    ...both(
      'what holds itself',
      node,
      { ...node, fields: [...node.fields, { name: 'more', type: 'string', default: '-' }] },
      { value: 1, next: { Node: { value: 2, next: null } } },
    ),
  ]
}

function decimals(): AskedAvro[] {
  const bytes = { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 3 }
  const small = { type: 'fixed', name: 'Money', size: 8, logicalType: 'decimal', precision: 18, scale: 2 }
  const texts = ['0.00', '0.01', '-0.01', '1.27', '1.28', '-1.28', '-1.29', '327.68', '-9999999999999999.99']
  return [
    ...texts.map(text => ({ name: 'decimal', schema: bytes, decimal: `${text}0` })),
    { name: 'decimal', schema: bytes, decimal: '123456789012345678901234567.891' },
    ...texts.map(text => ({ name: 'fixed decimal', schema: small, decimal: text })),
  ]
}

/** Only for the text that the library makes of them. */
function printed(): AskedAvro[] {
  return [
    { name: 'full name', schema: { type: 'record', name: 'a.b.R', fields: [] }, json: {} },
    {
      name: 'attributes in another order',
      schema: {
        fields: [{ type: { type: 'int' }, order: 'ascending', name: 'x', default: 1, doc: 'd', aliases: ['y'] }],
        custom: { z: 1, a: 2 },
        aliases: ['Before'],
        doc: 'D',
        namespace: 'n',
        name: 'R',
        type: 'record',
      },
      json: { x: 1 },
    },
    {
      name: 'names of the namespace',
      schema: {
        type: 'record',
        name: 'Outer',
        namespace: 'n',
        fields: [
          { name: 'a', type: { type: 'enum', name: 'n.E', symbols: ['A'], default: 'A' } },
          { name: 'b', type: 'n.E' },
          { name: 'c', type: { type: 'fixed', name: 'other.F', size: 1 } },
          { name: 'd', type: ['null', 'other.F'], default: null },
        ],
      },
      json: { a: 'A', b: 'A', c: 'x', d: null },
    },
    {
      name: 'logical types',
      schema: {
        type: 'record',
        name: 'L',
        fields: [
          { name: 'at', type: { logicalType: 'timestamp-millis', type: 'long' } },
          { name: 'm', type: { scale: 2, precision: 9, logicalType: 'decimal', type: 'bytes' } },
          { name: 's', type: { type: 'string', 'avro.java.string': 'String' } },
        ],
      },
      json: { at: 1, m: '\u0001', s: '' },
    },
  ]
}

export function avroCases(): AskedAvro[] {
  return [...plain(), ...resolved(), ...decimals(), ...printed()]
}
