/** What replaces a container of Testcontainers: the same calls, for an embedded cluster. */
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { KafkaRelease } from '../releases/versions.ts'
import { startTestCluster, type TestClusterOptions } from './start.ts'
import type { TestCluster } from './test-cluster.ts'

/**
 * A port of a container, or one with the port of this machine that it gets.
 * @since 0.1.0
 */
export type ExposedPort = number | { readonly container: number; readonly host: number }

/** The settings that are options of a cluster. */
type Settings = Pick<
  TestClusterOptions,
  | 'autoCreateTopics'
  | 'defaultPartitions'
  | 'groupInitialRebalanceDelayMs'
  | 'groupMaxSize'
  | 'groupMinSessionTimeoutMs'
  | 'groupMaxSessionTimeoutMs'
  | 'transactionMaxTimeoutMs'
>

const settings: Readonly<Record<string, (value: string) => Settings>> = {
  KAFKA_AUTO_CREATE_TOPICS_ENABLE: value => ({ autoCreateTopics: value === 'true' }),
  KAFKA_NUM_PARTITIONS: value => ({ defaultPartitions: Number(value) }),
  KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: value => ({ groupInitialRebalanceDelayMs: Number(value) }),
  KAFKA_GROUP_MAX_SIZE: value => ({ groupMaxSize: Number(value) }),
  KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: value => ({ groupMinSessionTimeoutMs: Number(value) }),
  KAFKA_GROUP_MAX_SESSION_TIMEOUT_MS: value => ({ groupMaxSessionTimeoutMs: Number(value) }),
  KAFKA_TRANSACTION_MAX_TIMEOUT_MS: value => ({ transactionMaxTimeoutMs: Number(value) }),
}

// Brokers in a container have one partition for topics that are created without a number of their own.
const DEFAULT_PARTITIONS = 1
const DEFAULT_PORT = 9093

/**
 * Takes the place of `KafkaContainer` of `@testcontainers/kafka`: change the import, and tests run without Docker.
 *
 * ```ts
 * import { KafkaContainer } from '@ottla/broker/testing'
 * const container = await new KafkaContainer('confluentinc/cp-kafka:7.9.1').withKraft().start()
 * ```
 * The image's version says which Kafka release the cluster poses as. Of the environment, `KAFKA_` variables count that
 * the cluster has options for. What concerns containers only is accepted and does nothing; what other containers would
 * need throws Error.
 * @since 0.1.0
 */
export class KafkaContainer {
  readonly #image: string
  #options: TestClusterOptions = { defaultPartitions: DEFAULT_PARTITIONS }
  #ports: readonly ExposedPort[] = [DEFAULT_PORT]
  #name: string | null = null

  constructor(image = '') {
    this.#image = image
  }

  /** `KAFKA_NUM_PARTITIONS` and others become options of the cluster. */
  withEnvironment(environment: Readonly<Record<string, string>>): this {
    for (const [name, value] of Object.entries(environment)) {
      this.#options = { ...this.#options, ...settings[name]?.(value) }
    }
    return this
  }

  /** The first port with a `host` is the port that the cluster listens on. */
  withExposedPorts(...ports: readonly ExposedPort[]): this {
    this.#ports = ports
    return this
  }

  /** What `getName` and `getId` give. */
  withName(name: string): this {
    this.#name = name
    return this
  }

  /** Does nothing: the cluster needs no ZooKeeper. */
  withKraft(): this {
    return this
  }

  /** Does nothing: the cluster needs no ZooKeeper. */
  withZooKeeper(_host: string, _port: number): this {
    return this
  }

  /** Does nothing: a cluster starts in a few tens of milliseconds, and each test can have its own. */
  withReuse(): this {
    return this
  }

  /** Does nothing: a cluster that cannot start says so at once. */
  withStartupTimeout(_ms: number): this {
    return this
  }

  /** Does nothing: `start` resolves when the brokers accept connections. */
  withWaitStrategy(_strategy: unknown): this {
    return this
  }

  /** Does nothing: the cluster logs nothing. */
  withLogConsumer(_consumer: unknown): this {
    return this
  }

  /** Does nothing. */
  withLabels(_labels: unknown): this {
    return this
  }

