/** What a partitioner may know of topics: metadata, asked for before the first message and then at intervals. */
import { ErrorCode, KafkaError, type Partitioner, type Producer } from 'ottla'
import type { ICustomPartitioner, Message } from '../types/producer.ts'
import type { PartitionMetadata } from '../types/metadata.ts'
import { partitionMetadataOf } from '../translate/metadata.ts'

interface Known {
  readonly partitions: PartitionMetadata[]
  /** ms since the epoch. */
  readonly at: number
}

export class ProducerTopics {
  readonly #maxAgeMs: number
  readonly #choose: ReturnType<ICustomPartitioner>
  readonly #known = new Map<string, Known>()

  constructor(createPartitioner: ICustomPartitioner, maxAgeMs: number) {
    this.#choose = createPartitioner()
    this.#maxAgeMs = maxAgeMs
  }

  /** For the producers: asks the program's partitioner, with all that it may want to know. */
  readonly partitioner: Partitioner = (topic, _key, partitionCount, { opaque }) => {
    const known = this.#known.get(topic)
    const partitionMetadata = known?.partitions.length === partitionCount ? known.partitions : nameless(partitionCount)
    return this.#choose({ topic, partitionMetadata, message: opaque as Message }) // each has one: see toProducerMessage
  }

  /**
   * Has the metadata of a topic at hand. Rejects with KafkaError: the topic's own error unless `mayCreate` and it does
   * not exist yet; ERR__TIMED_OUT.
   * @param mayCreate sending to a topic that does not exist may create it
   */
  async prepare(topic: string, producer: Producer, timeoutMs: number, mayCreate: boolean): Promise<void> {
    const now = Date.now()
    const known = this.#known.get(topic)
    if (known !== undefined && now - known.at < this.#maxAgeMs) return
    const { topics } = await producer.getMetadata({ topic, timeoutMs })
    const found = topics.find(each => each.topic === topic)
    const error = found?.error ?? (found === undefined ? missing(topic) : undefined)
    if (error === undefined && found !== undefined) {
      this.#known.set(topic, { partitions: partitionMetadataOf(found), at: now })
      return
    }
    this.#known.delete(topic)
    if (error !== undefined && !(mayCreate && error.code === ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART)) throw error
  }

  /** Asks again before the next message. */
  forget(topics: Iterable<string>): void {
    for (const topic of topics) this.#known.delete(topic)
  }
}

function missing(topic: string): KafkaError {
  return KafkaError.of(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, `topic ${topic}`)
}

/** What is known of a topic that was created, or got more partitions, a moment ago. */
function nameless(count: number): PartitionMetadata[] {
  return Array.from({ length: count }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
    offlineReplicas: [],
  }))
}
