/** JSON Schema between our serdes and those of somebody else, both ways, value by value. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonOptions } from '@ottla/schema-registry'
import { fresh } from '../../behaviour/world.ts'
import type { MakeSerdes, Sides, Where, Written } from './world.ts'

const format = 'JSON'

function serdes(options: JsonOptions & { readonly schema?: object } = {}): MakeSerdes {
  return registry => registry.json<never>(options)
}

const object = (properties: object, more: object = {}): object => ({ type: 'object', properties, ...more })
const [text, int] = [{ type: 'string' }, { type: 'integer' }]
const draft = (name: string): object => ({ $schema: name })

interface Example {
  readonly name: string
  readonly schema: object
  readonly value: unknown
}

const address = object({ city: text, lines: { type: 'array', items: text } }, { required: ['city'] })

export const examples: readonly Example[] = [
  {
    name: 'nested objects',
    schema: object(
      { id: int, customer: object({ name: text, address }), billing: { $ref: '#/definitions/address' } },
      { title: 'Order', definitions: { address }, ...draft('http://json-schema.org/draft-07/schema#') },
    ),
    value: {
      id: 2 ** 40 + 1,
      customer: { name: 'Zoë 漢字 😀', address: { city: 'Umeå', lines: ['Storgatan 12', ''] } },
      billing: { city: '' },
    },
  },
  {
    name: 'unions',
    schema: object({
      all: {
        type: 'array',
        items: { oneOf: [{ type: 'null' }, int, text, { type: 'boolean' }, object({ days: int })] },
      },
      maybe: { type: ['string', 'null'] },
    }),
    value: { all: [null, 5, 'five', true, { days: 30 }], maybe: null },
  },
  {
    name: 'maps',
    schema: object({ counts: { type: 'object', additionalProperties: int } }),
    value: { counts: { a: 1, ü: -2, '': 0 } },
  },
  {
    name: 'decimals and numbers at their limits',
    schema: object({
      exact: { type: 'string', pattern: '^-?\\d+\\.\\d{2}$' },
      decimal: { type: 'number', multipleOf: 0.25 },
      all: { type: 'array', items: { type: 'number' } },
    }),
    value: {
      exact: '-1234567890123456.50',
      decimal: 12.75,
      all: [0, 0.1, -1.5e-7, 2 ** 53 - 1, 1.7976931348623157e308],
    },
  },
  {
    name: 'enums, constants and limits',
    schema: object(
      {
        suit: { enum: ['SPADES', 'HEARTS'] },
        kind: { const: 'card' },
        id: { type: 'string', minLength: 2, maxLength: 4 },
      },
      { additionalProperties: false, required: ['kind'] },
    ),
    value: { suit: 'HEARTS', kind: 'card', id: 'a-1' },
  },
  {
    name: 'what holds itself',
    schema: object({ value: int, next: { anyOf: [{ type: 'null' }, { $ref: '#' }] } }),
    value: { value: 1, next: { value: 2, next: null } },
  },
  {
    name: 'draft 2020-12',
    schema: {
      ...draft('https://json-schema.org/draft/2020-12/schema'),
      type: 'object',
      properties: { pair: { type: 'array', prefixItems: [text, int], items: false }, at: { $ref: '#/$defs/at' } },
      $defs: { at: { type: 'string', format: 'date-time' } },
    },
    value: { pair: ['a', 1], at: '2026-11-30T12:00:00Z' },
  },
  {
    name: 'a schema that is no object',
    schema: { ...draft('http://json-schema.org/draft-07/schema#'), type: 'array', items: text },
    value: ['a', 'b'],
  },
]

const old = object({ a: int }, { title: 'R', required: ['a'] })
const newer = object({ a: int, b: { type: 'string', default: 'none' } }, { title: 'R', required: ['a'] })

/** The id, and the value: spaces between its parts are each one's own matter. */
export function partsOf({ bytes }: Written): unknown {
  const data = Buffer.from(bytes ?? '', 'hex')
  return [data.toString('hex', 0, 5), JSON.parse(data.toString('utf8', 5))]
}

