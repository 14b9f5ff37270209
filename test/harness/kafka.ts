/** Real Apache Kafka (KRaft) for tests: clusters of processes that never outlive the test that starts them. */
import { randomBytes } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child, removeAtEnd } from './child.ts'
import { closed, opened } from './each-test/open-things.ts'
import { FaultProxy } from './fault-proxy.ts'
import { runJava, serverFlags, type JavaResult } from './java.ts'
import { classesOf, jarsOf, type KafkaVersion } from './jars.ts'
import { KafkaTls, type TlsAddress } from './kafka-tls.ts'
import { newLogFolder } from './logs.ts'
import { freePorts, returnPorts } from './ports.ts'
import { askMetadata, createTopic, deleteTopic } from './probe.ts'
import { formattedLog } from './storage.ts'

export interface KafkaOptions {
  readonly version?: KafkaVersion
  /** One node, or several that replicate everything; of five, each partition has three. */
  readonly brokers: 1 | 3 | 5
  /** Users and passwords for SASL PLAIN; SCRAM is enabled too, for users created later. */
  readonly sasl?: { readonly users: Readonly<Record<string, string>> }
  /** Adds listeners with TLS, with and without SASL. */
  readonly tls?: boolean
  /** Denies what no ACL allows. */
  readonly acls?: boolean
  /** `admin` or `User:admin`; ANONYMOUS, the user of the plain listener, always is one. */
  readonly superUsers?: readonly string[]
  /** True by default. */
  readonly autoCreateTopics?: boolean
  /** Clients reach each broker through a proxy that can break their connections; brokers reach each other without it. */
  readonly proxied?: boolean
  /** Classes of test/java/src that brokers can load. */
  readonly plugins?: readonly string[]
  /** Port of the first broker's proxy, in place of `proxied`; the others' follow. They are the caller's, and lead to `port`. */
  readonly advertisedPort?: number
  /** The rack of a broker is its id with this before it. */
  readonly rackPrefix?: string
  /** Lines of server.properties that override the harness's. */
  readonly config?: Readonly<Record<string, string>>
}

export interface KafkaBroker {
  readonly id: number
  /** The port in `bootstrapServers`. */
  readonly port: number
  /** The current process; a restart changes it. */
  readonly pid: number
  /** The proxy that clients connect to. @throws Error without the option `proxied` */
  readonly proxy: FaultProxy
  /** Ends the process like a crash; resolves when it has exited. */
  kill9(): Promise<void>
  /** Suspends the process: connections stay open, and nothing answers. */
  pause(): void
  resume(): void
  /** An orderly shutdown: leaders move away first. */
  stop(): Promise<void>
  /** Starts it again with its ports and data; resolves when all live brokers list it. */
  restart(): Promise<void>
}

export interface KafkaCluster extends AsyncDisposable {
  readonly version: KafkaVersion
  /** The proxies if `proxied`, else the SASL listeners if there are users, else the plain ones. */
  readonly bootstrapServers: string
  /** Listeners without SASL, whose user may do everything. */
  readonly plainBootstrapServers: string
  /** With the option `tls`. */
  readonly tls: TlsAddress | undefined
  readonly brokers: readonly KafkaBroker[]
  /** Removed when the cluster is closed. */
  readonly dataFolder: string
  /** Removed when the test process succeeds. */
  readonly logFolder: string
  /** Runs a class of Kafka's jars or of test/java/src. */
  javaTool(className: string, args: readonly string[], stdin?: string | Buffer): Promise<JavaResult>
  /** Ends the processes and removes their data. */
  close(): Promise<void>
}

interface Ports {
  readonly plain: number
  readonly sasl: number
  readonly controller: number
  readonly proxied: number
}

/** How long a cluster may take to start; on two busy cores, three JVMs are slow. */
const PATIENCE_MS = 120_000

/** Starts a cluster; resolves when topics can be created on every broker. */
export async function startKafka(options: KafkaOptions): Promise<KafkaCluster> {
  for (let attempt = 1; ; attempt++) {
    const cluster = new Cluster(options)
    try {
      await cluster.start()
      opened(cluster, 'KafkaCluster', () => cluster.close())
      return cluster
    } catch (error) {
      await cluster.close()
      // Another process took a port between the check and the broker's start: choose others.
      if (attempt < 3 && error instanceof PortTaken) continue
      throw error
    }
  }
}

class PortTaken extends Error {}

class Cluster implements KafkaCluster {
  readonly version: KafkaVersion
  readonly logFolder: string
  readonly dataFolder: string
  readonly options: KafkaOptions
  brokers: readonly Broker[] = []
  tlsListeners: KafkaTls | undefined
  #closing: Promise<void> | undefined

  constructor(options: KafkaOptions) {
    this.options = options
    this.version = options.version ?? '4.3.1'
    this.logFolder = newLogFolder(`kafka-${this.version}`)
    this.dataFolder = mkdtempSync(join(tmpdir(), 'ottla-kafka-'))
    removeAtEnd(this.dataFolder)
  }

  get bootstrapServers(): string {
    return this.brokers.map(broker => `127.0.0.1:${broker.port}`).join(',')
  }

