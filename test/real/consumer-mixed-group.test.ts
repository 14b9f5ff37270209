/** Our members and Java's in one group. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, Consumer, Producer } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { sharedKafka, type SharedKafka } from '../harness/shared.ts'
import { createTopic } from '../harness/topics.ts'

const quiet = (): void => undefined
const PARTITIONS = 4
const MESSAGES = 200

const javaStrategies = {
  range: 'org.apache.kafka.clients.consumer.RangeAssignor',
  roundrobin: 'org.apache.kafka.clients.consumer.RoundRobinAssignor',
} as const

let kafka: SharedKafka
let producer: Producer

before(async () => {
  kafka = await sharedKafka('single')
  producer = new Producer({ 'bootstrap.servers': kafka.bootstrapServers, 'linger.ms': 0 }, { logger: quiet })
})

after(async () => {
  await producer.close()
  await kafka.close()
})

for (const strategy of ['range', 'roundrobin'] as const) {
  test(`a member of Java's and one of ours share a topic by ${strategy}, and ours takes over when the other leaves`, async () => {
    const topic = fresh('mixed')
    const group = fresh('mixed')
    const admin = new AdminClient({ 'bootstrap.servers': kafka.bootstrapServers }, { logger: quiet })
    await createTopic(kafka.bootstrapServers, topic, { numPartitions: PARTITIONS, replicationFactor: 1 })
    await admin.close()
    const reader = new Consumer(
      {
        'bootstrap.servers': kafka.bootstrapServers,
        'group.id': group,
        'partition.assignment.strategy': strategy,
        'auto.offset.reset': 'earliest',
        'heartbeat.interval.ms': 200,
      },
      { logger: quiet },
    )
    const ours = new Set<string>()
    reader.subscribe(topic)
    const pump = async (done: () => boolean): Promise<void> => {
      const deadline = performance.now() + 120_000
      while (!done()) {
        assert.ok(performance.now() < deadline, `never came true: ${done.toString()}`)
        const event = await reader.poll(50)
        if (event?.type === 'message') ours.add(String(event.message.value))
      }
    }
    await pump(() => reader.assignment().length === PARTITIONS)
    const java = kafka.javaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
      ...['--bootstrap-server', kafka.bootstrapServers, '--topic', topic, '--group', group],
      ...['--consumer-property', `partition.assignment.strategy=${javaStrategies[strategy]}`],
      ...['--consumer-property', 'auto.offset.reset=earliest', '--timeout-ms', '6000'],
    ])
    await pump(() => reader.assignment().length === PARTITIONS / 2)
    const messages = Array.from({ length: MESSAGES }, (_, i) => ({
      topic,
      partition: i % PARTITIONS,
      value: `value-${i}`,
    }))
    for (const report of await producer.sendBatch(messages)) assert.equal(report.error, undefined)
    await pump(() => reader.assignment().length === PARTITIONS)
    const { stdout } = await java
    const theirs = new Set(stdout.split('\n').filter(line => line.startsWith('value-')))
    await pump(() => new Set([...ours, ...theirs]).size === MESSAGES)
    assert.ok(ours.size >= MESSAGES / 2)
    assert.ok(theirs.size > 0)
    await reader.close()
  })
}
