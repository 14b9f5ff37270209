/** Waits for a lane to be up, without a request. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, Heartbeat, HeartbeatServer, encodeResponse } from '@ottla/protocol'
import { Lane, type LaneSettings } from '../../src/network/lane.ts'
import { RequestError } from '../../src/network/request-error.ts'
import { Logger } from '../../src/observe/logger.ts'
import { FakeClock } from '../base/fake-clock.ts'
import { laneSettings } from './lane-settings.ts'
import { ScriptedBroker } from './scripted-broker.ts'

const settings: LaneSettings = { ...laneSettings, reconnectBackoffMs: 1000, reconnectBackoffMaxMs: 1000 }
const over = new RequestError(ErrorCode.ERR__DESTROY, 'over', true)

interface Bench {
  readonly lane: Lane
  readonly broker: ScriptedBroker
  readonly clock: FakeClock
  readonly downs: RequestError[]
}

async function start(t: TestContext): Promise<Bench> {
  const broker = await ScriptedBroker.start(({ header, socket }) => {
    const body = { throttleTimeMs: 0, errorCode: 0 }
    const parts = encodeResponse(HeartbeatServer, header.apiVersion, header.correlationId, body)
    for (const part of parts) socket.write(part)
  })
  const clock = new FakeClock()
  const downs: RequestError[] = []
  const endpoint = { host: '127.0.0.1', port: broker.port, name: `127.0.0.1:${broker.port}/1` }
  const observer = {
    onUp: () => undefined,
    onDown: (error: RequestError) => void downs.push(error),
    onThrottle: () => undefined,
  }
  const logger = new Logger(() => undefined, 0, new Set())
  const lane = new Lane(endpoint, settings, clock, () => 0.5, logger, observer)
  t.after(async () => {
    lane.close(over)
    await broker.close()
  })
  return { lane, broker, clock, downs }
}

/** A lane whose first attempt has failed. */
async function startFailing(t: TestContext): Promise<Bench> {
  const bench = await start(t)
  const { broker, lane } = bench
  broker.isSilent = true
  const first = assert.rejects(lane.waitUntilUp(new AbortController().signal), /before it had answered/)
  await until(() => broker.sockets.size === 1)
  for (const socket of broker.sockets) socket.destroy()
  await first
  await until(() => broker.sockets.size === 0)
  broker.speak()
  return bench
}

/** Waits for sockets. */
async function until(condition: () => boolean): Promise<void> {
  const latest = performance.now() + 30_000
  while (!condition()) {
    assert.ok(performance.now() < latest, 'it does not come about')
    await new Promise(resolve => setImmediate(resolve))
  }
}

test('an attempt continues for the other waiter when one gives up', async t => {
  const { lane, broker, downs } = await start(t)
  broker.isSilent = true
  const [one, other] = [new AbortController(), new AbortController()]
  const left = assert.rejects(lane.waitUntilUp(one.signal), /had enough/)
  const stayed = lane.waitUntilUp(other.signal)
  await until(() => broker.sockets.size === 1)
  one.abort(new Error('had enough'))
  await left
  broker.speak()
  await stayed
  assert.equal(lane.isUp, true)
  assert.equal(broker.connections, 1)
  assert.deepEqual(downs, [])
})

test('an attempt continues for a request when there is no other waiter', async t => {
  const { lane, broker } = await start(t)
  broker.isSilent = true
  const only = new AbortController()
  const left = assert.rejects(lane.waitUntilUp(only.signal))
  const answer = lane.request(Heartbeat, { groupId: 'g', generationId: 1, memberId: 'm' }, { timeoutMs: 3000 })
  await until(() => broker.sockets.size === 1)
  only.abort()
  await left
  broker.speak()
  assert.equal((await answer).errorCode, 0)
  assert.equal(broker.connections, 1)
})

test('the last waiter that gives up ends the attempt, which is not reported', async t => {
  const { lane, broker, clock, downs } = await start(t)
  broker.isSilent = true
  const only = new AbortController()
  const left = assert.rejects(lane.waitUntilUp(only.signal))
  await until(() => broker.sockets.size === 1)
  only.abort()
  await left
  await until(() => broker.sockets.size === 0)
  assert.deepEqual(downs, [])
  assert.equal(lane.isFailing, false)
  assert.equal(clock.pendingTimers, 0)
})

test('a waiter that comes while an attempt is being ended gets another one', async t => {
  const { lane, broker } = await start(t)
  broker.isSilent = true
  const [one, other] = [new AbortController(), new AbortController()]
  const left = assert.rejects(lane.waitUntilUp(one.signal))
  await until(() => broker.sockets.size === 1)
  one.abort()
  const stayed = lane.waitUntilUp(other.signal)
  await left
  await until(() => broker.connections === 2)
  broker.speak()
  await stayed
})

test('the last waiter that gives up ends the wait for the next attempt, too', async t => {
  const { lane, broker, clock, downs } = await startFailing(t)
  const only = new AbortController()
  const left = assert.rejects(lane.waitUntilUp(only.signal))
  assert.equal(clock.pendingTimers, 1)
  only.abort()
  await left
  assert.equal(clock.pendingTimers, 0)
  await clock.advance(60_000)
  assert.equal(broker.connections, 1)
  assert.equal(downs.length, 1)
})

for (const how of ['waits for it', 'will need it soon']) {
  test(`new credentials bring the next attempt at once for who ${how}`, async t => {
    const { lane, broker, clock } = await startFailing(t)
    let waiting = Promise.resolve()
    if (how === 'waits for it') waiting = lane.waitUntilUp(new AbortController().signal)
    else lane.preconnect()
    lane.retryNow()
    await waiting
    await until(() => lane.isUp)
    assert.equal(broker.connections, 2)
    assert.equal(clock.now(), 0)
  })
}

test('new credentials open no connection that is not needed', async t => {
  const { lane, broker, clock } = await startFailing(t)
  lane.retryNow()
  await clock.advance(60_000)
  assert.equal(broker.connections, 1)
})

test('closing rejects present and later waiters', async t => {
  const { lane, broker, clock } = await start(t)
  broker.isSilent = true
  const { signal } = new AbortController()
  const waiting = assert.rejects(lane.waitUntilUp(signal), /over/)
  await until(() => broker.sockets.size === 1)
  lane.close(over)
  await waiting
  await assert.rejects(lane.waitUntilUp(signal), /over/)
  assert.equal(clock.pendingTimers, 0)
})

test('a lane that has failed is missed while somebody needs it, and for a while; then nobody knows how its broker is', async t => {
  const { lane, clock } = await startFailing(t)
  assert.deepEqual([lane.isFailing, lane.isMissed], [true, true])
  await clock.advance(10_000)
  assert.deepEqual([lane.isFailing, lane.isMissed], [true, false])
  const up = lane.waitUntilUp(new AbortController().signal)
  assert.ok(lane.isMissed)
  await up
  assert.deepEqual([lane.isFailing, lane.isMissed], [false, false])
})
