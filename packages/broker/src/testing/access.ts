/** What the helpers of a test do with a cluster, in this process or in another one. */
import type { EmbeddedCluster } from '../cluster.ts'
import type { CommittedPartition } from '../groups/group.ts'
import type { GroupStatus } from '../groups/status.ts'
import type { StoredMessage } from '../topics/messages.ts'
import type { MessageInput } from '../topics/writing.ts'
import type { TestTopic } from './topics.ts'

/** How far the partitions of a topic are. */
export interface TopicProgress {
  /** That of a topic that was deleted and created again is another one. */
  readonly id: string
  readonly partitions: readonly {
    readonly low: number
    /** Where the messages that a read_committed consumer may see end. */
    readonly stable: number
    readonly high: number
  }[]
}

/** The calls that also work from another process. Topics and groups have their full names here. */
export interface ClusterCalls {
  readonly createTopic: (name: string, topic: TestTopic) => Promise<void>
  readonly deleteTopic: (name: string) => Promise<void>
  /** The names of all topics. */
  readonly topics: () => Promise<string[]>
  readonly produce: (topic: string, messages: readonly MessageInput[]) => Promise<void>
  /** null for a topic that does not exist. */
  readonly progress: (topic: string) => Promise<TopicProgress | null>
  readonly messages: (topic: string, from: readonly number[]) => Promise<StoredMessage[]>
  readonly committedOffsets: (groupId: string) => Promise<CommittedPartition[]>
  readonly groups: () => Promise<GroupStatus[]>
  readonly deleteGroup: (groupId: string) => Promise<void>
}

export interface ClusterAccess {
  readonly bootstrapServers: string
  readonly calls: ClusterCalls
  /** The cluster itself; null if it is another process's, or others use it, too. */
  readonly embedded: EmbeddedCluster | null
  close(): Promise<void>
}

/** The calls of a cluster in this process. */
export function callsOf(cluster: EmbeddedCluster): ClusterCalls {
  const later = <Args extends readonly unknown[], T>(call: (...args: Args) => T) => {
    return (...args: Args): Promise<T> => Promise.resolve().then(() => call(...args))
  }
  return {
    createTopic: later((name: string, { messages = [], ...options }: TestTopic) => {
      cluster.createTopic(name, options)
      cluster.produce(name, messages)
    }),
    deleteTopic: later((name: string) => cluster.deleteTopic(name)),
    topics: later(() => cluster.topics().map(({ name }) => name)),
    produce: later((topic: string, messages: readonly MessageInput[]) => cluster.produce(topic, messages)),
    progress: later((name: string) => progressOf(cluster, name)),
    messages: later((topic: string, from: readonly number[]) => cluster.messages(topic, from)),
    committedOffsets: later((groupId: string) => cluster.committedOffsets(groupId)),
    groups: later(() => cluster.groups()),
    deleteGroup: later((groupId: string) => cluster.deleteGroup(groupId)),
  }
}

function progressOf(cluster: EmbeddedCluster, name: string): TopicProgress | null {
  const topic = cluster.topics().find(each => each.name === name)
  if (topic === undefined) return null
  const partitions = Array.from({ length: topic.partitions }, (_, i) => cluster.watermarks(name, i))
  return { id: topic.id, partitions }
}
