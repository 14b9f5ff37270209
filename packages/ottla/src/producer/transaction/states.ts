/**
 * Where a transactional producer stands: one table of what may happen in which state. The names are those of
 * librdkafka's statistics. `NotAcked` states keep the end of a call that ran out of time for the next call of the same name.
 */

export type TransactionStateName =
  | 'Init'
  | 'WaitPID'
  | 'ReadyNotAcked'
  | 'Ready'
  | 'InTransaction'
  | 'BeginCommit'
  | 'CommittingTransaction'
  | 'CommitNotAcked'
  | 'BeginAbort'
  | 'AbortingTransaction'
  | 'AbortedNotAcked'
  | 'AbortableError'
  | 'FatalError'

export type TransactionEvent =
  /** `initTransactions` asks for a producer id. */
  | 'initialize'
  /** The coordinator has given one. */
  | 'granted'
  /** No coordinator could be asked, and that does not look as if it passed. */
  | 'unreachable'
  /** The program has been told how its call ended. */
  | 'acknowledge'
  | 'begin'
  /** `commitTransaction`: everything queued goes out. */
  | 'commit'
  /** All messages have been delivered: the coordinator is told to commit. */
  | 'flushed'
  /** `abortTransaction`: what is queued is given up, what is under way is waited for. */
  | 'abort'
  /** Nothing is under way any more: the coordinator is told to abort. */
  | 'drained'
  /** The coordinator has committed or aborted. */
  | 'ended'
  /** The transaction cannot be committed any more. */
  | 'fail'
  /** The producer cannot be used any more. */
  | 'die'

type Moves = Partial<Record<TransactionEvent, TransactionStateName>>

const moves: Record<TransactionStateName, Moves> = {
  Init: { initialize: 'WaitPID', die: 'FatalError' },
  WaitPID: { granted: 'ReadyNotAcked', unreachable: 'Init', die: 'FatalError' },
  ReadyNotAcked: { acknowledge: 'Ready', die: 'FatalError' },
  Ready: { begin: 'InTransaction', die: 'FatalError' },
  InTransaction: { commit: 'BeginCommit', abort: 'BeginAbort', fail: 'AbortableError', die: 'FatalError' },
  BeginCommit: { flushed: 'CommittingTransaction', fail: 'AbortableError', die: 'FatalError' },
  CommittingTransaction: { ended: 'CommitNotAcked', fail: 'AbortableError', die: 'FatalError' },
  CommitNotAcked: { acknowledge: 'Ready', die: 'FatalError' },
  AbortableError: { abort: 'BeginAbort', die: 'FatalError' },
  BeginAbort: { drained: 'AbortingTransaction', die: 'FatalError' },
  AbortingTransaction: { ended: 'AbortedNotAcked', fail: 'AbortableError', die: 'FatalError' },
  AbortedNotAcked: { acknowledge: 'Ready', die: 'FatalError' },
  FatalError: {},
}

/** The state that an event leads to; null: it cannot happen in this one. */
export function nextState(state: TransactionStateName, event: TransactionEvent): TransactionStateName | null {
  return moves[state][event] ?? null
}

/** Whether messages are accepted. */
export function mayProduce(state: TransactionStateName): boolean {
  return state === 'InTransaction'
}

/** Whether batches may leave. */
export function maySend(state: TransactionStateName): boolean {
  return state === 'InTransaction' || state === 'BeginCommit'
}
