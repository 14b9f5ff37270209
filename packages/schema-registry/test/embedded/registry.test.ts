import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { EmbeddedSchemaRegistry, type RegistryLog } from '@ottla/schema-registry/embedded'
import { SchemaRegistry, type CompatibilityLevel } from '../../src/index.ts'

async function started(t: TestContext, log?: RegistryLog) {
  const embedded = await EmbeddedSchemaRegistry.start(log === undefined ? {} : { log })
  t.after(() => embedded.close())
  return { url: embedded.url, registry: new SchemaRegistry({ url: embedded.url }) }
}

/** A record whose fields have defaults if their name ends in `?`. */
function record(...names: string[]): object {
  const fields = names.map(name =>
    name.endsWith('?') ? { name: name.slice(0, -1), type: 'int', default: 0 } : { name, type: 'int' },
  )
  return { type: 'record', name: 'R', fields }
}

test('a schema has one id in all subjects, and a version in each', async t => {
  const { registry } = await started(t)
  assert.equal(await registry.register('a', record('x')), 1)
  assert.equal(await registry.register('b', record('x')), 1)
  assert.equal(await registry.register('a', record('x', 'y?')), 2)
  assert.deepEqual(await registry.subjects(), ['a', 'b'])
  assert.deepEqual(await registry.versions('a'), [1, 2])
  assert.deepEqual(await registry.versionsOf(1), [
    { subject: 'a', version: 1 },
    { subject: 'b', version: 1 },
  ])
  const latest = await registry.getLatest('a')
  assert.deepEqual([latest.id, latest.version, latest.type, latest.subject], [2, 2, 'AVRO', 'a'])
  assert.equal(
    latest.schema,
    JSON.stringify({
      type: 'record',
      name: 'R',
      fields: [
        { name: 'x', type: 'int' },
        { name: 'y', type: 'int', default: 0 },
      ],
    }),
  )
  assert.equal((await registry.getByGuid(latest.guid ?? '')).schema, latest.schema)
  assert.equal((await registry.getById(2)).guid, latest.guid)
  assert.equal((await registry.schemas({ latestOnly: true })).length, 2)
  assert.deepEqual(await registry.types(), ['JSON', 'PROTOBUF', 'AVRO'])
})

test('schemas that differ in form only are the same', async t => {
  const { registry } = await started(t)
  await registry.register(
    'a',
    '{ "fields": [ {"type": {"type": "int"}, "name": "x"} ], "name": "R", "type": "record" }',
  )
  assert.equal((await registry.lookup('a', record('x'))).version, 1)
  await assert.rejects(registry.lookup('a', record('y')), { code: 'NOT_FOUND', errorCode: 40403 })
  await assert.rejects(registry.lookup('b', record('y')), { code: 'NOT_FOUND', errorCode: 40401 })
})

/** Which of four changes each level allows: adding a field with and without a default, removing one with and without. */
const allowed: Readonly<Record<CompatibilityLevel, readonly boolean[]>> = {
  NONE: [true, true, true, true],
  BACKWARD: [true, false, true, true],
  BACKWARD_TRANSITIVE: [true, false, true, true],
  FORWARD: [true, true, true, false],
  FORWARD_TRANSITIVE: [true, true, true, false],
  FULL: [true, false, true, false],
  FULL_TRANSITIVE: [true, false, true, false],
}

test('each level allows what it should', async t => {
  const { registry } = await started(t)
  const changes = [record('x', 'y?', 'z?'), record('x', 'y?', 'z'), record('x'), record('y?')]
  for (const [level, expected] of Object.entries(allowed) as [CompatibilityLevel, boolean[]][]) {
    await registry.setConfig(level, level)
    await registry.register(level, record('x', 'y?'))
    for (const [i, change] of changes.entries()) {
      const { isCompatible, messages } = await registry.checkCompatibility(level, change)
      assert.equal(isCompatible, expected[i], `${level} ${i}`)
      assert.equal(messages.length > 0, !isCompatible)
      assert.equal((await registry.checkCompatibility(level, change, { version: 1 })).isCompatible, expected[i])
    }
  }
  await assert.rejects(registry.register('FULL', record('z')), {
    code: 'INCOMPATIBLE',
    status: 409,
    message: /READER_FIELD_MISSING_DEFAULT_VALUE.*The field 'z' at path '\/fields\/0' in the new schema/,
  })
})

