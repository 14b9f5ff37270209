/** Protobuf and JSON Schema in a registry: registering, finding, deleting, references, forms, levels, contexts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SchemaReference } from '@ottla/schema-registry'
import { fresh } from '../world.ts'
import { clientOf, record, type RegistryWorld } from './world.ts'

interface Sample {
  readonly type: 'PROTOBUF' | 'JSON'
  /** A schema with a name, and fields of which each of the next versions has one more. */
  schema(name: string, fields: number): string
  /** What it says, whatever the spaces are. */
  said(text: string): unknown
  /** The same with other spaces. */
  spaced(text: string): string
  /** Two that say the same in another order. */
  readonly forms: readonly [string, string]
  readonly wrong: readonly string[]
  /** One that can be referred to, by this name, and one that refers to it. */
  readonly referred: { readonly name: string; readonly text: string }
  readonly referring: string
  /** Three versions: the second reads the first, the third reads the second but not the first. */
  readonly chain: readonly [string, string, string]
}

const draft = '"$schema":"http://json-schema.org/draft-07/schema#"'

const samples: readonly Sample[] = [
  {
    type: 'PROTOBUF',
    schema: (name, fields) => {
      const lines = Array.from({ length: fields }, (_, i) => `  string f${i} = ${i + 1};`)
      return `syntax = "proto3";\n\nmessage ${name} {\n${lines.join('\n')}\n}\n`
    },
    said: text => text.replace(/\s+/g, ' ').trim(),
    spaced: text => `// a remark\n${text.replace(/\n/g, '\n\n').replace(/ = /g, '=')}`,
    forms: [
      'syntax = "proto3"; package a; import "google/protobuf/any.proto"; import "google/protobuf/timestamp.proto"; option java_package = "b"; option java_multiple_files = true; message M { .a.M m = 1; string s = 2; }',
      'syntax = "proto3"; package a; import "google/protobuf/timestamp.proto"; import "google/protobuf/any.proto"; option java_multiple_files = true; option java_package = "b"; message M { string s = 2; M m = 1; }',
    ],
    wrong: ['message M {', 'nothing'],
    referred: {
      name: 'shop/address.proto',
      text: 'syntax = "proto3"; package shop; message Address { string city = 1; }',
    },
    referring:
      'syntax = "proto3"; package shop; import "shop/address.proto"; message Parcel { Address to = 1; shop.Address from = 2; }',
    chain: [
      'syntax = "proto3"; message M { string a = 1; }',
      'syntax = "proto3"; message M { }',
      'syntax = "proto3"; message M { int32 a = 1; }',
    ],
  },
  {
    type: 'JSON',
    schema: (name, fields) => {
      const names = Array.from({ length: fields }, (_, i) => [`f${i}`, { type: 'string' }])
      return JSON.stringify({
        ...{ $schema: 'http://json-schema.org/draft-07/schema#', title: name, type: 'object' },
        ...{ properties: Object.fromEntries(names) as object, additionalProperties: false },
      })
    },
    said: text => JSON.parse(text) as unknown,
    spaced: text => JSON.stringify(JSON.parse(text), null, 2),
    forms: [
      '{"type":"object","title":"x","properties":{"a":{"type":"string","maxLength":5},"b":{}}}',
      '{"properties":{"b":{},"a":{"maxLength":5,"type":"string"}},"title":"x","type":"object"}',
    ],
    wrong: ['nothing', '{"type":"text"}', '5'],
    referred: { name: 'address.json', text: '{"type":"object","properties":{"city":{"type":"string"}}}' },
    referring: '{"type":"object","properties":{"to":{"$ref":"address.json"}}}',
    chain: [
      `{${draft},"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`,
      `{${draft},"type":"object","properties":{},"additionalProperties":false}`,
      `{${draft},"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false}`,
    ],
  },
]

