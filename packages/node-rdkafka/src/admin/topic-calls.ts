/** Calls about topics, with callbacks. */
import type { AdminClient, TopicResult } from 'ottla'
import { answer, timeoutAndCallback } from '../translate/calling.ts'
import type { NewTopic } from '../types/admin.ts'
import type { LibrdKafkaError } from '../types/errors.ts'

/** Called without an error if there was none. */
export type Done = (error: LibrdKafkaError) => void

const TIMEOUT_MS = 5000

/** Creates a topic. `timeout` is in ms, 5000 by default, here and below. */
export function createTopic(client: AdminClient, topic: NewTopic, timeout?: number | Done, cb?: Done): void {
  const { config = {} } = topic
  const created = {
    topic: topic.topic,
    numPartitions: topic.num_partitions,
    replicationFactor: topic.replication_factor,
    config: config as Readonly<Record<string, string>>,
  }
  run(timeout, cb, options => client.createTopics([created], options))
}

/** Deletes a topic. */
export function deleteTopic(client: AdminClient, topic: string, timeout?: number | Done, cb?: Done): void {
  run(timeout, cb, options => client.deleteTopics([topic], options))
}

/** Adds partitions until the topic has so many. */
export function createPartitions(
  client: AdminClient,
  topic: string,
  desiredPartitions: number,
  timeout?: number | Done,
  cb?: Done,
): void {
  run(timeout, cb, options => client.createPartitions([{ topic, increaseTo: desiredPartitions }], options))
}

function run(
  timeout: number | Done | undefined,
  cb: Done | undefined,
  work: (options: { requestTimeoutMs: number; operationTimeoutMs: number }) => Promise<TopicResult[]>,
): void {
  const [given, callback] = timeoutAndCallback(timeout, cb, TIMEOUT_MS)
  const timeoutMs = given === 0 ? TIMEOUT_MS : given
  const asked = async (): Promise<void> => {
    const [result] = await work({ requestTimeoutMs: timeoutMs, operationTimeoutMs: timeoutMs })
    if (result?.error !== undefined) throw result.error
  }
  answer(asked(), callback, () => undefined)
}