test('only transitive levels look at all versions', async t => {
  const { registry } = await started(t)
  for (const [level, isCompatible] of [
    ['BACKWARD', true],
    ['BACKWARD_TRANSITIVE', false],
  ] as const) {
    await registry.setConfig('NONE', level)
    for (const version of [record(), record('x')]) await registry.register(level, version)
    await registry.setConfig(level, level)
    assert.equal((await registry.checkCompatibility(level, record('x', 'y?'))).isCompatible, isCompatible)
  }
})

test('what was deleted is hidden, can be read by its id, and goes for good in a second step', async t => {
  const { registry } = await started(t)
  const id = await registry.register('a', record('x'))
  await registry.register('a', record('x', 'y?'))
  await assert.rejects(registry.deleteVersion('a', 1, { permanent: true }), { errorCode: 40407 })
  assert.equal(await registry.deleteVersion('a', 1), 1)
  await assert.rejects(registry.deleteVersion('a', 1), { errorCode: 40406 })
  await assert.rejects(registry.getVersion('a', 1), { errorCode: 40402 })
  assert.equal((await registry.getVersion('a', 1, { deleted: true })).id, id)
  assert.deepEqual([await registry.versions('a'), await registry.versions('a', { deleted: true })], [[2], [1, 2]])
  assert.equal((await registry.getById(id)).id, id)
  assert.equal(await registry.deleteVersion('a', 1, { permanent: true }), 1)
  await assert.rejects(registry.deleteSubject('a', { permanent: true }), { errorCode: 40405 })
  assert.deepEqual(await registry.deleteSubject('a'), [2])
  await assert.rejects(registry.deleteSubject('a'), { errorCode: 40404 })
  assert.deepEqual([await registry.subjects(), await registry.subjects({ deleted: true })], [[], ['a']])
  assert.deepEqual(await registry.deleteSubject('a', { permanent: true }), [2])
  await assert.rejects(registry.deleteSubject('a'), { errorCode: 40401 })
  assert.equal(await registry.register('a', record('x')), id)
  assert.deepEqual(await registry.versions('a'), [1])
})

test('referenced schemas are part of a schema, and stay while it is there', async t => {
  const { registry } = await started(t)
  const address = { type: 'record', name: 'Address', namespace: 'shop', fields: [{ name: 'city', type: 'string' }] }
  const parcel = { type: 'record', name: 'Parcel', namespace: 'shop', fields: [{ name: 'to', type: 'Address' }] }
  const references = [{ name: 'shop.Address', subject: 'address', version: 1 }]
  await assert.rejects(registry.register('parcel', parcel), { code: 'INVALID_SCHEMA', errorCode: 42201 })
  await assert.rejects(registry.register('parcel', parcel, { references }), {
    message: /No schema reference found for subject "address" and version 1/,
  })
  await registry.register('address', address)
  const id = await registry.register('parcel', parcel, { references })
  assert.deepEqual((await registry.getById(id)).references, references)
  assert.deepEqual(await registry.referencedBy('address', 1), [id])
  await assert.rejects(registry.deleteVersion('address', 1), { errorCode: 42206 })
  const serdes = registry.avro({ schema: parcel, references })
  const context = { topic: 'parcel', field: 'value', headers: [] } as const
  const bytes = await serdes.serialize({ to: { city: 'Vaasa' } }, { ...context, headers: [] })
  assert.deepEqual(await registry.avro().deserialize(bytes, { ...context, headers: [] }), { to: { city: 'Vaasa' } })
})

