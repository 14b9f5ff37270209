/** What not every registry has: GUIDs, contexts, metadata. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fresh } from '../world.ts'
import { clientOf, record, type RegistryWorld } from './world.ts'

export function extraScenarios(world: () => RegistryWorld): void {
  test('a schema is found by its GUID, where it has one', async () => {
    const registry = clientOf(world())
    const made = await registry.registerSchema(fresh('guid'), record('R', 'x'))
    if (!world().traits.hasGuids) {
      assert.equal(made.guid, null)
      await assert.rejects(registry.getByGuid('00000000-0000-0000-0000-000000000000'), { code: 'NOT_FOUND' })
      return
    }
    assert.match(made.guid ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    const found = await registry.getByGuid(made.guid ?? '')
    assert.deepEqual([found.schema, found.guid], [made.schema, made.guid])
    const other = await registry.registerSchema(fresh('guid'), record('R', 'x'))
    assert.equal(other.guid, made.guid)
  })

  test('a subject can be in a context', async () => {
    const registry = clientOf(world())
    const [context, name] = [`.${fresh('c')}`, fresh('s')]
    const subject = `:${context}:${name}`
    await registry.register(name, record('R', 'x'))
    const id = await registry.register(subject, record('R', 'y'))
    assert.deepEqual([await registry.versions(name), await registry.versions(subject)], [[1], [1]])
    const found = await registry.getById(id, { subject })
    assert.deepEqual(JSON.parse(found.schema), record('R', 'y'))
    const contexts = await registry.contexts()
    assert.ok(contexts.includes('.'))
    assert.equal(contexts.includes(context), world().traits.hasContexts)
    if (world().traits.hasContexts) assert.equal(id, 1)
  })

  test('a version is found by its metadata, where it has some', async () => {
    const registry = clientOf(world())
    const subject = fresh('metadata')
    await registry.register(subject, record('R', 'x'), { metadata: { properties: { app: '1' } } })
    await registry.register(subject, record('R', 'x', 'y?'), { metadata: { properties: { app: '2' } } })
    if (!world().traits.hasMetadata) {
      await assert.rejects(registry.getLatestWithMetadata(subject, { app: '1' }), { code: 'REFUSED' })
      return
    }
    const found = await registry.getLatestWithMetadata(subject, { app: '1' })
    assert.deepEqual([found.version, found.metadata], [1, { properties: { app: '1' } }])
    await assert.rejects(registry.getLatestWithMetadata(subject, { app: '3' }), { code: 'NOT_FOUND' })
  })
}
