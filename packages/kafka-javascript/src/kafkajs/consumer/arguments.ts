/** Checks what programs pass to a consumer. All of them throw KafkaJSError. */
import { OFFSET_BEGINNING, OFFSET_END, type TopicPartitionOffset as OttlaOffset } from 'ottla'
import type {
  ConsumerRunConfig,
  Subscription,
  TopicPartitionOffset,
  TopicPartitionOffsetAndMetadata,
} from '../../types/kafkajs/consumer.ts'
import { invalid, notImplemented } from '../failures.ts'

/** The topics of a subscription; patterns as librdkafka takes them, as text that begins with `^`. */
export function topicsOf(given: Subscription): string[] {
  const { topic, topics, fromBeginning }: { topic?: unknown; topics?: unknown; fromBeginning?: unknown } = { ...given }
  if (typeof fromBeginning === 'boolean')
    throw invalid(
      "'fromBeginning' is an option of the consumer, not of subscribe: kafka.consumer({ kafkaJS: { fromBeginning: true } })",
    )
  const list: unknown = topic ? [topic] : topics
  if (!Array.isArray(list)) throw invalid('subscribe takes { topics: [...] } or { topic }')
  return list.map(termOf)
}

function termOf(given: unknown): string {
  if (typeof given === 'string') return given
  if (!(given instanceof RegExp))
    throw invalid(`a topic is a string or a regular expression, not ${String(given)} (${typeof given})`)
  if (given.flags !== '') throw invalid(`${String(given)}: the regular expression of a topic has no flags`)
  if (!given.source.startsWith('^'))
    throw invalid(`${String(given)}: the regular expression of a topic begins with ^; /^.*${given.source}/ would match`)
  return given.source
}

export function checkRun(config: ConsumerRunConfig): void {
  for (const key of ['autoCommit', 'autoCommitInterval']) {
    if (Object.hasOwn(config, key))
      throw invalid(`'${key}' is an option of the consumer, not of run: kafka.consumer({ kafkaJS: { ${key}: ... } })`)
  }
  if (Object.hasOwn(config, 'autoCommitThreshold')) throw notImplemented("run: 'autoCommitThreshold' is not supported")
}

/** What `seek` gets. */
export function offsetToSeek({ topic, partition, offset, leaderEpoch }: TopicPartitionOffset): OttlaOffset {
  const number = Number(offset)
  if (typeof topic !== 'string') throw invalid('Topic must be a string.')
  if (Number.isNaN(number) || (number < 0 && number !== OFFSET_BEGINNING && number !== OFFSET_END))
    throw invalid(`Offset must be 0 or more, -1 for the end or -2 for the first message, not ${offset}`)
  return { topic, partition, offset: number, ...epochOf(leaderEpoch) }
}

/** What `commitOffsets` and `storeOffsets` get. */
export function offsetToCommit(given: TopicPartitionOffsetAndMetadata): OttlaOffset {
  const { topic, partition, offset, metadata = null, leaderEpoch } = given
  const number = Number(offset)
  if (Number.isNaN(number) || number < 0) throw invalid(`an offset to commit must be 0 or more, not ${offset}`)
  return { topic, partition, offset: number, metadata, ...epochOf(leaderEpoch) }
}

function epochOf(leaderEpoch: number | null | undefined): { leaderEpoch?: number } {
  return typeof leaderEpoch === 'number' && leaderEpoch >= 0 ? { leaderEpoch } : {}
}

/** Topics, or partitions of them, as `pause` and `resume` get them. */
export interface Selection {
  readonly topic: string
  readonly partitions?: readonly number[]
}

/** The partitions that are meant. @param assigned those that a topic without partitions stands for */
export function selected(
  given: readonly Selection[],
  assigned: readonly { topic: string; partition: number }[],
): { topic: string; partition: number }[] {
  return given.flatMap(({ topic, partitions }) => {
    if (typeof topic !== 'string') throw invalid('Topic must be a string.')
    const all = assigned.filter(each => each.topic === topic).map(({ partition }) => partition)
    return [...new Set(partitions ?? all)].map(partition => ({ topic, partition }))
  })
}
