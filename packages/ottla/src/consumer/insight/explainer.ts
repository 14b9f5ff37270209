/** Says in sentences why no messages arrive. */
import { ErrorCode } from '@ottla/protocol'
import { groupBy } from '../../base/grouping.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { connectionConditions, explainConnections, explainTopicError, some } from '../../cluster/insight.ts'
import { KafkaError } from '../../errors.ts'
import type { Condition } from '../../observe/health.ts'
import { forGood } from '../read/fatal.ts'
import { OFFSET_BEGINNING } from '../../types.ts'
import type { Subscription } from '../group/subscription.ts'
import type { Cursor } from '../partition/cursor.ts'
import type { RunningJobs } from '../read/running-jobs.ts'
import type { Job } from '../read/job-list.ts'

/** What the explainer looks at. */
export interface ExplainedConsumer {
  readonly cursors: readonly Cursor[]
  readonly isClosed: boolean
  /** A poll, an iterator or a run waits for messages. */
  readonly isWaiting: boolean
  isQueueFull(): boolean
  /** The messages that a run or partition streams are processing. */
  readonly runningJobs: RunningJobs
  /** Null without `group.id`. */
  readonly group: ExplainedGroup | null
}

export interface ExplainedGroup {
  readonly subscription: Subscription | null
  /** It has been left because the application took too long. */
  readonly isParked: boolean
  /** Rebalance callbacks wait to be run. */
  readonly hasCallbacks: boolean
  /** librdkafka's join states. */
  readonly joinState: string
}

const joinStates: Readonly<Record<string, string>> = {
  init: 'is not a member yet',
  'wait-join': 'is joining: it waits for the coordinator and for the other members, which join when they poll',
  'wait-metadata': 'is assigning the partitions as the leader',
  'wait-sync': 'waits for the leader to assign the partitions',
  'wait-assign-call': 'is about to be assigned partitions',
  'wait-unassign-call': 'is about to have partitions revoked',
}

// Messages that the application has processed for less are not worth a sentence.
const LONG_MS = 1000
// Says this many of what may be a lot, and counts the others.
const MOST_NAMES = 5

export class Explainer {
  readonly #context: ClientContext
  readonly #cluster: Cluster
  readonly #consumer: ExplainedConsumer
  #last: { readonly error: KafkaError; readonly at: number } | null = null
  #fatal: KafkaError | null = null

  constructor(context: ClientContext, cluster: Cluster, consumer: ExplainedConsumer) {
    this.#context = context
    this.#cluster = cluster
    this.#consumer = consumer
    context.events.subscribe(event => {
      if (event.type !== 'error') return
      const { error } = event
      if (error.isFatal) this.#fatal = error
      // Its cause says more than that all brokers are down.
      const isSum = error.code === ErrorCode.ERR__ALL_BROKERS_DOWN && error.cause instanceof KafkaError
      this.#last = { error: isSum ? (error.cause as KafkaError) : error, at: context.clock.now() }
    })
  }

