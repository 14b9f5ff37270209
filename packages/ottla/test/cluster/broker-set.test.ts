import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { ErrorCode, Heartbeat } from '@ottla/protocol'
import { Deadline, systemClock } from '../../src/base/clock.ts'
import type { Broker } from '../../src/cluster/broker.ts'
import { BrokerSet } from '../../src/cluster/broker-set.ts'
import { createContext } from '../../src/cluster/context.ts'
import type { BrokerAddress } from '../../src/cluster/snapshot.ts'
import { resolveConfig } from '../../src/config/resolve.ts'
import { RequestError } from '../../src/network/request-error.ts'
import { ScriptedBroker } from '../network/scripted-broker.ts'

interface Bench {
  readonly set: BrokerSet
  readonly servers: readonly ScriptedBroker[]
  readonly brokers: readonly Broker[]
}

const quiet = (): void => undefined

/** A set of so many brokers, all of them silent. */
async function start(t: TestContext, count: number): Promise<Bench> {
  const servers = await Promise.all(Array.from({ length: count }, () => ScriptedBroker.start()))
  for (const server of servers) server.isSilent = true
  const resolved = resolveConfig('consumer', { 'bootstrap.servers': `127.0.0.1:${servers[0]?.port ?? 0}` })
  const set = new BrokerSet(createContext('consumer', resolved, { logger: quiet }), quiet, quiet)
  t.after(async () => {
    set.close(new RequestError(ErrorCode.ERR__DESTROY, 'over', true))
    await Promise.all(servers.map(server => server.close()))
  })
  set.update(new Map(servers.map((server, i) => [i, addressOf(i, server)])))
  return { set, servers, brokers: set.nodes() }
}

function addressOf(id: number, { port }: ScriptedBroker): BrokerAddress {
  return { id, host: '127.0.0.1', port, rack: null }
}

const soon = (): Deadline => Deadline.after(systemClock, 8000)

async function until(condition: () => boolean): Promise<void> {
  const latest = performance.now() + 30_000
  while (!condition()) {
    assert.ok(performance.now() < latest, 'it does not come about')
    await new Promise(resolve => setImmediate(resolve))
  }
}

test('a broker to avoid is used when no other can be reached', async t => {
  const { set, servers, brokers } = await start(t, 2)
  servers[0]?.speak()
  assert.equal(await set.reachable(brokers.slice(0, 1), soon(), undefined), brokers[0])
  // The other one is up now: better than waiting for one.
  assert.equal(await set.reachable(brokers.slice(0, 1), soon(), undefined), brokers[0])
})

test('a broker to avoid is not used while another is up', async t => {
  const { set, servers, brokers } = await start(t, 2)
  for (const [i, server] of servers.entries()) {
    server.speak()
    await set.reachable([], soon(), undefined, new Set(brokers.filter((_, k) => k !== i)))
  }
  for (let i = 0; i < 20; i++) assert.equal(await set.reachable(brokers.slice(0, 1), soon(), undefined), brokers[1])
})

test('a wait for a broker ends when it leaves the cluster', async t => {
  const { set, servers } = await start(t, 1)
  const waiting = assert.rejects(set.reachable([], soon(), undefined), /is no longer part of the cluster/)
  await until(() => servers[0]?.sockets.size === 1)
  set.update(new Map())
  await waiting
})

test('a wait for a broker ends when it gets another address', async t => {
  const { set, servers } = await start(t, 1)
  const waiting = assert.rejects(set.reachable([], soon(), undefined), /is no longer part of the cluster/)
  await until(() => servers[0]?.sockets.size === 1)
  const elsewhere = await ScriptedBroker.start()
  t.after(() => elsewhere.close())
  set.update(new Map([[0, addressOf(0, elsewhere)]]))
  await waiting
  assert.equal(await set.reachable([], soon(), undefined), set.node(0))
})

test("the failure of a broker's other lane does not end the wait for the broker", async t => {
  const { set, servers, brokers } = await start(t, 1)
  const [server] = servers
  const [broker] = brokers
  assert.ok(server !== undefined && broker !== undefined)
  const waiting = set.reachable([], soon(), undefined)
  await until(() => server.sockets.size === 1)
  const [kept] = server.sockets
  const body = { groupId: 'g', generationId: 1, memberId: 'm' }
  const other = assert.rejects(
    broker.request(Heartbeat, body, { lane: 'fetch', timeoutMs: 8000 }),
    /before it had answered/,
  )
  await until(() => server.sockets.size === 2)
  for (const socket of server.sockets) if (socket !== kept) socket.destroy()
  await other
  server.speak()
  assert.equal(await waiting, broker)
})

test('a wait that is over does not end the attempt that another wait needs', async t => {
  const { set, servers, brokers } = await start(t, 2)
  const [first, second] = servers
  const one = set.reachable([], soon(), undefined)
  const other = set.reachable([], soon(), undefined, new Set(brokers.slice(0, 1)))
  await until(() => first?.sockets.size === 1 && second?.sockets.size === 1)
  first?.speak()
  assert.equal(await one, brokers[0])
  second?.speak()
  assert.equal(await other, brokers[1])
  assert.equal(second?.connections, 1)
})

test('no connection attempt is left when a wait has ended', async t => {
  const { set, servers } = await start(t, 2)
  const end = new AbortController()
  const aborted = assert.rejects(set.reachable([], soon(), end.signal), /had enough/)
  const late = assert.rejects(
    set.reachable([], Deadline.after(systemClock, 600), undefined),
    /no broker could be reached/,
  )
  await until(() => servers.every(({ sockets }) => sockets.size === 1))
  end.abort(new Error('had enough'))
  await aborted
  await late
  await until(() => servers.every(({ sockets }) => sockets.size === 0))
})

test('closing ends every wait', async t => {
  const { set } = await start(t, 2)
  const waiting = assert.rejects(set.reachable([], soon(), undefined), /over/)
  set.close(new RequestError(ErrorCode.ERR__DESTROY, 'over', true))
  await waiting
  await assert.rejects(set.reachable([], soon(), undefined), /over/)
})
