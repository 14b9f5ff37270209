import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonDifferences } from '../../src/json/compatibility.ts'
import { JsonDocuments } from '../../src/json/documents.ts'
import { checkSchema } from '../../src/json/nodes.ts'

type Json = boolean | Record<string, unknown>

const documents = (schema: Json, references: Record<string, Json> = {}): JsonDocuments =>
  new JsonDocuments(
    JSON.stringify(schema),
    Object.entries(references).map(([name, each]) => ({ name, schema: JSON.stringify(each) })),
  )

/** What keeps data of one schema from being read with the other. */
function differences(before: Json, after: Json): string[] {
  return jsonDifferences(documents(before), documents(after)).map(({ type, path }) =>
    `${type} ${path.join('/')}`.trim(),
  )
}

const object = (properties: Record<string, Json>, more: Record<string, unknown> = {}): Json => ({
  type: 'object',
  properties,
  ...more,
})
const [text, int, number] = [{ type: 'string' }, { type: 'integer' }, { type: 'number' }]

test('types: a wider one reads what a narrower one has written', () => {
  assert.deepEqual(differences(int, number), [])
  assert.deepEqual(differences(number, int), ['TYPE_NARROWED'])
  assert.deepEqual(differences(text, int), ['TYPE_CHANGED'])
  assert.deepEqual(differences(text, {}), [])
  assert.deepEqual(differences(text, true), [])
  assert.deepEqual(differences(false, text), [])
  assert.deepEqual(differences(true, text), ['TYPE_CHANGED'])
  assert.deepEqual(differences(text, { type: ['string', 'null'] }), [])
  assert.deepEqual(differences({ type: ['string', 'null'] }, text), ['TYPE_CHANGED'])
})

test('limits may be loosened, not tightened', () => {
  assert.deepEqual(differences({ type: 'string', maxLength: 5 }, { type: 'string', maxLength: 6 }), [])
  assert.deepEqual(differences({ type: 'string', maxLength: 5 }, { type: 'string', maxLength: 4, pattern: 'a' }), [
    'MAX_LENGTH_DECREASED maxLength',
    'PATTERN_ADDED pattern',
  ])
  assert.deepEqual(differences(number, { type: 'number', minimum: 0 }), ['MINIMUM_ADDED minimum'])
  assert.deepEqual(differences({ ...number, multipleOf: 0.2 }, { ...number, multipleOf: 0.1 }), [])
  assert.deepEqual(differences({ ...number, multipleOf: 2 }, { ...number, multipleOf: 4 }), [
    'MULTIPLE_OF_EXPANDED multipleOf',
  ])
  assert.deepEqual(differences({ enum: ['a'] }, { enum: ['a', 'b'] }), [])
  assert.deepEqual(differences({ enum: ['a', 'b'] }, { enum: ['a'] }), ['ENUM_ARRAY_NARROWED enum'])
  assert.deepEqual(differences({ const: 1 }, { const: 2 }), ['ENUM_ARRAY_CHANGED const'])
  assert.deepEqual(differences({ not: { type: 'number' } }, { not: int }), [])
  assert.deepEqual(differences({ not: int }, { not: { type: 'number' } }), ['NOT_TYPE_EXTENDED not'])
})

test('properties: what may be added depends on what else was allowed', () => {
  const open = object({ a: text })
  const closed = object({ a: text }, { additionalProperties: false })
  assert.deepEqual(differences(open, object({ a: text, b: int })), [
    'OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL properties/b',
  ])
  assert.deepEqual(differences(open, object({ a: text, b: {} })), [])
  assert.deepEqual(differences(closed, object({ a: text, b: int }, { additionalProperties: false })), [])
  assert.deepEqual(differences(closed, object({ a: text, b: int }, { additionalProperties: false, required: ['b'] })), [
    'REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL properties/b',
  ])
  assert.deepEqual(differences(object({ a: text, b: int }), open), [])
  assert.deepEqual(differences(object({ a: text, b: int }, { additionalProperties: false }), closed), [
    'PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL properties/b',
  ])
  assert.deepEqual(differences(closed, open), [])
  assert.deepEqual(differences(open, closed), ['ADDITIONAL_PROPERTIES_REMOVED additionalProperties'])
  assert.deepEqual(differences(open, object({ a: text }, { required: ['a'] })), ['REQUIRED_ATTRIBUTE_ADDED required/a'])
  const partly = object({}, { additionalProperties: int })
  assert.deepEqual(differences(partly, object({ b: number }, { additionalProperties: int })), [])
  assert.deepEqual(differences(partly, object({ b: text }, { additionalProperties: int })), [
    'TYPE_CHANGED properties/b',
    'PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL properties/b',
  ])
  assert.deepEqual(differences(object({ a: object({ b: int }) }), object({ a: object({ b: text }) })), [
    'TYPE_CHANGED properties/a/properties/b',
  ])
})