test('configurations and modes are those of a subject, or of the registry', async t => {
  const { registry } = await started(t)
  assert.equal((await registry.getConfig()).compatibility, 'BACKWARD')
  await registry.setConfig('FULL')
  assert.equal((await registry.getConfig('a')).compatibility, 'FULL')
  await registry.setConfig({ compatibility: 'NONE', normalize: true }, 'a')
  assert.deepEqual(await registry.getConfig('a'), { compatibility: 'NONE', normalize: true })
  await registry.deleteConfig('a')
  assert.equal((await registry.getConfig('a')).compatibility, 'FULL')
  await assert.rejects(registry.setConfig('SOME' as never), { errorCode: 42203 })
  assert.equal(await registry.getMode(), 'READWRITE')
  await registry.setMode('READONLY', 'a')
  await assert.rejects(registry.register('a', record('x')), {
    errorCode: 42205,
    message: /Subject a is in read-only mode/,
  })
  await registry.deleteMode('a')
  await registry.register('a', record('x'))
  await assert.rejects(registry.setMode('IMPORT'), { errorCode: 42205 })
  await assert.rejects(registry.setMode('ANY' as never), { errorCode: 42204 })
})

test('contexts have ids of their own', async t => {
  const { registry, url } = await started(t)
  await registry.register('a', record('x'))
  assert.equal(await registry.register(':.other:a', record('y')), 1)
  assert.deepEqual(await registry.contexts(), ['.', '.other'])
  assert.match((await registry.getById(1, { subject: ':.other:' })).schema, /"y"/)
  assert.match((await registry.getById(1)).schema, /"x"/)
  assert.deepEqual(await registry.subjects(), [':.other:a', 'a'])
  assert.deepEqual(await registry.subjects({ prefix: ':.other:' }), [':.other:a'])
  // The context may also be a part of the address.
  const other = new SchemaRegistry({ url: `${url}/contexts/.other` })
  assert.match((await other.getById(1)).schema, /"y"/)
  assert.match((await other.getLatest('a')).schema, /"y"/)
  assert.deepEqual(await other.subjects(), [':.other:a'])
  await other.setConfig('NONE', 'a')
  await other.setConfig('FULL')
  assert.deepEqual(
    await Promise.all(
      [':.other:a', ':.other:', 'a'].map(async subject => (await registry.getConfig(subject)).compatibility),
    ),
    ['NONE', 'FULL', 'BACKWARD'],
  )
  assert.equal((await other.checkCompatibility('a', record('z'))).isCompatible, true)
  const named = registry.avro<{ y: number }>({ schema: record('y'), subject: ({ topic }) => `:.other:${topic}` })
  const context = { topic: 'a', field: 'value', headers: [] } as const
  const bytes = await named.serialize({ y: 5 }, { ...context, headers: [] })
  assert.equal(bytes.readUInt32BE(1), 1)
  assert.deepEqual(await named.deserialize(bytes, { ...context, headers: [] }), { y: 5 })
})

test('metadata finds a version', async t => {
  const { registry } = await started(t)
  await registry.register('a', record('x'), { metadata: { properties: { app: '1' } } })
  await registry.register('a', record('x', 'y?'), { metadata: { properties: { app: '2' } } })
  assert.equal((await registry.getLatestWithMetadata('a', { app: '1' })).version, 1)
  await assert.rejects(registry.getLatestWithMetadata('a', { app: '3' }), { errorCode: 40403 })
})

test('metadata is inherited from the version before, where a schema comes without', async t => {
  const { registry } = await started(t)
  const metadata = { properties: { owner: 'shop' } }
  const id = await registry.register('a', record('x'), { metadata })
  // As a serializer has it, which knows nothing of the metadata.
  assert.equal(await registry.register('a', record('x')), id)
  assert.equal((await registry.lookup('a', record('x'))).version, 1)
  const next = await registry.registerSchema('a', record('x', 'y?'))
  assert.deepEqual([next.version, next.metadata], [2, metadata])
  await registry.register('a', record('x', 'z?'), { metadata: { properties: {} } })
  assert.deepEqual((await registry.getLatest('a')).metadata, { properties: {} })
  await assert.rejects(registry.lookup('a', record('x', 'w?')), { code: 'NOT_FOUND' })
  assert.equal((await registry.registerSchema('b', record('x'))).metadata, null)
})

