import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HealthMonitor, type Condition, type Health } from '../../src/observe/health.ts'
import { Logger } from '../../src/observe/logger.ts'
import { FakeClock } from '../base/fake-clock.ts'

interface Watched {
  readonly clock: FakeClock
  readonly monitor: HealthMonitor
  readonly logs: string[]
  found: Condition[]
}

function watched(): Watched {
  const clock = new FakeClock()
  const logs: string[] = []
  const logger = new Logger((_, facility, text) => void logs.push(`${facility} ${text}`), 6, new Set())
  const world: Watched = { clock, logs, found: [], monitor: new HealthMonitor(clock, logger, () => world.found) }
  return world
}

test('without a condition all is well; the worst one decides the status and comes first', () => {
  const world = watched()
  assert.deepEqual(world.monitor.health(), { status: 'ok', reasons: [] })
  world.found = [{ code: 'queue-full', message: 'full' }]
  assert.equal(world.monitor.health().status, 'degraded')
  world.found.push({ code: 'no-broker', message: 'none' })
  const { status, reasons } = world.monitor.health()
  assert.deepEqual([status, reasons.map(({ code }) => code)], ['down', ['no-broker', 'queue-full']])
})

test('since is what the client knows, or when it was first seen; a condition that comes back begins again', async () => {
  const world = watched()
  const { clock, monitor } = world
  const sinceOf = (): number | undefined => monitor.health().reasons[0]?.since
  const begun = clock.wallTime()
  world.found = [{ code: 'joining', message: 'joins' }]
  assert.equal(sinceOf(), begun)
  await clock.advance(700)
  assert.equal(sinceOf(), begun)
  world.found = []
  monitor.health()
  world.found = [{ code: 'joining', message: 'joins' }]
  assert.equal(sinceOf(), begun + 700)
  world.found = [{ code: 'joining', message: 'joins', since: clock.now() - 50 }]
  assert.equal(sinceOf(), begun + 650)
})

test('listeners hear of changes only, what they throw is logged, and nothing runs without them', async () => {
  const world = watched()
  const { clock, monitor } = world
  const heard: string[] = []
  const note = (health: Health, before: Health): void => void heard.push(`${before.status} ${health.status}`)
  const end = monitor.onChange(note)
  const endOther = monitor.onChange(() => {
    throw new Error('oh')
  })
  await clock.advance(2000)
  assert.deepEqual(heard, [])
  world.found = [{ code: 'broker-down', message: 'one' }]
  await clock.advance(250)
  world.found = [{ code: 'broker-down', message: 'another sentence' }]
  await clock.advance(250)
  assert.deepEqual(heard, ['ok degraded'])
  assert.equal(world.logs.length, 1)
  end()
  endOther()
  world.found = []
  await clock.advance(1000)
  assert.deepEqual(heard, ['ok degraded'])
  world.found = [{ code: 'closed', message: 'closed' }]
  monitor.onChange(note)
  world.found = []
  monitor.stop()
  assert.deepEqual(heard, ['ok degraded', 'down ok'])
  await clock.advance(1000)
  assert.equal(heard.length, 2)
})
