/** The topics that a test wants, and the names that they have in its cluster. */
import type { CreateTopicOptions } from '../options.ts'
import type { MessageInput } from '../topics/writing.ts'

/**
 * A topic of a test cluster.
 * @since 0.1.0
 */
export interface TestTopic extends CreateTopicOptions {
  /** The messages that it holds from the start; `partition` places one, else its key does. */
  readonly messages?: readonly MessageInput[]
}

/**
 * Topics that a test cluster has from the start: names, or names with what they hold.
 * @since 0.1.0
 */
export type TestTopics = readonly string[] | Readonly<Record<string, TestTopic>>

export function topicsOf(topics: TestTopics): [name: string, topic: TestTopic][] {
  return isNames(topics) ? topics.map(name => [name, {}]) : Object.entries(topics)
}

// Array.isArray does not narrow readonly arrays.
function isNames(topics: TestTopics): topics is readonly string[] {
  return Array.isArray(topics)
}
