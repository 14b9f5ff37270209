/** The topology of a Kafka Streams application, as its members describe it (KIP-1071). */
import type { Decoded, StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatRequestSubtopology } from '@ottla/protocol'

/** What the tasks of one subtopology read and write. */
export type Subtopology = Decoded<StreamsGroupHeartbeatRequestSubtopology>

/** A topic that the application needs for itself. */
export type InternalTopic = Subtopology['stateChangelogTopics'][number]

export interface StreamsTopology {
  readonly epoch: number
  readonly subtopologies: readonly Subtopology[]
}

/** Why the application cannot run yet, as StreamsGroupHeartbeat says it. */
export const StreamsStatus = {
  staleTopology: 0,
  missingSourceTopics: 1,
  incorrectlyPartitionedTopics: 2,
  missingInternalTopics: 3,
  shutdownApplication: 4,
  assignmentDelayed: 5,
} as const

/** The topology in a heartbeat; null: the member does not say it again. */
export function topologyOf({
  topology,
}: Pick<Decoded<StreamsGroupHeartbeatRequest>, 'topology'>): StreamsTopology | null {
  return topology
}

/** Whether two members run the same application. The order of what they say does not matter. */
export function isSameTopology(a: StreamsTopology, b: StreamsTopology): boolean {
  return a.epoch === b.epoch && JSON.stringify(inOrder(a)) === JSON.stringify(inOrder(b))
}

/** The topics that the tasks of a subtopology read. */
export function sourcesOf({ sourceTopics, repartitionSourceTopics }: Subtopology): string[] {
  return [...sourceTopics, ...repartitionSourceTopics.map(({ name }) => name)]
}

/** All topics that the application reads or keeps its state in. */
export function requiredTopics({ subtopologies }: StreamsTopology): Set<string> {
  const names = subtopologies.flatMap(each => [
    ...sourcesOf(each),
    ...each.stateChangelogTopics.map(({ name }) => name),
  ])
  return new Set(names)
}

function inOrder({ subtopologies }: StreamsTopology): unknown {
  return [...subtopologies].sort((a, b) => compare(a.subtopologyId, b.subtopologyId))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
