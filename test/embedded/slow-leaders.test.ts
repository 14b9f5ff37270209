/** Leaders that are slow, silent or not asked any more: the partitions of the others are read all the same. */
import { test, type TestContext } from 'node:test'
import assert from 'node:assert/strict'
import { EmbeddedCluster } from '@ottla/broker'
import { ApiKey } from '@ottla/protocol'
import { Consumer, type ConsumerConfig } from 'ottla'
import { plainClients } from '../behaviour/plain-world.ts'
import { quiet, until } from '../behaviour/reading-ways.ts'
import { fresh } from '../behaviour/world.ts'

let cluster: EmbeddedCluster
const world = plainClients(async () => (cluster = await EmbeddedCluster.start({ brokers: 3, racks: ['a', 'b', 'c'] })))

function topic(partitions: number, leader = 1): string {
  const name = fresh('led')
  cluster.createTopic(name, { partitions, replicationFactor: 3 })
  for (let partition = 0; partition < partitions; partition++) cluster.setLeader(name, partition, leader)
  return name
}

/** Reads until the test is over. @returns what has been read of each partition */
async function reading(t: TestContext, name: string, offsets: readonly number[], config: Partial<ConsumerConfig> = {}) {
  const consumer = new Consumer(
    {
      'bootstrap.servers': cluster.bootstrapServers,
      'fetch.wait.max.ms': 50,
      'retry.backoff.ms': 20,
      'topic.metadata.refresh.interval.ms': 200,
      ...config,
    },
    { logger: quiet },
  )
  const seen = offsets.map(() => 0)
  await consumer.assign(offsets.map((offset, partition) => ({ topic: name, partition, offset })))
  const running = (async () => {
    for await (const { partition } of consumer) seen[partition] = (seen[partition] ?? 0) + 1
  })()
  t.after(async () => {
    await consumer.close()
    await running
  })
  return { consumer, seen }
}

const send = (name: string, partition: number) => world.producer.send({ topic: name, partition, value: 'm' })

for (const [apiName, begin] of [
  ['OffsetForLeaderEpoch', 0],
  ['ListOffsets', -2],
] as const) {
  test(`a leader that keeps silent (${apiName}) holds up nobody else, and nobody once it leads no more`, async t => {
    const api = ApiKey[apiName]
    const name = topic(2, api === ApiKey.ListOffsets ? 2 : 1)
    for (const partition of [0, 1]) await send(name, partition)
    let asked = 0
    const silence = (): void => {
      const end = cluster.control(({ apiKey, brokerId }) => {
        if (apiKey !== api || brokerId !== 2) return undefined
        asked++
        return null
      })
      t.after(end)
    }
    if (api === ApiKey.ListOffsets) {
      cluster.setLeader(name, 1, 3)
      silence()
    }
    const { seen } = await reading(t, name, [begin, begin])
    if (api === ApiKey.OffsetForLeaderEpoch) {
      await until('both are read', () => seen.join() === '1,1')
      silence()
      cluster.setLeader(name, 0, 2)
      await until('the silent one is asked', () => asked > 0)
      cluster.setLeader(name, 1, 3)
      await send(name, 1)
      await until('the other goes on', () => seen[1] === 2)
    } else {
      await until('the silent one is asked', () => asked > 0)
      await until('the other is read', () => seen[1] === 1)
    }
    cluster.setLeader(name, 0, 3)
    await send(name, 0)
    await until('it goes on with another leader', () => seen[0] === 2)
  })
}

test('a leader that takes longer than five seconds to say where a partition begins is waited for', async t => {
  const name = topic(1)
  await send(name, 0)
  let asked = 0
  t.after(
    cluster.control(async ({ apiKey }) => {
      if (apiKey !== ApiKey.ListOffsets) return
      asked++
      await new Promise(resolve => setTimeout(resolve, 5500))
    }),
  )
  const { seen } = await reading(t, name, [-2])
  await until('it is read', () => seen[0] === 1)
  assert.equal(asked, 1)
})

test('a replica that is read from is left again after metadata.max.age.ms, and reading goes on', async t => {
  const name = topic(1)
  cluster.setPreferredReplica(name, 0, 2)
  cluster.requests('start')
  t.after(() => cluster.requests('stop'))
  const { seen } = await reading(t, name, [0], {
    'client.rack': 'b',
    'metadata.max.age.ms': 200,
    'topic.metadata.refresh.interval.ms': 300_000,
  })
  const redirected = (): number => {
    const fetches = cluster.requests().filter(({ apiKey }) => apiKey === ApiKey.Fetch)
    return fetches.filter(({ brokerId }, i) => brokerId === 2 && fetches[i - 1]?.brokerId === 1).length
  }
  let sent = 0
  await until('it has been sent to the replica three times', async () => {
    await send(name, 0)
    sent++
    return redirected() >= 3
  })
  await until('all is read', () => seen[0] === sent)
})
