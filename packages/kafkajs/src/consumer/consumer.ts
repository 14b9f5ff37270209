/** kafkajs's consumer. */
import { KafkaJSNonRetriableError } from '../errors.ts'
import { InstrumentationEmitter, type Listener } from '../observe/emitter.ts'
import { connecting } from '../translate/connecting.ts'
import { GroupDescriber } from '../translate/groups.ts'
import { retryPlan, retryTime, type RetryPlan } from '../translate/retry.ts'
import { SharedAdmin } from '../translate/shared-admin.ts'
import type { Shared } from '../translate/shared.ts'
import type {
  Consumer,
  ConsumerConfig,
  ConsumerEvents,
  ConsumerRunConfig,
  GroupDescription,
} from '../types/consumer.ts'
import type { Logger } from '../types/logging.ts'
import { offsetsToCommit, offsetToSeek, selections, subscriptionsOf } from './arguments.ts'
import { assignorsOf } from './assigners/assignors.ts'
import { GroupCluster } from './assigners/cluster.ts'
import { roundRobin } from './assigners/round-robin.ts'
import { checkConsumerConfig } from './configuration.ts'
import { consumerEvents } from './events.ts'
import { mayRestart } from './failures.ts'
import { Pauses } from './pauses.ts'
import { runSettings, type RunSettings } from './run-settings.ts'
import { Session } from './session.ts'
import { Subscriptions } from './subscriptions.ts'

/** @throws KafkaJSNonRetriableError */
export function createConsumer(shared: Shared, given: ConsumerConfig | undefined): Consumer {
  const config = given ?? { groupId: '' }
  checkConsumerConfig(config)
  const client = new ConsumerClient(shared, config)
  return {
    connect: () => client.connect(),
    disconnect: () => client.disconnect(),
    subscribe: subscription => client.subscribe(subscription),
    stop: () => client.stop(),
    run: options => client.run(options),
    commitOffsets: async offsets => {
      const list = offsetsToCommit(offsets)
      await client.requireSession().commit(list)
    },
    seek: offset => {
      const to = offsetToSeek(offset)
      client.requireSession().seek(to)
    },
    describeGroup: () => client.describeGroup(),
    pause: topics => {
      const chosen = selections(topics, 'pause')
      client.requireSession().pause(chosen)
    },
    paused: () => client.session?.paused() ?? [],
    resume: topics => {
      const chosen = selections(topics, 'resume')
      client.requireSession().resume(chosen)
    },
    on: (eventName: string, listener: Listener) => client.emitter.on(eventName, listener),
    events: consumerEvents,
    logger: () => client.logger,
  }
}

class ConsumerClient {
  readonly logger: Logger
  readonly emitter: InstrumentationEmitter<ConsumerEvents>
  /** From `run` to `stop`. */
  session: Session | null = null
  readonly #shared: Shared
  readonly #config: ConsumerConfig
  readonly #plan: RetryPlan
  readonly #subscriptions = new Subscriptions()
  readonly #admin: SharedAdmin
  readonly #makeAssignors: (onLead: (name: string) => void) => ReturnType<typeof assignorsOf>
  #restart: NodeJS.Timeout | null = null
  /** Grows with every call of the program that starts or stops it: a restart in between is given up. */
  #calls = 0
  #stopping: Promise<void> | null = null

