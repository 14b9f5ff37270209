/** Packages for kafkajs, unmodified from npm, in a project whose `kafkajs` is the facade: installed as its page says. */
import assert from 'node:assert/strict'
import { execFile, execFileSync, fork, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { EmbeddedCluster } from '@ottla/broker'
import { closing } from '../harness/closing.ts'
import { nodeOf } from '../harness/node-versions.ts'
import { startIamBroker } from '../harness/iam-broker.ts'

const execute = promisify(execFile)
const programs = fileURLToPath(new URL('kafkajs-packages/', import.meta.url))
const dependencies = {
  '@christiangalsterer/kafkajs-prometheus-exporter': '3',
  '@jm18457/kafkajs-msk-iam-authentication-mechanism': '4',
  '@kafkajs/confluent-schema-registry': '4',
  '@nestjs/common': '12',
  '@nestjs/core': '12',
  '@nestjs/microservices': '12',
  // The last that go together: the next instrumentation wants an API that the SDK refuses.
  '@opentelemetry/api': '~1.9',
  '@opentelemetry/instrumentation': '0.223',
  '@opentelemetry/instrumentation-kafkajs': '0.32',
  '@opentelemetry/sdk-trace-node': '2',
  'kafkajs-lz4': '1',
  'kafkajs-snappy': '1',
  'prom-client': '15',
  'reflect-metadata': '0.2',
  rxjs: '7',
}

let folder: string
let cluster: EmbeddedCluster

before(async () => {
  folder = await installed()
  cluster = await EmbeddedCluster.start({ defaultPartitions: 1 })
})
after(async () => {
  await cluster.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A project with these packages and the packed ones of this repository. */
async function installed(): Promise<string> {
  const project = mkdtempSync(join(tmpdir(), 'ottla-kafkajs-'))
  const built = (await import(new URL('../../tools/built.mjs', import.meta.url).href)) as { ensureBuilt(): void }
  built.ensureBuilt()
  const tool = (await import(new URL('../../tools/packages/pack.mjs', import.meta.url).href)) as {
    packAll(destination: string): { readonly name: string; readonly filename: string }[]
  }
  const packed = new Map(tool.packAll(project).map(({ name, filename }) => [name, `file:${filename}`]))
  const own = { '@ottla/protocol': packed.get('@ottla/protocol'), ottla: packed.get('ottla') }
  const manifest = {
    private: true,
    dependencies: { ...dependencies, ...own, kafkajs: packed.get('@ottla/kafkajs') },
    // As its page says: for packages that ask for a kafkajs of their own.
    overrides: { kafkajs: '$kafkajs' },
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  for (const file of readdirSync(programs)) copyFileSync(join(programs, file), join(project, file))
  execFileSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: project, stdio: 'pipe' })
  return project
}

/** What a program prints. By default of Node.js 24: some of the packages take no older one. */
async function run(program: string, brokers: string, node = nodeOf(24)): Promise<unknown> {
  // The brokers are in this process: it must not wait for the program without them.
  const { stdout } = await execute(node, [join(folder, program), brokers], { cwd: folder })
  return JSON.parse(stdout)
}

test('the project has no kafkajs but the facade', () => {
  const { name } = JSON.parse(readFileSync(join(folder, 'node_modules/kafkajs/package.json'), 'utf8')) as {
    name: string
  }
  assert.equal(name, '@ottla/kafkajs')
  const found = execFileSync('npm', ['ls', 'kafkajs', '--parseable'], { cwd: folder, encoding: 'utf8' })
  assert.deepEqual(found.trim().split('\n'), [join(folder, 'node_modules/kafkajs')])
})

test('kafkajs-snappy and kafkajs-lz4 compress what is sent, and read it', async () => {
  // LZ4 is compiled for the Node.js that has installed it.
  const { calls, count } = (await run('codecs.mjs', cluster.bootstrapServers, process.execPath)) as {
    calls: Record<string, number>
    count: number
  }
  assert.equal(count, 100)
  for (const call of ['Snappy compress', 'Snappy decompress', 'LZ4 compress', 'LZ4 decompress']) {
    assert.ok((calls[call] ?? 0) > 0, `${call}: ${JSON.stringify(calls)}`)
  }
})

test('@kafkajs/confluent-schema-registry: Avro', async () => {
  assert.deepEqual(await run('avro.mjs', cluster.bootstrapServers), { id: 1, read: { customer: 'alice', cents: 1250 } })
})

test('a Prometheus exporter counts connections, requests, fetches and batches', async () => {
  type Metric = { name: string; values: { value: number; metricName?: string; labels: Record<string, unknown> }[] }
  const metrics = (await run('prometheus.mjs', cluster.bootstrapServers)) as Metric[]
  const sum = (name: string): number => {
    const { values } = metrics.find(each => each.name === name) ?? { values: [] }
    return values.reduce((total, { value }) => total + value, 0)
  }
  for (const client of ['producer', 'consumer', 'admin']) {
    assert.equal(sum(`kafka_${client}_connection_count`), 1, client)
    assert.ok(sum(`kafka_${client}_request_total`) > 0, client)
  }
  assert.ok(sum('kafka_consumer_fetch_total') > 0)
  assert.equal(sum('kafka_consumer_batch_size_total'), 2)
})

test('OpenTelemetry: spans of what is sent and of what is processed belong together', async () => {
  interface Span {
    readonly name: string
    readonly attributes: Readonly<Record<string, unknown>>
    readonly spanId: string
    readonly traceId: string
    readonly parent: string | null
    readonly linked: readonly string[]
  }
  const spans = (await run('opentelemetry.cjs', cluster.bootstrapServers)) as Span[]
  const of = (operation: string): Span[] =>
    spans.filter(({ attributes }) => attributes['messaging.operation.type'] === operation)
  const sent = of('send').map(({ spanId }) => spanId)
  assert.equal(sent.length, 2, JSON.stringify(spans))
  // One for each message of eachMessage; those of eachBatch have a common parent, and links.
  const processed = of('process')
  for (const id of sent) {
    assert.ok(
      processed.some(({ parent }) => parent === id),
      `no span continues ${id}: ${JSON.stringify(spans)}`,
    )
    assert.ok(
      processed.some(({ linked }) => linked.includes(id)),
      `no span of a batch is linked to ${id}`,
    )
  }
})

test('a plug-in for MSK logs in with a signed request', async () => {
  const broker = await startIamBroker()
  closing(broker)
  const { brokers } = (await run('msk.mjs', broker.address)) as { brokers: number }
  assert.equal(brokers, 1)
  const { action, host, credential } = broker.logins[0] ?? assert.fail('nobody logged in')
  assert.deepEqual([action, host], ['kafka-cluster:Connect', '127.0.0.1'])
  assert.match(credential, /^AKIAEXAMPLE\/\d{8}\/eu-west-1\/kafka-cluster\/aws4_request$/)
})

interface Word {
  readonly id?: number
  readonly ready?: boolean
  readonly handled?: string
  readonly value?: unknown
  readonly error?: string
  readonly destroyed?: boolean
  readonly shutdown?: string
  readonly closed?: boolean
}

/** A program of NestJS, and all that it has said. */
class Nest {
  readonly said: Word[] = []
  readonly exited: Promise<number | string | null>
  readonly #child: ChildProcess
  readonly #heard = new EventEmitter().setMaxListeners(0)
  #id = 0

  constructor(program: string) {
    this.#child = fork(join(folder, program), [cluster.bootstrapServers], {
      cwd: folder,
      execPath: nodeOf(24),
      execArgv: [],
    })
    this.#child.on('message', word => {
      this.said.push(word as Word)
      this.#heard.emit('word')
    })
    this.exited = new Promise(resolve => this.#child.on('exit', (code, signal) => resolve(code ?? signal)))
    closing({
      close: async () => {
        this.#child.kill('SIGKILL')
        await this.exited
      },
    })
  }

  async heard(isIt: (word: Word) => boolean): Promise<Word> {
    for (;;) {
      const found = this.said.find(isIt)
      if (found !== undefined) return found
      await once(this.#heard, 'word')
    }
  }

  ask(question: object): Promise<Word> {
    const id = ++this.#id
    this.#child.send({ id, ...question })
    return this.heard(word => word.id === id && word.handled === undefined)
  }

  terminate(): void {
    this.#child.kill('SIGTERM')
  }

  handled(name: string): number {
    return this.said.filter(({ handled }) => handled === name).length
  }
}

