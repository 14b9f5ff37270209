/** Checks what programs pass to a consumer. All of them throw KafkaJSNonRetriableError. */
import type { TopicPartitionOffset } from 'ottla'
import { KafkaJSNonRetriableError } from '../errors.ts'
import { offsetOf } from '../translate/offsets.ts'
import type { Consumer } from '../types/consumer.ts'

/** Logical offsets: the end, and the first message. */
const LATEST = -1
const EARLIEST = -2

/** One topic, or all of its partitions that are named. */
export interface TopicSelection {
  readonly topic: string
  readonly partitions?: readonly number[]
}

function invalid(message: string): KafkaJSNonRetriableError {
  return new KafkaJSNonRetriableError(message)
}

/** The topics and patterns of a subscription. */
export function subscriptionsOf(given: Parameters<Consumer['subscribe']>[0]): (string | RegExp)[] {
  const { topic, topics } = given as { readonly topic?: unknown; readonly topics?: unknown }
  if (!topic && !topics) throw invalid('Missing required argument "topics"')
  if (topics !== undefined && topics !== null && !Array.isArray(topics)) {
    throw invalid('Argument "topics" must be an array')
  }
  const list: unknown[] = Array.isArray(topics) ? topics : [topic]
  return list.map(each => {
    if (typeof each === 'string' || each instanceof RegExp) return each
    throw invalid(`Invalid topic ${String(each)} (${typeof each}), the topic name has to be a String or a RegExp`)
  })
}

/** What `commitOffsets` gets. */
export function offsetsToCommit(given: unknown): TopicPartitionOffset[] {
  const list: unknown[] = Array.isArray(given) ? given : []
  return list.map(each => {
    const place = placeOf(each)
    const { offset, metadata = null } = each as { readonly offset?: unknown; readonly metadata?: unknown }
    const number = offsetOf(offset)
    if (number < 0) throw invalid('Offset must not be a negative number')
    if (metadata !== null && typeof metadata !== 'string') {
      // eslint-disable-next-line @typescript-eslint/no-base-to-string -- whatever it is, it is shown
      throw invalid(`Invalid offset metadata, expected string or null, received ${String(metadata)}`)
    }
    return { ...place, offset: number, metadata }
  })
}

/** What `seek` gets: -1 is the end, -2 the first message. */
export function offsetToSeek(given: unknown): TopicPartitionOffset {
  const place = placeOf(given)
  const offset = offsetOf((given as { readonly offset?: unknown }).offset)
  if (offset < 0 && offset !== LATEST && offset !== EARLIEST) throw invalid('Offset must not be a negative number')
  return { ...place, offset }
}

function placeOf(given: unknown): { topic: string; partition: number } {
  const { topic, partition } = given as { readonly topic?: unknown; readonly partition?: unknown }
  if (typeof topic !== 'string' || topic === '') throw invalid(`Invalid topic ${String(topic)}`)
  if (!isNumber(partition)) throw invalid(`Invalid partition, expected a number received ${String(partition)}`)
  return { topic, partition: Number(partition) }
}

/** What `pause` and `resume` get. @param call its name */
export function selections(given: unknown, call: 'pause' | 'resume'): TopicSelection[] {
  const list: unknown[] = Array.isArray(given) ? given : []
  return list.map(each => {
    const { topic, partitions } = (each ?? {}) as { readonly topic?: unknown; readonly partitions?: unknown }
    if (typeof topic !== 'string' || topic === '') {
      throw invalid(`Invalid topic ${String(typeof each === 'object' && each !== null ? topic : each)}`)
    }
    if (partitions === undefined) return { topic }
    if (!Array.isArray(partitions) || !partitions.every(isNumber)) {
      throw invalid(
        // eslint-disable-next-line @typescript-eslint/no-base-to-string -- as above
        `Array of valid partitions required to ${call} specific partitions instead of ${String(partitions)}`,
      )
    }
    return { topic, partitions: partitions.map(Number) }
  })
}

// kafkajs takes the digits of a number, too.
function isNumber(given: unknown): boolean {
  return given !== null && given !== '' && !Number.isNaN(Number(given))
}
