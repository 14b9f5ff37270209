/** Partitions by topic id as strings, so that sets of them are easy to compare. */

/** Partitions of one topic, as requests carry them. */
export interface TopicIdPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export function partitionKey(topicId: string, partition: number): string {
  return `${topicId}/${partition}`
}

export function splitKey(key: string): { topicId: string; partition: number } {
  const at = key.lastIndexOf('/')
  return { topicId: key.slice(0, at), partition: Number(key.slice(at + 1)) }
}

export function keysOf(topics: readonly TopicIdPartitions[]): Set<string> {
  const keys = new Set<string>()
  for (const { topicId, partitions } of topics) for (const index of partitions) keys.add(partitionKey(topicId, index))
  return keys
}

/** Groups keys by topic, with the partitions in order. */
export function byTopic(keys: Iterable<string>): { topicId: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const key of keys) {
    const { topicId, partition } = splitKey(key)
    const list = topics.get(topicId)
    if (list === undefined) topics.set(topicId, [partition])
    else list.push(partition)
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions: partitions.sort((a, b) => a - b) }))
}
