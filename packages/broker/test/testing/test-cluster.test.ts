import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiKey, ErrorCode } from '@ottla/protocol'
import { simulate } from '../../src/simulation/index.ts'
import { simulatedCluster, startTestCluster } from '../../src/testing/index.ts'

test('its topics hold their messages from the start', async () => {
  await using cluster = await startTestCluster({
    brokers: 3,
    topics: {
      orders: {
        partitions: 2,
        messages: [
          { partition: 1, key: 'a', value: 'x' },
          { partition: 0, value: 'y' },
        ],
      },
      empty: {},
    },
  })
  const found = await cluster.messages('orders')
  assert.deepEqual(
    found.map(({ partition, value }) => `${partition} ${String(value)}`),
    ['0 y', '1 x'],
  )
  assert.deepEqual(
    cluster.embedded.topics().map(({ name, partitions }) => [name, partitions]),
    [
      ['orders', 2],
      ['empty', 4],
    ],
  )
})

test('a start that fails leaves nothing open and can be closed', async () => {
  const start = startTestCluster({ topics: { orders: { partitions: 0 } } })
  await assert.rejects(start, /Number of partitions/)
})

test('a wait for messages resolves with those that match', async () => {
  await using cluster = await startTestCluster()
  const isEven = ({ value }: { value: Buffer | null }): boolean => Number(value) % 2 === 0
  const waiting = cluster.waitForMessages('numbers', { count: 2, where: isEven, timeoutMs: 60_000 })
  await cluster.produce('numbers', [{ value: '1' }, { value: '2' }])
  await cluster.produce('numbers', [{ value: '3' }, { value: '4' }])
  assert.deepEqual((await waiting).map(({ value }) => String(value)).sort(), ['2', '4'])
})

test('a wait for messages says how many there were at which offsets, and nothing of what they say', async () => {
  await using cluster = await startTestCluster({
    topics: {
      orders: {
        partitions: 2,
        messages: [
          { partition: 1, key: 'k', value: 'secret' },
          { partition: 1, value: 'secret' },
        ],
      },
    },
  })
  await assert.rejects(
    cluster.waitForMessages('orders', { count: 3, timeoutMs: 20 }),
    /^Error: waited 20 ms for 3 messages in orders and saw 2 messages \(partition 0: empty, partition 1: offsets 0 to 1\)$/,
  )
  await assert.rejects(
    cluster.waitForMessages('orders', { where: ({ key }) => key === null, count: 2, timeoutMs: 20 }),
    /for 2 messages in orders and saw 1 of 2 messages that match \(/,
  )
  await assert.rejects(
    cluster.waitForMessages('nothing', { timeoutMs: 20 }),
    /1 message in nothing and saw no such topic$/,
  )
})

test('a topic that is created again is read from its beginning', async () => {
  await using cluster = await startTestCluster({
    topics: { orders: { partitions: 1, messages: [{ value: 'old' }, { value: 'old' }] } },
  })
  let looks = 0
  const where = ({ value }: { value: Buffer | null }): boolean => {
    looks++
    return String(value) === 'new'
  }
  const waiting = cluster.waitForMessages('orders', { count: 3, where, timeoutMs: 60_000 })
  await cluster.eventually(() => looks >= 2)
  await cluster.deleteTopic('orders')
  await cluster.createTopic('orders', {
    partitions: 1,
    messages: [{ value: 'new' }, { value: 'new' }, { value: 'new' }],
  })
  assert.deepEqual(
    (await waiting).map(({ offset }) => offset),
    [0, 1, 2],
  )
})

test('what a predicate throws ends the wait', async () => {
  await using cluster = await startTestCluster({ topics: { orders: { messages: [{ value: 'x' }] } } })
  const where = (): boolean => {
    throw new Error('not JSON')
  }
  await assert.rejects(cluster.waitForMessages('orders', { where }), /^Error: not JSON$/)
})

test('a wait can be aborted', async () => {
  await using cluster = await startTestCluster()
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(cluster.waitForMessages('orders', { signal, timeoutMs: 60_000 }), /^Error: enough$/)
})

test('waits for groups say what they saw', async () => {
  await using cluster = await startTestCluster({
    topics: { orders: { partitions: 1, messages: [{ value: 'x' }] }, empty: {} },
  })
  await assert.rejects(
    cluster.waitForGroup('billing', { timeoutMs: 20 }),
    /^Error: waited 20 ms for group billing to be Stable and saw that it does not exist$/,
  )
  await assert.rejects(cluster.waitForGroup('billing', { members: 0, timeoutMs: 20 }), /to be Empty with 0 members and/)
  await assert.rejects(
    cluster.waitForCommitted('billing', 'orders', { timeoutMs: 20 }),
    /^Error: waited 20 ms for group billing to commit orders and saw partition 0 at nothing of 1; the group does not exist$/,
  )
  await assert.rejects(
    cluster.waitForCommitted('billing', 'orders', { offsets: { 0: 5 }, timeoutMs: 20 }),
    /partition 0 at nothing of 5/,
  )
  await assert.rejects(cluster.waitForCommitted('billing', 'empty', { timeoutMs: 20 }), /saw no message in empty;/)
})

test('a reset leaves what the cluster was started with', async () => {
  await using cluster = await startTestCluster({ topics: { orders: { partitions: 1, messages: [{ value: 'seed' }] } } })
  await cluster.produce('orders', [{ value: 'more' }])
  await cluster.produce('others', [{ value: 'more' }])
  cluster.embedded.failNext(ApiKey.Produce, [ErrorCode.ERR_NOT_LEADER_FOR_PARTITION])
  await cluster.reset()
  assert.deepEqual(
    (await cluster.messages('orders')).map(({ value }) => String(value)),
    ['seed'],
  )
  assert.deepEqual(
    cluster.embedded.topics().map(({ name }) => name),
    ['orders'],
  )
})

test('fake timers stop neither the cluster nor a wait', async t => {
  await using cluster = await startTestCluster()
  t.mock.timers.enable()
  const waiting = cluster.waitForMessages('orders', { timeoutMs: 60_000 })
  await cluster.produce('orders', [{ value: 'x' }])
  const [{ timestamp } = assert.fail()] = await waiting
  assert.ok(timestamp > 1_600_000_000_000)
})

test('in a simulation a wait takes virtual time', async () => {
  await simulate({ seed: 3, cluster: { brokers: 1 } }, async simulation => {
    const cluster = await simulatedCluster(simulation, { topics: ['orders'] })
    const before = simulation.now
    const [found] = await Promise.all([
      cluster.waitForMessages('orders', { timeoutMs: 3_600_000 / 2 }),
      simulation.sleep(600_000).then(() => cluster.produce('orders', [{ value: 'x' }])),
    ])
    assert.equal(found.length, 1)
    assert.ok(simulation.now - before >= 600_000)
    await assert.rejects(cluster.waitForMessages('nothing'), /waited 60000 ms/)
  })
})
