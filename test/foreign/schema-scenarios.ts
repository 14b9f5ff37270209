/** Avro with a registry between our serdes and those of somebody else, both ways, value by value. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SchemaRegistry, type AvroOptions, type RegistrySerdesContext } from '@ottla/schema-registry'
import { fresh } from '../behaviour/world.ts'
import { record, values } from './avro-values.ts'
import type { Order, Peer } from './peer.ts'

export interface SchemaWorld {
  readonly url: string
  readonly peer: Peer
  /** Whether schemas have GUIDs. */
  readonly hasGuids: boolean
  close(): Promise<void>
}

interface Written {
  readonly bytes: string | null
  readonly headers: readonly (readonly [key: string, value: string])[]
}

type Where = Omit<Order, 'do'> & { readonly topic: string; readonly field?: 'key' | 'value' }

export function schemaScenarios(start: () => Promise<SchemaWorld>): void {
  let world: SchemaWorld

  before(async () => {
    world = await start()
  })
  after(() => world.close())

  /** A client of its own knows nothing that another one has learned. */
  function registry(): SchemaRegistry {
    return new SchemaRegistry({ url: world.url, requestTimeoutMs: 60_000, timeoutMs: 120_000 })
  }

  async function theirs(where: Where): Promise<Written> {
    return (await world.peer.ask({ do: 'serialize', ...where })) as Written
  }

  async function readByThem(where: Where): Promise<unknown> {
    return world.peer.ask({ do: 'deserialize', ...where })
  }

  function contextOf({ topic, field = 'value' }: Where, headers: Written['headers'] = []): RegistrySerdesContext {
    return { topic, field, headers: headers.map(([key, value]) => ({ key, value: Buffer.from(value, 'hex') })) }
  }

  async function ours(schema: object, value: unknown, where: Where, options: AvroOptions = {}): Promise<Written> {
    const context = contextOf(where)
    const serdes = registry().avro({ ...options, schema })
    const bytes = await serdes.serialize(value, context)
    const headers = context.headers.map(({ key, value }): [string, string] => [key, value?.toString('hex') ?? ''])
    return { bytes: bytes.toString('hex'), headers }
  }

  async function readByUs(written: Written, where: Where, options: AvroOptions = {}): Promise<unknown> {
    const bytes = Buffer.from(written.bytes ?? '', 'hex')
    return registry().avro(options).deserialize(bytes, contextOf(where, written.headers))
  }

  for (const { name, schema, value, options = {}, said, hasManyForms = false } of values) {
    test(`${name}: written by one, read by the other${hasManyForms ? '' : ', the same bytes by both'}`, async () => {
      const where = { topic: fresh('interop') }
      const byUs = await ours(schema, value, where, options)
      assert.deepEqual(await readByThem({ ...where, bytes: byUs.bytes }), said)
      const byThem = await theirs({ ...where, schema, value: said })
      if (!hasManyForms) assert.equal(byThem.bytes, byUs.bytes)
      assert.deepEqual(await readByUs(byThem, where, options), value)
    })
  }

  for (const subject of ['topic', 'record', 'topic-record'] as const) {
    test(`subjects named by ${subject} are the same`, async () => {
      const where = { topic: fresh('named'), field: 'key' } as const
      const schema = { ...record('Named', { x: 'int' }), namespace: fresh('n').replaceAll('-', '_') }
      const byThem = await theirs({ ...where, subject, schema, value: { x: 1 } })
      const known = await ours(schema, { x: 1 }, where, { subject, autoRegister: false })
      assert.equal(known.bytes, byThem.bytes)
    })
  }

  test('tombstones stay tombstones', async () => {
    const where = { topic: fresh('tombstones') }
    const byThem = await theirs({ ...where, schema: record('R', { x: 'int' }), value: null })
    assert.equal(byThem.bytes, null)
    assert.equal(await readByThem({ ...where, bytes: null }), null)
  })

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

  test('older messages are read with newer schemas (backwards)', async () => {
    const where = { topic: fresh('backwards') }
    const byThem = await theirs({ ...where, schema: old, value: { a: 1 } })
    assert.deepEqual(await readByUs(byThem, where, { readerSchema: newer }), { a: 1, b: 'none', c: null })
    const byUs = await ours(old, { a: 2 }, where)
    const read = await readByThem({ ...where, bytes: byUs.bytes, schema: newer })
    assert.deepEqual(read, { a: 2, b: 'none', c: null })
  })

  test('newer messages are read with older schemas (forwards)', async () => {
    const where = { topic: fresh('forwards') }
    const value = { a: 1, b: 'x', c: 5 }
    const byThem = await theirs({ ...where, schema: newer, value })
    assert.deepEqual(await readByUs(byThem, where, { readerSchema: old }), { a: 1 })
    const byUs = await ours(newer, value, where)
    assert.deepEqual(await readByThem({ ...where, bytes: byUs.bytes, schema: old }), { a: 1 })
  })

  test('referenced schemas are found by both', async () => {
    const subject = fresh('money')
    const where = { topic: fresh('priced') }
    const money = { ...record('Money', { amount: 'long', currency: 'string' }), namespace: 'bank' }
    await registry().register(subject, money)
    const references = [{ name: 'bank.Money', subject, version: 1 }]
    const schema = record('Priced', { price: 'bank.Money', deposit: ['null', 'bank.Money'] })
    const value = { price: { amount: 1250, currency: 'SEK' }, deposit: null }
    const byUs = await ours(schema, value, where, { references })
    assert.deepEqual(await readByThem({ ...where, bytes: byUs.bytes }), value)
    const byThem = await theirs({ ...where, schema, references, value })
    assert.equal(byThem.bytes, byUs.bytes)
    assert.deepEqual(await readByUs(byThem, where), value)
  })

  test('schemas are named in headers by both, where they have GUIDs', async () => {
    if (!world.hasGuids) return
    const where = { topic: fresh('headers') }
    // Python's deserializer takes nothing of less than six bytes.
    const value = { a: 3, b: 'long enough', c: null }
    const byUs = await ours(newer, value, where, { idIn: 'header' })
    assert.deepEqual(await readByThem({ ...where, ...byUs }), value)
    const byThem = await theirs({ ...where, schema: newer, value, idIn: 'header' })
    assert.deepEqual(byThem, byUs)
    assert.deepEqual(await readByUs(byThem, where), value)
  })
}