  get plainBootstrapServers(): string {
    return this.brokers.map(broker => `127.0.0.1:${broker.ports.plain}`).join(',')
  }

  get tls(): TlsAddress | undefined {
    return this.tlsListeners?.address
  }

  async start(): Promise<void> {
    const jars = await jarsOf(this.version)
    const classes = await Promise.all((this.options.plugins ?? []).map(name => classesOf(this.version, name)))
    const flags = serverFlags(
      jars,
      classes.filter(folder => folder !== undefined),
    )
    const formatted = await formattedLog(this.version)
    const ports: Ports[] = []
    for (let i = 0; i < this.options.brokers; i++) {
      const [plain = 0, sasl = 0, controller = 0, proxied = 0] = await freePorts(4)
      ports.push({ plain, sasl, controller, proxied })
    }
    const proxies = this.options.proxied ? await Promise.all(ports.map(port => FaultProxy.start(port.proxied))) : []
    if (this.options.tls) this.tlsListeners = await KafkaTls.make(this.options.brokers)
    const voters = ports.map((port, index) => `${index + 1}@127.0.0.1:${port.controller}`).join(',')
    const clusterId = randomBytes(16).toString('base64url')
    this.brokers = ports.map((port, index) => new Broker(this, index + 1, port, flags, proxies[index]))
    for (const broker of this.brokers) broker.prepare(voters, clusterId, formatted)
    for (const broker of this.brokers) broker.launch()
    await this.serving(this.brokers)
    await this.#takesTopics()
  }

