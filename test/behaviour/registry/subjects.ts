/** Subjects and their versions: registering, finding, deleting, references. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fresh } from '../world.ts'
import { clientOf, record, type RegistryWorld } from './world.ts'

export function subjectScenarios(world: () => RegistryWorld): void {
  test('a schema has one id in all subjects, and a version in each', async () => {
    const registry = clientOf(world())
    const [a, b] = [fresh('a'), fresh('b')]
    const name = fresh('R').replaceAll('-', '')
    const first = await registry.registerSchema(a, record(name, 'x'))
    assert.deepEqual([first.subject, first.version, first.type], [a, 1, 'AVRO'])
    assert.deepEqual(JSON.parse(first.schema), record(name, 'x'))
    assert.equal(await registry.register(b, record(name, 'x')), first.id)
    const second = await registry.register(a, record(name, 'x', 'y?'))
    assert.ok(second > first.id)
    assert.equal(await clientOf(world()).register(a, record(name, 'x')), first.id)
    assert.deepEqual([await registry.versions(a), await registry.versions(b)], [[1, 2], [1]])
    assert.deepEqual(await registry.versionsOf(first.id), [
      { subject: a, version: 1 },
      { subject: b, version: 1 },
    ])
  })

  test('schemas are found by id, version and text', async () => {
    const registry = clientOf(world())
    const subject = fresh('found')
    const name = fresh('R').replaceAll('-', '')
    const schemas = [record(name, 'x'), record(name, 'x', 'y?')]
    const ids = [await registry.register(subject, schemas[0] ?? ''), await registry.register(subject, schemas[1] ?? '')]
    for (const [i, id] of ids.entries()) {
      const byId = await registry.getById(id)
      assert.deepEqual([byId.id, byId.type, byId.references], [id, 'AVRO', []])
      assert.deepEqual(JSON.parse(byId.schema), schemas[i])
      const byVersion = await registry.getVersion(subject, i + 1)
      assert.deepEqual([byVersion.id, byVersion.version, byVersion.subject], [id, i + 1, subject])
      const byText = await registry.lookup(subject, schemas[i] ?? '')
      assert.deepEqual([byText.id, byText.version, byText.subject], [id, i + 1, subject])
    }
    assert.equal((await registry.getLatest(subject)).version, 2)
    assert.equal((await registry.getVersion(subject, 'latest')).id, ids[1])
  })

  test('what is not there is named', async () => {
    const registry = clientOf(world())
    const [subject, nowhere] = [fresh('here'), fresh('nowhere')]
    await registry.register(subject, record('R', 'x'))
    const missing = (call: Promise<unknown>, errorCode: number): Promise<void> =>
      assert.rejects(call, { code: 'NOT_FOUND', status: 404, errorCode })
    await missing(registry.versions(nowhere), 40401)
    await missing(registry.getLatest(nowhere), 40401)
    await missing(registry.getVersion(nowhere, 1), 40401)
    await missing(registry.lookup(nowhere, record('R', 'x')), 40401)
    await missing(registry.deleteSubject(nowhere), 40401)
    await missing(registry.getVersion(subject, 7), 40402)
    await missing(registry.deleteVersion(subject, 7), 40402)
    await missing(registry.lookup(subject, record('Other', 'x')), 40403)
    await missing(registry.getById(987_654_321), 40403)
    const wrong = registry.getVersion(subject, 'x' as never)
    await assert.rejects(wrong, { errorCode: world().traits.checksVersions ? 42202 : 40402 })
  })

  test('what is no schema is refused', async () => {
    const registry = clientOf(world())
    const refused = { code: 'INVALID_SCHEMA', status: 422, errorCode: 42201 }
    for (const schema of [{ type: 'nothing' }, { type: 'record', name: 'R' }, '{"type": "record",']) {
      await assert.rejects(registry.register(fresh('bad'), schema), refused)
    }
    await assert.rejects(registry.register(fresh('bad'), 'text', { type: 'XML' as never }), refused)
  })

  test('schemas that differ in form only are the same, where form is compared', async () => {
    const registry = clientOf(world())
    const subject = fresh('form')
    const id = await registry.register(subject, record('R', 'x'))
    const other = '{ "fields": [ {"type": {"type": "int"}, "name": "x"} ], "name": "R", "type": "record" }'
    const isSame = (await registry.register(subject, other)) === id
    assert.equal(isSame, world().traits.comparesForm)
  })

  test('subjects are listed, by their beginning', async () => {
    const registry = clientOf(world())
    const prefix = fresh('listed')
    for (const end of ['b', 'a']) await registry.register(`${prefix}-${end}`, record('R', 'x'))
    assert.deepEqual((await registry.subjects({ prefix })).sort(), [`${prefix}-a`, `${prefix}-b`])
    const all = await registry.subjects()
    assert.ok([`${prefix}-a`, `${prefix}-b`].every(subject => all.includes(subject)))
  })

  test('a subject may be called as anything', async () => {
    const registry = clientOf(world())
    for (const name of ['with space', 'with/slash', 'ümläut-漢字', '50%', 'a+b', 'q?x=1&y#z']) {
      const subject = `${fresh('s')} ${name}`
      const id = await registry.register(subject, record('R', 'x'))
      assert.deepEqual([(await registry.getLatest(subject)).id, await registry.versions(subject)], [id, [1]])
      assert.ok((await registry.subjects()).includes(subject), subject)
    }
  })

  test('all schemas are listed, where the registry does that', async () => {
    const registry = clientOf(world())
    const prefix = fresh('all')
    for (const fields of [['x'], ['x', 'y?']]) await registry.register(prefix, record('R', ...fields))
    if (!world().traits.listsSchemas) {
      await assert.rejects(registry.schemas({ prefix }), { code: 'NOT_FOUND' })
      return
    }
    const all = await registry.schemas({ prefix })
    assert.deepEqual(
      all.map(({ subject, version }) => [subject, version]),
      [
        [prefix, 1],
        [prefix, 2],
      ],
    )
    assert.deepEqual(
      (await registry.schemas({ prefix, latestOnly: true })).map(({ version }) => version),
      [2],
    )
  })

  test('the formats are known', async () => {
    assert.deepEqual((await clientOf(world()).types()).sort(), ['AVRO', 'JSON', 'PROTOBUF'])
  })
}
