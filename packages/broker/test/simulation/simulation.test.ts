import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../../src/simulation/index.ts'

test('minutes take no time, and timers and dates are virtual', async () => {
  const realStart = Date.now()
  const { before, after, ticks, elapsed } = await simulate({}, async () => {
    const before = Date.now()
    const from = performance.now()
    let ticks = 0
    const interval = setInterval(() => ticks++, 60_000)
    const never = setTimeout(() => assert.fail('it was cleared'), 1000)
    clearTimeout(never)
    await new Promise(resolve => setTimeout(resolve, 630_000))
    clearInterval(interval)
    return { before, after: new Date().getTime(), ticks, elapsed: performance.now() - from }
  })
  assert.equal(after - before, 630_000)
  assert.equal(elapsed, 630_000)
  assert.equal(ticks, 10)
  assert.ok(Math.abs(Date.now() - realStart) < 600_000)
  assert.ok(new Date(0).getTime() === 0)
})

test('a timer that is refreshed waits for its whole time again', async () => {
  await simulate({}, async simulation => {
    let calls = 0
    const timeout = setTimeout(() => calls++, 100)
    await simulation.sleep(60)
    timeout.refresh()
    await simulation.sleep(60)
    assert.equal(calls, 0)
    await simulation.sleep(60)
    assert.equal(calls, 1)
  })
})

test('dates are of the same kind as those that were made before', async () => {
  const before = new Date(5)
  await simulate({}, async simulation => {
    assert.ok(before instanceof Date)
    assert.deepEqual(new Date(5), before)
    assert.equal(Date(), new Date().toString())
    await simulation.sleep(1)
  })
})

test('only one simulation at a time can have the timers of the process', async () => {
  await simulate({}, async simulation => {
    await assert.rejects(
      simulate({ seed: 2 }, () => Promise.resolve()),
      /another simulation is running: await it first, or run both with globals: false/,
    )
    await simulation.sleep(1)
  })
})

test('a cluster with TLS is refused: its listeners would be on the real network', async () => {
  const cluster = { tls: { key: '', cert: '' } } as object
  await assert.rejects(
    simulate({ cluster }, () => Promise.resolve()),
    /tls cannot be combined with network/,
  )
})

test('a failure names the seed', async () => {
  await assert.rejects(
    simulate({ seed: 42 }, () => Promise.reject(new Error('a message is lost'))),
    /a message is lost \(seed 42\)/,
  )
})

test('a program that never ends fails', async () => {
  await assert.rejects(
    simulate({ seed: 3, limitMs: 1000 }, () => new Promise(() => undefined)),
    /the program has not ended within 1000 virtual ms \(seed 3\)/,
  )
})

test('the same seed brings the same faults, and leaving some out changes no other', async () => {
  const faults = (seed: number, without: readonly number[] = []) =>
    simulate({ seed }, async simulation => {
      simulation.host('orders')
      simulation.cluster.createTopic('orders', { partitions: 3 })
      const struck: string[] = []
      await simulation.storm({
        ms: 60_000,
        groups: ['shop'],
        without: new Set(without),
        onFault: ({ number, kind, what }) => struck.push(`${simulation.now} ${number} ${kind} ${what}`),
      })
      return struck
    })
  const first = await faults(1)
  assert.ok(first.length > 20)
  assert.deepEqual(await faults(1), first)
  assert.notDeepEqual(await faults(2), first)
  const numberOf = (line: string | undefined): number => Number(line?.split(' ')[1])
  const left = first.slice(0, 5).map(numberOf)
  const rest = (await faults(1, left)).map(numberOf)
  assert.ok(rest.every(number => !left.includes(number)))
  assert.ok(rest.includes(numberOf(first[10])))
})

test('after a storm all brokers can be reached, and nothing of it waits any more', async () => {
  await simulate({ seed: 5 }, async simulation => {
    simulation.host('orders')
    const timers = simulation.waitingTimers
    await simulation.storm({ ms: 120_000, everyMs: 200 })
    assert.equal(simulation.waitingTimers, timers)
    const { network, cluster } = simulation
    const socket = network.host('orders').connect({ host: '127.0.0.1', port: 20_001 })
    const opened = new Promise(resolve => socket.once('connect', resolve))
    await opened
    socket.destroy()
    await cluster.brokerUp(1)
    await simulation.sleep(1000)
    assert.deepEqual(network.connections, [])
  })
})

test('faults that are aimed strike the client and the broker between which something is on its way', async () => {
  const struck = await simulate({ seed: 3 }, async simulation => {
    for (const name of ['orders', 'bills', 'stock', 'mail']) simulation.host(name)
    const socket = simulation.network.host('bills').connect({ host: '127.0.0.1', port: 20_002 })
    // The length of a request, and then the request, ever so slowly.
    socket.write(Buffer.from([0, 15, 0, 0]))
    const sending = setInterval(() => socket.write(Buffer.from([0])), 20)
    const faults: string[] = []
    const kinds = ['narrow', 'slow'] as const
    await simulation.storm({ ms: 60_000, kinds, aimed: 1, onFault: ({ what }) => faults.push(what) })
    clearInterval(sending)
    socket.destroy()
    return faults
  })
  assert.ok(struck.length > 20)
  for (const what of struck) assert.match(what, /^bills and broker-2$|^broker-2 by \d+ ms$/)
})

test('where nothing is sent, faults that are aimed strike by chance', async () => {
  await simulate({ seed: 3 }, async simulation => {
    let faults = 0
    await simulation.storm({ ms: 60_000, kinds: ['slow'], aimed: 1, onFault: () => faults++ })
    assert.ok(faults > 10)
  })
})

test('faults come when the program lets them', async () => {
  await simulate({ seed: 4 }, async simulation => {
    const moments: number[] = []
    await simulation.storm({
      ms: 600_000,
      kinds: ['slow'],
      wait: ms => simulation.sleep(Math.ceil((simulation.now + ms) / 60_000) * 60_000 - simulation.now),
      onFault: () => moments.push(simulation.now),
    })
    assert.ok(moments.length > 5)
    for (const at of moments) assert.ok(Math.abs(at - Math.round(at / 60_000) * 60_000) < 1)
  })
})

test('clients of a host have a clock that may be wrong', async () => {
  await simulate({}, async simulation => {
    const { clock } = simulation.host('orders')
    const right = clock.wallTime()
    simulation.setClockSkew('orders', 60_000)
    assert.equal(clock.wallTime(), right + 60_000)
    assert.throws(() => simulation.setClockSkew('nobody', 1), /there is no host 'nobody'/)
    await simulation.sleep(1)
  })
})
