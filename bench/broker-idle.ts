/**
 * `npm run bench:broker-idle`: what the embedded cluster needs for what nobody uses at the moment: 10,000 topics, 100,000
 * partitions, 1,000 connections. Memory is what is reachable after a garbage collection.
 */
import { ApiVersions, Metadata } from '@ottla/protocol'
import { Connection, createTopics, took, World } from './broker-world.ts'

const TOPICS = 10_000
const PARTITIONS = 100_000
const WIDE_TOPICS = 100
const CONNECTIONS = 1000
// More in one request would keep the cluster busy for longer than clients wait.
const AT_ONCE = 1000

const rows: [what: string, figure: string][] = []
await using world = await World.start(1)
const admin = await Connection.open(world.address)
let live = (await world.used()).liveBytes
rows.push(['one broker', `${mib(live)} in use`])

const topics = await took(() => create('narrow', TOPICS, 1))
rows.push([`${TOPICS.toLocaleString('en')} topics of one partition`, `${topics.toFixed(0)} ms to create`])
await each('a topic of one partition', TOPICS)

const more = (PARTITIONS - TOPICS) / WIDE_TOPICS
const partitions = await took(() => create('wide', WIDE_TOPICS, more))
rows.push([`${WIDE_TOPICS} topics of ${more} partitions`, `${partitions.toFixed(0)} ms to create`])
await each('a partition more', WIDE_TOPICS * more)
const metadata = await took(() => admin.ask(Metadata, 13, { topics: null }))
rows.push([`metadata of all ${PARTITIONS.toLocaleString('en')} partitions`, `${metadata.toFixed(0)} ms`])

const connections: Connection[] = []
const opening = await took(async () => {
  for (let i = 0; i < CONNECTIONS; i++) {
    const connection = await Connection.open(world.address)
    await connection.ask(ApiVersions, 3, { clientSoftwareName: 'bench', clientSoftwareVersion: '1' })
    connections.push(connection)
  }
})
rows.push([`${CONNECTIONS.toLocaleString('en')} connections`, `${opening.toFixed(0)} ms to open`])
await each('a connection', CONNECTIONS)
rows.push(['memory of the process at the end', mib((await world.used()).rssBytes)])

for (const connection of [admin, ...connections]) connection.close()
const width = Math.max(...rows.map(([what]) => what.length))
for (const [what, figure] of rows) console.log(`${what.padEnd(width)}  ${figure}`)

async function create(prefix: string, count: number, partitionsOfEach: number): Promise<void> {
  const names = Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
  const inOne = Math.max(1, Math.floor(AT_ONCE / partitionsOfEach))
  for (let at = 0; at < count; at += inOne) await createTopics(admin, names.slice(at, at + inOne), partitionsOfEach)
}

async function each(what: string, count: number): Promise<void> {
  const now = (await world.used()).liveBytes
  rows.push([what, `${Math.round((now - live) / count).toLocaleString('en')} bytes`])
  live = now
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`
}
