/** Lists of partitions as sets. */
import type { TopicPartition } from '../../types.ts'

/** The partitions of the first list that the second lacks. */
export function without(list: readonly TopicPartition[], others: readonly TopicPartition[]): TopicPartition[] {
  const known = new Set(others.map(({ topic, partition }) => `${topic}\0${partition}`))
  return list.filter(({ topic, partition }) => !known.has(`${topic}\0${partition}`))
}
