/** A share consumer whose fetch, or its answer, is held up on its way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminClient, Producer, ShareConsumer } from 'ottla'
import { simulate, type Simulation } from '@ottla/broker/simulation'

const LOCK_MS = 15_000
const quiet = (): void => undefined

/** A member that gets messages, and what it was given so far. */
interface Worker {
  readonly consumer: ShareConsumer
  /** Takes and accepts messages for a while. */
  readonly work: (ms: number) => Promise<void>
}

interface Scene extends Pick<Simulation, 'cluster' | 'network'> {
  readonly sleep: (ms: number) => Promise<void>
  /** `name value xdeliveryCount` */
  readonly given: string[]
  readonly worker: (name: string) => Worker
  readonly produce: (value: string) => Promise<void>
}

/** One partition of jobs on one broker; each has a lock of 15 s. */
function scene<T>(play: (scene: Scene) => Promise<T>): Promise<T> {
  return simulate({ seed: 1, cluster: { brokers: 1 } }, async simulation => {
    const { bootstrapServers, cluster, network } = simulation
    const config = { 'bootstrap.servers': bootstrapServers }
    const options = (name: string) => ({ ...simulation.host(name), logger: quiet })
    cluster.createTopic('jobs', { partitions: 1 })
    const admin = new AdminClient(config, options('admin'))
    const entries = [
      { name: 'share.auto.offset.reset', value: 'earliest', operation: 'set' as const },
      { name: 'share.record.lock.duration.ms', value: String(LOCK_MS), operation: 'set' as const },
    ]
    await admin.incrementalAlterConfigs([{ type: 'group', name: 'workers', entries }])
    await admin.close()
    const given: string[] = []
    const made: ShareConsumer[] = []
    const worker = (name: string): Worker => {
      const consumer = new ShareConsumer({ ...config, 'client.id': name, 'group.id': 'workers' }, options(name))
      made.push(consumer)
      consumer.subscribe(['jobs'])
      const work = async (ms: number): Promise<void> => {
        for (const until = Date.now() + ms; Date.now() < until;) {
          const event = await consumer.poll(100)
          if (event?.type !== 'message') continue
          given.push(`${name} ${String(event.message.value)} x${event.message.deliveryCount}`)
          consumer.acknowledge(event.message, 'accept')
        }
      }
      return { consumer, work }
    }
    const produce = async (value: string): Promise<void> => {
      const producer = new Producer(config, options('writer'))
      await producer.send({ topic: 'jobs', value })
      await producer.close()
    }
    try {
      return await play({ cluster, network, sleep: ms => simulation.sleep(ms), given, worker, produce })
    } finally {
      await Promise.all(made.map(consumer => consumer.close()))
    }
  })
}

test('messages that arrive after their locks have ended are not delivered: another member has them by then', async () => {
  const seen = await scene(async ({ network, sleep, given, worker, produce }) => {
    const slow = worker('slow')
    await slow.work(2000)
    network.setWay('broker-1', 'slow', 'black-hole')
    await produce('job')
    const held = slow.work(LOCK_MS + 10_000)
    await sleep(1000)
    await worker('quick').work(LOCK_MS + 3000)
    network.setWay('broker-1', 'slow', 'open')
    await held
    return given
  })
  assert.deepEqual(seen, ['quick job x2'])
})

test('messages of a fetch that was held up on its way are released at once, as they may not be delivered', async () => {
  const [seen, tookMs] = await scene(async ({ network, sleep, given, worker, produce }) => {
    const slow = worker('slow')
    await slow.work(2000)
    network.setWay('slow', 'broker-1', 'black-hole')
    const held = slow.work(2 * LOCK_MS)
    // The fetch that was there before is answered by then, with nothing.
    await sleep(2000)
    await produce('job')
    await sleep(LOCK_MS)
    network.setWay('slow', 'broker-1', 'open')
    const openedAt = Date.now()
    while (given.length === 0) await sleep(100)
    const ms = Date.now() - openedAt
    await held
    return [given, ms] as const
  })
  assert.deepEqual(seen, ['slow job x2'])
  assert.ok(tookMs < LOCK_MS / 3, `it came ${tookMs} ms after the fetch, not at the end of its lock`)
})

test('a member whose fetches always take longer than the lock leaves messages to the others', async () => {
  const [seen, fetches] = await scene(async ({ cluster, network, sleep, given, worker, produce }) => {
    const slow = worker('slow')
    await slow.work(2000)
    let count = 0
    cluster.control(({ apiName, clientId }) => {
      if (apiName === 'ShareFetch' && clientId === 'slow') count++
    })
    network.setLink('broker-1', 'slow', { latencyMs: LOCK_MS + 1000 })
    await produce('job')
    const late = slow.work(4 * LOCK_MS)
    await sleep(1000)
    await worker('quick').work(4 * LOCK_MS)
    await late
    return [given, count] as const
  })
  assert.equal(seen.length, 1)
  assert.match(seen[0] ?? '', /^quick job x[23]$/)
  assert.ok(fetches <= 6, `${fetches} fetches`)
})

test('a lock that has run out is not renewed by an answer that comes too late: others may be done with the message', async () => {
  const seen = await scene(async ({ network, sleep, given, worker, produce }) => {
    await produce('one')
    await produce('two')
    const slow = worker('slow').consumer
    const hasBegun = new Promise<void>(resolve => {
      void slow.run({
        concurrency: 1,
        handler: async ({ value, deliveryCount }) => {
          given.push(`slow ${String(value)} x${deliveryCount}`)
          resolve()
          await sleep(LOCK_MS + 600)
        },
      })
    })
    await hasBegun
    const quick = worker('quick').work(LOCK_MS + 2000)
    await sleep(5000)
    // The renewal comes when another member has had both messages.
    network.setWay('slow', 'broker-1', 'black-hole')
    await sleep(LOCK_MS - 5000 + 300)
    network.setWay('slow', 'broker-1', 'open')
    await quick
    return given
  })
  assert.deepEqual(seen, ['slow one x1', 'quick one x2', 'quick two x2'])
})

test('nothing is given that a lost connection has released while the next request waits for the end of a throttle', async () => {
  const seen = await scene(async ({ cluster, network, sleep, given, worker, produce }) => {
    await produce('one')
    await produce('two')
    cluster.setThrottle(1, 8000)
    const slow = worker('slow').consumer
    const hasBegun = new Promise<void>(resolve => {
      void slow.run({
        concurrency: 1,
        handler: async ({ value, deliveryCount }) => {
          given.push(`slow ${String(value)} x${deliveryCount}`)
          resolve()
          await sleep(4000)
        },
      })
    })
    await hasBegun
    cluster.setThrottle(1, 0)
    const quick = worker('quick').work(6000)
    await sleep(1000)
    network.cut('slow', 'broker-1')
    await quick
    return given
  })
  assert.deepEqual(seen, ['slow one x1', 'quick one x2', 'quick two x2'])
})