  /** Does nothing: there is no image to pull. */
  withPullPolicy(_policy: unknown): this {
    return this
  }

  /** Does nothing. */
  withPlatform(_platform: string): this {
    return this
  }

  /** Throws Error: containers cannot reach a cluster in this process over a network of Docker's. */
  withNetwork(_network: unknown): never {
    throw new Error(
      "other containers cannot reach an embedded cluster over Docker's network: keep a real container here",
    )
  }

  /** Throws Error: listeners with TLS and SASL are options of `testCluster`. */
  withSaslSslListener(_options: unknown): never {
    throw new Error('withSaslSslListener is not supported: use testCluster({ tls: { key, cert }, sasl: { ... } })')
  }

  /** Starts the cluster. Rejects with Error for a port in use. */
  async start(): Promise<StartedKafkaContainer> {
    const fixed = this.#ports.find(port => typeof port !== 'number')
    const release = releaseOf(this.#image)
    const cluster = await startTestCluster({
      ...this.#options,
      ...(release === null ? {} : { as: release }),
      ...(fixed === undefined ? {} : { port: fixed.host }),
    })
    const ports = this.#ports.map(port => (typeof port === 'number' ? port : port.container))
    return new StartedKafkaContainer(cluster, ports, this.#name ?? `kafka-${randomUUID()}`)
  }
}

/**
 * A started cluster, as `StartedKafkaContainer` of `@testcontainers/kafka` has it.
 * @since 0.1.0
 */
export class StartedKafkaContainer implements AsyncDisposable {
  /** The cluster, with its helpers and faults. */
  readonly cluster: TestCluster
  readonly #ports: readonly number[]
  readonly #name: string

  /** @internal */
  constructor(cluster: TestCluster, ports: readonly number[], name: string) {
    this.cluster = cluster
    this.#ports = ports
    this.#name = name
  }

  /** `127.0.0.1:40123` */
  getBootstrapServers(): string {
    return this.cluster.bootstrapServers
  }

  /** `127.0.0.1` */
  getHost(): string {
    return this.getBootstrapServers().replace(/:\d+$/, '')
  }

  /** As `getHost`. */
  getHostname(): string {
    return this.getHost()
  }

  /** The port of the cluster, whichever exposed port is asked for. Throws Error for one that is not exposed. */
  getMappedPort(port: number): number {
    if (this.#ports.includes(port) || port === DEFAULT_PORT) return this.getFirstMappedPort()
    throw new Error(`port ${port} is not exposed: clients connect to ${DEFAULT_PORT}`)
  }

  /** The port of the cluster. */
  getFirstMappedPort(): number {
    return Number(/\d+$/.exec(this.getBootstrapServers())?.[0])
  }

  /** The name, or one by chance. */
  getId(): string {
    return this.#name
  }

  /** The name, or one by chance. */
  getName(): string {
    return this.#name
  }

  /** Takes the broker down and up again; what it holds stays. */
  async restart(): Promise<void> {
    const { embedded } = this.cluster
    await embedded.brokerDown(1)
    await embedded.brokerUp(1)
  }

  /** The cluster logs nothing: an empty stream. */
  logs(): Promise<Readable> {
    return Promise.resolve(Readable.from([]))
  }

  /** Rejects with Error: there is no container to run a command in. */
  exec(command: string | readonly string[]): Promise<never> {
    const name = typeof command === 'string' ? command : command.join(' ')
    return Promise.reject(
      new Error(
        `there is no container to run '${name}' in: use cluster.embedded, cluster.createTopic or an admin client`,
      ),
    )
  }

  /** Stops the cluster. */
  async stop(): Promise<void> {
    await this.cluster.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** Which release an image has: `apache/kafka:3.9.1`, `confluentinc/cp-kafka:7.9.1`; null: the newest. */
function releaseOf(image: string): KafkaRelease | null {
  const major = Number(/:v?(\d+)\./.exec(image)?.[1] ?? NaN)
  const isConfluent = image.includes('cp-')
  // Confluent's 5 and 6 have Kafka 2, its 7 has Kafka 3, its 8 Kafka 4.
  const kafka = isConfluent ? Math.max(2, major - 4) : major
  if (kafka <= 2) return '2.1'
  return kafka === 3 ? '3.9' : null
}