export function formatScenarios(world: () => RegistryWorld): void {
  for (const sample of samples) scenariosOf(sample, world)

  test('a subject does not change its format, where levels are looked at', async () => {
    const registry = clientOf(world())
    const subject = fresh('mixed')
    await registry.register(subject, record('R', 'x'))
    await registry.setConfig('BACKWARD', subject)
    const text = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', title: 'R' }
    const code = world().traits.judgesAsConfluent ? 'INCOMPATIBLE' : 'UNAVAILABLE'
    // What is answered with a status of 500 is asked again.
    const hasty = clientOf(world(), { timeoutMs: 2000 })
    await assert.rejects(hasty.register(subject, text, { type: 'JSON' }), { code })
  })
}

function scenariosOf({ type, ...sample }: Sample, world: () => RegistryWorld): void {
  const options = { type }

  test(`${type}: a schema has one id in all subjects, and is found by id, version and text`, async () => {
    const registry = clientOf(world())
    const [a, b] = [fresh('a'), fresh('b')]
    const name = fresh('R').replaceAll('-', '')
    const texts = [sample.schema(name, 1), sample.schema(name, 2)]
    const ids: number[] = []
    for (const text of texts) ids.push(await registry.register(a, text, options))
    assert.equal(await registry.register(b, texts[0] ?? '', options), ids[0])
    assert.equal(await clientOf(world()).register(a, texts[0] ?? '', options), ids[0])
    assert.deepEqual([await registry.versions(a), await registry.versions(b)], [[1, 2], [1]])
    assert.deepEqual(await registry.versionsOf(ids[0] ?? 0), [
      { subject: a, version: 1 },
      { subject: b, version: 1 },
    ])
    for (const [i, text] of texts.entries()) {
      const id = ids[i] ?? 0
      const byId = await registry.getById(id)
      assert.deepEqual([byId.id, byId.type, byId.references], [id, type, []])
      assert.deepEqual(sample.said(byId.schema), sample.said(text))
      const byVersion = await registry.getVersion(a, i + 1)
      assert.deepEqual([byVersion.id, byVersion.version, byVersion.type], [id, i + 1, type])
      assert.deepEqual(sample.said(byVersion.schema), sample.said(text))
      const byText = await registry.lookup(a, text, options)
      assert.deepEqual([byText.id, byText.version, byText.subject, byText.type], [id, i + 1, a, type])
    }
    assert.equal((await registry.getLatest(a)).version, 2)
    const missing = registry.lookup(a, sample.schema('Other', 1), options)
    await assert.rejects(missing, { code: 'NOT_FOUND', errorCode: 40403 })
  })

  test(`${type}: what is no schema is refused`, async () => {
    const registry = clientOf(world())
    for (const wrong of sample.wrong) {
      const refused = { code: 'INVALID_SCHEMA', status: 422, errorCode: 42201 }
      await assert.rejects(registry.register(fresh('bad'), wrong, options), refused, wrong)
    }
  })

  test(`${type}: schemas that differ in spaces are the same, where form is compared`, async () => {
    const registry = clientOf(world())
    const subject = fresh('spaces')
    const text = sample.schema('M', 2)
    const id = await registry.register(subject, text, options)
    const isSame = (await registry.register(subject, sample.spaced(text), options)) === id
    assert.equal(isSame, world().traits.comparesForm)
  })

  test(`${type}: schemas that differ in order are the same when they are normalized`, async () => {
    const registry = clientOf(world())
    const subject = fresh('order')
    const [one, other] = sample.forms
    const id = await registry.register(subject, one, options)
    const normalized = { ...options, normalize: true }
    await assert.rejects(registry.lookup(subject, other, options), { code: 'NOT_FOUND' })
    if (type === 'PROTOBUF' && !world().traits.normalizesProtobuf) {
      await assert.rejects(registry.lookup(subject, other, normalized), { code: 'NOT_FOUND' })
      return
    }
    assert.equal((await registry.lookup(subject, other, normalized)).id, id)
    assert.equal(await registry.register(subject, other, normalized), id)
  })

  test(`${type}: a version that was deleted is hidden, is still read by its id, and goes for good in a second step`, async () => {
    const registry = clientOf(world())
    const subject = fresh('deleted')
    const id = await registry.register(subject, sample.schema('M', 1), options)
    await registry.register(subject, sample.schema('M', 2), options)
    assert.equal(await registry.deleteVersion(subject, 1), 1)
    assert.deepEqual(await registry.versions(subject), [2])
    assert.deepEqual(await registry.versions(subject, { deleted: true }), [1, 2])
    assert.equal((await registry.getVersion(subject, 1, { deleted: true })).id, id)
    assert.equal((await clientOf(world()).getById(id)).type, type)
    await assert.rejects(registry.lookup(subject, sample.schema('M', 1), options), { code: 'NOT_FOUND' })
    const found = await registry.lookup(subject, sample.schema('M', 1), { ...options, deleted: true })
    assert.deepEqual([found.id, found.version], [id, 1])
    assert.equal(await registry.deleteVersion(subject, 1, { permanent: true }), 1)
    assert.deepEqual(await registry.versions(subject, { deleted: true }), [2])
    assert.deepEqual(await registry.deleteSubject(subject), [2])
    assert.ok(!(await registry.subjects()).includes(subject))
  })

  test(`${type}: referenced schemas are part of a schema, and stay while it is there`, async () => {
    const registry = clientOf(world())
    const [address, parcel] = [fresh('address'), fresh('parcel')]
    const { name, text } = sample.referred
    const references: SchemaReference[] = [{ name, subject: address, version: 1 }]
    const refused = { code: 'INVALID_SCHEMA', errorCode: 42201 }
    if (world().traits.checksReferences) {
      await assert.rejects(registry.register(parcel, sample.referring, options), refused)
      await assert.rejects(registry.register(parcel, sample.referring, { ...options, references }), refused)
    }
    await registry.register(address, text, options)
    const id = await registry.register(parcel, sample.referring, { ...options, references })
    assert.deepEqual((await clientOf(world()).getById(id)).references, references)
    assert.deepEqual((await registry.getVersion(parcel, 1)).references, references)
    const found = await clientOf(world()).lookup(parcel, sample.referring, { ...options, references })
    assert.deepEqual([found.id, found.references], [id, references])
    assert.deepEqual(await registry.referencedBy(address, 1), [id])
    await assert.rejects(registry.deleteVersion(address, 1), { errorCode: 42206 })
    await assert.rejects(registry.deleteSubject(address), { errorCode: 42206 })
    await registry.deleteSubject(parcel)
    await registry.deleteSubject(parcel, { permanent: true })
    assert.deepEqual(await registry.deleteSubject(address), [1])
  })

  test(`${type}: BACKWARD compares with the last version, BACKWARD_TRANSITIVE with all`, async () => {
    const registry = clientOf(world())
    const subject = fresh('transitive')
    const [first, second, third] = sample.chain
    for (const text of [first, second]) await registry.register(subject, text, options)
    await registry.setConfig('BACKWARD_TRANSITIVE', subject)
    await assert.rejects(registry.register(subject, third, options), { code: 'INCOMPATIBLE' })
    await registry.setConfig('BACKWARD', subject)
    await registry.register(subject, third, options)
    assert.deepEqual(await registry.versions(subject), [1, 2, 3])
  })

  test(`${type}: a subject can be in a context`, async () => {
    const registry = clientOf(world())
    const [context, name] = [`.${fresh('c')}`, fresh('s')]
    const subject = `:${context}:${name}`
    await registry.register(name, sample.schema('M', 1), options)
    const id = await registry.register(subject, sample.schema('M', 2), options)
    assert.deepEqual([await registry.versions(name), await registry.versions(subject)], [[1], [1]])
    const found = await registry.getById(id, { subject })
    assert.deepEqual([found.type, sample.said(found.schema)], [type, sample.said(sample.schema('M', 2))])
  })
}
