/** A share consumer whose broker's response is held up on its way. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminClient, Producer, ShareConsumer } from 'ottla'
import { simulate } from '@ottla/broker/simulation'

const LOCK_MS = 15_000
const quiet = (): void => undefined

test('messages that arrive after their locks have ended are not delivered: another member has them by then', async () => {
  const given = await simulate({ seed: 1, cluster: { brokers: 1 } }, async simulation => {
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
    const worker = (name: string): ShareConsumer => {
      const made = new ShareConsumer({ ...config, 'group.id': 'workers' }, options(name))
      made.subscribe(['jobs'])
      return made
    }
    const given: string[] = []
    const work = async (consumer: ShareConsumer, name: string, ms: number): Promise<void> => {
      for (const until = Date.now() + ms; Date.now() < until;) {
        const event = await consumer.poll(100)
        if (event?.type !== 'message') continue
        given.push(`${name} ${String(event.message.value)}`)
        consumer.acknowledge(event.message, 'accept')
      }
    }
    const slow = worker('slow')
    await work(slow, 'slow', 2000)
    network.setWay('broker-1', 'slow', 'black-hole')
    const producer = new Producer(config, options('writer'))
    await producer.send({ topic: 'jobs', value: 'job' })
    await producer.close()
    const held = work(slow, 'slow', LOCK_MS + 10_000)
    await simulation.sleep(1000)
    const quick = worker('quick')
    await work(quick, 'quick', LOCK_MS + 3000)
    network.setWay('broker-1', 'slow', 'open')
    await held
    await Promise.all([slow.close(), quick.close()])
    return given
  })
  assert.deepEqual(given, ['quick job'])
})
