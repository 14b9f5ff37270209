/** A cluster that takes the place of a started container of Testcontainers. */
import { Readable } from 'node:stream'
import type { TestCluster } from './test-cluster.ts'

/** The port that clients of a container connect to. */
export const DEFAULT_PORT = 9093

/** What a container was started with. */
export interface ContainerTraits {
  /** Those of the container, which stand for the one that the cluster listens on. */
  readonly ports: readonly number[]
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/**
 * A started cluster, as `StartedKafkaContainer` of `@testcontainers/kafka` has it.
 * @since 0.1.0
 */
export class StartedKafkaContainer implements AsyncDisposable {
  /** The cluster, with its helpers and faults. */
  readonly cluster: TestCluster
  readonly #traits: ContainerTraits

  /** @internal */
  constructor(cluster: TestCluster, traits: ContainerTraits) {
    this.cluster = cluster
    this.#traits = traits
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

  /** As `getHost`, whatever the network. */
  getIpAddress(_network: string): string {
    return this.getHost()
  }

  /** The port of the cluster, whichever exposed port is asked for, `9093` or `9093/tcp`. Throws Error for another one. */
  getMappedPort(port: number | string, _protocol?: string): number {
    const wanted = Number.parseInt(`${port}`, 10)
    if (this.#traits.ports.includes(wanted) || wanted === DEFAULT_PORT) return this.getFirstMappedPort()
    throw new Error(`port ${port} is not exposed: clients connect to ${DEFAULT_PORT}`)
  }

  /** The port of the cluster. */
  getFirstMappedPort(): number {
    return Number(/\d+$/.exec(this.getBootstrapServers())?.[0])
  }

  /** The name, or one by chance. */
  getId(): string {
    return this.#traits.name
  }

  /** The name, or one by chance. */
  getName(): string {
    return this.#traits.name
  }

  /** Those of `withLabels`. */
  getLabels(): Record<string, string> {
    return { ...this.#traits.labels }
  }

  /** None: the cluster is in no network of Docker's. */
  getNetworkNames(): string[] {
    return []
  }

  /** Throws Error: the cluster is in no network of Docker's. */
  getNetworkId(name: string): string {
    throw new Error(`the cluster is not in the network ${name}: it listens on ${this.getBootstrapServers()}`)
  }

  /** Takes the broker down and up again; what it holds stays. */
  async restart(_options?: unknown): Promise<void> {
    const { embedded } = this.cluster
    await embedded.brokerDown(1)
    await embedded.brokerUp(1)
  }

  /** The cluster logs nothing: an empty stream. */
  logs(_options?: unknown): Promise<Readable> {
    return Promise.resolve(Readable.from([]))
  }

  /** Rejects with Error: there is no container to run a command in. */
  exec(command: string | readonly string[], _options?: unknown): Promise<never> {
    const name = typeof command === 'string' ? command : command.join(' ')
    return Promise.reject(
      new Error(
        `there is no container to run '${name}' in: use cluster.embedded, cluster.createTopic or an admin client`,
      ),
    )
  }

  /** Rejects with Error: there is no container that has files. */
  copyFilesToContainer(_files: readonly unknown[]): Promise<never> {
    return noFiles()
  }

  /** Rejects with Error: there is no container that has files. */
  copyDirectoriesToContainer(_folders: readonly unknown[]): Promise<never> {
    return noFiles()
  }

  /** Rejects with Error: there is no container that has files. */
  copyContentToContainer(_contents: readonly unknown[]): Promise<never> {
    return noFiles()
  }

  /** Rejects with Error: there is no container that has files. */
  copyArchiveToContainer(_archive: Readable, _target?: string, _options?: unknown): Promise<never> {
    return noFiles()
  }

  /** Rejects with Error: there is no container that has files. */
  copyArchiveFromContainer(_path: string): Promise<never> {
    return noFiles()
  }

  /** Rejects with Error: there is no container to make an image of. */
  commit(_options: unknown): Promise<never> {
    return Promise.reject(new Error('there is no container to make an image of: keep a real container here'))
  }

  /** Stops the cluster. */
  async stop(_options?: unknown): Promise<Pick<this, 'getId' | 'copyArchiveFromContainer'>> {
    await this.cluster.close()
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

function noFiles(): Promise<never> {
  return Promise.reject(new Error('there is no container that has files: keep a real container here'))
}
