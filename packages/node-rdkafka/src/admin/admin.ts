import { AdminClient, type LogSink } from 'ottla'
import { setToken } from '../client.ts'
import { configurationOf, type Configuration } from '../translate/configuration.ts'
import { converting, disconnected } from '../translate/errors.ts'
import type { IAdminClient, NewTopic } from '../types/admin.ts'
import type { GlobalConfig } from '../types/config.ts'
import { createPartitions, createTopic, deleteTopic, type Done } from './topic-calls.ts'

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
    createTopic(this.#connected, topic, timeout, cb)
  }

  deleteTopic(topic: string, timeout?: number | Done, cb?: Done): void {
    deleteTopic(this.#connected, topic, timeout, cb)
  }

  createPartitions(topic: string, desiredPartitions: number, timeout?: number | Done, cb?: Done): void {
    createPartitions(this.#connected, topic, desiredPartitions, timeout, cb)
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
}
