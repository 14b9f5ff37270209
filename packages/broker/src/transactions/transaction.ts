/** One transactional id, as its coordinator keeps it. */
import type { Timer } from '../base/clock.ts'
import type { TopicPartition } from '../topics/topics.ts'

export type TransactionState =
  'Empty' | 'Ongoing' | 'PrepareCommit' | 'PrepareAbort' | 'CompleteCommit' | 'CompleteAbort' | 'Dead'

const moves: Record<TransactionState, readonly TransactionState[]> = {
  // An abort of nothing bumps the epoch (KIP-890).
  Empty: ['Empty', 'Ongoing', 'PrepareAbort', 'Dead'],
  Ongoing: ['Ongoing', 'PrepareCommit', 'PrepareAbort'],
  PrepareCommit: ['CompleteCommit'],
  PrepareAbort: ['CompleteAbort'],
  CompleteCommit: ['Empty', 'Ongoing', 'PrepareAbort', 'Dead'],
  CompleteAbort: ['Empty', 'Ongoing', 'PrepareAbort', 'Dead'],
  Dead: [],
}

/** Names of the states in requests; Kafka has one more, in which nothing can be seen from outside. */
export const transactionStates: readonly string[] = [...Object.keys(moves), 'PrepareEpochFence']

/** The largest epoch that a producer is given: one more has to be left to fence it with. */
export const LAST_EPOCH = 32_766

/** What is kept of a transactional id. */
export interface TransactionFields {
  producerId: bigint
  /** -1 until there was another. */
  previousProducerId: bigint
  /** The producer id to go on with after the markers, when the epochs have run out; else -1. */
  nextProducerId: bigint
  /** -1 until the first InitProducerId is answered. */
  epoch: number
  lastEpoch: number
  timeoutMs: number
  state: TransactionState
  /** ms since the epoch, -1 while there is no transaction. */
  startTime: number
  /** ms since the epoch. */
  updateTime: number
  /** Whether the client ends each transaction with a new epoch (KIP-890, transaction version 2). */
  bumpsEpoch: boolean
  /** By topic and number; those whose markers are still to be written, once the transaction has ended. */
  readonly partitions: Map<string, TopicPartition>
}

export class Transaction {
  readonly id: string
  readonly fields: TransactionFields
  /** Ends the transaction, or tries its markers again. */
  timer: Timer | null = null

  constructor(id: string, fields: TransactionFields) {
    this.id = id
    this.fields = fields
  }

  enter(next: TransactionState, now: number): void {
    const { state } = this.fields
    if (!moves[state].includes(next)) throw new Error(`transaction ${this.id}: ${state} -> ${next} is no legal move`)
    this.fields.state = next
    this.fields.updateTime = now
    this.timer?.cancel()
    this.timer = null
  }

  get isPreparing(): boolean {
    return this.fields.state === 'PrepareCommit' || this.fields.state === 'PrepareAbort'
  }

  get isEpochExhausted(): boolean {
    return this.fields.epoch >= LAST_EPOCH
  }
}

export function partitionKey({ topic, partition }: TopicPartition): string {
  return `${topic}\0${partition}`
}
