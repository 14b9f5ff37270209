/** What the program has to be told of its partitions: queued by the group, run one at a time inside its next poll. */
import { stackOf } from '../../base/unknown-error.ts'
import type { ClientContext } from '../../cluster/context.ts'
import { OFFSET_INVALID, type RebalanceEvent, type TopicPartition, type TopicPartitionOffset } from '../../types.ts'
import type { AtWork } from '../read/at-work.ts'
import type { Job, JobHolder } from '../read/jobs.ts'

export type Callback = (event: RebalanceEvent) => void | Promise<void>

/** Something to be done inside the program's next poll. */
export interface Call {
  type: 'assign' | 'revoke' | 'lost' | 'rejoin'
  partitions: readonly TopicPartition[]
  /** The program has assigned or unassigned by itself. */
  touched: boolean
  /** Of a rejoin: what to do. */
  readonly join?: () => void
}

/** What the calls need of the consumer. */
export interface CallsHost {
  /** What is assigned to the consumer. */
  partitions(): TopicPartition[]
  /** In place of what is assigned, or besides. */
  assign(partitions: readonly TopicPartitionOffset[], besides: boolean): Promise<void>
  /** @param lost the partitions may be another member's already: nothing is committed */
  release(partitions: readonly TopicPartition[], lost: boolean): Promise<void>
  /** Callbacks wait to be run. */
  onCallbacks(): void
  /** What the program is working on, callbacks included. */
  readonly atWork: AtWork
}

export class RebalanceCalls implements JobHolder {
  /** The program's. */
  callback: Callback | null = null
  readonly #context: ClientContext
  readonly #host: CallsHost
  readonly #protocol: RebalanceEvent['protocol']
  readonly #queue: Call[] = []
  /** What the group has given and not taken back (not under EAGER, where it is all that is assigned). */
  readonly #held = new Map<string, TopicPartition>()
  #current: Call | null = null
  /** The program's callback, while it is under way. */
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

  /** The program is in one of them. */
  get current(): Call | null {
    return this.#current
  }

  /** Resolves when a callback waits for the end of all this itself: it is not to be waited for. */
  async selfAwaited(): Promise<void> {
    if (this.job?.isEnding !== true) await new Promise<void>(resolve => this.#awaited.push(resolve))
  }

  onEnding(): void {
    for (const resolve of this.#awaited.splice(0)) resolve()
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /** The partitions that the program holds for the group. */
  held(): TopicPartition[] {
    return this.#protocol === 'EAGER' ? this.#host.partitions() : [...this.#held.values()]
  }

  /** Everything may be another's by now. */
  lose(): void {
    this.#isLost = true
    const last = this.#queue.at(-1)
    if (last?.type === 'revoke') {
      // What was to be revoked has been lost before the program looked.
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

  /** The program is to poll before this happens. */
  addJoin(join: () => void): void {
    this.#queue.push({ type: 'rejoin', partitions: [], touched: false, join })
    this.#host.onCallbacks()
  }

  /** The program has nothing any more, whatever it was told. */
  forget(): void {
    this.#held.clear()
  }

  /** Partitions that the program has not been told of need not be taken from it. */
  dropAssigns(): void {
    for (let i = this.#queue.length - 1; i >= 0; i--) {
      const type = this.#queue[i]?.type
      if (type === 'assign' || type === 'rejoin') this.#queue.splice(i, 1)
    }
  }

  /** The program has assigned or unassigned by itself, within a callback perhaps. */
  touched(): void {
    if (this.#current !== null) this.#current.touched = true
  }

  take(): Call | undefined {
    return this.#queue.shift()
  }

  /** Calls the program, and does what it has left to be done. */
  async run(call: Call): Promise<void> {
    const { type } = call
    if (type === 'rejoin') {
      call.join?.()
      return
    }
    const partitions = call.partitions.map(({ topic, partition }) => ({ topic, partition, offset: OFFSET_INVALID }))
    const event: RebalanceEvent = { type, partitions, protocol: this.#protocol }
    if (type === 'assign') this.#isLost = false
    this.#current = call
    try {
      await this.#callProgram(event)
    } catch (error) {
      const why = stackOf(error)
      this.#context.logger.error('REBALANCE', `the rebalance callback threw; the client carries on without it: ${why}`)
    }
    if (this.#protocol === 'EAGER') await this.#finishEager(call, partitions)
    else await this.#finish(call, partitions)
    this.#current = null
    this.#context.events.emit({ type: 'rebalance', event })
    if (type !== 'assign') this.#isLost = false
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
    // Whatever the program did: what the group takes away must not be read any more.
    await this.#host.release(partitions, type === 'lost')
    for (const { topic, partition } of partitions) this.#held.delete(`${topic}\0${partition}`)
  }

  async #callProgram(event: RebalanceEvent): Promise<void> {
    const { callback } = this
    if (callback !== null) await this.#host.atWork.callBack(this, () => callback(event))
  }
}
