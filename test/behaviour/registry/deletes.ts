/** Deleting softly and for good, and references, which hold what they refer to. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fresh } from '../world.ts'
import { clientOf, record, type RegistryWorld } from './world.ts'

export function deleteScenarios(world: () => RegistryWorld): void {
  test('a version that was deleted is hidden, is still read by its id, and goes for good in a second step', async () => {
    const registry = clientOf(world())
    const subject = fresh('versions')
    const id = await registry.register(subject, record('R', 'x'))
    await registry.register(subject, record('R', 'x', 'y?'))
    await assert.rejects(registry.deleteVersion(subject, 1, { permanent: true }), { errorCode: 40407 })
    assert.equal(await registry.deleteVersion(subject, 1), 1)
    await assert.rejects(registry.deleteVersion(subject, 1), { errorCode: 40406 })
    await assert.rejects(registry.getVersion(subject, 1), { code: 'NOT_FOUND', errorCode: 40402 })
    assert.equal((await registry.getVersion(subject, 1, { deleted: true })).id, id)
    assert.equal((await clientOf(world()).getById(id)).id, id)
    assert.deepEqual(await registry.versions(subject), [2])
    assert.deepEqual(await registry.versions(subject, { deleted: true }), [1, 2])
    assert.equal(await registry.deleteVersion(subject, 1, { permanent: true }), 1)
    assert.deepEqual(await registry.versions(subject, { deleted: true }), [2])
  })

  test('a subject that was deleted is hidden, and goes for good in a second step', async () => {
    const registry = clientOf(world())
    const subject = fresh('subject')
    const id = await registry.register(subject, record('R', 'x'))
    await registry.register(subject, record('R', 'x', 'y?'))
    await assert.rejects(registry.deleteSubject(subject, { permanent: true }), { errorCode: 40405 })
    assert.deepEqual(await registry.deleteSubject(subject), [1, 2])
    await assert.rejects(registry.deleteSubject(subject), { errorCode: 40404 })
    await assert.rejects(registry.getLatest(subject), { code: 'NOT_FOUND', errorCode: 40401 })
    assert.ok(!(await registry.subjects()).includes(subject))
    assert.ok((await registry.subjects({ deleted: true })).includes(subject))
    assert.equal((await clientOf(world()).getById(id)).id, id)
    assert.deepEqual(await registry.deleteSubject(subject, { permanent: true }), [1, 2])
    assert.ok(!(await registry.subjects({ deleted: true })).includes(subject))
    await assert.rejects(registry.deleteSubject(subject), { errorCode: 40401 })
    await registry.register(subject, record('R', 'x'))
    assert.deepEqual(await registry.versions(subject), [1])
  })

  test('versions go on counting behind those that were deleted', async () => {
    const registry = clientOf(world())
    const subject = fresh('counting')
    await registry.register(subject, record('R', 'x'))
    await registry.register(subject, record('R', 'x', 'y?'))
    await registry.deleteVersion(subject, 2)
    await registry.register(subject, record('R', 'x', 'z?'))
    assert.deepEqual(await registry.versions(subject), [1, 3])
    await registry.deleteSubject(subject)
    await registry.register(subject, record('R', 'x', 'w?'))
    assert.deepEqual(await registry.versions(subject), [4])
  })

  test('a schema that was deleted can be registered again', async () => {
    const registry = clientOf(world())
    const subject = fresh('again')
    const id = await registry.register(subject, record('R', 'x'))
    await registry.deleteSubject(subject)
    assert.equal(await registry.register(subject, record('R', 'x')), id)
    assert.deepEqual(await registry.versions(subject), [2])
  })

  test('referenced schemas are part of a schema, and stay while it is there', async () => {
    const registry = clientOf(world())
    const [address, parcel] = [fresh('address'), fresh('parcel')]
    const addressSchema = {
      type: 'record',
      name: 'Address',
      namespace: 'shop',
      fields: [{ name: 'city', type: 'string' }],
    }
    const parcelSchema = {
      type: 'record',
      name: 'Parcel',
      namespace: 'shop',
      fields: [
        { name: 'to', type: 'Address' },
        { name: 'from', type: ['null', 'shop.Address'], default: null },
      ],
    }
    const references = [{ name: 'shop.Address', subject: address, version: 1 }]
    await assert.rejects(registry.register(parcel, parcelSchema), { code: 'INVALID_SCHEMA', errorCode: 42201 })
    await assert.rejects(registry.register(parcel, parcelSchema, { references }), { code: 'INVALID_SCHEMA' })
    await registry.register(address, addressSchema)
    const made = await registry.registerSchema(parcel, parcelSchema, { references })
    assert.deepEqual(made.references, references)
    assert.deepEqual((await registry.getById(made.id)).references, references)
    assert.deepEqual((await registry.getVersion(parcel, 1)).references, references)
    assert.deepEqual((await clientOf(world()).lookup(parcel, parcelSchema, { references })).references, references)
    assert.deepEqual(await registry.referencedBy(address, 1), [made.id])
    await assert.rejects(registry.deleteVersion(address, 1), { errorCode: 42206 })
    await assert.rejects(registry.deleteSubject(address), { errorCode: 42206 })
    const [resolved] = await registry.resolveReferences(references)
    assert.deepEqual(JSON.parse(resolved?.schema ?? ''), addressSchema)
    await registry.deleteSubject(parcel)
    await registry.deleteSubject(parcel, { permanent: true })
    assert.deepEqual(await registry.deleteSubject(address), [1])
  })
}
