import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiVersions } from '@ottla/protocol'
import { testCluster, type RunnerHooks } from '../../src/testing/index.ts'

import { WireClient } from '../wire-client.ts'

/** A runner that notes its hooks instead of calling them. */
function runner(): { hooks: RunnerHooks; begin: () => Promise<unknown>; end: () => Promise<unknown> } {
  const before: (() => Promise<void>)[] = []
  const after: (() => Promise<void>)[] = []
  return {
    hooks: { before: hook => before.push(hook), after: hook => after.push(hook) },
    begin: () => Promise.all(before.map(hook => hook())),
    end: () => Promise.all(after.map(hook => hook())),
  }
}

test('the runner starts the cluster before the tests and closes it after them', async () => {
  const { hooks, begin, end } = runner()
  const cluster = testCluster({ topics: ['orders'] }, hooks)
  assert.throws(() => cluster.bootstrapServers, /not started.*\{ beforeAll, afterAll \}.*await cluster\.start\(\)/)
  await begin()
  assert.match(cluster.bootstrapServers, /^127\.0\.0\.1:\d+$/)
  assert.deepEqual(await cluster.messages('orders'), [])
  await end()
  assert.throws(() => cluster.bootstrapServers, /the test cluster is closed/)
})

test('with the hook for the end alone it starts when it is first used', async () => {
  const { hooks, end } = runner()
  const cluster = testCluster({ topics: ['orders'] }, { afterAll: hooks.after! })
  assert.deepEqual(await cluster.messages('orders'), [])
  assert.match(cluster.bootstrapServers, /:\d+$/)
  await end()
})

test('hooks that cannot close the cluster are refused', () => {
  assert.throws(() => testCluster({}, {}), /need an afterAll or after/)
})

test('the hooks of a runner that has them among the globals are found', async () => {
  const { hooks, begin, end } = runner()
  const globals = globalThis as { beforeAll?: unknown; afterAll?: unknown }
  globals.beforeAll = hooks.before
  globals.afterAll = hooks.after
  try {
    const cluster = testCluster()
    await begin()
    assert.match(cluster.bootstrapServers, /:\d+$/)
    await end()
  } finally {
    delete globals.beforeAll
    delete globals.afterAll
  }
})

test('clients that are closed by a later hook still have their cluster', async () => {
  const { hooks, begin, end } = runner()
  const cluster = testCluster({}, hooks)
  await begin()
  const { embedded } = cluster
  const client = await WireClient.connect(cluster.bootstrapServers)
  try {
    await end()
    assert.equal(embedded.connections, 1)
    const { apiKeys } = await client.ask(ApiVersions, 0, {})
    assert.ok(apiKeys.length > 0)
  } finally {
    client.close()
  }
  while (!isClosed(() => cluster.bootstrapServers)) await new Promise(resolve => setTimeout(resolve, 5))
})

function isClosed(call: () => unknown): boolean {
  try {
    call()
    return false
  } catch {
    return true
  }
}

const inThisFile = testCluster({ topics: ['orders'] })

test('the hooks of node --test are found', () => {
  assert.match(inThisFile.bootstrapServers, /:\d+$/)
})