test('metadata that names the version names that of its own', async t => {
  const { registry } = await started(t)
  await registry.register('a', record('x'), { metadata: { properties: { 'confluent:version': '0', owner: 'shop' } } })
  const next = await registry.registerSchema('a', record('x', 'y?'))
  assert.deepEqual(next.metadata, { properties: { 'confluent:version': '2', owner: 'shop' } })
  assert.equal((await registry.getVersion('a', 1)).metadata?.properties?.['confluent:version'], '1')
})

test('a schema that is registered again takes the place of its deleted version', async t => {
  const { registry } = await started(t)
  const id = await registry.register('a', record('x'))
  await registry.register('a', record('x', 'y?'))
  await registry.deleteVersion('a', 1)
  assert.equal(await registry.register('a', record('x')), id)
  assert.deepEqual(await registry.versions('a', { deleted: true }), [2, 3])
  // One that is referred to stays, even by what is deleted itself: that can be registered again.
  await registry.register('b', 'syntax = "proto3"; message B { }', { type: 'PROTOBUF' })
  const references = [{ name: 'b.proto', subject: 'b', version: 1 }]
  const text = 'syntax = "proto3"; import "b.proto"; message C { B b = 1; }'
  await registry.register('c', text, { type: 'PROTOBUF', references })
  await registry.deleteSubject('c')
  await registry.deleteSubject('b')
  await registry.register('b', 'syntax = "proto3"; message B { }', { type: 'PROTOBUF' })
  assert.deepEqual(await registry.versions('b', { deleted: true }), [1, 2])
  await assert.rejects(registry.deleteVersion('b', 1, { permanent: true }), { errorCode: 42206 })
})

test('versions of a subject that refer to each other go together', async t => {
  const { registry } = await started(t)
  await registry.setConfig('NONE')
  await registry.register('a', record('x'))
  const using = { type: 'record', name: 'Using', fields: [{ name: 'r', type: 'R' }] }
  await registry.register('a', using, { references: [{ name: 'R', subject: 'a', version: 1 }] })
  await assert.rejects(registry.deleteVersion('a', 1), { errorCode: 42206 })
  assert.deepEqual(await registry.deleteSubject('a'), [1, 2])
  assert.deepEqual(await registry.deleteSubject('a', { permanent: true }), [1, 2])
})

test('another registry on the same log knows everything', async t => {
  const records: { key: string; value: string | null }[] = []
  const log: RegistryLog = { read: () => records, append: (key, value) => records.push({ key, value }) }
  const first = (await started(t, log)).registry
  await first.register('a', record('x'))
  await first.register('a', record('x', 'y?'))
  await first.deleteVersion('a', 1)
  await first.setConfig('FULL', 'a')
  assert.deepEqual(
    records.slice(0, 1).map(({ key, value }) => [JSON.parse(key), JSON.parse(value ?? '')] as unknown),
    [
      [
        { keytype: 'SCHEMA', subject: 'a', version: 1, magic: 1 },
        { subject: 'a', version: 1, id: 1, schema: JSON.stringify(record('x')), deleted: false },
      ],
    ],
  )
  const second = (await started(t, log)).registry
  assert.deepEqual([await second.versions('a'), await second.versions('a', { deleted: true })], [[2], [1, 2]])
  assert.equal((await second.getConfig('a')).compatibility, 'FULL')
  assert.equal(await second.register('b', record('z')), 3)
})

test('wrong requests are refused', async t => {
  const { url, registry } = await started(t)
  const status = async (path: string, init: RequestInit = {}): Promise<number> =>
    (await fetch(`${url}${path}`, init)).status
  assert.equal(await status('/nothing'), 404)
  assert.equal(await status('/subjects', { method: 'PUT' }), 405)
  assert.equal(await status('/subjects/a/versions', { method: 'POST', body: '{' }), 400)
  assert.equal(await status('/subjects/a/versions', { method: 'POST', body: '{}' }), 422)
  assert.equal(await status('/subjects/a/versions/x'), 422)
  assert.equal(await status('/subjects/%E0%A4%A'), 400)
  await assert.rejects(registry.register('a', '{"type": "none"}'), { code: 'INVALID_SCHEMA' })
})