test('arrays, by what they were called before and since draft 2020-12', () => {
  const array = (more: Record<string, unknown>): Json => ({ type: 'array', ...more })
  assert.deepEqual(differences(array({ items: int }), array({ items: number })), [])
  assert.deepEqual(differences(array({ items: number }), array({ items: int, uniqueItems: true })), [
    'TYPE_NARROWED items',
    'UNIQUE_ITEMS_ADDED uniqueItems',
  ])
  for (const [first, rest] of [
    ['items', 'additionalItems'],
    ['prefixItems', 'items'],
  ] as const) {
    const closed = (...schemas: Json[]): Json => array({ [first]: schemas, [rest]: false })
    assert.deepEqual(differences(closed(int), closed(int, text)), [])
    assert.deepEqual(differences(closed(int, text), closed(int)), ['ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL items/1'])
    assert.deepEqual(differences(array({ [first]: [int] }), array({ [first]: [int, text] })), [
      'ITEM_ADDED_TO_OPEN_CONTENT_MODEL items/1',
    ])
  }
})

test('combined schemas are matched, whatever their order', () => {
  assert.deepEqual(differences({ oneOf: [int, text] }, { oneOf: [text, int] }), [])
  assert.deepEqual(differences({ oneOf: [int, text] }, { anyOf: [text, int, { type: 'null' }] }), [])
  assert.deepEqual(differences({ oneOf: [int, text] }, { oneOf: [text] }), ['SUM_TYPE_NARROWED'])
  assert.deepEqual(differences({ allOf: [int] }, { allOf: [int, { minimum: 1 }] }), ['PRODUCT_TYPE_EXTENDED'])
  assert.deepEqual(differences({ anyOf: [int, text] }, { oneOf: [int, text] }), ['COMBINED_TYPE_CHANGED'])
  assert.deepEqual(differences({ oneOf: [int, text] }, { oneOf: [{ type: 'null' }, int] }), [
    'COMBINED_TYPE_SUBSCHEMAS_CHANGED',
  ])
})

test('references are followed, also to themselves and to other schemas', () => {
  const list = (value: Json): Json => ({
    $defs: { node: object({ value, next: { $ref: '#/$defs/node' } }) },
    $ref: '#/$defs/node',
  })
  assert.deepEqual(differences(list(int), list(number)), [])
  assert.equal(differences(list(int), list(text))[0], 'TYPE_CHANGED properties/value')
  const order = object({ customer: { $ref: 'customer.json#/$defs/name' } }, { $id: 'http://shop/order.json' })
  const customer = (name: Json): Record<string, Json> => ({ 'customer.json': { $defs: { name } } })
  const found = jsonDifferences(documents(order, customer(text)), documents(order, customer(int)))
  assert.deepEqual(found, [{ type: 'TYPE_CHANGED', path: ['properties', 'customer'] }])
  const anchored = { $id: 'http://a/b', $defs: { x: { $anchor: 'here', type: 'string' } }, $ref: '#here' }
  assert.deepEqual(differences(anchored, text), [])
})

test('schemas that refer to each other in every way end', () => {
  const names = Array.from({ length: 12 }, (_, i) => `d${i}`)
  const all = names.map(name => ({ $ref: `#/definitions/${name}` }))
  const definitions = (leaf: Json): Record<string, Json> =>
    Object.fromEntries(
      names.map((name, i) => [
        name,
        {
          type: 'object',
          properties: { [name]: { oneOf: all } },
          ...(i === 0 ? { properties: { leaf, [name]: { oneOf: all } } } : {}),
        },
      ]),
    )
  const schema = (leaf: Json): Json => ({ $ref: '#/definitions/d0', definitions: definitions(leaf) })
  assert.deepEqual(differences(schema(int), schema(int)), [])
  assert.notDeepEqual(differences(schema(int), schema(text)), [])
})

test('what is no schema is refused', () => {
  assert.throws(() => documents('x' as never), { code: 'INVALID_SCHEMA' })
  assert.throws(() => checkSchema(documents({ properties: { a: { type: 'text' } } })), {
    code: 'INVALID_SCHEMA',
    message: 'unknown type: [text]',
  })
  assert.deepEqual(documents({ $ref: '#/no', properties: { $ref: { type: 'string' } } }).unresolved(), ['#/no'])
  assert.throws(() => differences({ $ref: '#' }, text), { code: 'INVALID_SCHEMA' })
  let deep: Json = {}
  for (let i = 0; i < 1000; i++) deep = { items: deep }
  assert.throws(() => documents(deep), { code: 'INVALID_SCHEMA' })
})
