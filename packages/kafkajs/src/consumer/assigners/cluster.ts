/** The cluster, as assigners see it: metadata that is kept, and questions to `ottla`'s admin client. */
import { KafkaJSBrokerNotFound, KafkaJSNotImplemented, KafkaJSTopicMetadataNotLoaded } from '../../errors.ts'
import { GroupDescriber } from '../../translate/groups.ts'
import { brokerMetadataOf } from '../../translate/metadata.ts'
import { retryPlan } from '../../translate/retry.ts'
import type { SharedAdmin } from '../../translate/shared-admin.ts'
import type { Broker, Cluster, CoordinatorMetadata } from '../../types/cluster.ts'
import type { BrokerMetadata, PartitionMetadata, TopicOffsets } from '../../types/metadata.ts'

const LATEST = -1
const EARLIEST = -2

export class GroupCluster implements Cluster {
  readonly #admin: SharedAdmin
  #known: BrokerMetadata | null = null

  constructor(admin: SharedAdmin) {
    this.#admin = admin
  }

  getNodeIds(): number[] {
    return (this.#known?.brokers ?? []).map(({ nodeId }) => nodeId)
  }

  async metadata(): Promise<BrokerMetadata> {
    await this.refreshMetadata()
    return this.#required()
  }

  removeBroker(): void {
    // The client gives brokers up by itself.
  }

  async addMultipleTargetTopics(topics: string[]): Promise<void> {
    const isKnown = (name: string): boolean => this.#known?.topicMetadata.some(({ topic }) => topic === name) === true
    if (!topics.every(isKnown)) await this.refreshMetadata()
  }

  addTargetTopic(topic: string): Promise<void> {
    return this.addMultipleTargetTopics([topic])
  }

  isConnected(): boolean {
    return this.#known !== null
  }

  connect(): Promise<void> {
    return this.#admin.connect()
  }

  disconnect(): Promise<void> {
    // The connections are the consumer's.
    return Promise.resolve()
  }

  async refreshMetadata(): Promise<void> {
    this.#known = brokerMetadataOf(await this.#admin.metadata())
  }

  async refreshMetadataIfNecessary(): Promise<void> {
    if (this.#known === null) await this.refreshMetadata()
  }

  async findBroker({ nodeId }: { nodeId: string }): Promise<Broker> {
    await this.refreshMetadataIfNecessary()
    if (!this.getNodeIds().includes(Number(nodeId))) {
      throw new KafkaJSBrokerNotFound(`Broker ${nodeId} not found in the cached metadata`)
    }
    return this.#broker()
  }

  async findControllerBroker(): Promise<Broker> {
    await this.refreshMetadataIfNecessary()
    return this.#broker()
  }

  findTopicPartitionMetadata(topic: string): PartitionMetadata[] {
    if (this.#known === null) {
      throw new KafkaJSTopicMetadataNotLoaded('Topic metadata not loaded', { topic })
    }
    return this.#known.topicMetadata.find(each => each.topic === topic)?.partitionMetadata ?? []
  }

  findLeaderForPartitions(topic: string, partitions: number[]): { [leader: string]: number[] } {
    const leaders = new Map<string, number[]>()
    for (const { partitionId, leader } of this.findTopicPartitionMetadata(topic)) {
      if (!partitions.map(Number).includes(partitionId)) continue
      leaders.set(String(leader), [...(leaders.get(String(leader)) ?? []), partitionId])
    }
    return Object.fromEntries(leaders)
  }

  findGroupCoordinator(): Promise<Broker> {
    return Promise.resolve(this.#broker())
  }

  async findGroupCoordinatorMetadata({ groupId }: { groupId: string }): Promise<CoordinatorMetadata> {
    const admin = await this.#admin.client()
    const [group] = await admin.describeConsumerGroups([groupId])
    const { id = -1, host = '', port = -1 } = group?.coordinator ?? {}
    return { errorCode: group?.error?.code ?? 0, coordinator: { nodeId: id, host, port } }
  }

  defaultOffset({ fromBeginning }: { fromBeginning: boolean }): number {
    return fromBeginning ? EARLIEST : LATEST
  }

  async fetchTopicsOffset(topics: Parameters<Cluster['fetchTopicsOffset']>[0]): Promise<TopicOffsets[]> {
    const admin = await this.#admin.client()
    return Promise.all(
      topics.map(async ({ topic, partitions, fromBeginning, fromTimestamp }) => {
        const bound = fromBeginning === true ? 'earliest' : 'latest'
        const spec = fromTimestamp === undefined ? bound : { timestamp: fromTimestamp }
        const listed = await admin.listOffsets(partitions.map(({ partition }) => ({ topic, partition, spec })))
        return { topic, partitions: listed.map(({ partition, offset }) => ({ partition, offset: String(offset) })) }
      }),
    )
  }

  #required(): BrokerMetadata {
    if (this.#known !== null) return this.#known
    throw new KafkaJSTopicMetadataNotLoaded('Metadata not loaded')
  }

  /** A broker is asked through the admin client; requests of the protocol itself cannot be sent. */
  #broker(): Broker {
    const refuse = (): Promise<never> =>
      Promise.reject(
        new KafkaJSNotImplemented('Raw requests to brokers are not available: use admin, producer, consumer'),
      )
    return {
      isConnected: () => this.isConnected(),
      connect: () => this.connect(),
      disconnect: () => this.disconnect(),
      metadata: () => this.metadata(),
      describeGroups: async ({ groupIds }) => {
        const describer = new GroupDescriber(await this.#admin.client(), retryPlan())
        return { groups: await Promise.all(groupIds.map(id => describer.describe(id))) }
      },
      apiVersions: refuse,
      offsetCommit: refuse,
      offsetFetch: refuse,
      fetch: refuse,
      produce: refuse,
      alterPartitionReassignments: refuse,
      listPartitionReassignments: refuse,
    }
  }
}
