import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Producer } from 'ottla'
import { EmbeddedCluster } from '@ottla/broker'
import { SchemaRegistry } from '@ottla/schema-registry'
import { finished, ottla } from './cli-terminal.ts'

const order = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'hash', type: 'bytes' },
  ],
} as const

async function started(t: TestContext) {
  const cluster = await EmbeddedCluster.start({ schemaRegistry: true, defaultPartitions: 1 })
  t.after(() => cluster.close())
  const folder = mkdtempSync(join(tmpdir(), 'ottla-registry-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = (name: string, schema: object | string): string => {
    writeFileSync(join(folder, name), typeof schema === 'string' ? schema : JSON.stringify(schema))
    return join(folder, name)
  }
  return { cluster, file, url: cluster.schemaRegistryUrl }
}

test('consume prints what names a schema as JSON, and the rest as it is', async t => {
  const { cluster, url } = await started(t)
  const bootstrap = { 'bootstrap.servers': cluster.bootstrapServers }
  const registry = new SchemaRegistry({ url })
  await using producer = new Producer<string, { id: number | bigint; hash: Buffer }>(bootstrap, {
    value: registry.avro<{ id: number | bigint; hash: Buffer }>({ schema: order }),
  })
  await producer.send({ topic: 'orders', key: 'k', value: { id: 7, hash: Buffer.from([1, 65]) } })
  await producer.send({ topic: 'orders', key: null, value: { id: 2n ** 60n, hash: Buffer.alloc(0) } })
  const consume = ['consume', '-b', cluster.bootstrapServers, '-t', 'orders', '-o', 'beginning', '-e', '-q']
  const schemas = ['--schema-registry', url]
  const { status, out, err } = await finished([...consume, ...schemas, '-K', ' '])
  assert.deepEqual([status, err], [0, ''])
  assert.deepEqual(out.trimEnd().split('\n'), [
    'k {"id":7,"hash":"\\u0001A"}',
    ' {"id":"1152921504606846976","hash":""}',
  ])
  const strict = await finished([...consume, ...schemas, '-s', 'key=avro'])
  assert.equal(strict.status, 1)
  assert.match(strict.err, /it names no schema: it has 1 bytes/)
  assert.equal((await finished([...consume, '-s', 'avro'])).status, 2)
  assert.equal((await finished([...consume, ...schemas, '-s', 'xml'])).status, 2)
})

const proto = `syntax = "proto3";
package shop;
message Customer { string name = 1; }
message Order { int64 id = 1; Customer customer = 2; bytes hash = 3; }
`
const jsonSchema = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] }

const samples = {
  avro: { schema: ['order.avsc', order], good: '{"id":7,"hash":"\\u0001A"}', bad: '{"id":"x","hash":""}' },
  protobuf: {
    schema: ['order.proto', proto],
    good: '{"id":"7","customer":{"name":"Ada"},"hash":"AQI="}',
    bad: '{"id":"x"}',
  },
  json: { schema: ['order.json', jsonSchema], good: '{"id":7}', bad: '{"id":"x"}' },
} as const

for (const [format, { schema, good, bad }] of Object.entries(samples)) {
  test(`${format}: JSON goes in, a schema is named, JSON comes out`, async t => {
    const { cluster, file, url } = await started(t)
    const at = ['-b', cluster.bootstrapServers, '-t', 'orders', '--schema-registry', url]
    const message = format === 'protobuf' ? ['--value-message', 'shop.Order'] : []
    const serdes = ['-s', `value=${format}`, ...message]
    // Nothing is registered yet.
    const early = await finished(['produce', ...at, ...serdes, file('early', good)])
    assert.equal(early.status, 1)
    assert.match(early.err, /Subject 'orders-value' not found/)
    const schemaFile = ['--value-schema', file(schema[0], schema[1])]
    const first = await finished(['produce', ...at, ...serdes, ...schemaFile, '-k', 'k', file('first', good)])
    assert.deepEqual([first.status, first.err], [0, ''])
    // Now the latest schema is there.
    const lines = file('lines', `${good}\n${bad}\nno json\n`)
    const second = await finished(['produce', ...at, ...serdes, '-l', lines])
    assert.equal(second.status, 1)
    assert.match(second.err, /2 of 3 messages were not delivered; first error: the value cannot be serialized: /)
    const consume = ['consume', ...at, '-o', 'beginning', '-e', '-q']
    const printed = await finished(consume)
    assert.deepEqual([printed.status, printed.err], [0, ''])
    assert.deepEqual(printed.out.trimEnd().split('\n'), [good, good])
    const strict = await finished([...consume, '-s', `value=${format}`, '-J', '-c', '1'])
    const {
      key,
      payload,
      key_schema_id: keyId,
      value_schema_id: valueId,
    } = JSON.parse(strict.out) as Record<string, unknown>
    assert.deepEqual([key, payload, keyId, valueId], ['k', JSON.parse(good), undefined, 1])
    const other = format === 'avro' ? 'json' : 'avro'
    const mistaken = await finished([...consume, '-s', `value=${other}`])
    assert.equal(mistaken.status, 1)
    assert.match(mistaken.err, /schema 1: it is \w+, not \w+/)
  })
}

