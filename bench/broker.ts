/**
 * `npm run bench:broker`: what the embedded cluster bears, as a table. The cluster has a process of its own, so that
 * its figures are those of one core without the client's.
 */
import { BatchWriter, Metadata, Produce } from '@ottla/protocol'
import { Connection, createTopics, took, World } from './broker-world.ts'

const TOPICS = 1000
const CONNECTIONS = 200
const MESSAGES = 2_000_000
const MESSAGE_BYTES = 100
const IN_FLIGHT = 5

async function main(): Promise<void> {
  const rows: [what: string, figure: string][] = []
  for (const brokers of [1, 3]) {
    await using world = await World.start(brokers)
    rows.push([`start of ${brokers} broker${brokers === 1 ? '' : 's'}`, `${world.startMs.toFixed(0)} ms`])
  }
  await using world = await World.start(1)
  const admin = await Connection.open(world.address)
  for (const batchSize of [10, 100, 1000, 5000]) {
    const { wallMs, cpuMs } = await produce(world, admin, batchSize)
    const perSecond = (ms: number): string => Math.round((MESSAGES / ms) * 1000).toLocaleString('en')
    const figure = `${perSecond(wallMs)} a second, ${perSecond(cpuMs)} a second of its CPU`
    rows.push([`produce ${MESSAGE_BYTES} B, ${batchSize.toLocaleString('en')} in a batch`, figure])
  }
  rows.push(...(await manyTopics(world, admin)), ...(await manyConnections(world)))
  rows.push(['memory of the process at the end', `${Math.round((await world.used()).rssBytes / 1_048_576)} MiB`])
  admin.close()
  const width = Math.max(...rows.map(([what]) => what.length))
  for (const [what, figure] of rows) console.log(`${what.padEnd(width)}  ${figure}`)
}

/** Batches of one partition each, sealed beforehand, a few requests in flight. */
async function produce(
  world: World,
  connection: Connection,
  batchSize: number,
): Promise<{ wallMs: number; cpuMs: number }> {
  const topic = `produced-${batchSize}`
  await createTopics(connection, [topic])
  const writer = new BatchWriter()
  const value = 'x'.repeat(MESSAGE_BYTES)
  for (let i = 0; i < batchSize; i++) writer.append(null, value, null, Date.now())
  const records = [Buffer.from(writer.seal({}))]
  const body = { acks: -1, timeoutMs: 10_000, topicData: [{ name: topic, partitionData: [{ index: 0, records }] }] }
  // Small batches get fewer messages: the figure is the same, and nobody waits.
  const requests = Math.min(MESSAGES / batchSize, 40_000)
  await world.used()
  const started = performance.now()
  let left = requests
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const { responses } = await connection.ask(Produce, 12, body)
      if (responses[0]?.partitionResponses[0]?.errorCode !== 0) throw new Error('a batch was refused')
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  const scale = MESSAGES / (requests * batchSize)
  const wallMs = (performance.now() - started) * scale
  return { wallMs, cpuMs: (await world.used()).cpuMs * scale }
}

async function manyTopics(world: World, connection: Connection): Promise<[string, string][]> {
  const names = Array.from({ length: TOPICS }, (_, i) => `topic-${i}`)
  const createMs = await took(() => createTopics(connection, names, 3))
  const metadataMs = await took(() => connection.ask(Metadata, 13, { topics: null }))
  const { rssBytes } = await world.used()
  return [
    [`${TOPICS.toLocaleString('en')} topics with 3 partitions`, `${createMs.toFixed(0)} ms to create`],
    ['metadata of all topics', `${metadataMs.toFixed(0)} ms`],
    ['memory with all topics', `${Math.round(rssBytes / 1_048_576)} MiB`],
  ]
}

async function manyConnections(world: World): Promise<[string, string][]> {
  let connections: Connection[] = []
  const connectMs = await took(async () => {
    connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(world.address)))
  })
  const latencies: number[] = []
  const roundsMs = await took(async () => {
    const ask = async (connection: Connection): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        latencies.push(await took(() => connection.ask(Metadata, 13, { topics: [{ name: 'topic-1' }] })))
      }
    }
    await Promise.all(connections.map(ask))
  })
  for (const connection of connections) connection.close()
  latencies.sort((a, b) => a - b)
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? 0
  const perSecond = Math.round((latencies.length / roundsMs) * 1000).toLocaleString('en')
  return [
    [`${CONNECTIONS} connections`, `${connectMs.toFixed(0)} ms to open`],
    ['requests on all of them at once', `${perSecond} a second, 99 of 100 within ${p99.toFixed(1)} ms`],
  ]
}

await main()
