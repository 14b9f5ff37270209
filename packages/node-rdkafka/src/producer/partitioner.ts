/** `partitioner_cb` as a partitioner. */
import { PARTITION_UA, type Partitioner } from 'ottla'

type PartitionerCallback = (topic: string, key: string | null, partitionCount: number) => unknown

/** Null if the program has none. */
export function partitionerOf(callbacks: ReadonlyMap<string, unknown>): Partitioner | null {
  const callback = callbacks.get('partitioner_cb')
  if (typeof callback !== 'function') return null
  const choose = callback as PartitionerCallback
  return (topic, key, partitionCount) => {
    const chosen = choose(topic, key === null ? null : key.toString(), partitionCount)
    return typeof chosen === 'number' && chosen >= 0 && chosen < partitionCount ? chosen : PARTITION_UA
  }
}
