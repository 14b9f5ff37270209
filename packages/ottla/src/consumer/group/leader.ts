/** What the leader of a classic group needs to know about topics to assign their partitions. */
import type { Snapshot } from '../../cluster/snapshot.ts'
import type { GroupTopic } from './assignors/assignor.ts'

/** Partitions and racks of topics; one that does not exist has no partitions. */
export function layoutOf(topics: readonly string[], snapshot: Snapshot): Map<string, GroupTopic> {
  const layout = new Map<string, GroupTopic>()
  const hasRacks = [...snapshot.brokers.values()].some(broker => broker.rack !== null)
  for (const topic of topics) {
    const partitions = snapshot.topics.get(topic)?.partitions ?? []
    const racks = hasRacks ? partitions.map(({ replicas }) => racksOf(replicas, snapshot)) : []
    layout.set(topic, { partitionCount: partitions.length, racks })
  }
  return layout
}

/** Topics and their partition counts as one string: a rebalance is needed when it changes. */
export function fingerprint(topics: readonly string[], snapshot: Snapshot): string {
  return topics.map(topic => `${topic}\0${snapshot.topics.get(topic)?.partitions.length ?? 0}`).join('\0\0')
}

function racksOf(replicas: readonly number[], snapshot: Snapshot): Set<string> {
  const racks = new Set<string>()
  for (const id of replicas) {
    const rack = snapshot.brokers.get(id)?.rack ?? null
    if (rack !== null && rack !== '') racks.add(rack)
  }
  return racks
}
