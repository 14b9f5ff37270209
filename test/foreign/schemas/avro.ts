/** Avro between our serdes and those of somebody else, both ways, value by value. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AvroOptions } from '@ottla/schema-registry'
import { fresh } from '../../behaviour/world.ts'
import { record, values } from './avro-values.ts'
import type { MakeSerdes, Sides, Where } from './world.ts'

const format = 'AVRO'

function serdes(options: AvroOptions & { readonly schema?: object } = {}): MakeSerdes {
  return registry => registry.avro<never>(options)
}

const old = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] }
const newer = {
  type: 'record',
  name: 'R',
  fields: [
    { name: 'a', type: 'int' },
    { name: 'b', type: 'string', default: 'none' },
    { name: 'c', type: ['null', 'long'], default: null },
  ],
}

export function avroScenarios(sides: () => Sides): void {
  const place = (name: string, more: Partial<Where> = {}): Where => ({ ...more, topic: fresh(name), format })

  for (const { name, schema, value, options = {}, said: plain, wrapped = plain, hasManyForms = false } of values) {
    test(`Avro: ${name}: written by one, read by the other${hasManyForms ? '' : ', the same bytes by both'}`, async () => {
      const where = place('interop')
      const said = sides().world.traits.wrapsRecords ? wrapped : plain
      const byUs = await sides().byUs(serdes({ ...options, schema }), value, where)
      assert.deepEqual(await sides().readByThem({ ...where, bytes: byUs.bytes }), said)
      const byThem = await sides().byThem({ ...where, schema, value: said })
      if (!hasManyForms) assert.equal(byThem.bytes, byUs.bytes)
      assert.deepEqual(await sides().readByUs(serdes(options), byThem, where), value)
    })
  }

  for (const subject of ['topic', 'record', 'topic-record'] as const) {
    test(`Avro: subjects named by ${subject} are the same`, async () => {
      const where = place('named', { field: 'key' })
      const schema = { ...record('Named', { x: 'int' }), namespace: fresh('n').replaceAll('-', '_') }
      if (subject !== 'topic' && !sides().world.traits.namesRecords) {
        await assert.rejects(sides().byThem({ ...where, subject, schema, value: { x: 1 } }))
        return
      }
      const byThem = await sides().byThem({ ...where, subject, schema, value: { x: 1 } })
      const known = await sides().byUs(serdes({ schema, subject, autoRegister: false }), { x: 1 }, where)
      assert.equal(known.bytes, byThem.bytes)
    })
  }

  test('Avro: tombstones stay tombstones', async () => {
    const where = place('tombstones')
    const writing = sides().byThem({ ...where, schema: record('R', { x: 'int' }), value: null })
    if (!sides().world.traits.takesNull) return assert.rejects(writing)
    const byThem = await writing
    assert.equal(byThem.bytes, null)
    assert.equal(await sides().readByThem({ ...where, bytes: null }), null)
  })

  test('Avro: older messages are read with newer schemas (backwards)', async () => {
    const where = place('backwards')
    const byThem = await sides().byThem({ ...where, schema: old, value: { a: 1 } })
    const read = await sides().readByUs(serdes({ readerSchema: newer }), byThem, where)
    assert.deepEqual(read, { a: 1, b: 'none', c: null })
    const byUs = await sides().byUs(serdes({ schema: old }), { a: 2 }, where)
    const readByThem = await sides().readByThem({ ...where, bytes: byUs.bytes, schema: newer })
    assert.deepEqual(readByThem, { a: 2, b: 'none', c: null })
  })

  test('Avro: newer messages are read with older schemas (forwards)', async () => {
    const where = place('forwards')
    const value = { a: 1, b: 'x', c: 5 }
    const byThem = await sides().byThem({ ...where, schema: newer, value })
    assert.deepEqual(await sides().readByUs(serdes({ readerSchema: old }), byThem, where), { a: 1 })
    const byUs = await sides().byUs(serdes({ schema: newer }), value, where)
    assert.deepEqual(await sides().readByThem({ ...where, bytes: byUs.bytes, schema: old }), { a: 1 })
  })

  test('Avro: referenced schemas are found by both', async () => {
    const subject = fresh('money')
    const where = place('priced')
    const money = { ...record('Money', { amount: 'long', currency: 'string' }), namespace: 'bank' }
    await sides().registry().register(subject, money)
    const references = [{ name: 'bank.Money', subject, version: 1 }]
    const schema = record('Priced', { price: 'bank.Money', deposit: ['null', 'bank.Money'] })
    const value = { price: { amount: 1250, currency: 'SEK' }, deposit: null }
    const byUs = await sides().byUs(serdes({ schema, references }), value, where)
    assert.deepEqual(await sides().readByThem({ ...where, bytes: byUs.bytes }), value)
    const byThem = await sides().byThem({ ...where, schema, references, value })
    assert.equal(byThem.bytes, byUs.bytes)
    assert.deepEqual(await sides().readByUs(serdes(), byThem, where), value)
  })

  test('Avro: schemas are named in headers by both, where they have GUIDs', async () => {
    if (!sides().world.traits.hasGuids) return
    const where = place('headers')
    // Python's deserializer takes nothing of less than six bytes.
    const value = { a: 3, b: 'long enough', c: null }
    const byUs = await sides().byUs(serdes({ schema: newer, idIn: 'header' }), value, where)
    assert.deepEqual(await sides().readByThem({ ...where, ...byUs }), value)
    const byThem = await sides().byThem({ ...where, schema: newer, value, idIn: 'header' })
    assert.deepEqual(byThem, byUs)
    assert.deepEqual(await sides().readByUs(serdes(), byThem, where), value)
  })
}
