import { test } from 'node:test'
import { SchemaRegistry, type AvroValue, type RegistrySerdes } from '../../src/index.ts'

/** Compiles only if the types are the same. */
function same<A, B>(..._: [A] extends [B] ? ([B] extends [A] ? [] : ['differs']) : ['differs']): void {
  // The compiler has checked it.
}

const order = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'status', type: { type: 'enum', name: 'Status', symbols: ['NEW', 'PAID'] } },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'total', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
    {
      name: 'items',
      type: { type: 'array', items: { type: 'record', name: 'Item', fields: [{ name: 'sku', type: 'string' }] } },
    },
    { name: 'best', type: ['null', 'Item'] },
    { name: 'again', type: 'shop.Status' },
    { name: 'tags', type: { type: 'map', values: 'boolean' } },
    { name: 'mixed', type: ['null', 'int', 'string', { type: 'array', items: 'double' }] },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 4 } },
  ],
} as const

interface Order {
  id: number
  status: 'NEW' | 'PAID'
  note: string | null
  at: Date
  total: string
  items: { sku: string }[]
  best: { sku: string } | null
  again: unknown
  tags: Record<string, boolean>
  mixed: null | number | string | number[]
  hash: Buffer
}

test("a schema's type is inferred", () => {
  same<AvroValue<typeof order>, Order>()
  same<AvroValue<typeof order, { long: 'bigint' }>['id'], bigint>()
  same<AvroValue<typeof order, { logicalTypes: 'raw' }>['at'], number>()
  same<AvroValue<typeof order, { logicalTypes: { decimal: 'raw' } }>['total'], Buffer>()
  same<AvroValue<'string'>, string>()
  same<AvroValue<['int', 'long', 'null']>, { int: number } | { long: number } | null>()
  same<AvroValue<['null', 'int'], { unions: 'wrapped' }>, { int: number } | null>()
})

test('recursive schemas have recursive types', () => {
  const _list = {
    type: 'record',
    name: 'List',
    fields: [
      { name: 'value', type: 'int' },
      { name: 'next', type: ['null', 'List'] },
    ],
  } as const
  type List = AvroValue<typeof _list>
  const _value: List = { value: 1, next: { value: 2, next: null } }
  same<typeof _value.value, number>()
  same<NonNullable<List['next']>['value'], number>()
})

test('serdes have the type of their schema, or the one that is stated', () => {
  const registry = new SchemaRegistry({ url: 'http://localhost:1' })
  const _inferred = registry.avro({
    schema: { type: 'record', name: 'R', fields: [{ name: 'n', type: 'long' }] },
    long: 'bigint',
  })
  same<typeof _inferred, RegistrySerdes<{ n: bigint }>>()
  const _stated = registry.avro<Order>({ schema: order })
  same<typeof _stated, RegistrySerdes<Order>>()
  const _open = registry.avro()
  same<typeof _open, RegistrySerdes<unknown>>()
  const _text = registry.avro({ schema: '"string"' })
  same<typeof _text, RegistrySerdes<unknown>>()
})
