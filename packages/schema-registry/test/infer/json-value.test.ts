import { test } from 'node:test'
import { SchemaRegistry, type JsonSchemaValue, type RegistrySerdes } from '../../src/index.ts'

/** Compiles only if each can be used as the other. */
function same<A, B>(..._: [A] extends [B] ? ([B] extends [A] ? [] : ['differs']) : ['differs']): void {
  // The compiler has checked it.
}

const _order = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    id: { type: 'integer' },
    status: { enum: ['NEW', 'PAID'] },
    kind: { const: 'order' },
    note: { type: ['string', 'null'] },
    items: { type: 'array', items: { $ref: '#/$defs/item' } },
    pair: { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }], items: { type: 'boolean' } },
    prices: { type: 'object', additionalProperties: { type: 'number' } },
    any: {},
    mixed: { oneOf: [{ type: 'string' }, { $ref: '#/$defs/item' }] },
    both: {
      allOf: [{ type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, { $ref: '#/$defs/item' }],
    },
    parent: { $ref: '#' },
    other: { $ref: 'other.json' },
  },
  required: ['id', 'status', 'items'],
  $defs: { item: { type: 'object', properties: { sku: { type: 'string' } }, required: ['sku'] } },
} as const

interface Order {
  id: number
  status: 'NEW' | 'PAID'
  items: { sku: string }[]
  kind?: 'order'
  note?: string | null
  pair?: [string?, number?, ...boolean[]]
  prices?: Record<string, number>
  any?: unknown
  mixed?: string | { sku: string }
  both?: { a: string; sku: string }
  parent?: Order
  other?: unknown
}

test('the type of a JSON schema follows from it', () => {
  same<JsonSchemaValue<typeof _order>, Order>()
  same<JsonSchemaValue<{ type: 'string' }>, string>()
  same<JsonSchemaValue<true>, unknown>()
  same<JsonSchemaValue<{ type: 'object' }>, Record<string, unknown>>()
  same<JsonSchemaValue<{ properties: { a: { type: 'string' } } }>, { a?: string }>()
  same<JsonSchemaValue<{ items: [{ type: 'string' }] }>, [string?, ...unknown[]]>()
})

test('serdes have the type of their schema, or the one that is stated', () => {
  const registry = new SchemaRegistry({ url: 'http://localhost:1' })
  const _inferred = registry.json({
    schema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
  })
  same<typeof _inferred, RegistrySerdes<{ a: string }>>()
  const _stated = registry.json<Order>({ schema: '{"type":"object"}' })
  same<typeof _stated, RegistrySerdes<Order>>()
  same<ReturnType<typeof registry.json>, RegistrySerdes<unknown>>()
})
