/** A broker is killed and restarted while messages are produced and consumed: those reported as delivered are there. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, Consumer, Producer, type DeliveryReport } from 'ottla'
import { as, fresh, type World } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined
const PARTITIONS = 6

/** Registers the tests; `start` starts a cluster whose brokers may be killed. */
export function brokerLossScenarios(start: () => Promise<World>): void {
  let world: World
  let admin: AdminClient

  before(async () => {
    world = await start()
    admin = new AdminClient(as(world, 'admin'))
  })

  after(async () => {
    await admin.close()
    await world.close()
  })

  test('a broker killed and restarted while producing with acks=all and consuming: all that was reported as delivered is read back', async () => {
    const topic = fresh('loss')
    await createTopic(as(world, 'admin'), topic, { numPartitions: PARTITIONS, replicationFactor: 3 })
    const producer = new Producer({ ...as(world, 'admin'), acks: 'all', 'linger.ms': 5 }, { logger: quiet })
    const consumer = new Consumer(
      { ...as(world, 'admin'), 'group.id': fresh('loss'), 'auto.offset.reset': 'earliest' },
      { logger: quiet },
    )
    const delivered = new Set<string>()
    const failed: DeliveryReport[] = []
    let accepted = 0
    let reported = 0
    const write = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const value = String(accepted++)
        producer.produce({ topic, key: `key-${i}`, value }, report => {
          reported++
          if (report.error === undefined) delivered.add(value)
          else failed.push(report)
        })
        // A trickle rather than a burst, so that requests are in flight when the broker dies.
        if (i % 20 === 0) await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
    const read = new Set<string>()
    consumer.subscribe(topic)
    const reading = (async (): Promise<void> => {
      for await (const message of consumer) read.add(String(message.value))
    })()
    try {
      await write(1000)
      await world.kill(2)
      await write(3000)
      await world.restart(2)
      await write(1000)
      assert.equal(await producer.flush(60_000), 0)
      assert.equal(reported, accepted, 'one report for each message')
      assert.equal(failed.length, 0, `failed: ${failed[0]?.error?.message ?? ''}`)
      // One more message behind all others of each partition.
      const ends = await Promise.all(
        Array.from({ length: PARTITIONS }, (_, partition) =>
          producer.send({ topic, partition, value: `end-${partition}` }),
        ),
      )
      for (const end of ends) delivered.add(String(end.value))
      const deadline = performance.now() + 60_000
      const isThere = (value: string): boolean => read.has(value)
      while (![...delivered].every(isThere) && performance.now() < deadline) {
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    } finally {
      await consumer.close()
      await producer.close()
    }
    await reading
    for (const value of delivered) assert.ok(read.has(value), `${value} was reported as delivered and never read`)
  })
}
