/** A live group moves from the classic protocol to the consumer protocol (KIP-848) and back, member by member. */
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { Consumer, type ConsumerConfig } from 'ottla'
import { plainClients, type PlainWorld } from './plain-world.ts'
import { fresh } from './world.ts'
import { createTopic } from '../harness/topics.ts'

const PARTITIONS = 6
const WAIT_MS = 60_000
const quiet = (): void => undefined

type Protocol = 'classic' | 'consumer'

/** @param start a cluster that allows groups to change their protocol both ways */
export function groupMigrationScenarios(start: () => Promise<PlainWorld>): void {
  const world = plainClients(start)

  async function until(what: string, isTrue: () => Promise<boolean> | boolean): Promise<void> {
    const end = Date.now() + WAIT_MS
    while (!(await isTrue())) {
      assert.ok(Date.now() < end, `never came true: ${what}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  test('members of a live group are replaced by members of the new protocol and back; no progress is lost', async () => {
    const [topic, group] = [fresh('migration'), fresh('migration')]
    await createTopic(world.bootstrapServers, topic, { numPartitions: PARTITIONS, replicationFactor: 1 })
    const entries = [{ name: 'consumer.heartbeat.interval.ms', value: '100', operation: 'set' }] as const
    await world.admin.incrementalAlterConfigs([{ type: 'group', name: group, entries }])
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, offset: 0 }))
    for (const { error } of await world.admin.alterConsumerGroupOffsets(group, partitions))
      assert.equal(error, undefined)

    const seen = new Map<string, number>()
    const errors: string[] = []
    const join = (protocol: Protocol): { consumer: Consumer; running: Promise<void> } => {
      const config: ConsumerConfig = {
        'bootstrap.servers': world.bootstrapServers,
        'group.id': group,
        'group.protocol': protocol,
        // A lost committed offset would be reported.
        'auto.offset.reset': 'error',
        'auto.commit.interval.ms': 50,
        'fetch.wait.max.ms': 50,
        ...(protocol === 'classic'
          ? { 'heartbeat.interval.ms': 100, 'partition.assignment.strategy': 'cooperative-sticky' }
          : {}),
      }
      const consumer = new Consumer(config, { logger: quiet })
      consumer.on('error', ({ error }) => errors.push(error.message))
      consumer.subscribe(topic)
      const running = consumer.run({
        handler: ({ partition, offset }) => {
          const key = `${partition}:${offset}`
          seen.set(key, (seen.get(key) ?? 0) + 1)
        },
      })
      return { consumer, running }
    }
    const holds = (members: { consumer: Consumer }[]): boolean => {
      const counts = members.map(({ consumer }) => consumer.assignment().length)
      return counts.every(count => count > 0) && counts.reduce((sum, count) => sum + count, 0) === PARTITIONS
    }

    const repeated = (): string[] => [...seen].filter(([, count]) => count > 1).map(([key]) => key)

    const over = new AbortController()
    let sent = 0
    const writing = (async () => {
      while (!over.signal.aborted) {
        const batch = Array.from({ length: 12 }, (_, i) => ({
          topic,
          partition: i % PARTITIONS,
          value: String(sent + i),
        }))
        for (const { error } of await world.producer.sendBatch(batch)) assert.equal(error, undefined)
        sent += batch.length
        await new Promise(resolve => setTimeout(resolve, 10))
      }
    })()

    let members = [join('classic'), join('classic'), join('classic')]
    await until('three classic members share the partitions', () => holds(members))
    for (const protocol of ['consumer', 'classic'] as const) {
      for (let i = 0; i < 3; i++) {
        const [gone, ...rest] = members
        await gone?.consumer.close()
        await gone?.running
        members = [...rest, join(protocol)]
        await until(`${i + 1} of 3 are ${protocol}`, () => holds(members))
      }
      await until(`the group is ${protocol}`, async () => {
        const { groups } = await world.admin.listConsumerGroups()
        return groups.find(({ groupId }) => groupId === group)?.type === protocol
      })
      // The way back ends the generation of newer members: messages that they had not committed are delivered again.
      if (protocol === 'consumer')
        assert.deepEqual(repeated(), [], 'delivered again although every member left properly')
    }
    over.abort()
    await writing
    await until('everything is read', () => seen.size === sent)
    // One after the other: a commit that meets the next generation is refused.
    while (members.length > 0) {
      const [gone, ...rest] = members
      await until('the members that are left share the partitions', () => holds(members))
      await gone?.consumer.close()
      await gone?.running
      members = rest
    }
    assert.deepEqual(errors, [])
    const committed = await world.admin.listConsumerGroupOffsets(group, partitions)
    assert.deepEqual(
      committed.map(({ offset }) => offset),
      partitions.map(() => sent / PARTITIONS),
    )
  })
}
