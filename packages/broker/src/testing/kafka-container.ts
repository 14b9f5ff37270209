/** What replaces a container of Testcontainers: the same calls, for an embedded cluster. */
import { randomUUID } from 'node:crypto'
import type { KafkaRelease } from '../releases/versions.ts'
import { startTestCluster, type TestClusterOptions } from './start.ts'
import { DEFAULT_PORT, StartedKafkaContainer } from './started-kafka-container.ts'

/**
 * A port of a container, `9093` or `9093/tcp`, or one with the port of this machine that it gets.
 * @since 0.1.0
 */
export type ExposedPort = number | `${number}/${'tcp' | 'udp'}` | { readonly container: number; readonly host: number }

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

/**
 * Takes the place of `KafkaContainer` of `@testcontainers/kafka`: change the import, and tests run without Docker. Every
 * call of it is here.
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
  #labels: Readonly<Record<string, string>> = {}

  constructor(image = '') {
    this.#image = image
  }

  /** Starts the cluster. Rejects with Error for a port in use. */
  async start(): Promise<StartedKafkaContainer> {
    const fixed = this.#ports.find(port => typeof port === 'object')
    const release = releaseOf(this.#image)
    const cluster = await startTestCluster({
      ...this.#options,
      ...(release === null ? {} : { as: release }),
      ...(fixed === undefined ? {} : { port: fixed.host }),
    })
    return new StartedKafkaContainer(cluster, {
      ports: this.#ports.map(portOf),
      name: this.#name ?? `kafka-${randomUUID()}`,
      labels: this.#labels,
    })
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

  /** What `getLabels` gives. */
  withLabels(labels: Readonly<Record<string, string>>): this {
    this.#labels = { ...this.#labels, ...labels }
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

  /** Does nothing: `start` resolves when the brokers accept connections. */
  withHealthCheck(_check: unknown): this {
    return this
  }

  /** Does nothing: the cluster logs nothing. */
  withLogConsumer(_consumer: unknown): this {
    return this
  }

  /** Does nothing: the cluster logs nothing. */
  withDefaultLogDriver(): this {
    return this
  }

  /** Does nothing: there is no image to pull. */
  withPullPolicy(_policy: unknown): this {
    return this
  }

  /** Does nothing: the cluster ends with the process. */
  withAutoCleanup(_isOn: boolean): this {
    return this
  }

  /** Does nothing: the cluster ends with the process. */
  withAutoRemove(_isOn: boolean): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withPlatform(_platform: string): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withUser(_user: string): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withHostname(_name: string): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withWorkingDir(_folder: string): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withExtraHosts(_hosts: readonly unknown[]): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withPrivilegedMode(): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withSecurityOpt(..._options: readonly string[]): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withAddedCapabilities(..._names: readonly string[]): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withDroppedCapabilities(..._names: readonly string[]): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withIpcMode(_mode: string): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withResourcesQuota(_quota: unknown): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withSharedMemorySize(_bytes: number): this {
    return this
  }

  /** Does nothing: the cluster is in memory. */
  withTmpFs(_folders: unknown): this {
    return this
  }

  /** Does nothing: the cluster runs in this process. */
  withUlimits(_limits: unknown): this {
    return this
  }

  /** Throws Error: listeners with TLS and SASL are options of `testCluster`. */
  withSaslSslListener(_options: unknown): this {
    throw new Error('withSaslSslListener is not supported: use testCluster({ tls: { key, cert }, sasl: { ... } })')
  }

  /** Throws Error: other containers cannot reach a cluster in this process over Docker's network. */
  withNetwork(_network: unknown): this {
    throw refusal('withNetwork', NETWORK)
  }

  /** Throws Error: other containers cannot reach a cluster in this process over Docker's network. */
  withNetworkMode(_mode: string): this {
    throw refusal('withNetworkMode', NETWORK)
  }

  /** Throws Error: other containers cannot reach a cluster in this process over Docker's network. */
  withNetworkAliases(..._names: readonly string[]): this {
    throw refusal('withNetworkAliases', NETWORK)
  }

  /** Throws Error: there is no container to run a program in. */
  withCommand(_command: readonly string[]): this {
    throw refusal('withCommand', PROGRAM)
  }

  /** Throws Error: there is no container to run a program in. */
  withEntrypoint(_command: readonly string[]): this {
    throw refusal('withEntrypoint', PROGRAM)
  }

  /** Throws Error: there is no container that has files. */
  withBindMounts(_mounts: readonly unknown[]): this {
    throw refusal('withBindMounts', FILES)
  }

  /** Throws Error: there is no container that has files. */
  withCopyFilesToContainer(_files: readonly unknown[]): this {
    throw refusal('withCopyFilesToContainer', FILES)
  }

  /** Throws Error: there is no container that has files. */
  withCopyDirectoriesToContainer(_folders: readonly unknown[]): this {
    throw refusal('withCopyDirectoriesToContainer', FILES)
  }

  /** Throws Error: there is no container that has files. */
  withCopyContentToContainer(_contents: readonly unknown[]): this {
    throw refusal('withCopyContentToContainer', FILES)
  }

  /** Throws Error: there is no container that has files. */
  withCopyArchivesToContainer(_archives: readonly unknown[]): this {
    throw refusal('withCopyArchivesToContainer', FILES)
  }

  /** Throws Error: there is no container that has files. */
  withCopyToContainerOptions(_options: unknown): this {
    throw refusal('withCopyToContainerOptions', FILES)
  }
}

const NETWORK = "other containers cannot reach a cluster in this process over Docker's network"
const PROGRAM = 'there is no container to run a program in'
const FILES = 'there is no container that has files'

function refusal(call: string, why: string): Error {
  return new Error(`${call} is not supported, for ${why}: keep a real container here`)
}

function portOf(port: ExposedPort): number {
  return typeof port === 'object' ? port.container : Number.parseInt(`${port}`, 10)
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
