/** Rebalances as node-rdkafka tells of them: an event or a callback, after which the program assigns the partitions. */
import { ErrorCode, type RebalanceEvent } from 'ottla'
import { call } from '../translate/calling.ts'
import { librdKafkaError } from '../translate/errors.ts'
import { fromEvent } from '../translate/partitions.ts'
import type { LibrdKafkaError } from '../types/errors.ts'
import type { TopicPartitionOffset } from '../types/messages.ts'

export interface RebalancesHost {
  /** `rebalance` */
  announce(error: LibrdKafkaError, partitions: TopicPartitionOffset[]): void
  /** `rebalance.error` */
  announceFailure(error: unknown): void
  /** How long the program may take to assign the partitions, ms. */
  readonly patienceMs: number
}

type RebalanceCallback = (error: LibrdKafkaError, partitions: TopicPartitionOffset[]) => unknown

export class Rebalances {
  readonly #host: RebalancesHost
  /** Null: the client assigns the partitions itself. */
  readonly #callback: RebalanceCallback | null
  /** What the program has begun while its callback was due; null outside of one. */
  #changes: Promise<void>[] | null = null
  #onChange: (() => void) | null = null
  #isOver = false

  constructor(host: RebalancesHost, callback: RebalanceCallback | null) {
    this.#host = host
    this.#callback = callback
  }

  /** Resolves when the program has dealt with the partitions; the client deals with them if it has not. */
  async handle({ type, partitions }: RebalanceEvent): Promise<void> {
    const error = type === 'assign' ? assigned() : revoked()
    const list = fromEvent(partitions)
    this.#changes = []
    try {
      this.#host.announce(error, list)
      if (this.#callback === null) return
      this.#callback(error, list)
      // The program may take its time, as it may with librdkafka: to find out where to begin, say.
      if (this.#changes.length === 0) await this.#change()
      await Promise.all(this.#changes)
    } catch (thrown) {
      this.#host.announceFailure(thrown)
    } finally {
      this.#changes = null
    }
  }

  /** The program assigns partitions, or gives them up. */
  changing(change: Promise<void>): void {
    this.#changes?.push(change)
    this.#onChange?.()
  }

  /** Waits for the program no longer. */
  stop(): void {
    this.#isOver = true
    this.#onChange?.()
  }

  #change(): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    return new Promise(resolve => {
      const settle = (): void => {
        clearTimeout(timer)
        this.#onChange = null
        resolve()
      }
      const { patienceMs } = this.#host
      const timer = setTimeout(() => {
        const why = `rebalance_cb has called neither assign nor unassign within ${patienceMs} ms`
        call(() => this.#host.announceFailure(librdKafkaError(ErrorCode.ERR__TIMED_OUT, why)))
        settle()
      }, patienceMs)
      this.#onChange = settle
    })
  }
}

function assigned(): LibrdKafkaError {
  return librdKafkaError(ErrorCode.ERR__ASSIGN_PARTITIONS, 'partitions are assigned')
}

function revoked(): LibrdKafkaError {
  return librdKafkaError(ErrorCode.ERR__REVOKE_PARTITIONS, 'partitions are revoked')
}
