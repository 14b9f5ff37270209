/** The end of a partition (`partition-eof`, watermarks), however often it is assigned. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import type { Consumer, ConsumerConfig } from 'ottla'
import { readersOf, times, until } from './reading-ways.ts'
import { fresh } from './world.ts'

/** @param start a cluster */
export function partitionEndScenarios(
  start: () => Promise<{ bootstrapServers: string; close(): Promise<void> }>,
): void {
  const readers = readersOf(start)

  /** Polls until the test is over; `eofs` counts the `partition-eof` events by partition. */
  async function member(t: TestContext, group: string, config: Partial<ConsumerConfig>): Promise<[Consumer, number[]]> {
    const consumer = await readers.consumer(t, group, { 'enable.partition.eof': true, ...config })
    const eofs = [0, 0]
    consumer.on('partition-eof', ({ partition }) => (eofs[partition] = (eofs[partition] ?? 0) + 1))
    const polling = (async () => {
      while (!consumer.closed) await consumer.poll(100)
    })()
    t.after(async () => {
      await consumer.close()
      await polling
    })
    return [consumer, eofs]
  }

  test('a partition that is assigned again at its position reports its end and watermarks again', async t => {
    const topic = await readers.topicWith([times(3, 10), times(3, 10)])
    const [consumer, eofs] = await member(t, fresh('ends'), {})
    const at = (offset: number) => [0, 1].map(partition => ({ topic, partition, offset }))
    await consumer.assign(at(0))
    await until('the ends are reported', () => eofs.join() === '1,1')
    for (const count of [2, 3]) {
      await consumer.assign(at(3))
      await until(`the ends are reported ${count} times`, () => eofs.join() === `${count},${count}`)
      assert.deepEqual(consumer.getWatermarkOffsets(topic, 0), { low: 0, high: 3 })
    }
    await consumer.incrementalUnassign([{ topic, partition: 1 }])
    await consumer.incrementalAssign([{ topic, partition: 1, offset: 3 }])
    await until('the end of that one is reported', () => eofs.join() === '3,4')
  })

  for (const [name, config] of Object.entries({
    'classic, eager': { 'partition.assignment.strategy': 'range' },
    'classic, cooperative': { 'partition.assignment.strategy': 'cooperative-sticky' },
    'consumer protocol': { 'group.protocol': 'consumer' },
  } satisfies Record<string, Partial<ConsumerConfig>>)) {
    test(`a partition that a member gets back has an end and watermarks: ${name}`, async t => {
      const topic = await readers.topicWith([times(3, 10), times(3, 10)])
      const group = fresh('ends')
      const [first, eofs] = await member(t, group, config)
      first.subscribe(topic)
      await until('it has both, to the end', () => eofs.every(count => count > 0))
      const [second] = await member(t, group, config)
      second.subscribe(topic)
      await until('each has one', () => first.assignment().length === 1 && second.assignment().length === 1)
      await second.close()
      await until('it has both again', () => first.assignment().length === 2)
      await until('their watermarks are known', () =>
        [0, 1].every(partition => first.getWatermarkOffsets(topic, partition).high === 3),
      )
      await until('the end of at least one is reported again', () => eofs.some(count => count > 1))
    })
  }
}