  /** One sentence each, causes before their consequences. */
  explain(): string[] {
    const { isClosed, cursors, group, isWaiting } = this.#consumer
    if (isClosed) return ['The consumer is closed.']
    if (this.#fatal !== null) return [`${forGood(this.#fatal)} Close it and make another one.`]
    const found = [...explainConnections(this.#cluster)]
    if (group?.subscription) found.push(...this.#subscription(group.subscription), ...this.#group(group))
    else if (cursors.length === 0) found.push('Nothing is subscribed to or assigned: call subscribe or assign.')
    found.push(...this.#leftBehind())
    const waiting = cursors.some(({ queued }) => queued.messages > 0) || group?.hasCallbacks === true
    if (waiting && !isWaiting) found.push('The application is not asking: no poll, iterator or run waits for messages.')
    found.push(...this.#partitions())
    if (this.#last !== null) {
      const seconds = Math.round((this.#context.clock.now() - this.#last.at) / 1000)
      found.push(`The last error, ${seconds} s ago: ${this.#last.error.message} (${this.#last.error.name}).`)
    }
    return found
  }

  *conditions(): Iterable<Condition> {
    const { isClosed, cursors, group } = this.#consumer
    if (isClosed) {
      yield { code: 'closed', message: 'The consumer is closed.' }
      return
    }
    if (this.#fatal !== null) {
      yield { code: 'fatal', message: forGood(this.#fatal) }
      return
    }
    yield* connectionConditions(this.#cluster)
    if (group?.subscription) {
      for (const message of this.#subscription(group.subscription)) yield { code: 'topic', message }
      const [message = ''] = this.#group(group)
      if (group.isParked && cursors.length === 0) yield { code: 'poll-exceeded', message }
      else if (group.hasCallbacks || group.joinState !== 'steady') yield { code: 'joining', message }
    }
    yield* this.#troubles()
    yield* this.#slowness()
  }

  /** How long is too long, ms; Infinity if `ottla.partition.stall.ms` is 0. */
  get #stallMs(): number {
    return this.#context.settings['ottla.partition.stall.ms'] || Infinity
  }

  /** Partitions that cannot be read at present. */
  *#troubles(): Iterable<Condition> {
    const since = this.#context.clock.now() - this.#stallMs
    // A partition with messages that wait for the application need not be fetched.
    const isSilent = ({ state, fetching, queued, isSuspended }: Cursor): boolean =>
      state === 'active' &&
      !isSuspended &&
      queued.messages === 0 &&
      fetching.fetchedAt >= 0 &&
      fetching.fetchedAt < since
    const isFull = this.#consumer.isQueueFull()
    const troubled = this.#consumer.cursors.filter(
      cursor =>
        cursor.state === 'stopped' ||
        cursor.trouble !== null ||
        cursor.waitsFor !== null ||
        (!isFull && isSilent(cursor)),
    )
    const [first] = troubled
    if (first === undefined) return
    yield { code: 'partition', message: `${some(troubled.map(({ name }) => name))}: ${this.partition(first)}.` }
  }

  /** Handlers that take long. */
  *#slowness(): Iterable<Condition> {
    const { runningJobs } = this.#consumer
    const slow = runningJobs.longerThan(this.#stallMs)
    const [longest] = slow
    if (longest === undefined) return
    const message = `${some(slow.map(({ place }) => place.name))}: ${runningJobs.describe(longest)}.`
    yield { code: 'slow-handler', message, since: longest.since }
  }

  /** What keeps messages of one partition away, or that nothing does. */
  partition(cursor: Cursor): string {
    const why = cursor.trouble === null ? '' : `; last error: ${cursor.trouble.message}`
    if (cursor.paused) return 'is paused'
    if (cursor.waitsFor !== null) return `waits, and tries again: ${cursor.waitsFor.message}`
    const job = this.#jobs().find(({ place }) => place === cursor)
    if (job !== undefined) return this.#consumer.runningJobs.describe(job) + (cursor.held ? '; what follows waits' : '')
    if (cursor.held) return 'is held: messages that have been read wait for the application'
    const topic = this.#cluster.metadata.snapshot.topics.get(cursor.topic)
    if (topic !== undefined && topic.errorCode !== ErrorCode.ERR_NO_ERROR) return problemOf(topic.errorCode)
    if (topic !== undefined && cursor.partition >= topic.partitions.length) {
      return `does not exist: the topic has ${topic.partitions.length} partitions`
    }
    switch (cursor.state) {
      case 'stopped':
        return 'has no valid offset, and auto.offset.reset=error: call seek to say where to begin'
      case 'stored-query':
        return `waits for its committed offset from the group coordinator${why}`
      case 'offset-query': {
        const what = cursor.target === OFFSET_BEGINNING ? 'first offset' : 'offset to begin at'
        return `waits for its ${what} from ${this.#leaderOf(cursor)}${why}`
      }
      case 'validating':
        return `waits for ${this.#leaderOf(cursor)}, a new one, to confirm that it has what was read${why}`
      case 'active':
        return this.#active(cursor)
      default:
        return cursor.state satisfies never
    }
  }

  #jobs(): readonly Job[] {
    return this.#consumer.runningJobs.longerThan(LONG_MS)
  }

  /** Messages in progress of partitions that are no longer assigned. */
  *#leftBehind(): Iterable<string> {
    const { runningJobs, cursors } = this.#consumer
    const jobs = this.#jobs().filter(({ place }) => !cursors.some(cursor => cursor === place))
    for (const job of jobs.slice(0, MOST_NAMES)) {
      yield `${job.place.name} is no longer assigned: ${runningJobs.describe(job)}.`
    }
    if (jobs.length > MOST_NAMES) yield `The same goes for ${jobs.length - MOST_NAMES} more messages.`
  }

  #active(cursor: Cursor): string {
    const { position, trouble, queued } = cursor
    const { end, high, preferredReplica, fetchedAt } = cursor.fetching
    if (queued.messages > 0) return 'has messages that wait for the application'
    if (this.#leaderId(cursor) < 0) return 'has no leader'
    const from = preferredReplica < 0 ? this.#leaderOf(cursor) : `broker ${preferredReplica}`
    if (trouble !== null) return `could not be fetched from ${from}: ${trouble.message}`
    if (this.#consumer.isQueueFull()) return 'is not fetched: waiting messages have reached queued.max.messages.kbytes'
    if (fetchedAt < 0) return `is being fetched from ${from} for the first time`
    if (position < end) return `is being fetched from ${from}`
    if (end < high) return 'is read up to a transaction that has not ended (isolation.level=read_committed)'
    return 'is read to its end'
  }

  *#subscription(subscription: Subscription): Iterable<string> {
    const { snapshot } = this.#cluster.metadata
    for (const name of subscription.names) {
      const code = snapshot.topics.get(name)?.errorCode
      if (code !== undefined && code !== ErrorCode.ERR_NO_ERROR) yield `Topic ${name} ${problemOf(code)}.`
    }
    // With group.protocol=consumer only the coordinator knows.
    if (subscription.patterns.length === 0 || this.#context.settings['group.protocol'] === 'consumer') return
    if (subscription.topics(snapshot, () => false).length === 0) {
      yield `No topic matches ${some(subscription.terms)}.`
    }
  }

  *#group({ hasCallbacks, joinState, isParked }: ExplainedGroup): Iterable<string> {
    const { cursors, isWaiting } = this.#consumer
    const name = `The consumer (group '${this.#context.settings['group.id'] ?? ''}')`
    if (isParked && cursors.length === 0) {
      const until = 'it joins again when the application polls, or when the messages in progress are done'
      yield `${name} has left the group (max.poll.interval.ms): ${until}.`
    } else if (hasCallbacks) {
      yield isWaiting
        ? `${name} is rebalancing: the rebalance callback is running.`
        : `${name} is to be assigned partitions, or to give them up, as soon as the application polls.`
    } else if (joinState !== 'steady') {
      yield `${name} ${joinStates[joinState] ?? joinState}.`
    } else if (cursors.length === 0) {
      yield `${name} has no partition: others have them all, or there are none.`
    }
  }

  /** Partitions with the same reason share a sentence. */
  *#partitions(): Iterable<string> {
    const byReason = groupBy(
      this.#consumer.cursors,
      cursor => this.partition(cursor),
      cursor => cursor.name,
    )
    for (const [reason, names] of byReason) yield `${some(names)}: ${reason}.`
  }

  #leaderId({ topic, partition }: Cursor): number {
    return this.#cluster.metadata.snapshot.topics.get(topic)?.partitions[partition]?.leader ?? -1
  }

  #leaderOf(cursor: Cursor): string {
    const leader = this.#leaderId(cursor)
    return leader < 0 ? 'a leader (there is none at present)' : `its leader, broker ${leader}`
  }
}

function problemOf(code: number): string {
  return explainTopicError(code, 'read', KafkaError.of(code, 'metadata').message)
}
