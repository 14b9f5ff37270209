/** Requests that wait for a connection: until they are written, the broker cannot have them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '@ottla/protocol'
import { makeWorld, settle, type World } from '../world.ts'

const RETRY_MS = 120

/** A producer whose requests wait for a connection. */
function unconnected(config: Parameters<typeof makeWorld>[0] = {}): World {
  const world = makeWorld({ 'linger.ms': 0, ...config })
  world.cluster.topic('t', [1, 1])
  world.cluster.isConnected = false
  if (config['enable.idempotence'] === true) world.ids.shift()?.answer(0, 7n, 0)
  return world
}

for (const code of [
  ErrorCode.ERR__TRANSPORT,
  ErrorCode.ERR__TIMED_OUT,
  ErrorCode.ERR__RESOLVE,
  ErrorCode.ERR__SSL,
  ErrorCode.ERR__AUTHENTICATION,
  ErrorCode.ERR__BAD_MSG,
]) {
  test(`a connection that fails with code ${code} uses up no retry and leaves nothing in doubt`, async () => {
    const { cluster, clock, put, reports, nextAfter } = unconnected({ retries: 0 })
    put({ topic: 't', partition: 0, value: 'a' })
    for (let i = 0; i < 3; i++) {
      await clock.advance(2000)
      assert.equal(cluster.waiting.length, 1)
      cluster.refuseConnection(code)
      await settle()
      assert.equal(reports.length, 0)
    }
    await clock.advance(2000)
    cluster.connect()
    ;(await nextAfter(0)).error(ErrorCode.ERR_INVALID_RECORD)
    await settle()
    assert.equal(reports[0]?.status, 'not-persisted')
  })
}

test('purge() gives up what waits for a connection as queued, certain not to be persisted, and it is never written', async () => {
  for (const idempotent of [false, true]) {
    const { cluster, clock, put, pipeline, outcomes, reports, nextAfter } = unconnected({
      'enable.idempotence': idempotent,
    })
    await settle()
    put({ topic: 't', partition: 0, value: 'waits' })
    await settle()
    assert.equal(cluster.waiting.length, 1)
    pipeline.purge(false, true)
    assert.deepEqual(outcomes(), {}, 'nothing is in flight')
    pipeline.purge(true, false)
    assert.deepEqual(outcomes(), { ERR__PURGE_QUEUE: ['waits'] })
    assert.equal(reports[0]?.status, 'not-persisted')
    put({ topic: 't', partition: 0, value: 'next' })
    await clock.advance(10)
    cluster.connect()
    await clock.advance(RETRY_MS)
    const request = await nextAfter(0)
    assert.deepEqual(request.values, { 't/0': ['next'] }, 'what was given up is not written')
    request.ok()
    await settle()
    assert.deepEqual(outcomes(), { ERR__PURGE_QUEUE: ['waits'], ok: ['next'] })
    assert.equal(cluster.unseen, 0)
  }
})

test('what shares a request with purged messages, or waits behind it, is sent in order when there is a connection', async () => {
  const world = unconnected({ 'batch.num.messages': 1, 'max.in.flight': 5 })
  const { cluster, put, pipeline, outcomes, nextAfter } = world
  // The broker is known to answer: several requests may wait.
  cluster.isConnected = true
  put({ topic: 't', partition: 0, value: 'before' })
  ;(await nextAfter(0)).ok()
  await settle()
  cluster.isConnected = false
  put({ topic: 't', partition: 0, value: 'a' })
  await settle()
  put({ topic: 't', partition: 0, value: 'b' })
  await settle()
  assert.equal(cluster.waiting.length, 2)
  pipeline.purge(true, false)
  put({ topic: 't', partition: 0, value: 'c' })
  await settle()
  assert.equal(cluster.waiting.length, 3)
  cluster.connect()
  const request = await nextAfter(0)
  assert.deepEqual(request.values, { 't/0': ['c'] })
  request.ok(1)
  await settle()
  assert.deepEqual(outcomes(), { ok: ['before', 'c'], ERR__PURGE_QUEUE: ['a', 'b'] })
})