test('NestJS: requests and replies of two servers, exceptions, events, a rebalance, shutdown hooks', async () => {
  for (const topic of ['sum', 'refuse', 'crash', 'notice', 'flaky']) {
    cluster.createTopic(topic, { partitions: 4 })
    cluster.createTopic(`${topic}.reply`, { partitions: 4 })
  }
  const servers = [new Nest('nest-server.mjs'), new Nest('nest-server.mjs')] as const
  const client = new Nest('nest-client.mjs')
  await Promise.all([...servers, client].map(each => each.heard(({ ready }) => ready === true)))
  const sums = async (count: number): Promise<void> => {
    const numbers = Array.from({ length: count }, (_, i) => [i, 1000])
    const replies = await Promise.all(numbers.map(each => client.ask({ request: 'sum', data: { numbers: each } })))
    const totals = replies.map(({ value, error }) => (value as { total: number } | undefined)?.total ?? error)
    assert.deepEqual(
      totals,
      numbers.map(([i = 0]) => i + 1000),
    )
  }
  await sums(40)
  assert.ok(
    servers.every(server => server.handled('sum') > 0),
    'both servers handle requests',
  )

  assert.equal((await client.ask({ request: 'refuse', data: {} })).error, 'refused')
  assert.equal((await client.ask({ request: 'crash', data: {} })).error, 'Internal server error')
  const times = (name: string): number => servers.reduce((total, server) => total + server.handled(name), 0)
  assert.deepEqual([times('refuse'), times('crash')], [1, 1], 'a request that fails is answered, and not repeated')

  await client.ask({ event: 'notice', data: { id: 'n' } })
  await Promise.race(servers.map(server => server.heard(({ handled }) => handled === 'notice')))
  await client.ask({ event: 'flaky', data: { id: 'f' } })
  // KafkaRetriableException: the message comes again.
  await Promise.race(servers.map(server => server.heard(() => server.handled('flaky') === 2)))

  const [first, second] = servers
  const during = sums(40)
  second.terminate()
  await second.heard(({ destroyed }) => destroyed === true)
  await second.heard(({ shutdown }) => shutdown === 'SIGTERM')
  assert.ok([0, 'SIGTERM'].includes((await second.exited) as number), `it ended with ${await second.exited}`)
  await during
  const before = first.handled('sum')
  await sums(10)
  assert.equal(first.handled('sum'), before + 10, 'the other server has all partitions')

  await client.ask({ close: true })
  first.terminate()
  await first.exited
  const members = cluster.groups().flatMap(group => (group.groupId.startsWith('nest') ? group.members : []))
  assert.deepEqual(members, [], 'all have left their groups')
})
