/** What every client can say about itself: in words, in numbers, and as its health. */
import { ErrorCode, type KafkaError } from '../errors.ts'
import type { ChannelClient } from '../observe/channel-payloads.ts'
import { HealthMonitor, type Condition, type Health, type HealthListener } from '../observe/health.ts'
import type { Statistics } from '../statistics.ts'
import type { Broker } from './broker.ts'
import type { Cluster } from './cluster.ts'
import type { ClientContext } from './context.ts'

/**
 * A client that is open, for those who collect numbers of all clients in the process.
 * @since 0.1.0
 */
export interface OpenClient {
  readonly client: ChannelClient
  health(): Health
  explain(): string[]
  statistics(): Statistics
}

/** The key under which clients keep their insight. */
export const clientInsight: unique symbol = Symbol('ottla.clientInsight')

/** Where a client's insight comes from. */
export interface InsightSource {
  conditions(): Iterable<Condition>
  /** Sentences, causes before their consequences. */
  explain(): string[]
  /** A look at the counters that changes nothing. */
  statistics(): Statistics
}

const open = new Set<OpenClient>()

/**
 * The producers, consumers, share consumers and admin clients in this process that have not been closed, without admin
 * clients that share another one's connections.
 * @since 0.1.0
 */
export function openClients(): OpenClient[] {
  return [...open]
}

export class ClientInsight implements OpenClient {
  readonly client: ChannelClient
  readonly #source: InsightSource
  readonly #monitor: HealthMonitor

  /** @param isListed - whether `openClients` names it; not if it is another one's connections */
  constructor({ client, clock, logger }: ClientContext, source: InsightSource, isListed = true) {
    this.client = client
    this.#source = source
    this.#monitor = new HealthMonitor(clock, logger, () => source.conditions())
    if (isListed) open.add(this)
  }

  health(): Health {
    return this.#monitor.health()
  }

  explain(): string[] {
    return this.#source.explain()
  }

  statistics(): Statistics {
    return this.#source.statistics()
  }

  onStateChange(listener: HealthListener): () => void {
    return this.#monitor.onChange(listener)
  }

  /** The client is closed. */
  stop(): void {
    open.delete(this)
    this.#monitor.stop()
  }
}

// A sentence names this many and counts the others.
const MOST_NAMES = 5

/** The first names, and how many more there are. */
export function some(names: readonly string[]): string {
  const more = names.length - MOST_NAMES
  return names.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** What is wrong with the connections: one condition at most. */
export function* connectionConditions(cluster: Cluster): Iterable<Condition> {
  const all = cluster.allBrokers()
  const failing = failingOf(all)
  const [message = ''] = explainConnections(cluster)
  const sinces = failing.map(({ failingSince }) => failingSince ?? Infinity)
  const since = Math.min(...sinces)
  const at = since === Infinity ? {} : { since }
  if (all.some(broker => broker.isUp)) {
    if (failing.length > 0) yield { code: 'broker-down', message, ...at }
    return
  }
  const isRefused = failing.some(({ lastFailure }) => lastFailure?.code === ErrorCode.ERR__AUTHENTICATION)
  if (isRefused) yield { code: 'authentication', message, ...at }
  else if (failing.length > 0 && failing.length === all.length) yield { code: 'no-broker', message, ...at }
  else yield { code: 'connecting', message }
}

/** As long as there is any connection, only those that are needed. */
function failingOf(all: readonly Broker[]): Broker[] {
  const isAnyUp = all.some(broker => broker.isUp)
  return all.filter(broker => (isAnyUp ? broker.isMissed : broker.isFailing))
}

/** What keeps the client from its brokers, or some of them; nothing if it has them all. */
export function* explainConnections(cluster: Cluster): Iterable<string> {
  const all = cluster.allBrokers()
  const names = (brokers: readonly Broker[]): string => some(brokers.map(({ name }) => name))
  const failing = failingOf(all)
  if (all.some(broker => broker.isUp)) {
    if (failing.length > 0) yield `These brokers cannot be reached: ${names(failing)}${reasonOf(failing)}.`
  } else if (all.length > 0 && failing.length === all.length) {
    yield `No broker can be reached: ${names(all)}${reasonOf(all)}.`
  } else {
    yield `There is no connection yet: ${names(all)}.`
  }
}

/** A topic's error from the metadata, to follow its name. */
export function explainTopicError(code: number, verb: 'read' | 'written to', message: string): string {
  switch (code) {
    case ErrorCode.ERR_UNKNOWN_TOPIC_OR_PART:
      return 'does not exist'
    case ErrorCode.ERR_TOPIC_AUTHORIZATION_FAILED:
      return `may not be ${verb} by this user`
    default:
      return `is not available: ${message}`
  }
}

// The first one: as a rule they are all the same.
function reasonOf(brokers: readonly { readonly lastFailure: KafkaError | null }[]): string {
  const failure = brokers.find(({ lastFailure }) => lastFailure !== null)?.lastFailure
  return failure ? `; ${failure.message} (${failure.name})` : ''
}
