/**
 * `npm run bench:broker`: what the embedded cluster bears, as a table. The cluster has a process of its own, so that
 * its figures are those of one core without the client's.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import {
  BatchWriter,
  CreateTopics,
  FrameSplitter,
  Metadata,
  Produce,
  Reader,
  encodeRequest,
  readResponseHeader,
  type Api,
  type Decoded,
} from '@ottla/protocol'
import { EmbeddedCluster } from '@ottla/broker'

const TOPICS = 1000
const CONNECTIONS = 200
const MESSAGES = 2_000_000
const MESSAGE_BYTES = 100
const IN_FLIGHT = 5

interface Used {
  /** Of the cluster's process, user and system, since it was last asked, ms. */
  readonly cpuMs: number
  readonly rssBytes: number
}

/** The other process: starts a cluster and tells what it uses. */
async function serve(tell: (message: unknown) => void): Promise<void> {
  const brokers = Number(process.argv[2])
  const started = performance.now()
  const cluster = await EmbeddedCluster.start({ brokers })
  const startMs = performance.now() - started
  let before = process.cpuUsage()
  process.on('message', () => {
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    tell({ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() } satisfies Used)
  })
  process.on('disconnect', () => process.exit())
  tell({ bootstrapServers: cluster.bootstrapServers, startMs })
}

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

async function createTopics(connection: Connection, names: readonly string[], numPartitions = 1): Promise<void> {
  const topics = names.map(name => ({ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }))
  const answer = await connection.ask(CreateTopics, 7, { topics, timeoutMs: 10_000 })
  const refused = answer.topics.find(({ errorCode }) => errorCode !== 0)
  if (refused !== undefined) throw new Error(`${refused.name}: error ${refused.errorCode}`)
}

async function took(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await action()
  return performance.now() - started
}

/** The cluster in its process. */
class World implements AsyncDisposable {
  readonly startMs: number
  readonly address: string
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, address: string, startMs: number) {
    this.#process = child
    this.address = address
    this.startMs = startMs
  }

  static async start(brokers: number): Promise<World> {
    const child = fork(fileURLToPath(import.meta.url), [String(brokers)])
    const [told] = (await once(child, 'message')) as [{ bootstrapServers: string; startMs: number }] // as serve sends it
    return new World(child, told.bootstrapServers.split(',')[0] ?? '', told.startMs)
  }

  async used(): Promise<Used> {
    this.#process.send('used')
    const [used] = (await once(this.#process, 'message')) as [Used] // as serve sends it
    return used
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.disconnect()
    if (this.#process.exitCode === null) await once(this.#process, 'exit')
  }
}

/** Requests on one socket, answered in their order. */
class Connection {
  readonly #socket: ReturnType<typeof connect>
  readonly #waiting: ((frame: Buffer) => void)[] = []

  private constructor(socket: ReturnType<typeof connect>) {
    this.#socket = socket
    const splitter = new FrameSplitter(1e8)
    // The end of the cluster's process ends it too.
    socket.on('error', () => undefined)
    socket.on('data', chunk => splitter.push(chunk, frame => this.#waiting.shift()?.(frame)))
  }

  static async open(address: string): Promise<Connection> {
    const [host = '', port = ''] = address.split(':')
    const socket = connect({ host, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket)
  }

  ask<Req, Res>(api: Api<Req, Res>, version: number, body: Req): Promise<Decoded<Res>> {
    return new Promise<Decoded<Res>>(resolve => {
      this.#waiting.push(frame => {
        const reader = new Reader(frame)
        readResponseHeader(reader, api, version)
        resolve(api.readResponse(reader, version))
      })
      this.#socket.cork()
      for (const chunk of encodeRequest(api, version, 0, 'bench', body)) this.#socket.write(chunk)
      this.#socket.uncork()
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

if (process.send === undefined) await main()
else await serve(process.send.bind(process))
