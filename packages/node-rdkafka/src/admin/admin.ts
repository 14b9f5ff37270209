import { AdminClient, type LogSink, type TopicResult } from 'ottla'
import { setToken } from '../client.ts'
import { answer, timeoutAndCallback } from '../translate/calling.ts'
import { configurationOf, type Configuration } from '../translate/configuration.ts'
import { converting, disconnected } from '../translate/errors.ts'
import type { IAdminClient, NewTopic } from '../types/admin.ts'
import type { GlobalConfig } from '../types/config.ts'
import type { LibrdKafkaError } from '../types/errors.ts'

type Done = (error: LibrdKafkaError) => void

const TIMEOUT_MS = 5000
const quiet: LogSink = () => undefined

/** Creates and deletes topics. Connects in the background. */
export class AdminOfTopics implements IAdminClient {
  readonly globalConfig: GlobalConfig
  #client: AdminClient | null

  constructor(conf: GlobalConfig, token?: string) {
    this.globalConfig = { ...conf }
    const { properties }: Configuration = configurationOf('admin', { ...conf }, {})
    this.#client = converting(() => new AdminClient(properties, { logger: quiet }))
    if (token !== undefined && token !== '') this.refreshOauthBearerToken(token)
  }

  refreshOauthBearerToken(tokenStr: string): void {
    if (typeof tokenStr !== 'string' || tokenStr === '')
      throw new Error('OAuthBearer token is undefined/empty or not a string')
    setToken(this.#connected, tokenStr)
  }

  createTopic(topic: NewTopic, timeout?: number | Done, cb?: Done): void {
    const { config = {} } = topic
    const created = {
      topic: topic.topic,
      numPartitions: topic.num_partitions,
      replicationFactor: topic.replication_factor,
      config: config as Readonly<Record<string, string>>,
    }
    this.#run(timeout, cb, (client, options) => client.createTopics([created], options))
  }

  deleteTopic(topic: string, timeout?: number | Done, cb?: Done): void {
    this.#run(timeout, cb, (client, options) => client.deleteTopics([topic], options))
  }

  createPartitions(topic: string, desiredPartitions: number, timeout?: number | Done, cb?: Done): void {
    const wanted = { topic, increaseTo: desiredPartitions }
    this.#run(timeout, cb, (client, options) => client.createPartitions([wanted], options))
  }

  disconnect(): void {
    const client = this.#client
    this.#client = null
    void client?.close()
  }

  get #connected(): AdminClient {
    if (this.#client === null) throw disconnected('Client')
    return this.#client
  }

  #run(
    timeout: number | Done | undefined,
    cb: Done | undefined,
    work: (
      client: AdminClient,
      options: { requestTimeoutMs: number; operationTimeoutMs: number },
    ) => Promise<TopicResult[]>,
  ): void {
    const client = this.#connected
    const [given, callback] = timeoutAndCallback(timeout, cb, TIMEOUT_MS)
    const timeoutMs = given === 0 ? TIMEOUT_MS : given
    const run = async (): Promise<void> => {
      const options = { requestTimeoutMs: timeoutMs, operationTimeoutMs: timeoutMs }
      const [result] = await work(client, options)
      if (result?.error !== undefined) throw result.error
    }
    answer(run(), callback, () => undefined)
  }
}