export function jsonScenarios(sides: () => Sides): void {
  const place = (name: string, more: Partial<Where> = {}): Where => ({ ...more, topic: fresh(name), format })

  for (const { name, schema, value } of examples) {
    test(`JSON Schema: ${name}: written by one, read by the other`, async () => {
      const where = place('interop')
      const byUs = await sides().byUs(serdes({ schema }), value, where)
      assert.deepEqual(await sides().readByThem({ ...where, bytes: byUs.bytes }), value)
      const byThem = await sides().byThem({ ...where, schema, value })
      assert.deepEqual(partsOf(byThem), partsOf(byUs))
      assert.deepEqual(await sides().readByUs(serdes(), byThem, where), value)
    })
  }

  for (const subject of ['topic', 'record', 'topic-record'] as const) {
    test(`JSON Schema: subjects named by ${subject} are the same`, async () => {
      const where = place('named', { field: 'key' })
      const schema = object({ x: int }, { title: fresh('Named') })
      if (subject !== 'topic' && !sides().world.traits.namesRecords) {
        await assert.rejects(sides().byThem({ ...where, subject, schema, value: { x: 1 } }))
        return
      }
      const byThem = await sides().byThem({ ...where, subject, schema, value: { x: 1 } })
      const known = await sides().byUs(serdes({ schema, subject, autoRegister: false }), { x: 1 }, where)
      assert.deepEqual(partsOf(known), partsOf(byThem))
    })
  }

  test('JSON Schema: tombstones stay tombstones', async () => {
    const where = place('tombstones')
    const writing = sides().byThem({ ...where, schema: old, value: null })
    if (!sides().world.traits.takesNull) return assert.rejects(writing)
    const byThem = await writing
    assert.equal(byThem.bytes, null)
    assert.equal(await sides().readByThem({ ...where, bytes: null }), null)
  })

  test('JSON Schema: what does not match is neither written nor read by either', async () => {
    const where = place('wrong')
    await assert.rejects(sides().byUs(serdes({ schema: old }), { a: 'x' }, where), { code: 'INVALID_DATA' })
    await assert.rejects(sides().byThem({ ...where, schema: old, value: { a: 'x' } }))
    const byUs = await sides().byUs(serdes({ schema: old, validate: 'none' }), { a: 'x' }, where)
    await assert.rejects(sides().readByThem({ ...where, bytes: byUs.bytes, schema: old }))
    await assert.rejects(sides().readByUs(serdes(), byUs, where), { code: 'INVALID_DATA' })
  })

  test('JSON Schema: older messages are read with newer schemas, and newer ones with older (evolution)', async () => {
    const where = place('evolution')
    // A property more is compatible with nothing, as older data may have it, too.
    if (sides().world.traits.comparesForm) await sides().registry().setConfig('NONE', `${where.topic}-value`)
    const [few, more] = [{ a: 1 }, { a: 2, b: 'x' }]
    for (const [schema, reader, value] of [
      [old, newer, few],
      [newer, old, more],
    ] as const) {
      const byThem = await sides().byThem({ ...where, schema, value })
      assert.deepEqual(await sides().readByUs(serdes({ schema: reader }), byThem, where), value)
      const byUs = await sides().byUs(serdes({ schema }), value, where)
      assert.deepEqual(await sides().readByThem({ ...where, bytes: byUs.bytes, schema: reader }), value)
    }
  })

  test('JSON Schema: referenced schemas are found by both', async () => {
    const subject = fresh('address')
    const where = place('orders')
    await sides().registry().register(subject, address, { type: 'JSON' })
    const references = [{ name: 'address.json', subject, version: 1 }]
    const schema = object({ to: { $ref: 'address.json' }, from: { $ref: 'address.json' } })
    const value = { to: { city: 'Umeå', lines: [] }, from: { city: '' } }
    const byUs = await sides().byUs(serdes({ schema, references }), value, where)
    assert.deepEqual(await sides().readByThem({ ...where, bytes: byUs.bytes }), value)
    const byThem = await sides().byThem({ ...where, schema, references, value })
    assert.deepEqual(partsOf(byThem), partsOf(byUs))
    assert.deepEqual(await sides().readByUs(serdes(), byThem, where), value)
    const wrong = { ...where, schema, references, value: { to: { lines: [] } } }
    await assert.rejects(sides().byThem(wrong))
    await assert.rejects(sides().byUs(serdes({ schema, references }), wrong.value, where), { code: 'INVALID_DATA' })
  })

  test('JSON Schema: schemas are named in headers by both, where they have GUIDs', async () => {
    if (!sides().world.traits.hasGuids) return
    const where = place('headers')
    const value = { a: 3, b: 'long enough' }
    const byUs = await sides().byUs(serdes({ schema: newer, idIn: 'header' }), value, where)
    assert.deepEqual(await sides().readByThem({ ...where, ...byUs }), value)
    const byThem = await sides().byThem({ ...where, schema: newer, value, idIn: 'header' })
    assert.deepEqual(byThem.headers, byUs.headers)
    assert.deepEqual(await sides().readByUs(serdes(), byThem, where), value)
  })
}
