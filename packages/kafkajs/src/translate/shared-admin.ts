/** The admin client of `ottla` behind an admin client of kafkajs, or a consumer: opened when it is first needed. */
import { AdminClient, ErrorCode, KafkaError, type Metadata, type TopicMetadata } from 'ottla'
import { KafkaJSRequestTimeoutError } from '../errors.ts'
import type { InstrumentationEmitter } from '../observe/emitter.ts'
import type { Logger } from '../types/logging.ts'
import { withRetries } from './attempts.ts'
import { connecting } from './connecting.ts'
import { toFinalError, toKafkaJSError } from './errors.ts'
import { reportRequests, type NetworkEvents } from './network-events.ts'
import { reach } from './reach.ts'
import type { RetryPlan } from './retry.ts'
import type { Shared } from './shared.ts'

export class SharedAdmin {
  readonly plan: RetryPlan
  readonly #shared: Shared
  readonly #logger: Logger
  readonly #onOpened: (client: AdminClient) => void
  readonly #metadataMaxAge: number | undefined
  #client: Promise<AdminClient> | null = null

  constructor(
    shared: Shared,
    plan: RetryPlan,
    logger: Logger,
    emitter: InstrumentationEmitter<NetworkEvents & Readonly<Record<string, string>>>,
    metadataMaxAge?: number,
  ) {
    this.#shared = shared
    this.plan = plan
    this.#logger = logger
    this.#onOpened = client => reportRequests(client, emitter, shared.config.clientId ?? 'kafkajs')
    this.#metadataMaxAge = metadataMaxAge
  }

  /** Resolves when a broker has answered. Rejects with kafkajs's errors. */
  async connect(): Promise<void> {
    const client = await this.client()
    try {
      await reach(client, this.#shared, this.plan)
    } catch (error) {
      await this.close()
      const failure = toFinalError(error, this.plan)
      this.#logger.error(failure.message)
      throw failure
    }
  }

  /** The client, perhaps not connected yet. Rejects with kafkajs's errors. */
  client(): Promise<AdminClient> {
    if (this.#client === null) {
      const opening = this.#open()
      this.#client = opening
      // The next call tries again.
      opening.catch(() => {
        if (this.#client === opening) this.#client = null
      })
    }
    return this.#client
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = null
    await (await client?.catch(() => null))?.close()
  }

  /** One piece of work with the client. Rejects with kafkajs's errors; with anything but a KafkaError as it is. */
  async call<T>(work: (client: AdminClient) => Promise<T>): Promise<T> {
    const client = await this.client()
    try {
      return await work(client)
    } catch (error) {
      const translated = toKafkaJSError(error)
      // kafkajs does not ask again when there is no answer.
      throw translated instanceof KafkaJSRequestTimeoutError ? translated : toFinalError(error, this.plan)
    }
  }

  /** Brokers and all topics, or the one named. Rejects with kafkajs's errors. */
  metadata(topic?: string): Promise<Metadata> {
    return this.call(client => client.getMetadata(topic === undefined ? {} : { topic }))
  }

  /** Rejects with kafkajs's errors: for a topic that does not exist, once retries have not helped. */
  topic(name: string): Promise<TopicMetadata> {
    const isMissing = (error: unknown): boolean =>
      error instanceof KafkaError && error.code === ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART
    return this.call(client => {
      const find = async (): Promise<TopicMetadata> => {
        const { topics } = await client.getMetadata({ topic: name })
        const found = topics.find(({ topic }) => topic === name)
        if (found === undefined) throw KafkaError.of(ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART, `topic '${name}'`)
        if (found.error !== undefined) throw found.error
        return found
      }
      return withRetries(this.plan, find, isMissing)
    })
  }

  async #open(): Promise<AdminClient> {
    try {
      const { config, options } = await connecting(this.#shared.config, this.plan, this.#logger, this.#metadataMaxAge)
      const client = new AdminClient(config, options)
      this.#onOpened(client)
      return client
    } catch (error) {
      throw toFinalError(error, this.plan)
    }
  }
}
