/** A coordinator whose connection dies without a word while a member waits for its answer, on virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate, type Simulation } from '@ottla/broker/simulation'
import { ApiKey } from '@ottla/protocol'
import { Consumer, type ConsumerConfig } from 'ottla'

const quiet = { logger: (): void => undefined }
const LOOK_EVERY_MS = 100
const LIMIT_MS = 400_000

/** How long it takes until a consumer has partitions, virtual ms. */
async function assigned(simulation: Simulation, consumer: Consumer): Promise<number> {
  const from = simulation.now
  while (consumer.assignment().length === 0 && simulation.now - from < LIMIT_MS) await consumer.poll(LOOK_EVERY_MS)
  return simulation.now - from
}

async function untilAssigned(api: number, config: Partial<ConsumerConfig>): Promise<number> {
  return simulate({ seed: 1 }, async simulation => {
    const { cluster, bootstrapServers } = simulation
    cluster.createTopic('orders', { partitions: 2 })
    const settings = { 'bootstrap.servers': bootstrapServers, 'group.id': 'shop', ...config }
    const consumer = new Consumer(settings, { ...simulation.host('shop'), ...quiet })
    cluster.failNext(api, [{ silent: true }])
    consumer.subscribe(['orders'])
    const ms = await assigned(simulation, consumer)
    await consumer.close()
    return ms
  })
}

for (const strategy of ['range', 'cooperative-sticky'] as const) {
  test(`a SyncGroup that nobody answers is sent again when the session would be over (${strategy})`, async () => {
    const config = { 'partition.assignment.strategy': strategy, 'session.timeout.ms': 6000 }
    const ms = await untilAssigned(ApiKey.SyncGroup, config)
    assert.ok(ms > 6000 && ms < 15_000, `after ${ms} ms`)
  })
}

test('a JoinGroup that nobody answers is sent again when all members would have had to join', async () => {
  const ms = await untilAssigned(ApiKey.JoinGroup, { 'session.timeout.ms': 6000, 'max.poll.interval.ms': 20_000 })
  assert.ok(ms > 20_000 && ms < 30_000, `after ${ms} ms`)
})
