/** Protobuf between our serdes and those of somebody else, both ways, value by value. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { createFileRegistry, fromBinary, type DescMessage } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import type { ProtobufOptions } from '@ottla/schema-registry'
import { fresh } from '../../behaviour/world.ts'
import { decimalFile, importedTexts, importing, messages, versions } from './protobuf-values.ts'
import { protoc } from './protoc.ts'
import type { MakeSerdes, Sides, Where, Written } from './world.ts'

const format = 'PROTOBUF'

/** What generated code would have. */
export function descOf(files: string, message: string): DescMessage {
  const desc = createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(files, 'base64'))).getMessage(message)
  if (desc === undefined) throw new Error(`there is no message ${message}`)
  return desc
}

export function generated(desc: DescMessage, options: ProtobufOptions = {}): MakeSerdes {
  return registry => registry.protobuf(desc, { ...options, values: 'json' }) as never
}

/** Reads as it was written. */
export const dynamic: MakeSerdes = registry => registry.protobuf<never>({ values: 'json' })

/** What follows the id: the indexes of the message, and the message. */
export const tailOf = ({ bytes }: Written): string => (bytes ?? '').slice(10)

export function protobufScenarios(sides: () => Sides): void {
  const place = (name: string, more: Partial<Where> = {}): Where => ({ ...more, topic: fresh(name), format })
  let all: string
  let evolved: { readonly old: string; readonly newer: string }
  let imported: Readonly<Record<keyof typeof importing, string>>

  const readByThem = async (where: Where, { bytes }: Written, value: unknown, isDecimal: boolean): Promise<void> => {
    const reading = sides().readByThem({ ...where, bytes })
    if (isDecimal && !sides().world.traits.readsDecimals) return assert.rejects(reading)
    assert.deepEqual(await reading, value)
  }

  before(async () => {
    all = await protoc({ ...decimalFile, ...Object.fromEntries(messages.map(({ path, text }) => [path, text])) })
    const compiled = async ({ path, text }: (typeof versions)['old']): Promise<string> => protoc({ [path]: text })
    evolved = { old: await compiled(versions.old), newer: await compiled(versions.newer) }
    const ofFiles = async (name: keyof typeof importing): Promise<string> =>
      protoc(Object.fromEntries(importing[name].path.map(path => [path, importedTexts[path]])))
    imported = { Called: await ofFiles('Called'), Priced: await ofFiles('Priced') }
  })

  for (const { name, path, text, message = 'M', value, hasManyForms = false } of messages) {
    const full = `${path.replace('.proto', '')}.${message}`
    const isDecimal = text.includes('confluent.type.Decimal')

    test(`Protobuf: ${name}: written by one, read by the other${hasManyForms ? '' : ', the same bytes by both'}`, async () => {
      const where = place('interop', { files: all, message: full })
      const byUs = await sides().byUs(generated(descOf(all, full)), value, where)
      await readByThem(where, byUs, value, isDecimal)
      const byThem = await sides().byThem({ ...where, value })
      if (sides().world.traits.comparesForm) assert.equal(byThem.bytes?.slice(0, 10), byUs.bytes?.slice(0, 10))
      if (!hasManyForms) assert.equal(tailOf(byThem), tailOf(byUs))
      for (const make of [dynamic, generated(descOf(all, full))]) {
        assert.deepEqual(await sides().readByUs(make, byThem, where), value)
      }
    })

    test(`Protobuf: ${name}: by its text, without generated code`, async () => {
      const where = place('text', { files: all, message: full })
      const make: MakeSerdes = registry => registry.protobuf<never>({ schema: text, message: full, values: 'json' })
      const byUs = await sides().byUs(make, value, where)
      await readByThem(where, byUs, value, isDecimal)
    })
  }

  for (const subject of ['topic', 'record', 'topic-record'] as const) {
    test(`Protobuf: subjects named by ${subject} are the same`, async () => {
      const own = fresh('n').replaceAll('-', '_')
      const files = await protoc({
        [`${own}.proto`]: `syntax = "proto3"; package ${own}; message Named { int32 x = 1; }`,
      })
      const message = `${own}.Named`
      const where = place('named', { field: 'key', files, message, subject })
      const byThem = await sides().byThem({ ...where, value: { x: 1 } })
      const topic = where.topic
      const expected = { topic: `${topic}-key`, record: message, 'topic-record': `${topic}-${message}` }[subject]
      assert.ok((await sides().registry().subjects()).includes(expected))
      if (!sides().world.traits.comparesForm) return
      const known = await sides().byUs(
        generated(descOf(files, message), { subject, autoRegister: false }),
        { x: 1 },
        where,
      )
      assert.equal(known.bytes, byThem.bytes)
    })
  }

  test('Protobuf: tombstones stay tombstones', async () => {
    const where = place('tombstones', { files: evolved.old, message: 'evolving.M' })
    const writing = sides().byThem({ ...where, value: null })
    if (!sides().world.traits.takesNull) return assert.rejects(writing)
    const byThem = await writing
    assert.equal(byThem.bytes, null)
    assert.equal(await sides().readByThem({ ...where, bytes: null }), null)
  })

  test('Protobuf: older messages are read with newer code, and newer ones with older (evolution)', async () => {
    const [older, newer] = [
      { files: evolved.old, value: { a: 1, c: 'x' }, read: { a: 1, c: 'x' } },
      { files: evolved.newer, value: { a: 2, b: 'y', d: 5 }, read: { a: 2 } },
    ]
    for (const [writer, reader] of [
      [older, newer],
      [newer, older],
    ] as const) {
      const message = 'evolving.M'
      const where = place('evolution', { message })
      const byThem = await sides().byThem({ ...where, files: writer.files, value: writer.value })
      const desc = descOf(reader.files, message)
      assert.deepEqual(await sides().readByUs(generated(desc), byThem, where), writer.read)
      const byUs = await sides().byUs(generated(descOf(writer.files, message)), writer.value, where)
      const read = sides().world.traits.readsAsCode ? writer.read : writer.value
      assert.deepEqual(await sides().readByThem({ ...where, files: reader.files, bytes: byUs.bytes }), read)
    }
  })

  for (const [what, message, references] of [
    ['imported files', 'Called', ['bank/name.proto']],
    ['files that imported files import', 'Priced', ['bank/money.proto']],
  ] as const) {
    test(`Protobuf: ${what} are registered and found by both`, async () => {
      const { value, path } = importing[message]
      const files = imported[message]
      const where = place('importing', { files, message })
      const byUs = await sides().byUs(generated(descOf(files, message)), value, where)
      const reading = sides().readByThem({ ...where, bytes: byUs.bytes })
      if (path.length > 2 && !sides().world.traits.followsImports) await assert.rejects(reading)
      else assert.deepEqual(await reading, value)
      const byThem = await sides().byThem({ ...where, topic: fresh('importing'), value })
      assert.equal(tailOf(byThem), tailOf(byUs))
      assert.deepEqual(await sides().readByUs(dynamic, byThem, where), value)
      const latest = await sides().registry().getLatest(`${where.topic}-value`)
      assert.deepEqual(
        latest.references,
        references.map(name => ({ name, subject: name, version: 1 })),
      )
    })
  }

  test('Protobuf: schemas and messages are named in headers by both, where there are GUIDs', async () => {
    if (!sides().world.traits.hasGuids) return
    const message = 'inside.Outer.Inner.M'
    const where = place('headers', { files: all, message })
    const value = { b: 'long enough' }
    const byUs = await sides().byUs(generated(descOf(all, message), { idIn: 'header' }), value, where)
    assert.deepEqual(await sides().readByThem({ ...where, ...byUs }), value)
    const byThem = await sides().byThem({ ...where, value, idIn: 'header' })
    assert.deepEqual(byThem, byUs)
    assert.deepEqual(await sides().readByUs(dynamic, byThem, where), value)
  })
}
