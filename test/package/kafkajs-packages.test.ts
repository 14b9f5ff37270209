/** Packages for kafkajs, unmodified from npm, in a project whose `kafkajs` is the facade: installed as its page says. */
import assert from 'node:assert/strict'
import { execFileSync, fork, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { EmbeddedCluster } from '@ottla/broker'
import { closing } from '../harness/closing.ts'
import { startIamBroker } from '../harness/iam-broker.ts'
import { kafkajsProject, type CodecCalls, type KafkaJSProject } from './kafkajs-project.ts'

// One version of each: what is published later must not fail a change of ours.
const dependencies = {
  '@christiangalsterer/kafkajs-prometheus-exporter': '3.2.1',
  '@jm18457/kafkajs-msk-iam-authentication-mechanism': '4.0.0',
  '@kafkajs/confluent-schema-registry': '4.1.0',
  '@nestjs/common': '12.5.1',
  '@nestjs/core': '12.5.1',
  '@nestjs/microservices': '12.1.1',
  '@opentelemetry/api': '1.9.1',
  '@opentelemetry/instrumentation': '0.223.0',
  '@opentelemetry/instrumentation-kafkajs': '0.32.0',
  '@opentelemetry/sdk-trace-node': '2.12.1',
  'kafkajs-snappy': '1.1.0',
  'prom-client': '15.1.3',
  'reflect-metadata': '0.2.2',
  rxjs: '7.8.2',
}

let project: KafkaJSProject
let cluster: EmbeddedCluster

before(async () => {
  project = await kafkajsProject(dependencies)
  cluster = await EmbeddedCluster.start({ defaultPartitions: 1 })
})
after(async () => {
  await cluster.close()
  project.remove()
})

/** What a program prints. */
function run(program: string, ...args: readonly string[]): Promise<unknown> {
  return project.run(program, args)
}

test('the project has no kafkajs but the facade', () => {
  const { name } = JSON.parse(readFileSync(join(project.folder, 'node_modules/kafkajs/package.json'), 'utf8')) as {
    name: string
  }
  assert.equal(name, '@ottla/kafkajs')
  const found = execFileSync('npm', ['ls', 'kafkajs', '--parseable'], { cwd: project.folder, encoding: 'utf8' })
  assert.deepEqual(found.trim().split('\n'), [join(project.folder, 'node_modules/kafkajs')])
})

test('kafkajs-snappy compresses what is sent, and reads it', async () => {
  const { calls, count } = (await run('codecs.mjs', cluster.bootstrapServers, 'Snappy', 'kafkajs-snappy')) as CodecCalls
  assert.equal(count, 50)
  assert.ok(calls.compress > 0 && calls.decompress > 0, JSON.stringify(calls))
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
    this.#child = fork(join(project.folder, program), [cluster.bootstrapServers], {
      cwd: project.folder,
      execPath: project.node,
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
