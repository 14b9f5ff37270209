/** Tasks of a Kafka Streams application: `partitionKey(subtopology, number)`, as partitions of other groups. */
import { byTopic, partitionKey } from '../partition-set.ts'

/** Tasks of one subtopology, as requests and responses carry them. */
export interface TaskIds {
  readonly subtopologyId: string
  readonly partitions: readonly number[]
}

/** What one member has, or is to have. */
export interface Tasks {
  readonly active: ReadonlySet<string>
  /** Copies of state that follow the active ones. */
  readonly standby: ReadonlySet<string>
}

export const noTasks: Tasks = { active: new Set(), standby: new Set() }

export function taskKeys(tasks: readonly TaskIds[]): Set<string> {
  const keys = new Set<string>()
  for (const { subtopologyId, partitions } of tasks) {
    for (const partition of partitions) keys.add(partitionKey(subtopologyId, partition))
  }
  return keys
}

/** By subtopology, both in order. */
export function taskIds(keys: Iterable<string>): TaskIds[] {
  return byTopic(keys)
    .map(({ topicId: subtopologyId, partitions }) => ({ subtopologyId, partitions }))
    .sort((a, b) => (a.subtopologyId < b.subtopologyId ? -1 : 1))
}