  constructor(shared: Shared, config: ConsumerConfig) {
    const { partitionAssigners = [roundRobin], groupId, metadataMaxAge, retry = { retries: 5 } } = config
    this.#shared = shared
    this.#config = config
    this.#plan = retryPlan(shared.config.retry, retry)
    this.logger = shared.logger.namespace('Consumer')
    this.emitter = new InstrumentationEmitter('consumer', consumerEvents, this.logger)
    this.#admin = new SharedAdmin(shared, this.#plan, this.logger, this.emitter, metadataMaxAge)
    const cluster = new GroupCluster(this.#admin)
    const assigners = partitionAssigners.map(create => create({ cluster, groupId, logger: this.logger }))
    this.#makeAssignors = onLead => assignorsOf(assigners, cluster, onLead)
  }

  /** Resolves when a broker has answered. Rejects with kafkajs's errors. */
  async connect(): Promise<void> {
    await this.#admin.connect()
    this.emitter.emit('CONNECT', () => undefined)
  }

  disconnect(): Promise<void> {
    this.#calls++
    return this.#disconnect()
  }

  async subscribe(subscription: Parameters<Consumer['subscribe']>[0]): Promise<void> {
    if (this.session !== null) {
      throw new KafkaJSNonRetriableError('Cannot subscribe to topic while consumer is running')
    }
    const { fromBeginning = false } = subscription
    const subscriptions = subscriptionsOf(subscription)
    if (this.#config.allowAutoTopicCreation === false) {
      for (const each of subscriptions) if (typeof each === 'string') await this.#admin.topic(each)
    }
    for (const each of subscriptions) this.#subscriptions.add(each, fromBeginning)
  }

  /** Resolves when the group has been joined. */
  async run(options?: ConsumerRunConfig): Promise<void> {
    if (this.session !== null) {
      this.logger.warn('consumer#run was called, but the consumer is already running', {
        groupId: this.#config.groupId,
      })
      return
    }
    this.#calls++
    await this.#start(runSettings(options), new Pauses())
  }

  /** Waits for the running handlers, commits, and leaves the group. */
  stop(): Promise<void> {
    this.#calls++
    return this.#stopOnce()
  }

  async describeGroup(): Promise<GroupDescription> {
    const admin = await this.#admin.client()
    return new GroupDescriber(admin, this.#plan).describe(this.#config.groupId)
  }

  /** @throws KafkaJSNonRetriableError before `run` */
  requireSession(): Session {
    if (this.session !== null) return this.session
    throw new KafkaJSNonRetriableError('Consumer group was not initialized, consumer#run must be called first')
  }

  async #start(settings: RunSettings, pauses: Pauses): Promise<void> {
    const { groupId, metadataMaxAge } = this.#config
    this.logger.info('Starting', { groupId })
    const session: Session = new Session({
      shared: this.#shared,
      config: this.#config,
      plan: this.#plan,
      settings,
      emitter: this.emitter,
      logger: this.#shared.logger,
      subscriptions: this.#subscriptions,
      pauses,
      assignors: this.#makeAssignors,
      connecting: () =>
        connecting(this.#shared.config, this.#plan, this.#shared.logger.namespace('ConsumerGroup'), metadataMaxAge),
      onCrash: error => void this.#onCrash(error, settings, pauses),
    })
    this.session = session
    await session.start()
  }

  async #disconnect(): Promise<void> {
    await this.#stopOnce()
    await this.#admin.close()
    this.emitter.emit('DISCONNECT', () => undefined)
  }

  #stopOnce(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => (this.#stopping = null))
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const { session } = this
    if (this.#restart !== null) clearTimeout(this.#restart)
    this.#restart = null
    if (session === null) return
    await session.stop()
    this.session = null
    this.logger.info('Stopped', { groupId: this.#config.groupId })
    this.emitter.emit('STOP', () => undefined)
  }

  /** The session has failed: disconnects, and starts again if that may help. Rejects never. */
  async #onCrash(error: Error, settings: RunSettings, pauses: Pauses): Promise<void> {
    const { groupId } = this.#config
    const { retryCount, retryTime: after } = error as { readonly retryCount?: number; readonly retryTime?: number }
    this.logger.error(`Crash: ${error.name}: ${error.message}`, { groupId, retryCount, stack: error.stack })
    const calls = this.#calls
    await this.#disconnect()
    const restart = mayRestart(error) && (await this.#isRestartAllowed(error)) && calls === this.#calls
    this.emitter.emit('CRASH', () => ({ error, groupId, restart }))
    // A listener may have stopped it.
    if (!restart || calls !== this.#calls) return
    const ms = after ?? retryTime(this.#plan, 1)
    this.logger.error(`Restarting the consumer in ${ms}ms`, { groupId, retryCount, retryTime: ms })
    this.#restart = setTimeout(() => void this.#startAgain(settings, pauses), ms)
  }

  async #isRestartAllowed(error: Error): Promise<boolean> {
    const { restartOnFailure } = this.#config.retry ?? {}
    const { restartOnFailure: common } = this.#shared.config.retry ?? {}
    try {
      return (await (restartOnFailure ?? common)?.(error)) ?? true
    } catch (thrown) {
      const { groupId } = this.#config
      const why = thrown instanceof Error ? thrown.message : thrown
      this.logger.error('Caught error when invoking user-provided "restartOnFailure": restarting', {
        error: why,
        cause: error.message,
        groupId,
      })
      return true
    }
  }

  async #startAgain(settings: RunSettings, pauses: Pauses): Promise<void> {
    this.#restart = null
    if (this.session !== null) return
    this.emitter.emit('CONNECT', () => undefined)
    await this.#start(settings, pauses)
  }
}
