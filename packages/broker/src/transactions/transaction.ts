/** The coordinator's state of one transactional id. */
import type { Timer } from '../base/clock.ts'
import type { TopicPartition } from '../topics/topics.ts'

export type TransactionState =
  'Empty' | 'Ongoing' | 'PrepareCommit' | 'PrepareAbort' | 'CompleteCommit' | 'CompleteAbort' | 'Dead'

const transitions: Record<TransactionState, readonly TransactionState[]> = {
  // An abort without a transaction only raises the epoch (KIP-890).
  Empty: ['Empty', 'Ongoing', 'PrepareAbort', 'Dead'],
  Ongoing: ['Ongoing', 'PrepareCommit', 'PrepareAbort'],
  PrepareCommit: ['CompleteCommit'],
  PrepareAbort: ['CompleteAbort'],
  CompleteCommit: ['Empty', 'Ongoing', 'PrepareAbort', 'Dead'],
  CompleteAbort: ['Empty', 'Ongoing', 'PrepareAbort', 'Dead'],
  Dead: [],
}

/** Names of the states in requests. Kafka has one more, which never shows. */
export const transactionStates: readonly string[] = [...Object.keys(transitions), 'PrepareEpochFence']

/** The highest epoch that a producer gets: one more is reserved to fence it. */
export const MAX_EPOCH = 32_766

/** The durable state of a transactional id. */
export interface TransactionFields {
  producerId: bigint
  /** -1 if there was none. */
  previousProducerId: bigint
  /** The producer id to use once the markers are written, if the epochs are exhausted; else -1. */
  nextProducerId: bigint
  /** -1 until the first InitProducerId. */
  epoch: number
  lastEpoch: number
  timeoutMs: number
  state: TransactionState
  /** ms since the epoch, -1 while there is no transaction. */
  startTime: number
  /** ms since the epoch. */
  updateTime: number
  /** Whether the client gets a new epoch with each transaction (KIP-890, transaction version 2). */
  bumpsEpoch: boolean
  /** By {@link partitionKey}; once the transaction has ended, those whose markers have yet to be written. */
  readonly partitions: Map<string, TopicPartition>
}

export class Transaction {
  readonly id: string
  readonly fields: TransactionFields
  /** Aborts the transaction when it times out, or retries its markers. */
  timer: Timer | null = null

  constructor(id: string, fields: TransactionFields) {
    this.id = id
    this.fields = fields
  }

  enter(next: TransactionState, now: number): void {
    const { state } = this.fields
    if (!transitions[state].includes(next)) throw new Error(`transaction ${this.id} cannot go from ${state} to ${next}`)
    this.fields.state = next
    this.fields.updateTime = now
    this.timer?.cancel()
    this.timer = null
  }

  get isPreparing(): boolean {
    return this.fields.state === 'PrepareCommit' || this.fields.state === 'PrepareAbort'
  }

  get isEpochExhausted(): boolean {
    return this.fields.epoch >= MAX_EPOCH
  }
}

export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}\0${partition}`
}
