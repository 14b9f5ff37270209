/** Calls of the rebalance callback: queued by the group, run one at a time inside the application's next poll. */
import { stackOf } from '../../base/unknown-error.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { OFFSET_INVALID, type RebalanceEvent, type TopicPartition, type TopicPartitionOffset } from '../../types.ts'
import { channels } from '../../observe/channels.ts'
import type { RunningJobs } from '../read/running-jobs.ts'
import type { Job, JobHolder } from '../read/job-list.ts'

export type Callback = (event: RebalanceEvent) => void | Promise<void>

/** Something to do inside the application's next poll. */
export interface Call {
  type: 'assign' | 'revoke' | 'lost' | 'rejoin'
  partitions: readonly TopicPartition[]
  /** The callback has called assign or unassign itself. */
  touched: boolean
  /** For 'rejoin': joins the group. */
  readonly join?: () => void
}

/** What the calls need of the consumer. */
export interface CallsHost {
  /** The assigned partitions. */
  partitions(): TopicPartition[]
  /** @param adds keeps what is assigned, instead of replacing it */
  assign(partitions: readonly TopicPartitionOffset[], adds: boolean): Promise<void>
  /** @param lost the partitions may already belong to another member: nothing is committed */
  release(partitions: readonly TopicPartition[], lost: boolean): Promise<void>
  /** Callbacks wait to be run. */
  onCallbacks(): void
  /** What the application is processing, callbacks included. */
  readonly runningJobs: RunningJobs
}

export class RebalanceCalls implements JobHolder {
  /** The application's callback. */
  callback: Callback | null = null
  readonly #context: ClientContext
  readonly #host: CallsHost
  readonly #protocol: RebalanceEvent['protocol']
  readonly #queue: Call[] = []
  /** What the group has assigned and not revoked (unused under EAGER, where that is the whole assignment). */
  readonly #held = new Map<string, TopicPartition>()
  #current: Call | null = null
  /** The callback, while it is running. */
  job: Job | null = null
  #awaited: (() => void)[] = []
  #isLost = false

  constructor(context: ClientContext, protocol: RebalanceEvent['protocol'], host: CallsHost) {
    this.#context = context
    this.#protocol = protocol
    this.#host = host
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0
  }

  /** The call that is running. */
  get current(): Call | null {
    return this.#current
  }

  /** Resolves when the running callback itself waits for the call that would wait for it. */
  async selfAwaited(): Promise<void> {
    if (this.job?.awaitsEnd !== true) await new Promise<void>(resolve => this.#awaited.push(resolve))
  }

  onAwaitsEnd(): void {
    for (const resolve of this.#awaited.splice(0)) resolve()
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /** The partitions that the application holds for the group. */
  held(): TopicPartition[] {
    return this.#protocol === 'EAGER' ? this.#host.partitions() : [...this.#held.values()]
  }

  /** All partitions may belong to other members by now. */
  lose(): void {
    this.#isLost = true
    const last = this.#queue.at(-1)
    if (last?.type === 'revoke') {
      // The membership was lost before the application got the revoke.
      last.type = 'lost'
      last.partitions = this.held()
      this.#host.onCallbacks()
    } else if (this.#current === null) {
      this.add('lost', this.held())
    }
  }

  add(type: Call['type'], partitions: readonly TopicPartition[]): void {
    this.#queue.push({ type, partitions, touched: false })
    this.#host.onCallbacks()
  }

  /** Joins inside the application's next poll. */
  addJoin(join: () => void): void {
    this.#queue.push({ type: 'rejoin', partitions: [], touched: false, join })
    this.#host.onCallbacks()
  }

  /** The application holds nothing any more, whatever callbacks have said. */
  forget(): void {
    this.#held.clear()
  }

  /** Drops assignments that the application has not got yet. */
  dropAssigns(): void {
    for (let i = this.#queue.length - 1; i >= 0; i--) {
      const type = this.#queue[i]?.type
      if (type === 'assign' || type === 'rejoin') this.#queue.splice(i, 1)
    }
  }

  /** The application has called assign or unassign, perhaps in a callback. */
  touched(): void {
    if (this.#current !== null) this.#current.touched = true
  }

  take(): Call | undefined {
    return this.#queue.shift()
  }

  /** Calls the callback, then does what it has not done itself. */
  async run(call: Call): Promise<void> {
    const { type } = call
    if (type === 'rejoin') {
      call.join?.()
      return
    }
    const partitions = call.partitions.map(({ topic, partition }) => ({ topic, partition, offset: OFFSET_INVALID }))
    const event: RebalanceEvent = { type, partitions, protocol: this.#protocol }
    const { rebalance } = channels
    if (!rebalance.hasSubscribers) await this.#perform(call, event)
    else await rebalance.trace({ client: this.#context.client, ...event }, () => this.#perform(call, event))
    this.#context.events.emit({ type: 'rebalance', event })
    if (type !== 'assign') this.#isLost = false
  }

  async #perform(call: Call, event: RebalanceEvent): Promise<void> {
    const { type, partitions } = event
    if (type === 'assign') this.#isLost = false
    this.#current = call
    try {
      await this.#callBack(event)
    } catch (error) {
      const why = stackOf(error)
      this.#context.logger.error('REBALANCE', `the rebalance callback threw; the client carries on without it: ${why}`)
    }
    if (this.#protocol === 'EAGER') await this.#finishEager(call, partitions)
    else await this.#finish(call, partitions)
    this.#current = null
  }

  async #finishEager({ type, touched }: Call, partitions: readonly TopicPartitionOffset[]): Promise<void> {
    if (touched) return
    if (type === 'assign') await this.#host.assign(partitions, false)
    else await this.#host.release(this.#host.partitions(), type === 'lost')
  }

  async #finish({ type, touched }: Call, partitions: readonly TopicPartitionOffset[]): Promise<void> {
    if (type === 'assign') {
      for (const { topic, partition } of partitions) this.#held.set(`${topic}\0${partition}`, { topic, partition })
      if (!touched) await this.#host.assign(partitions, true)
      return
    }
    // Whatever the callback did: revoked partitions must not be read any more.
    await this.#host.release(partitions, type === 'lost')
    for (const { topic, partition } of partitions) this.#held.delete(`${topic}\0${partition}`)
  }

  async #callBack(event: RebalanceEvent): Promise<void> {
    const { callback } = this
    if (callback !== null) await this.#host.runningJobs.performCallback(this, () => callback(event))
  }
}
