/** The lag of a group, and a reset of its offsets while it has no members. */
import { AdminClient, Producer } from 'ottla'
import { fresh, openCluster } from './cluster.ts'

const cluster = await openCluster()
const servers = { 'bootstrap.servers': cluster.bootstrapServers }
const topic = fresh('payments')
const group = fresh('billing')

const producer = new Producer(servers)
const admin = AdminClient.from(producer)
await admin.createTopics([{ topic, numPartitions: 2 }])
for (let i = 0; i < 20; i++) await producer.send({ topic, partition: i % 2, value: `payment ${i}` })

// What a consumer would do with commit().
await admin.alterConsumerGroupOffsets(group, [
  { topic, partition: 0, offset: 10 },
  { topic, partition: 1, offset: 3 },
])

async function lag(): Promise<number> {
  const committed = await admin.listConsumerGroupOffsets(group)
  const asked = committed.map(({ topic, partition }) => ({ topic, partition, spec: 'latest' as const }))
  const ends = await admin.listOffsets(asked)
  let sum = 0
  committed.forEach(({ partition, offset }, i) => {
    const behind = (ends[i]?.offset ?? offset) - offset
    console.log(`partition ${partition}: at ${offset}, ${behind} behind`)
    sum += behind
  })
  return sum
}

if ((await lag()) !== 7) process.exitCode = 1

const [reset] = await admin.alterConsumerGroupOffsets(group, [{ topic, partition: 1, offset: 0 }])
console.log(reset?.error?.message ?? 'partition 1 begins at offset 0 again')
if ((await lag()) !== 10) process.exitCode = 1

await admin.deleteConsumerGroups([group])
await admin.deleteTopics([topic])
await producer.close()
await cluster.close()
