/** Answers of registries that are not Confluent's newest: Apicurio's leaves out much. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SchemaRegistry } from '../src/index.ts'
import { tinyRegistry, type Asked } from './tiny-registry.ts'

const schema = { type: 'record', name: 'R', fields: [{ name: 'a', type: 'int' }] }
const proto = 'syntax = "proto3"; message A { int32 a = 1; }'

type Said = { readonly status?: number; readonly body?: unknown; readonly text?: string }

/** A registry that answers with what belongs to the method and path. */
async function answering(t: TestContext, answers: Readonly<Record<string, Said>>) {
  const tiny = await tinyRegistry(t)
  tiny.answer = ({ method, url }: Asked) =>
    answers[`${method} ${url.split('?')[0] ?? ''}`] ?? { status: 404, body: { error_code: 404, message: 'none' } }
  return new SchemaRegistry({ url: tiny.url, timeoutMs: 1000, retryBackoffMs: 1 })
}

test('a schema has the type that it was asked for with, where the answer to its text names none', async t => {
  const registry = await answering(t, {
    'POST /subjects/s/versions': { body: { id: 7 } },
    'POST /subjects/s': { body: { subject: 's', version: 2, id: 7, schema: proto, references: [] } },
  })
  const made = await registry.registerSchema('s', proto, { type: 'PROTOBUF' })
  assert.deepEqual([made.id, made.version, made.type], [7, 2, 'PROTOBUF'])
  const found = await registry.lookup('s', proto, { type: 'PROTOBUF' })
  assert.deepEqual([found.id, found.version, found.type], [7, 2, 'PROTOBUF'])
})

test('the configuration of a subject that the registry does not know is the registry’s', async t => {
  const registry = await answering(t, {
    'GET /config': { body: { compatibilityLevel: 'FULL' } },
    'GET /config/s': { status: 404, body: { error_code: 40401, message: 'no artifact' } },
  })
  assert.deepEqual(await registry.getConfig('s'), { compatibility: 'FULL' })
})

test('a registry without modes says nothing about them, and the error does', async t => {
  const registry = await answering(t, { 'GET /mode/s': { status: 200, text: '' } })
  const message = /answered GET \/mode\/s with no mode: it may not have modes$/
  await assert.rejects(registry.getMode('s'), { code: 'REFUSED', message })
  await assert.rejects(registry.getMode(), { code: 'NOT_FOUND' })
})

test('subjects are those with the prefix, also of a registry that lists all', async t => {
  const registry = await answering(t, { 'GET /subjects': { body: ['a-1', 'b-1', ':.c:a-2', 'a-3'] } })
  assert.deepEqual(await registry.subjects({ prefix: 'a' }), ['a-1', 'a-3'])
  assert.deepEqual(await registry.subjects({ prefix: ':*:a' }), ['a-1', ':.c:a-2', 'a-3'])
  assert.equal((await registry.subjects()).length, 4)
})

test('the default context has one name', async t => {
  const registry = await answering(t, { 'GET /contexts': { body: [':.:', ':.b:'] } })
  assert.deepEqual(await registry.contexts(), ['.', '.b'])
})

test('an empty answer is told from a list and from a schema', async t => {
  const registry = await answering(t, {
    'GET /subjects': { text: '' },
    'GET /schemas/ids/1': { text: '' },
    'POST /compatibility/subjects/s/versions': { text: '' },
    'POST /subjects/s/versions': { text: '' },
  })
  for (const call of [
    () => registry.subjects(),
    () => registry.getById(1),
    () => registry.checkCompatibility('s', schema),
    () => registry.register('s', schema),
  ]) {
    await assert.rejects(call(), { name: 'SchemaRegistryError', code: 'REFUSED' })
  }
})
