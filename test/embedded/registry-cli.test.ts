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
  const file = (name: string, schema: object): string => {
    writeFileSync(join(folder, name), JSON.stringify(schema))
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
