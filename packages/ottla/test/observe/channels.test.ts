import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { test, type TestContext } from 'node:test'
import type { ChannelPayload } from '../../src/observe/channel-payloads.ts'
import { channels, TracingChannel } from '../../src/observe/channels.ts'

const client = { name: 't#admin-1', kind: 'admin', clientId: 't', groupId: null, transactionalId: null } as const
const steps = ['start', 'end', 'error', 'asyncStart', 'asyncEnd'] as const

let names = 0

/** A channel, and what its subscribers have seen. */
function watched(t: TestContext): { traced: TracingChannel<ChannelPayload>; seen: string[]; name: string } {
  const name = `test:${++names}`
  const seen: string[] = []
  for (const step of steps) {
    const each = `tracing:${name}:${step}`
    const listener = (): void => void seen.push(step)
    subscribe(each, listener)
    t.after(() => unsubscribe(each, listener))
  }
  return { traced: new TracingChannel(name), seen, name }
}

test('work is followed from its start to its outcome, as by a tracing channel of the platform', async t => {
  const { traced, seen } = watched(t)
  const payload: ChannelPayload = { client }
  const done = traced.trace(payload, async () => {
    seen.push('work')
    await Promise.resolve()
    seen.push('done')
    return 7
  })
  assert.equal(await done, 7)
  assert.deepEqual(seen, ['start', 'work', 'end', 'done', 'asyncStart', 'asyncEnd'])
  assert.equal('error' in payload, false)
})

test('a failure is published before the end, be it thrown or a rejection, and passed on', async t => {
  for (const fail of [
    () => {
      throw new Error('no')
    },
    () => Promise.reject(new Error('no')),
  ]) {
    const { traced, seen } = watched(t)
    const payload: ChannelPayload = { client }
    await assert.rejects(
      traced.trace(payload, (): Promise<void> => fail()),
      /^Error: no$/,
    )
    assert.deepEqual(seen, ['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    assert.match(String(payload.error), /no/)
  }
})

test('an operation that ends elsewhere has one start and one end', t => {
  const { traced, seen } = watched(t)
  const payload = traced.begin({ client })
  assert.deepEqual(seen.splice(0), ['start', 'end'])
  traced.succeed(payload, 'all')
  assert.deepEqual(seen.splice(0), ['asyncStart', 'asyncEnd'])
  assert.equal(payload.result, 'all')
  traced.fail(traced.begin({ client }), new Error('no'))
  assert.deepEqual(seen, ['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
})

test('a subscriber of any step counts, and only while it is one', () => {
  for (const step of steps) {
    const name = `test:${++names}`
    const traced = new TracingChannel(name)
    assert.equal(traced.hasSubscribers, false)
    const each = `tracing:${name}:${step}`
    const listener = (): void => undefined
    subscribe(each, listener)
    assert.equal(traced.hasSubscribers, true)
    unsubscribe(each, listener)
    assert.equal(traced.hasSubscribers, false)
  }
})

test('a store that is bound to the start holds within the work', async () => {
  const name = `test:${++names}`
  const traced = new TracingChannel(name)
  const storage = new AsyncLocalStorage<unknown>()
  tracingChannel(name).start.bindStore(storage, payload => payload)
  const payload: ChannelPayload = { client }
  await traced.trace(payload, async () => {
    await Promise.resolve()
    assert.equal(storage.getStore(), payload)
  })
  assert.equal(storage.getStore(), undefined)
})

test('there is a channel for each name of the contract', () => {
  assert.deepEqual(Object.keys(channels), [
    'connect',
    'authenticate',
    'request',
    'carry',
    'send',
    'produce',
    'delivery',
    'fetch',
    'process',
    'rebalance',
    'commit',
    'transaction',
    'admin',
  ])
})
