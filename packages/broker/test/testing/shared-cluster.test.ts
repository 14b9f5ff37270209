import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { sharedCluster, startSharedCluster, type SharedCluster } from '../../src/testing/index.ts'

/** Hooks that nobody calls: the tests start and close what they use. */
const byHand = { after: () => undefined }
let shared: SharedCluster

before(async () => {
  shared = await startSharedCluster({
    brokers: 2,
    topics: { common: { partitions: 1, messages: [{ value: 'for all' }] } },
  })
})
after(() => shared.close())

test('two files use the same cluster and do not see what the other has', async () => {
  await using one = sharedCluster({ topics: ['orders'] }, byHand)
  await using other = sharedCluster({ topics: { orders: { partitions: 1, messages: [{ value: 'seed' }] } } }, byHand)
  await one.produce('orders', [{ key: 'a', value: Buffer.from([0, 255]), headers: { h: Buffer.from([7]) } }])
  assert.equal(one.bootstrapServers, shared.bootstrapServers)
  assert.notEqual(one.topic('orders'), other.topic('orders'))
  const [{ topic, key, value, headers } = assert.fail(), ...rest] = await one.messages('orders')
  assert.equal(topic, one.topic('orders'))
  assert.deepEqual(
    [String(key), value, headers, rest],
    ['a', Buffer.from([0, 255]), [{ key: 'h', value: Buffer.from([7]) }], []],
  )
  assert.deepEqual(
    (await other.waitForMessages('orders', { timeoutMs: 60_000 })).map(each => String(each.value)),
    ['seed'],
  )
})

test('names may be those of the test or those of the cluster', async () => {
  await using cluster = sharedCluster({ topics: ['orders'] }, byHand)
  assert.match(cluster.topic('orders'), /^test-\d+-[0-9a-f]{8}-orders$/)
  assert.equal(cluster.topic(cluster.topic('orders')), cluster.topic('orders'))
  const prefix = cluster.topic('')
  assert.deepEqual([cluster.groupId('g'), cluster.transactionalId('t')], [`${prefix}g`, `${prefix}t`])
  await cluster.produce(cluster.topic('orders'), [{ value: 'x' }])
  assert.equal((await cluster.messages('orders')).length, 1)
})

test('a file deletes its topics when it is over, and only these', async () => {
  await using witness = sharedCluster({ topics: ['kept'] }, byHand)
  const cluster = sharedCluster({ topics: ['orders'] }, byHand)
  await cluster.start()
  const name = cluster.topic('orders')
  await cluster.close()
  await using again = sharedCluster({}, byHand)
  await assert.rejects(again.waitForMessages(name, { timeoutMs: 20 }), /no such topic/)
  assert.deepEqual(await witness.messages('kept'), [])
})

test('faults are for a cluster of its own', async () => {
  await using cluster = await sharedCluster({}, byHand).start()
  assert.throws(() => cluster.embedded, /a shared cluster cannot be changed by one of its tests/)
})

test('what the cluster refuses is the error of the call', async () => {
  await using cluster = sharedCluster({ topics: ['orders'] }, byHand)
  await assert.rejects(cluster.createTopic('orders'), /already exists/)
  await assert.rejects(
    cluster.produce('orders', [{ value: 'x', partition: 9 }]),
    /there is no partition test-.*orders \[9\]/,
  )
})

test('whoever does not know the token is not answered', async () => {
  const { host, port } = JSON.parse(process.env['OTTLA_TEST_CLUSTER'] ?? '') as { host: string; port: number }
  for (const line of [
    '{"id":1,"name":"topics","args":[],"token":"guess"}',
    'GET / HTTP/1.1',
    '{"name":"constructor"}',
  ]) {
    const socket = connect({ host, port })
    let bytes = 0
    socket.on('data', chunk => (bytes += chunk.length))
    socket.write(`${line}\n`)
    await new Promise(resolve => socket.once('close', resolve))
    assert.equal(bytes, 0)
  }
})

test('without the global setup it says what is missing', async () => {
  const announced = process.env['OTTLA_TEST_CLUSTER']
  delete process.env['OTTLA_TEST_CLUSTER']
  try {
    await assert.rejects(sharedCluster({}, byHand).start(), /call startSharedCluster in the global setup/)
  } finally {
    process.env['OTTLA_TEST_CLUSTER'] = announced
  }
})

test('calls of a shared cluster that is gone are rejected', async () => {
  const announced = process.env['OTTLA_TEST_CLUSTER']
  try {
    const gone = await startSharedCluster()
    const cluster = await sharedCluster({}, byHand).start()
    const waiting = cluster.waitForMessages('orders', { timeoutMs: 60_000 })
    await Promise.all([assert.rejects(waiting, /the shared cluster is gone/), gone.close()])
    await assert.rejects(cluster.messages('orders'), /the shared cluster is gone/)
    await assert.rejects(cluster.close(), /the shared cluster is gone/)
  } finally {
    process.env['OTTLA_TEST_CLUSTER'] = announced
  }
})