test('what only looks as if it named a schema is printed as it is', async t => {
  const { cluster, url } = await started(t)
  await using producer = new Producer({ 'bootstrap.servers': cluster.bootstrapServers })
  await producer.send({ topic: 'numbers', key: null, value: Buffer.from([0, 0, 0, 0, 65, 66]) })
  const at = ['-b', cluster.bootstrapServers, '-t', 'numbers', '--schema-registry', url]
  const { status, out } = await finished(['consume', ...at, '-o', 'beginning', '-e', '-q'])
  assert.deepEqual([status, out], [0, '\0\0\0\0AB\n'])
})

test('options of schemas that cannot be are refused', async t => {
  const { cluster, url, file } = await started(t)
  const produce = ['produce', '-b', cluster.bootstrapServers, '-t', 'orders']
  const schema = file('order.avsc', order)
  for (const wrong of [
    ['-s', 'avro'],
    ['--schema-registry', url, '--value-schema', schema],
    ['--schema-registry', url, '-s', 'key=avro', '--value-schema', schema],
    ['--schema-registry', url, '-s', 'avro', '--value-message', 'shop.Order'],
    ['--schema-registry', url, '-s', 'avro', '--value-schema', '/no/such/file'],
  ]) {
    assert.equal((await finished([...produce, ...wrong, schema])).status, 2, wrong.join(' '))
  }
})

test('schemas of the three formats are registered, checked, shown and deleted, with references', async t => {
  const { url, file } = await started(t)
  const at = ['--url', url]
  const common = file('common.proto', 'syntax = "proto3"; message Money { int64 cents = 1; }')
  const user = file('user.proto', 'syntax = "proto3"; import "common.proto"; message Bill { Money sum = 1; }')
  const changed = file('changed.proto', 'syntax = "proto3"; import "common.proto"; message Bill { string sum = 1; }')
  assert.equal((await finished(['registry', 'register', 'common', common, ...at])).status, 0)
  assert.equal((await finished(['registry', 'register', 'bill', user, ...at])).status, 1)
  const reference = ['--reference', 'common.proto=common:1']
  const made = await finished(['registry', 'register', 'bill', user, ...reference, ...at])
  assert.deepEqual([made.status, made.err], [0, ''])
  const refused = await finished(['registry', 'check', 'bill', changed, ...reference, ...at])
  assert.equal(refused.status, 1)
  assert.match(refused.out, /FIELD_KIND_CHANGED/)
  const shown = await finished(['registry', 'schemas', 'bill', ...at])
  assert.match(shown.out, /PROTOBUF +syntax = "proto3"; import "common\.proto"; message Bill \{ Money sum = 1; \}\n$/)
  const first = file('a.json', jsonSchema)
  const second = file('b.json', {
    ...jsonSchema,
    required: ['id', 'name'],
    properties: { ...jsonSchema.properties, name: { type: 'string' } },
  })
  assert.equal((await finished(['registry', 'register', 'json', first, ...at])).status, 0)
  const narrower = await finished(['registry', 'check', 'json', second, ...at])
  assert.equal(narrower.status, 1)
  assert.match(narrower.out, /REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL/)
  assert.equal((await finished(['registry', 'delete', 'common', ...at])).status, 1)
  for (const subject of ['bill', 'common', 'json']) {
    assert.equal((await finished(['registry', 'delete', subject, ...at])).status, 0)
  }
  assert.equal((await finished(['registry', 'check', 'x', first, '--reference', 'wrong', ...at])).status, 2)
})

test('a registry is shown and changed', async t => {
  const { url, file } = await started(t)
  const at = ['--url', url]
  const first = file('order.avsc', order)
  const wider = { ...order, fields: [...order.fields, { name: 'note', type: 'string' }] }
  assert.deepEqual(await finished(['registry', 'register', 'orders-value', first, ...at]), {
    status: 0,
    out: 'subject       version  id\norders-value        1   1\n',
    err: '',
  })
  const refused = await finished(['registry', 'check', 'orders-value', file('wider.avsc', wider), ...at])
  assert.equal(refused.status, 1)
  assert.match(refused.out, /The field 'note' at path '\/fields\/2' in the new schema has no default value/)
  assert.equal((await finished(['registry', 'check', 'orders-value', first, ...at])).status, 0)
  const listed = await finished(['registry', 'subjects', '--json', ...at])
  assert.equal(listed.out, '{"subject":"orders-value","versions":"1"}\n')
  const shown = await finished(['registry', 'schemas', 'orders-value', '--json', ...at])
  assert.deepEqual(JSON.parse(shown.out), { version: 1, id: 1, type: 'AVRO', schema: JSON.stringify(order) })
  assert.equal(
    (await finished(['registry', 'delete', 'orders-value', '1', '--json', ...at])).out,
    '{"subject":"orders-value","deleted":1}\n',
  )
  assert.equal((await finished(['registry', 'delete', 'orders-value', '--permanent', ...at])).status, 0)
  const gone = await finished(['registry', 'schemas', 'orders-value', ...at])
  assert.equal(gone.status, 1)
  assert.match(gone.err, /^ottla registry: .*Subject 'orders-value' not found\.\n$/)
  assert.equal((await finished(['registry', 'register', 'a', '/no/such/file', ...at])).status, 2)
})

test('ottla broker runs a registry beside the cluster', async () => {
  const running = ottla('broker', '--port', '0', '--schema-registry', '0')
  await running.printed('schema registry on ')
  const url = /schema registry on (\S+)/.exec(running.out())?.[1] ?? ''
  const registry = new SchemaRegistry({ url })
  assert.deepEqual(await registry.subjects(), [])
  running.interrupt()
  assert.equal(await running.done, 0)
})
