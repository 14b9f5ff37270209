/** Members come and go while messages are written: each is read, and nothing stands still. */
import { after, before, test } from 'node:test'
import assert from 'node:assert/strict'
import { AdminClient, Consumer, Producer, type TopicPartition } from 'ottla'
import { fresh } from '../behaviour/world.ts'
import { sharedKafka, type SharedKafka } from '../harness/shared.ts'

const quiet = (): void => undefined
const PARTITIONS = 8
const ROUNDS = 12
const PER_ROUND = 200

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

test('every message is read at least once, and no partition has two owners that commit', async () => {
  const topic = fresh('churn')
  const group = fresh('churn')
  const admin = new AdminClient({ 'bootstrap.servers': kafka.bootstrapServers }, { logger: quiet })
  const [created] = await admin.createTopics([{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }])
  assert.equal(created?.error, undefined)
  await admin.close()

  const seen = new Set<string>()
  const owners = new Map<number, Consumer>()
  const conflicts: string[] = []
  let written = 0
  const own = (member: Consumer, partitions: readonly TopicPartition[]): void => {
    for (const { partition } of partitions) {
      if (owners.has(partition)) conflicts.push(`partition ${partition} was given to two members`)
      owners.set(partition, member)
    }
  }
  const disown = (member: Consumer, partitions: readonly TopicPartition[]): void => {
    for (const { partition } of partitions) if (owners.get(partition) === member) owners.delete(partition)
  }

  const members: { reader: Consumer; reading: Promise<void> }[] = []
  const join = (): void => {
    const reader = new Consumer(
      {
        'bootstrap.servers': kafka.bootstrapServers,
        'group.id': group,
        'auto.offset.reset': 'earliest',
        'heartbeat.interval.ms': 100,
        'session.timeout.ms': 30_000,
        'fetch.wait.max.ms': 100,
      },
      { logger: quiet },
    )
    reader.subscribe(topic, event => {
      if (event.type === 'assign') own(reader, event.partitions)
      else disown(reader, event.partitions)
    })
    const reading = (async (): Promise<void> => {
      for await (const message of reader) seen.add(String(message.value))
    })()
    members.push({ reader, reading })
  }
  const leave = async (): Promise<void> => {
    const member = members.shift()
    await member?.reader.close()
    await member?.reading
  }
  const write = async (): Promise<void> => {
    const messages = Array.from({ length: PER_ROUND }, (_, i) => ({
      topic,
      partition: i % PARTITIONS,
      value: `value-${written + i}`,
    }))
    for (const report of await producer.sendBatch(messages)) assert.equal(report.error, undefined)
    written += PER_ROUND
  }

  join()
  for (let round = 0; round < ROUNDS; round++) {
    await write()
    if (round % 3 !== 2) join()
    if (round % 2 === 1 && members.length > 1) await leave()
    await write()
    const deadline = performance.now() + 30_000
    // Some rounds overlap with the next rebalance, others wait for everything.
    while (round % 2 === 0 && seen.size < written) {
      assert.ok(performance.now() < deadline, `${seen.size} of ${written} after round ${round}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  const deadline = performance.now() + 60_000
  while (seen.size < written) {
    assert.ok(performance.now() < deadline, `${seen.size} of ${written} in the end`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  while (members.length > 0) await leave()
  assert.deepEqual(conflicts, [])
})