  /** Waits until these brokers answer and each of them lists all of them. */
  async serving(brokers: readonly Broker[]): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    for (const broker of brokers) {
      for (;;) {
        broker.assertAlive()
        const view = await askMetadata(broker.ports.plain, []).catch(() => undefined)
        const known = new Set(view?.brokers.map(one => one.id))
        if (brokers.every(one => known.has(one.id))) break
        if (Date.now() > deadline) throw new Error(`broker ${broker.id} does not serve; its log: ${broker.logFile}`)
        await sleep(50)
      }
    }
  }

  /** Creates a topic on all brokers, waits for its leader and in-sync replicas, and deletes it. */
  async #takesTopics(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS
    const topic = 'harness-probe'
    const port = this.brokers[0]?.ports.plain ?? 0
    const count = this.brokers.length
    const until = async (what: string, done: () => Promise<boolean>): Promise<void> => {
      while (!(await done().catch(() => false))) {
        if (Date.now() > deadline) throw new Error(`the cluster cannot ${what}; its logs: ${this.logFolder}`)
        await sleep(50)
      }
    }
    // 36: an earlier attempt, whose response was lost, has created it.
    await until('create a topic', async () => [0, 36].includes(await createTopic(port, topic, count, count)))
    await until('lead a topic', async () => {
      const seen = (await askMetadata(port, [topic])).topics[0]?.partitions ?? []
      return seen.length === count && seen.every(partition => partition.leader > 0 && partition.isr.length === count)
    })
    // 3: an earlier attempt has deleted it.
    await until('delete a topic', async () => [0, 3].includes(await deleteTopic(port, topic)))
    for (const broker of this.brokers) {
      await until('forget a topic', async () => (await askMetadata(broker.ports.plain, [topic])).topics[0]?.error === 3)
    }
  }

  async javaTool(className: string, args: readonly string[], stdin?: string | Buffer): Promise<JavaResult> {
    return runJava(this.version, className, args, stdin)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    closed(this, this.#closing)
    return this.#closing
  }

  async #close(): Promise<void> {
    // The data is removed too, so an orderly shutdown gains nothing.
    await Promise.all(this.brokers.map(broker => broker.kill9()))
    if (this.options.proxied) await Promise.all(this.brokers.map(broker => broker.proxy.close()))
    rmSync(this.dataFolder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    this.tlsListeners?.close()
    for (const broker of this.brokers) returnPorts(Object.values(broker.ports) as number[])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

class Broker implements KafkaBroker {
  readonly id: number
  readonly ports: Ports
  readonly logFile: string
  readonly #cluster: Cluster
  readonly #flags: readonly string[]
  readonly #properties: string
  readonly #proxy: FaultProxy | undefined
  #child: Child | undefined

  constructor(cluster: Cluster, id: number, ports: Ports, flags: readonly string[], proxy: FaultProxy | undefined) {
    this.#cluster = cluster
    this.id = id
    this.ports = ports
    this.#flags = flags
    this.#proxy = proxy
    this.#properties = join(cluster.dataFolder, `node${id}.properties`)
    this.logFile = join(cluster.logFolder, `node${id}.log`)
  }

  get port(): number {
    if (this.#proxy !== undefined) return this.#proxy.port
    if (this.#cluster.options.advertisedPort !== undefined) return this.ports.proxied
    return this.#cluster.options.sasl ? this.ports.sasl : this.ports.plain
  }

  get pid(): number {
    if (this.#child === undefined) throw new Error(`broker ${this.id} was never started`)
    return this.#child.pid
  }

  get proxy(): FaultProxy {
    if (this.#proxy === undefined) throw new Error('the cluster was started without proxies')
    return this.#proxy
  }

  get alive(): boolean {
    return this.#child?.ended === false
  }

  prepare(voters: string, clusterId: string, formatted: string): void {
    const data = join(this.#cluster.dataFolder, `data${this.id}`)
    mkdirSync(data)
    copyFileSync(join(formatted, 'bootstrap.checkpoint'), join(data, 'bootstrap.checkpoint'))
    const identity = {
      version: '1',
      'cluster.id': clusterId,
      'node.id': this.id,
      'directory.id': randomBytes(16).toString('base64url'),
    }
    writeFileSync(join(data, 'meta.properties'), lines(identity))
    const own = settings(this.#cluster.options, this.id, this.ports, this.#proxy)
    writeFileSync(
      this.#properties,
      lines({
        ...(this.#cluster.tlsListeners?.addTo(own, this.id) ?? own),
        'controller.quorum.voters': voters,
        'log.dirs': data,
        ...this.#cluster.options.config,
      }),
    )
  }

  launch(): void {
    this.#child = new Child('java', [...this.#flags, 'kafka.Kafka', this.#properties], this.logFile)
  }

  assertAlive(): void {
    if (this.alive) return
    const log = readFileSync(this.logFile, 'utf8')
    if (/BindException|Address already in use/.test(log)) throw new PortTaken(`broker ${this.id} found its port taken`)
    throw new Error(`broker ${this.id} exited; its log: ${this.logFile}\n${log.slice(-2000)}`)
  }

  async kill9(): Promise<void> {
    await this.#child?.end('SIGKILL')
  }

  pause(): void {
    this.#child?.signal('SIGSTOP')
  }

  resume(): void {
    this.#child?.signal('SIGCONT')
  }

  async stop(): Promise<void> {
    await this.#child?.end('SIGTERM')
  }

  async restart(): Promise<void> {
    await this.kill9()
    this.launch()
    await this.#cluster.serving(this.#cluster.brokers.filter(broker => broker.alive))
  }
}

function settings(
  options: KafkaOptions,
  id: number,
  ports: Ports,
  proxy: FaultProxy | undefined,
): Record<string, string | number | boolean> {
  const replicas = Math.min(options.brokers, 3)
  const minIsr = replicas > 1 ? 2 : 1
  const listeners = `PLAIN://127.0.0.1:${ports.plain}` + (options.sasl ? `,SASL://127.0.0.1:${ports.sasl}` : '')
  const { advertisedPort, rackPrefix } = options
  const told = proxy?.port ?? (advertisedPort === undefined ? undefined : advertisedPort + id - 1)
  const behind = told === undefined ? '' : `,PROXIED://127.0.0.1:${ports.proxied}`
  const before = told === undefined ? '' : `,PROXIED://127.0.0.1:${told}`
  const superUsers = [
    'User:ANONYMOUS',
    ...(options.superUsers ?? []).map(name => (name.startsWith('User:') ? name : `User:${name}`)),
  ]
  return {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.listener.names': 'CONTROLLER',
    listeners: `${listeners}${behind},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `${listeners}${before}`,
    'listener.security.protocol.map': 'PLAIN:PLAINTEXT,PROXIED:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAIN',
    ...(rackPrefix === undefined ? {} : { 'broker.rack': `${rackPrefix}${id}` }),
    ...(options.sasl ? saslSettings(options.sasl.users) : {}),
    ...(options.acls
      ? {
          'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users': superUsers.join(';'),
        }
      : {}),
    'auto.create.topics.enable': options.autoCreateTopics ?? true,
    'num.partitions': 4,
    'default.replication.factor': replicas,
    'min.insync.replicas': minIsr,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': minIsr,
    'transaction.state.log.num.partitions': 8,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': minIsr,
    'share.coordinator.state.topic.num.partitions': 8,
    'group.initial.rebalance.delay.ms': 0,
    // Tests may want heartbeats more often than every 5 s (consumer.heartbeat.interval.ms of the group).
    'group.min.session.timeout.ms': 500,
    'group.consumer.min.heartbeat.interval.ms': 50,
    'group.consumer.min.session.timeout.ms': 500,
    'group.share.min.heartbeat.interval.ms': 50,
    'group.share.min.session.timeout.ms': 500,
    'group.share.min.record.lock.duration.ms': 1000,
    // A killed broker is noticed after 4 s, not 9.
    'broker.session.timeout.ms': 4000,
    'broker.heartbeat.interval.ms': 500,
    // A message with an old timestamp must not be deleted half a minute later.
    'log.retention.ms': -1,
    'log.cleaner.dedupe.buffer.size': 8_388_608,
    'num.network.threads': 2,
    'num.io.threads': 4,
  }
}

function saslSettings(users: Readonly<Record<string, string>>): Record<string, string> {
  const known = Object.entries(users)
    .map(([user, password]) => `user_${user}="${password}"`)
    .join(' ')
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  return {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'delegation.token.secret.key': 'known to all brokers',
    'listener.name.sasl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${known};`,
    'listener.name.sasl.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.sasl.scram-sha-512.sasl.jaas.config': scram,
  }
}

function lines(properties: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}
