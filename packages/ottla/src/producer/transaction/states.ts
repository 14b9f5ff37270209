/**
 * The states of a transactional producer: one table of the events that each state allows. The names are those of
 * librdkafka's statistics. `NotAcked` states keep the outcome of a call that timed out for the next call of the same
 * name.
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
  /** `initTransactions` requests a producer id. */
  | 'initialize'
  /** The coordinator has assigned one. */
  | 'granted'
  /** No coordinator could be reached, and that does not seem to be transient. */
  | 'unreachable'
  /** The call's outcome has been reported to the application. */
  | 'acknowledge'
  | 'begin'
  /** `commitTransaction`: everything queued is sent. */
  | 'commit'
  /** All messages have been delivered: the commit request follows. */
  | 'flushed'
  /** `abortTransaction`: queued messages are given up, those in flight are waited for. */
  | 'abort'
  /** Nothing is in flight any more: the abort request follows. */
  | 'drained'
  /** The coordinator has committed or aborted. */
  | 'ended'
  /** The transaction can no longer be committed. */
  | 'fail'
  /** The producer can no longer be used. */
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

/** The state after an event; null if the event cannot happen in this state. */
export function nextState(state: TransactionStateName, event: TransactionEvent): TransactionStateName | null {
  return moves[state][event] ?? null
}

/** Whether messages are accepted. */
export function mayProduce(state: TransactionStateName): boolean {
  return state === 'InTransaction'
}

/** Whether batches may be sent. */
export function maySend(state: TransactionStateName): boolean {
  return state === 'InTransaction' || state === 'BeginCommit'
}
