/** What the messages of a recording say about the cluster: topics by their ids, brokers by their addresses. */
import { CreateTopics, type CreateTopicsResponse } from '../generated/create-topics.ts'
import { DescribeCluster, type DescribeClusterResponse } from '../generated/describe-cluster.ts'
import { Metadata, type MetadataResponse } from '../generated/metadata.ts'
import { ZERO_UUID } from '../wire/reader.ts'
import type { WireMessage } from './conversation.ts'

/**
 * What may name a topic: its name, under either of two keys, or its id.
 * @since 0.1.0
 */
export interface NamedTopic {
  readonly name?: string | null | undefined
  readonly topic?: string | undefined
  readonly topicId?: string | undefined
}

/**
 * Names in place of ids and addresses.
 * @since 0.1.0
 */
export class ClusterNames {
  readonly #topics = new Map<string, string>()
  readonly #brokers = new Map<string, number>()

  /** Takes what a message says about topics and brokers. */
  learn(message: WireMessage): void {
    if (message.kind !== 'response') return
    if (message.api.key === Metadata.key) {
      const { brokers, topics } = message.body as MetadataResponse
      for (const { nodeId, host, port } of brokers) this.#brokers.set(addressText(host, port), nodeId)
      for (const topic of topics) this.#learnTopic(topic)
    } else if (message.api.key === DescribeCluster.key) {
      const { brokers } = message.body as DescribeClusterResponse
      for (const { brokerId, host, port } of brokers) this.#brokers.set(addressText(host, port), brokerId)
    } else if (message.api.key === CreateTopics.key) {
      for (const topic of (message.body as CreateTopicsResponse).topics) this.#learnTopic(topic)
    }
  }

  /** Addresses of all brokers that were named, `host:port`. */
  get addresses(): string[] {
    return [...this.#brokers.keys()]
  }

  /** `broker 1`, or the address of one whose id is not known. @param address `host:port` */
  broker(address: string): string {
    const id = this.#brokers.get(address)
    return id === undefined ? address : `broker ${id}`
  }

  /** The topic's name, or its id if it has none that is known. */
  topic({ name, topic, topicId }: NamedTopic): string {
    if (typeof name === 'string' && name !== '') return name
    if (topic !== undefined && topic !== '') return topic
    if (topicId === undefined || topicId === ZERO_UUID) return '?'
    return this.#topics.get(topicId) ?? topicId
  }

  #learnTopic({ name, topicId }: NamedTopic): void {
    if (topicId !== undefined && topicId !== ZERO_UUID && typeof name === 'string' && name !== '') {
      this.#topics.set(topicId, name)
    }
  }
}

function addressText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
